"""The clock of the event loop, which a test moves on: what waits for a time need not be waited for."""

from __future__ import annotations

import asyncio


class Clock:
    """The clock of the loop that runs, one of stock asyncio."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._ahead_s = 0.0
        time = loop.time
        loop.time = lambda: time() + self._ahead_s  # type: ignore[method-assign]

    async def move(self, seconds: float) -> None:
        """What was begun has begun; it is that much later, and what was to happen meanwhile has happened."""
        await self._settle()
        self._ahead_s += seconds
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(5):  # a timer's callback wakes who waits, who may wake others
            await asyncio.sleep(0)
