"""Servers that somebody at a desk wants to be at, and is not yet: whoever waits for one types on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from asynchat.chat.errors import AsynchatError
from asynchat.chat.names import casefold
from asynchat.client.errors import Lost
from asynchat.client.show import error, news
from asynchat.client.talker import Talker
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk

Connect = Callable[[str], Awaitable[tuple[Talker, tuple[str, ...]]]]
"""Comes in at a server, given its URL or the name of a profile, for rooms that are to be entered."""


class Connecting:
    """Comes in at servers, at each in a task of `group`. `urls` are those where it has not come in yet."""

    def __init__(self, desk: Desk, connect: Connect, group: asyncio.TaskGroup) -> None:
        self._desk = desk
        self._connect = connect
        self._group = group
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def urls(self) -> list[str]:
        """Where it has not come in yet, in the order in which that was begun."""
        return list(self._under_way)

    def begin(self, url: str, room: str, *, looks: bool = True) -> None:
        """Come in there, and enter that room, or those of the profile if it is none. Who `looks` looks there then."""
        if url in self._under_way:
            self._desk.tell(error(f"{plain(url)} is being connected to already"))
            return
        self._desk.tell(news(f"connecting to {plain(url)}"))
        task = self._group.create_task(self._come_in(url, room, self._desk.typed if looks else None))
        self._under_way[url] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._desk.face.changed()

    def give_up(self, url: str) -> bool:
        """Come in there no more, or where it was begun last if no URL is named; whether there is such a one."""
        found = [each for each in self.urls if not url or casefold(each) == casefold(url)]
        if not found:
            return False
        self._under_way.pop(found[-1]).cancel()
        self._desk.tell(news(f"gave up {plain(found[-1])}"))
        self._desk.face.changed()
        return True

    def end(self) -> None:
        """Begin nothing more, and end what was begun."""
        for task in self._tasks:
            task.cancel()

    async def _come_in(self, url: str, room: str, typed: int | None) -> None:
        desk = self._desk
        try:
            client, rooms = await self._connect(url)
        except AsynchatError as failure:
            words = str(failure)
            desk.tell(error(words if url in words else f"{url}: {words}"))
            return
        finally:
            if self._under_way.get(url) is asyncio.current_task():
                del self._under_way[url]
            desk.face.changed()

        def looks() -> bool:
            """Whether one looks there now: what is being typed is meant for where one looked when one began it."""
            return desk.typed == typed and not desk.face.half_typed

        try:
            await desk.sit_down(client, (room,) if room else rooms, looks=looks)
        except Lost:  # who hears that it is over tells why
            return
