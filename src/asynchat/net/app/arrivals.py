"""Arrivals: who reads a place in the log is woken when something is stored there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from asynchat.chat.events import Place
from asynchat.net.journal import Entry


class Arrivals:
    """Those who read, from code, what is stored, and wait for more of it.

    They hold nothing of a server but this while they wait or read, so that it can end: `closed` says that nothing is
    read any more.
    """

    def __init__(self) -> None:
        self.closed = False
        self._waiting: dict[Place | None, set[asyncio.Future[None]]] = {}
        self._reading = 0
        self._read = asyncio.Event()

    def told(self, entries: Sequence[Entry]) -> None:
        """These were shown: wake whom they concern."""
        if self._waiting:
            for place in {place for entry in entries for place in entry.event.places}:
                self._wake(place)
            self._wake(None)

    async def more(self, place: Place | None) -> None:
        """Wait until something is stored in a place, or, with None, anywhere; or until the end."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(place, set()).add(future)
        try:
            await future
        finally:
            if (waiting := self._waiting.get(place)) is not None:
                waiting.discard(future)
                if not waiting:
                    del self._waiting[place]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the log open meanwhile."""
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1
            self._read.set()

    async def close(self) -> None:
        """Have those who wait read what is left, once, and nobody read any more."""
        self.closed = True
        for place in tuple(self._waiting):
            self._wake(place)
        while self._reading:
            self._read.clear()
            await self._read.wait()

    def _wake(self, place: Place | None) -> None:
        for future in self._waiting.pop(place, ()):
            if not future.done():
                future.set_result(None)
