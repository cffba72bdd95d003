"""What was heard and is not taken yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from asynchat.client.notices import Notice
from asynchat.wire.irc.message import Message

MOST_BYTES = 4 * 1024 * 1024
"""So much waits to be taken before nothing more is read."""
EACH = 500
"""Bytes of a message besides its text, about."""

Run = list[Message]
"""What came together: lines of talk (PRIVMSG) in one room, or a message alone."""


class Heard:
    """A queue that knows how much memory it takes. It never refuses anything: `full` says that reading should stop."""

    def __init__(self) -> None:
        self._items: deque[tuple[Run | Notice, int]] = deque()
        self._taken = 0  # messages of the first run
        self._bytes = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False

    def put(self, item: Run | Notice) -> None:
        """Something more."""
        size = size_of(item)
        self._bytes += size
        self._items.append((item, size))
        if not self._some.is_set():
            self._some.set()

    def end(self) -> None:
        """There will be nothing more."""
        self._ended = True
        self._some.set()
        self._room.set()

    @property
    def full(self) -> bool:
        """Whether enough waits."""
        return self._bytes >= MOST_BYTES

    @property
    def size(self) -> int:
        """Bytes that wait, about."""
        return self._bytes

    async def room(self, unless: Callable[[], bool] = lambda: False) -> None:
        """Wait until it is not full, `unless` there is a reason not to; `wake` has that be asked again."""
        while self.full and not self._ended and not unless():
            self._room.clear()
            await self._room.wait()

    def wake(self) -> None:
        """Something has changed."""
        self._room.set()

    async def next(self) -> Message | Notice | None:
        """The next message or notice; None once there will be none."""
        if not self._items and not await self._come():
            return None
        item = self._items[0][0]
        if not isinstance(item, list):
            self._drop()
            return item
        self._taken += 1
        message = item[self._taken - 1]
        if self._taken == len(item):
            self._drop()
        return message

    async def next_run(self) -> Run | Notice | None:
        """The next of what was put; None once there will be none."""
        if not self._items and not await self._come():
            return None
        item, taken = self._items[0][0], self._taken
        self._drop()
        return item[taken:] if taken and isinstance(item, list) else item

    async def _come(self) -> bool:
        """Wait until there is something; False once there will be nothing."""
        while not self._items:
            if self._ended:
                return False
            self._some.clear()
            await self._some.wait()
        return True

    def _drop(self) -> None:
        """The first is taken."""
        _, size = self._items.popleft()
        self._taken = 0
        self._bytes -= size
        if not self._room.is_set():
            self._room.set()


def size_of(item: Run | Notice) -> int:
    """Bytes that it takes, about."""
    if isinstance(item, list):
        return EACH * len(item) + sum([len(message.params[-1]) for message in item if message.params])
    return EACH
