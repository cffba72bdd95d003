"""Who waits for the disk: the loop, as long as the disk is quick; else a thread.

A flush of a tenth of a millisecond costs less than handing it to a thread does, and a busy loop does not keep it
waiting for the interpreter. A disk that takes longer stalls everybody: once it has done so for longer than there is
patience for, flushes go to the thread, until some of them have shown that the disk is quick.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable

QUICK_S = 0.001
"""A flush that takes no longer is quick."""
PATIENCE_S = 0.03
"""How long slow flushes, together, may stall the loop."""
REGAINED = 0.01
"""How much patience comes back, in seconds per second."""
WARY_S = 5.0
"""How long flushes go to the thread at least, once there is no patience left."""

_flush: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class Flushing:
    """Flushes a file; `in_thread` runs a function in a thread."""

    def __init__(self, in_thread: Callable[[Callable[[int], float], int], Awaitable[float]]) -> None:
        self._in_thread = in_thread
        self._patience_s = PATIENCE_S
        self._at = 0.0  # when that was so
        self._wary_until = 0.0  # 0: it is not
        self._quickest_s = 0.0  # while it is wary; the others may have waited for the interpreter

    def flush_at_once(self, file: int) -> bool:
        """Have the disk take what was written to the file with this descriptor; False: it is too slow to wait here.

        Raises:
            OSError: it does not take it.
        """
        if self._wary_until:
            return False
        took_s = _timed(file)
        if took_s > QUICK_S:
            self._lose_patience(took_s)
        return True

    async def flush(self, file: int) -> None:
        """Return once the disk has what was written to the file with this descriptor.

        Raises:
            OSError: it does not take it.
        """
        if self.flush_at_once(file):
            return
        self._quickest_s = min(self._quickest_s, await self._in_thread(_timed, file))
        if time.monotonic() >= self._wary_until:
            if self._quickest_s <= QUICK_S:
                self._wary_until = 0.0
            else:
                self._be_wary()

    @property
    def wary(self) -> bool:
        """Whether a thread waits for the disk."""
        return self._wary_until > 0

    def _lose_patience(self, took_s: float) -> None:
        now = time.monotonic()
        self._patience_s = min(PATIENCE_S, self._patience_s + (now - self._at) * REGAINED) - took_s
        self._at = now
        if self._patience_s < 0:
            self._be_wary()

    def _be_wary(self) -> None:
        self._patience_s = PATIENCE_S
        self._wary_until, self._quickest_s = time.monotonic() + WARY_S, float("inf")


def _timed(file: int) -> float:
    """Flush; returns how long it took, in seconds."""
    began = time.monotonic()
    _flush(file)
    return time.monotonic() - began
