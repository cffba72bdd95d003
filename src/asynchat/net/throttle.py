"""Flood control: who talks too fast is read more slowly. Nothing is refused and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

BURST = 1000
"""Lines that may come at once."""
PER_SECOND = 100.0
"""Lines a second after that."""


class Throttle:
    """A bucket of lines for one connection; calling it takes one, and gives what to await if none is left."""

    __slots__ = ("_at", "_left", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._left = float(BURST)
        self._at = loop.time()

    @property
    def free(self) -> bool:
        """Whether the next line need not wait."""
        return self._left >= 1

    def __call__(self) -> Awaitable[None] | None:
        if self._left >= 1:
            self._left -= 1
            return None
        now = self._loop.time()
        self._left = min(float(BURST), self._left + (now - self._at) * PER_SECOND)
        self._at = now
        self._left -= 1
        return None if self._left >= 0 else asyncio.sleep(-self._left / PER_SECOND)
