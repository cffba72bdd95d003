"""Commands of an application: who asked for one, and how it is answered."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from asynchat.chat import policy
from asynchat.chat.errors import Refused
from asynchat.chat.events import Flag
from asynchat.chat.names import is_room
from asynchat.chat.users import User
from asynchat.net.app.calls import Calls
from asynchat.wire.asked import Answering, Slash
from asynchat.wire.text import plain

NAME = re.compile(r"[a-z]+")
"""The name of a command, as every wire can spell it."""


_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)


class Context:
    """Who asked for a command, and where.

    `by` is the asker's name, `account` what they are logged in to (None: a guest), `wire` what they speak (`line`,
    `frame`, `irc`, `console`). `room` is the name of the room that it is about, in which they are: the first word if
    that is one's name, else the one they are in; None where that is none, or with IRC, several.
    """

    __slots__ = ("_session", "account", "by", "room", "wire")

    def __init__(self, session: Answering, user: User, room: str | None) -> None:
        self._session = session
        self.by = user.nick
        self.account = user.source.account
        self.wire = session.plain.wire
        self.room = room

    async def reply(self, text: str) -> None:
        """Tell the asker alone, also once the command is over; nobody is told if they are gone. LF parts lines."""
        if not self._session.plain.closing:
            with suppress(OSError, RuntimeError):  # gone in this moment
                self._session.answer([plain(line) for line in text.split("\n")])


class Command:
    """A command: `function` takes a Context and the words, as many as it has parameters.

    `usage` is how it is written; with `role` "op" the asker must run the room it is about, or the server.
    """

    def __init__(self, name: str, function: Callable[..., Any], usage: str, role: str | None, calls: Calls) -> None:
        self._function = function
        self._signature = inspect.signature(function)
        kinds = [parameter.kind for parameter in self._signature.parameters.values()]
        if not set(kinds[:1]) & {inspect.Parameter.POSITIONAL_OR_KEYWORD, *_BY_PLACE}:
            raise TypeError(f"the function of /{name} has to take a Context first")
        for parameter in self._signature.parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
                raise TypeError(f"the function of /{name} has to take {parameter.name} as a word, not as a keyword")
        self._usage = usage
        self._role = role
        self._calls = calls
        takes = usage.removeprefix(name).strip()
        does = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
        self.slash = Slash(name, takes, does[:1].lower() + does[1:], self.run)

    async def run(self, session: Answering, words: list[str]) -> None:
        """Do what it does.

        Raises:
            Refused: by policy, by the function, or as `Calls.call` does.
        """
        user, hub = session.plain.user, session.plain.hub
        assert user is not None
        name = words.pop(0) if words and is_room(words[0]) else session.here
        room = hub.room(name) if name is not None else None
        if room is not None:
            policy.roles(user, room)
        if self._role is not None and not (user.is_server or Flag.OPERATOR in user.flags):
            if room is None:
                raise Refused("NEED_ROOM", f"name a room that you run: {self._usage}")
            policy.operate(user, room)
        context = Context(session, user, room.name if room is not None else None)
        try:
            self._signature.bind(context, *words)
        except TypeError:
            await context.reply(f"usage: {self._usage}")
            return
        await self._calls.call(self._function, f"/{self.slash.name} by {user.nick}", context, *words)
