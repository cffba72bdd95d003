"""A timer wheel: one timer of the loop for all that is due at some time.

Ten thousand connections with a ping each cost one `call_at`, not ten thousand. What is due is late by up to `TICK_S`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil

TICK_S = 0.025


class Wheel[T]:
    """Calls `due(item, now)` when an item's time has come. Times are in seconds of the loop's clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop, due: Callable[[T, float], None]) -> None:
        self._loop = loop
        self._due = due
        self._slots: dict[int, set[T]] = {}
        self._ticks: list[int] = []  # a heap of the slots' numbers
        self._timer: asyncio.TimerHandle | None = None

    def put(self, item: T, when: float) -> None:
        """Have the item called at that time. An item may be put several times; it is called as often."""
        tick = ceil(when / TICK_S)
        slot = self._slots.get(tick)
        if slot is None:
            slot = self._slots[tick] = set()
            heappush(self._ticks, tick)
            if self._ticks[0] == tick:
                self._arm()
        slot.add(item)

    def close(self) -> None:
        """Call nothing any more."""
        self._slots.clear()
        self._ticks.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._ticks[0] * TICK_S, self._turn) if self._ticks else None

    def _turn(self) -> None:
        self._timer = None
        now = self._loop.time()
        tick = int(now / TICK_S + 0.001)
        due: list[T] = []  # taken out first: an item may be put back, and for this very tick
        while self._ticks and self._ticks[0] <= tick:
            due += self._slots.pop(heappop(self._ticks))
        try:
            for item in due:
                self._due(item, now)
        finally:
            self._arm()
