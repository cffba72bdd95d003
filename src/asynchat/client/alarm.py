"""Waking at a moment, sharper than the loop does.

A loop's timers go in whole milliseconds, which is longer than a message takes. Linux has timers that can be read as a
file (timerfd); elsewhere, and before Python 3.13, the loop's millisecond is what there is.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Self


class Alarm:
    """Wakes who waits for a moment of `time.perf_counter`. One may wait at a time."""

    def __init__(self) -> None:
        self._timer = -1
        self._rung: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        if sys.version_info >= (3, 13) and sys.platform == "linux":
            self._timer = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
            asyncio.get_running_loop().add_reader(self._timer, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer >= 0:
            asyncio.get_running_loop().remove_reader(self._timer)
            os.close(self._timer)
            self._timer = -1

    async def wait_until(self, moment_s: float) -> None:
        """Wait until then; others run in any case."""
        left_s = moment_s - time.perf_counter()
        if self._timer < 0 or left_s <= 0:
            await asyncio.sleep(max(left_s, 0))
        elif sys.version_info >= (3, 13) and sys.platform == "linux":
            self._rung = asyncio.get_running_loop().create_future()
            os.timerfd_settime(self._timer, initial=max(left_s, 1e-6))  # 0 would stop it
            await self._rung

    def _ring(self) -> None:
        try:
            os.read(self._timer, 8)
        except BlockingIOError:  # it was set anew meanwhile
            return
        if self._rung is not None and not self._rung.done():
            self._rung.set_result(None)
