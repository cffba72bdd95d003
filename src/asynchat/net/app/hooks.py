"""Hooks: the functions of an application that a server asks and tells. They are registered before it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from asynchat.chat.events import Event as Fact
from asynchat.chat.messages import Message
from asynchat.chat.names import casefold, is_room
from asynchat.net.app import after
from asynchat.net.app.after import After, Following
from asynchat.net.app.calls import Calls
from asynchat.net.app.context import NAME, Command
from asynchat.net.app.event import KINDS, Event, What
from asynchat.net.journal import Entry
from asynchat.wire.asked import Slash, is_known

BeforeHook = Callable[[Message], Awaitable[str | None] | str | None]
AfterMessage = Callable[[Message], Awaitable[object] | object]
AfterEvent = Callable[[Event], Awaitable[object] | object]
AfterHook = AfterMessage | AfterEvent
Authenticator = Callable[[str, str], Awaitable[str | None] | str | None]


class Hooks:
    """All of an application's: the port `wire.asked.Application`."""

    def __init__(self, timeout_s: float) -> None:
        self.calls = Calls(timeout_s)
        self.authenticator: Authenticator | None = None
        self.slashes: dict[str, Slash] = {}
        self._before: list[tuple[BeforeHook, str | None]] = []
        self._after: list[After] = []

    # Registering.

    def add_before(self, function: BeforeHook, what: str, room: str | None) -> None:
        if what != "message":
            raise ValueError(f"there is no hook before {what!r}, only before a message: @server.on('message')")
        _check(function, room)
        self._before.append((function, casefold(room) if room is not None else None))

    def add_after(self, function: AfterHook, what: What, room: str | None) -> None:
        if what not in KINDS:
            raise ValueError(f"there is no hook after {what!r}: {', '.join(KINDS)}, as in @server.after('message')")
        if what == "rename" and room is not None:
            raise ValueError("who takes another name does so in no room")
        _check(function, room)
        self._after.append(After(function, what, room))

    def add_command(self, function: Callable[..., Any], name: str, role: str | None, usage: str) -> None:
        if not NAME.fullmatch(name) or is_known(name) or name in self.slashes:
            raise ValueError(f"{name!r} cannot be a command: a to z only, and not one that there is")
        _check(function, None)
        if role not in (None, "op"):
            raise ValueError(f"{role!r} is no role: op or None")
        self.slashes[name] = Command(name, function, usage or name, role, self.calls).slash

    def set_authenticator(self, function: Authenticator) -> None:
        _check(function, None)
        self.authenticator = function

    # What sessions ask.

    @property
    def asks(self) -> bool:
        return bool(self._before)

    async def asked(self, message: Message) -> str:
        room = casefold(message.to)
        for function, only in self._before:
            if only is None or only == room:
                message = await self._ask(function, message)
        return message.text

    async def _ask(self, function: BeforeHook, message: Message) -> Message:
        about = f"what {message.by} says in {message.to}"
        changed = await self.calls.call(function, about, message, gives=(str, type(None)))
        return message if changed is None else replace(message, text=changed)

    # Telling.

    def follow(self, find: Callable[[str], Awaitable[Fact | None]], group: asyncio.TaskGroup) -> Followers:
        """Have the after-hooks told of what comes, each by a task of the group."""
        return Followers([Following(hook, self.calls, find, after.MOST) for hook in self._after], group)


def check_word(word: object, decorator: str) -> None:
    """Let pass what a decorator was called with.

    Raises:
        TypeError: it is the function, since the parentheses are missing; that would go nowhere.
    """
    if not isinstance(word, str):
        raise TypeError(f"write @server.{decorator}('…') above the function, with a word in parentheses")


def _check(function: object, room: str | None) -> None:
    """Let a function, and the room for which it is asked, pass.

    Raises:
        TypeError: it is none; ValueError: that is no name of a room.
    """
    if not callable(function):
        raise TypeError(f"{function!r} is no function")
    if room is not None and not is_room(room):
        raise ValueError(f"{room!r} is no name of a room: it begins with #")


class Followers:
    """The after-hooks of a server that runs."""

    def __init__(self, following: Sequence[Following], group: asyncio.TaskGroup) -> None:
        self._following = following
        self._tasks = [group.create_task(each.run(), name="asynchat hook") for each in following]

    def __bool__(self) -> bool:
        return bool(self._following)

    def told(self, entries: Sequence[Entry]) -> None:
        """These were shown."""
        for entry in entries:
            if entry.refused is None and entry.first is None:
                for each in self._following:
                    each.note(entry.event)

    def hurry(self) -> None:
        """Have them told of nothing more."""
        for task in self._tasks:
            task.cancel()

    async def end(self, grace_s: float) -> None:
        """Have them told of what is left, for so long."""
        for each in self._following:
            each.end()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
