"""Who waits for the disk: the loop while it is quick, a thread while it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asynchat.store import flushing
from asynchat.store.flushing import PATIENCE_S, QUICK_S, REGAINED, WARY_S, Flushing


class Disk:
    """A disk and a clock: each flush takes as long as it is told; notes in which thread each was."""

    def __init__(self) -> None:
        self.now = 100.0
        self.takes_s = QUICK_S / 2
        self.fails = False
        self.waited: list[str] = []
        self.threaded = False

    def flush(self, file: int) -> None:
        self.waited.append("thread" if self.threaded else "loop")
        self.now += self.takes_s
        if self.fails:
            raise OSError(5, "Input/output error")

    async def in_thread(self, function: Callable[[int], float], file: int) -> float:
        self.threaded = True
        try:
            return function(file)
        finally:
            self.threaded = False


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(flushing, "_flush", disk.flush)
    monkeypatch.setattr(flushing.time, "monotonic", lambda: disk.now)
    return disk


async def test_the_loop_waits_for_a_quick_disk(disk: Disk) -> None:
    flushes = Flushing(disk.in_thread)
    for _ in range(3):
        await flushes.flush(7)
    assert disk.waited == ["loop"] * 3


async def wear_out(flushes: Flushing, disk: Disk) -> None:
    disk.takes_s = PATIENCE_S * 2
    await flushes.flush(7)


async def test_once_patience_is_lost_a_thread_waits_until_the_disk_has_been_quick(disk: Disk) -> None:
    flushes = Flushing(disk.in_thread)
    disk.takes_s = 0.01
    for _ in range(2 * int(WARY_S / disk.takes_s)):
        await flushes.flush(7)
    stalls = disk.waited.count("loop")
    assert disk.waited == ["loop"] * stalls + ["thread"] * (len(disk.waited) - stalls)
    assert PATIENCE_S <= stalls * disk.takes_s <= PATIENCE_S + disk.takes_s * 1.1
    disk.takes_s = QUICK_S / 2
    disk.now += WARY_S
    await flushes.flush(7)
    await flushes.flush(7)
    assert disk.waited[-2:] == ["thread", "loop"]


async def test_a_disk_that_is_slow_once_in_a_while_is_borne(disk: Disk) -> None:
    flushes = Flushing(disk.in_thread)
    for _ in range(50):
        disk.takes_s = 0.01
        await flushes.flush(7)
        disk.now += 0.01 / REGAINED
    assert set(disk.waited) == {"loop"}


async def test_a_flush_that_waited_for_the_interpreter_in_its_thread_does_not_count_against_the_disk(
    disk: Disk,
) -> None:
    flushes = Flushing(disk.in_thread)
    await wear_out(flushes, disk)
    for takes_s in (0.02, QUICK_S / 2, 0.02):
        disk.takes_s = takes_s
        await flushes.flush(7)
    disk.now += WARY_S
    await flushes.flush(7)
    await flushes.flush(7)
    assert disk.waited == ["loop", "thread", "thread", "thread", "thread", "loop"]


@pytest.mark.parametrize("slow", [False, True])
async def test_a_disk_that_does_not_take_it_is_told_of(disk: Disk, slow: bool) -> None:
    flushes = Flushing(disk.in_thread)
    if slow:
        await wear_out(flushes, disk)
    disk.fails = True
    with pytest.raises(OSError, match="Input/output"):
        await flushes.flush(7)


def test_it_is_flushed_for_real(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        assert flushing._timed(file.fileno()) >= 0.0
    with pytest.raises(OSError, match="Bad file descriptor"):
        flushing._timed(1 << 20)
