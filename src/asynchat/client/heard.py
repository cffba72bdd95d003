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


class Heard:
    """A queue that knows how much memory it takes. It never refuses anything: `full` says that reading should stop."""

    def __init__(self) -> None:
        self._items: deque[tuple[Message | Notice, int]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False

    def put(self, item: Message | Notice) -> None:
        """One thing more."""
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
        """The next thing; None once there will be none."""
        while not self._items:
            if self._ended:
                return None
            self._some.clear()
            await self._some.wait()
        item, size = self._items.popleft()
        self._bytes -= size
        if not self._room.is_set():
            self._room.set()
        return item


def size_of(item: Message | Notice) -> int:
    """Bytes that it takes, about."""
    if type(item) is Message:
        return EACH + len(item.params[-1]) if item.params else EACH
    return EACH
