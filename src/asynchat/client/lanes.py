"""Work that is done in order in each place, and in several places at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

MOST = 1000
"""Things that wait, in all places together, before whoever brings more has to wait."""
AT_ONCE = 16
"""Places in which something is done at once."""


class Lanes[Thing]:
    """One lane for each place in which there is something to do. Each thing is given to `work`, in tasks of `group`.

    After `stop` each lane ends when what it is at is done. If the task of one is cancelled, or fails, what it was at
    counts as done, and what waits there waits for the next thing.
    """

    def __init__(self, group: asyncio.TaskGroup, work: Callable[[Thing], Awaitable[None]]) -> None:
        self._group = group
        self._work = work
        self._lanes: dict[str, deque[Thing]] = {}
        self._running: dict[str, asyncio.Task[None] | None] = {}  # None: it has not begun yet
        self._count = 0
        self._room = asyncio.Event()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._stopped = False

    def __len__(self) -> int:
        """How much is not done yet."""
        return self._count

    @property
    def has_current_task(self) -> bool:
        """Whether whoever asks runs in one of them."""
        return asyncio.current_task() in self._running.values()

    async def put(self, place: str, thing: Thing) -> None:
        """Bring something to do; wait for room, if too much waits."""
        while self._count >= MOST:
            self._room.clear()
            await self._room.wait()
        self._count += 1
        lane = self._lanes.setdefault(place, deque())
        lane.append(thing)
        if place not in self._running:
            self._running[place] = None
            self._group.create_task(self._run(place, lane))

    async def _run(self, place: str, lane: deque[Thing]) -> None:
        self._running[place] = asyncio.current_task()
        try:
            while lane and not self._stopped:
                async with self._turns:
                    if not self._stopped:
                        await self._next(lane)
        finally:
            del self._running[place]
            if not lane:
                del self._lanes[place]

    async def _next(self, lane: deque[Thing]) -> None:
        try:
            await self._work(lane[0])
        finally:
            lane.popleft()
            self._count -= 1
            self._room.set()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True
