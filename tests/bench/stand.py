"""A hub, a journal and a log in this process, without sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from asynchat.chat import snapshot
from asynchat.chat.events import Said
from asynchat.chat.hub import Hub
from asynchat.net.fanout import Fanout
from asynchat.net.journal import Journal
from asynchat.store import Log

TEXT = "x" * 80
ROOM = "#a"


def now_ms() -> int:
    """The time, in milliseconds of UTC."""
    return time.time_ns() // 1_000_000


class Stand:
    """A hub with one user in one room, on a log."""

    def __init__(self, log: Log, clock: Callable[[], int] = now_ms) -> None:
        self.log = log
        self.hub = Hub(clock)
        fanout = Fanout(self.hub, send_queue=1 << 20, over=lambda session: None)
        self.journal = Journal(log, fanout.deliver, dump=lambda: snapshot.dump(self.hub.state))
        self.hub.journal = self.journal

    async def __aenter__(self) -> Stand:
        await self.log.open()
        self.hub.begin_after(self.log.last_id, self.log.last_ms)
        self.running = asyncio.create_task(self.journal.run())
        entered = await self.hub.enter("alice", "i", "h", "Alice")
        self.user = self.hub.state.people[entered.by.user]
        await self.hub.join(self.user, ROOM)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.journal.close()
        await self.running
        await self.log.close()

    async def say(self) -> Said:
        """Say a line of 80 characters, and wait until it is stored."""
        return await self.hub.say(self.user, ROOM, TEXT)
