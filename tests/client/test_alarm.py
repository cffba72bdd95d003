"""Waking at a moment."""

from __future__ import annotations

import os
import time

import pytest

from asynchat.client.alarm import Alarm
from tests.net.conftest import on_both_loops

HAIR_S = 0.001
"""A loop's timer may be due so much before its time."""


@on_both_loops
@pytest.mark.parametrize("precise", [True, False], ids=["as it is", "without a timer of its own"])
async def test_nobody_is_woken_before_the_moment(precise: bool) -> None:
    alarm = Alarm()
    if precise:
        alarm.__enter__()
    try:
        for pause_s in (0.02, 0.005, 1e-12, 0.0, -1.0):
            moment = time.perf_counter() + pause_s
            await alarm.wait_until(moment)
            assert time.perf_counter() >= moment - HAIR_S
    finally:
        alarm.__exit__()


async def test_it_leaves_no_descriptor_behind() -> None:
    with Alarm() as alarm:
        await alarm.wait_until(time.perf_counter() + 0.001)
        descriptor = alarm._timer
    if descriptor >= 0:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
