"""Work in lanes: in order in each, at once in several, and never more waiting than is allowed."""

from __future__ import annotations

import asyncio

import pytest

from asynchat.client import lanes
from asynchat.client.lanes import Lanes


async def test_who_brings_too_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST", 3)
    done: list[int] = []
    gates = [asyncio.Event() for _ in range(5)]

    async def work(number: int) -> None:
        await gates[number].wait()
        done.append(number)

    async with asyncio.TaskGroup() as group:
        lane: Lanes[int] = Lanes(group, work)
        for number in range(3):
            await lane.put("#lobby", number)
        waiting = group.create_task(lane.put("#ops", 3))
        await asyncio.sleep(0)
        assert not waiting.done()
        gates[0].set()
        await waiting
        assert done == [0]
        assert len(lane) == 3
        for gate in gates:
            gate.set()
    assert sorted(done) == [0, 1, 2, 3]
    assert [number for number in done if number < 3] == [0, 1, 2]
    assert len(lane) == 0


async def test_only_so_many_places_are_served_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "AT_ONCE", 2)
    busy, most, gate = 0, 0, asyncio.Event()

    async def work(number: int) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await gate.wait()
        busy -= 1

    async with asyncio.TaskGroup() as group:
        lane: Lanes[int] = Lanes(group, work)
        for number in range(6):
            await lane.put(f"#{number}", number)
        for _ in range(10):
            await asyncio.sleep(0)
        assert busy == 2
        gate.set()
    assert most == 2


async def test_what_was_begun_is_finished_and_nothing_else() -> None:
    done, begun, gate = [], asyncio.Event(), asyncio.Event()

    async def work(number: int) -> None:
        begun.set()
        await gate.wait()
        done.append(number)

    async with asyncio.TaskGroup() as group:
        lane: Lanes[int] = Lanes(group, work)
        for number in range(3):
            await lane.put("#lobby", number)
        await begun.wait()
        lane.stop()
        gate.set()
    assert done == [0]


async def test_a_lane_that_was_cancelled_goes_on_with_what_comes_next() -> None:
    done: list[int] = []
    begun: asyncio.Queue[asyncio.Task[None] | None] = asyncio.Queue()

    async def work(number: int) -> None:
        if number == 0:
            begun.put_nowait(asyncio.current_task())
            await asyncio.Event().wait()
        done.append(number)

    async with asyncio.TaskGroup() as group:
        lane: Lanes[int] = Lanes(group, work)
        await lane.put("#lobby", 0)
        await lane.put("#lobby", 1)
        task = await begun.get()
        assert task is not None
        task.cancel()
        await asyncio.wait([task])
        await lane.put("#lobby", 2)
    assert done == [1, 2]
    assert len(lane) == 0
