"""The journal: batches that find their own size, order, and who is told what became of an entry."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.events import Event, Joined, Said, Source
from asynchat.chat.users import User
from asynchat.net import journal as journal_module
from asynchat.net.journal import Entry, Journal
from asynchat.store import Snapshot, Stored

ALICE = Source(user="g1", nick="alice", ident="i", host="h")


def said(number: int, *, kept: bool = True) -> Said:
    return Said(to="#a", text=str(number), by=ALICE, at_ms=0, id=str(number), places=("#1",), kept=kept)


def joined(number: int) -> Joined:
    return Joined(room="#a", realname="", by=ALICE, at_ms=0, id=str(number), places=("#1",))


class FakeLog:
    """A log whose commits are in the air until the test lands them."""

    def __init__(self, last_id: int) -> None:
        self.last_id = last_id
        self.batches: list[list[str]] = []
        self.snapshots: list[Snapshot] = []
        self.answer: Callable[[Event], Stored | StoreError] = lambda event: Stored(int(event.id), event)
        self.raises: Exception | None = None  # by `append`
        self.full = False  # for snapshots
        self.flying: asyncio.Future[None] | None = None
        self.started = asyncio.Event()

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        self.batches.append([event.id for event in batch])
        self.flying = asyncio.get_running_loop().create_future()
        self.started.set()
        await self.flying
        if self.raises is not None:
            raise self.raises
        answers = [self.answer(event) for event in batch]
        self.last_id = max([self.last_id, *(each.position for each in answers if isinstance(each, Stored))])
        return answers

    def append_at_once(self, batch: Sequence[Event]) -> None:
        return None

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        if self.full:
            raise StoreError("no room")
        self.snapshots.append(snapshot)

    async def in_the_air(self) -> None:
        """Wait until a commit is in the air."""
        await self.started.wait()
        self.started.clear()

    def land(self) -> None:
        assert self.flying is not None
        self.flying.set_result(None)


class Bench:
    """A journal over a fake log; `delivered` is each batch that it delivered."""

    def __init__(self, *, last_id: int = 0, **options: Any) -> None:
        self.log = FakeLog(last_id)
        self.delivered: list[list[str]] = []
        self.entries: list[Entry] = []
        self.journal = Journal(self.log, self.deliver, dump=lambda: {"after": len(self.entries)}, **options)

    def deliver(self, entries: Sequence[Entry]) -> None:
        assert not any(entry.done for entry in entries), "nobody may go on before it is delivered"
        self.delivered.append([entry.event.id for entry in entries])
        self.entries += entries

    def tell_later(self) -> asyncio.Event:
        """Have all of the next batch be a rest, which is delivered once the event is set."""
        shown = asyncio.Event()

        async def rest(entries: Sequence[Entry]) -> None:
            self.journal._deliver = self.deliver
            await shown.wait()
            self.deliver(entries)

        self.journal._deliver = rest
        return shown

    def put(self, *events: Event) -> list[Entry]:
        return [self.journal.put(event, None) for event in events]


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Bench]:
    """A journal that runs; at the end everything that was put must be landed."""
    bench = Bench(**options)
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.journal.run())
        yield bench
        bench.journal.close()


async def test_what_is_put_while_a_commit_is_in_the_air_is_the_next_batch():
    async with running() as bench:
        bench.put(said(1))
        await bench.log.in_the_air()
        bench.put(said(2), said(3))
        bench.put(said(4))
        assert bench.delivered == []  # nobody sees a line before it is stored
        bench.log.land()
        await bench.log.in_the_air()
        assert bench.delivered == [["1"]]
        bench.log.land()
    assert bench.log.batches == bench.delivered == [["1"], ["2", "3", "4"]]


async def test_what_is_put_before_anybody_waits_is_one_batch_in_order():
    async with running() as bench:
        bench.put(said(1), joined(2), said(3))
        await bench.log.in_the_air()
        bench.log.land()
    assert bench.delivered == [["1", "2", "3"]]


async def test_what_is_not_kept_is_delivered_in_its_place_and_not_stored():
    async with running() as bench:
        bench.put(said(1), said(2, kept=False), said(3))
        await bench.log.in_the_air()
        bench.log.land()
    assert bench.log.batches == [["1", "3"]]
    assert bench.delivered == [["1", "2", "3"]]


async def test_what_is_not_kept_needs_no_log():
    async with running() as bench:
        (entry,) = bench.put(said(1, kept=False))
        assert await entry is entry.event
    assert bench.log.batches == []


async def test_an_entry_can_be_awaited_by_several_and_after_it_is_done():
    async with running() as bench:
        one, two = bench.put(said(1), said(2))
        assert not one.done
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(_wait(entry)) for entry in (one, two, one)]
            await bench.log.in_the_air()
            bench.log.land()
        assert [task.result() for task in waiting] == [one.event, two.event, one.event]
        assert bench.delivered == [["1", "2"]]
        assert one.done
        assert await one is one.event


async def _wait(entry: Entry) -> Event:
    return await entry


async def test_who_is_cancelled_while_waiting_does_not_cancel_the_others():
    async with running() as bench:
        one, two = bench.put(said(1), said(2))
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(_wait(one)), group.create_task(_wait(two))
            await bench.log.in_the_air()
            first.cancel()
            await asyncio.wait([first])
            bench.log.land()
            assert await second is two.event
        assert first.cancelled()
    assert bench.delivered == [["1", "2"]]


@pytest.mark.parametrize(("full", "code"), [(True, "STORAGE_FULL"), (False, "STORAGE_ERROR")])
async def test_an_entry_that_was_refused_raises_and_its_batch_mates_do_not(full, code):
    async with running() as bench:
        bench.log.answer = lambda event: (
            StoreError("no", full=full) if event.id == "2" else Stored(int(event.id), event)
        )
        one, two, three = bench.put(said(1), said(2), said(3))
        await bench.log.in_the_air()
        bench.log.land()
        assert await one is one.event
        for _ in range(2):
            with pytest.raises(Refused, match=code):
                await two
        assert await three is three.event
    assert [entry.refused is None for entry in bench.entries] == [True, False, True]


async def test_a_full_disk_is_told_of_now_and_then_and_not_for_each_line(caplog, monkeypatch):
    for often, records in ((1000.0, 1), (0.0, 5)):
        monkeypatch.setattr(journal_module, "COMPLAIN_S", often)
        caplog.clear()
        async with running() as bench:
            bench.log.answer = lambda event: StoreError("full", full=True)
            bench.put(*(said(number) for number in range(5)))
            await bench.log.in_the_air()
            bench.log.land()
        told = [record.getMessage() for record in caplog.records if "not stored" in record.getMessage()]
        assert told == [f"not stored: full ({number} so far)" for number in range(1, records + 1)]


async def test_if_the_log_fails_all_that_was_to_be_kept_is_refused_and_the_next_batch_is_tried():
    async with running() as bench:
        one, passing, two = bench.put(said(1), said(2, kept=False), said(3))
        await bench.log.in_the_air()
        bench.log.raises = StoreError("on fire")
        bench.log.land()
        for entry in (one, two):
            with pytest.raises(Refused, match="STORAGE_ERROR"):
                await entry
        assert await passing is passing.event
        bench.log.raises = None
        (three,) = bench.put(said(4))
        bench.log.started.clear()
        await bench.log.in_the_air()
        bench.log.land()
        assert await three is three.event
    assert bench.delivered == [["1", "2", "3"], ["4"]]


async def test_what_a_bug_kept_from_being_stored_is_refused_and_the_next_batch_is_tried(caplog):
    async with running() as bench:
        (one,) = bench.put(joined(1))
        await bench.log.in_the_air()
        bench.log.raises = ZeroDivisionError("a bug")
        bench.log.land()
        with pytest.raises(Refused, match="STORAGE_ERROR"):
            await one
        assert bench.delivered == [["1"]]  # refused as it is: what it claimed is given back there
        bench.log.raises = None
        (two,) = bench.put(joined(2))
        bench.log.started.clear()
        await bench.log.in_the_air()
        bench.log.land()
        assert await two is two.event
    assert "a batch of 1 failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_what_a_bug_kept_from_being_shown_is_not_said_to_be_done(caplog):
    async with running() as bench:

        def broken(entries: Sequence[Entry]) -> None:
            raise ZeroDivisionError("a bug")

        bench.journal._deliver, deliver = broken, bench.journal._deliver
        (one,) = bench.put(said(1, kept=False))
        with pytest.raises(Refused, match="STORAGE_ERROR"):
            await one
        bench.journal._deliver = deliver
        (two,) = bench.put(said(2, kept=False))
        assert await two is two.event
    assert "a batch of 1 failed" in caplog.text


async def test_what_was_in_the_air_when_the_journal_was_cancelled_is_not_said_to_be_done():
    bench = Bench()
    (entry,) = bench.put(joined(1))
    async with asyncio.TaskGroup() as group:
        run = group.create_task(bench.journal.run())
        await bench.log.in_the_air()
        run.cancel()
        with pytest.raises(Refused, match="STORAGE_ERROR"):
            await entry
    assert run.cancelled()
    assert bench.delivered == []


async def test_what_was_stored_before_under_its_key_gives_the_first():
    async with running() as bench:
        first = said(1)
        bench.log.answer = lambda event: Stored(1, first, new=False)
        (again,) = bench.put(said(2))
        await bench.log.in_the_air()
        bench.log.land()
        assert await again is first
        assert (again.first, again.event.id, again.refused) == (first, "2", None)


async def test_closing_stores_what_was_put_before():
    async with running() as bench:
        bench.put(said(1))
        await bench.log.in_the_air()
        bench.put(said(2))
        bench.journal.close()
        bench.log.land()
        await bench.log.in_the_air()
        bench.log.land()
    assert bench.delivered == [["1"], ["2"]]


async def test_who_puts_much_waits_until_there_is_room():
    async with running(most=2) as bench:
        bench.put(said(1))
        await bench.log.in_the_air()
        bench.put(said(2))
        await bench.journal.breathe()  # there is room for one more
        bench.put(said(3))
        assert bench.journal.crowded
        async with asyncio.TaskGroup() as group:
            breathing = group.create_task(bench.journal.breathe())
            for _ in range(5):
                await asyncio.sleep(0)
            assert not breathing.done()
            bench.log.land()
            await breathing
        assert not bench.journal.crowded
        await bench.log.in_the_air()
        bench.log.land()


# Snapshots.


@pytest.mark.parametrize(("limit", "make"), [("SNAPSHOT_CHANGES", joined), ("SNAPSHOT_TALK", said)])
async def test_a_snapshot_is_saved_after_so_many_events_and_is_that_of_the_log(limit, make, monkeypatch):
    monkeypatch.setattr(journal_module, limit, 2)
    async with running() as bench:
        for numbers in ((1,), (2, 3), (4,)):
            *_, last = bench.put(*map(make, numbers))
            await bench.log.in_the_air()
            bench.log.land()
            await last
    assert bench.log.snapshots == [Snapshot(3, {"after": 3})]


async def test_a_snapshot_that_cannot_be_saved_stops_nobody(monkeypatch, caplog):
    monkeypatch.setattr(journal_module, "SNAPSHOT_TALK", 1)
    async with running() as bench:
        bench.log.full = True
        bench.put(said(1))
        await bench.log.in_the_air()
        bench.log.land()
        (two,) = bench.put(said(2))
        await bench.log.in_the_air()
        bench.log.land()
        assert await two is two.event
    assert "no snapshot was saved: no room" in caplog.text


async def test_a_snapshot_of_a_journal_that_stored_nothing_goes_on_where_the_log_ends():
    """Or the next start would replay all of the log over what it adds up to."""
    bench = Bench(last_id=41)
    await bench.journal.save_snapshot()
    assert bench.log.snapshots == [Snapshot(41, {"after": 0})]


# A delivery that takes its time.


async def test_the_next_batch_comes_after_the_rest_of_the_one_before():
    async with running() as bench:
        shown = bench.tell_later()
        (first,) = bench.put(said(1, kept=False))
        for _ in range(3):
            await asyncio.sleep(0)
        (second,) = bench.put(said(2, kept=False))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not first.done
        assert bench.delivered == []
        shown.set()
        await bench.journal.caught_up()
        assert second.done
    assert bench.delivered == [["1"], ["2"]]


async def test_a_rest_that_fails_costs_nobody_else_anything(caplog):
    async with running() as bench:
        deliver = bench.deliver

        async def fails(entries: Sequence[Entry]) -> None:
            bench.journal._deliver = deliver
            raise KeyError("bug")

        bench.journal._deliver = fails
        (first,) = bench.put(said(1, kept=False))
        await asyncio.wait_for(bench.journal.caught_up(), 20)
        assert first.done
        bench.put(said(2, kept=False))
    assert bench.delivered == [["2"]]
    assert "a batch of 1 failed" in caplog.text


async def test_what_is_put_once_it_was_cancelled_is_refused_and_keeps_nobody_waiting():
    bench = Bench()
    running = asyncio.create_task(bench.journal.run())
    await asyncio.sleep(0)
    (flying,) = bench.put(said(1))
    await bench.log.in_the_air()
    (gathering,) = bench.put(said(2))
    running.cancel()
    await asyncio.wait([running])
    (late,) = bench.put(said(3))
    for entry in (flying, gathering, late):
        with pytest.raises(Refused):
            await asyncio.wait_for(entry, 20)


async def test_what_may_pass_passes_what_is_being_told_and_the_rest_waits():
    async with running(may_pass=lambda entries: all(int(entry.event.id) % 2 for entry in entries)) as bench:
        shown = bench.tell_later()
        bench.put(said(2, kept=False))
        for _ in range(3):
            await asyncio.sleep(0)
        (passing,) = bench.put(said(3, kept=False))
        await asyncio.wait_for(passing, 20)
        outsider, member = User(ALICE, ""), User(replace(ALICE, user="g2"), "")
        bench.journal._concerns = lambda user: user is member
        await asyncio.wait_for(bench.journal.caught_up(outsider), 20)
        waiting = [asyncio.ensure_future(bench.journal.caught_up(user)) for user in (member, None)]
        bench.put(said(4, kept=False), said(5, kept=False))
        for _ in range(5):
            await asyncio.sleep(0)
        assert bench.delivered == [["3"]]
        assert not any(each.done() for each in waiting)
        shown.set()
        await bench.journal.caught_up()
        await asyncio.wait(waiting, timeout=20)
        assert all(each.done() for each in waiting)
    assert bench.delivered == [["3"], ["2"], ["4", "5"]]


async def test_who_waits_for_a_batch_that_turns_out_not_to_concern_them_waits_no_longer():
    async with running() as bench:
        shown = bench.tell_later()
        bench.journal._concerns = lambda user: False
        await asyncio.sleep(0)
        (entry,) = bench.put(said(2, kept=False))
        await asyncio.wait_for(bench.journal.caught_up(User(ALICE, "")), 20)  # put, and not yet begun
        assert not entry.done
        shown.set()
    assert entry.done


async def test_a_batch_that_was_to_begin_when_it_was_cancelled_is_refused():
    bench = Bench()
    running = asyncio.create_task(bench.journal.run())
    await asyncio.sleep(0)
    (entry,) = bench.put(said(1))
    running.cancel()  # in the turn in which a task is made for it, which then never begins
    await asyncio.wait([running])
    with pytest.raises(Refused):
        await asyncio.wait_for(entry, 20)


async def test_who_is_concerned_waits_for_what_is_told_though_something_has_passed_it():
    async with running(may_pass=lambda entries: True) as bench:
        shown = bench.tell_later()
        await asyncio.sleep(0)
        bench.put(said(1, kept=False))
        for _ in range(3):
            await asyncio.sleep(0)
        (passing,) = bench.put(said(2, kept=False))
        loop = asyncio.get_running_loop()
        waiting = asyncio.Task(bench.journal.caught_up(), loop=loop, eager_start=True)  # before it has passed
        await asyncio.wait_for(passing, 20)
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        shown.set()
        await asyncio.wait_for(waiting, 20)


async def test_a_bug_in_the_snapshot_costs_nobody_anything(monkeypatch, caplog):
    monkeypatch.setattr(journal_module, "SNAPSHOT_TALK", 1)
    async with running() as bench:
        bench.journal._dump = lambda: 1 / 0
        for number in (1, 2, 3):
            (entry,) = bench.put(said(number))
            await bench.log.in_the_air()
            bench.log.land()
            await asyncio.wait_for(entry, 20)
    assert bench.delivered == [["1"], ["2"], ["3"]]
    assert "no snapshot was saved" in caplog.text


@pytest.mark.parametrize("turns", range(4))
async def test_what_is_to_be_told_in_turns_when_it_is_cancelled_is_closed_before_it_has_begun(turns):
    """A coroutine that nobody awaits is warned of."""
    bench = Bench()

    async def rest() -> None:
        await asyncio.Event().wait()

    bench.log.append_at_once = lambda batch: [Stored(int(event.id), event) for event in batch]
    bench.journal._deliver = lambda entries: rest()
    running = asyncio.create_task(bench.journal.run())
    await asyncio.sleep(0)
    (entry,) = bench.put(said(1))
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gc.collect()
    with pytest.raises(Refused):
        await entry
