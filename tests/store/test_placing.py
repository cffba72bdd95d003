"""Where events belong, whether the file tells it yet or not: pages are the same."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from asynchat.chat.events import Event, Redacted
from asynchat.store import flushing, is_words, placing, writing
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, ids, opened

PLACES = ("#1", "#2", "#3", "@g1")


class Model:
    """What a log should have: all events, in order, but those that were taken back."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take(self, event: Event) -> None:
        if isinstance(event, Redacted):
            self.events = [each for each in self.events if each.id != event.said]
        self.events.append(event)

    def page(
        self, place: str, *, after: str | None, before: str | None, limit: int, newest: bool, talk_only: bool
    ) -> list[Event]:
        found = [
            event
            for event in self.events
            if place in event.places
            and int(after or 0) < int(event.id) < int(before or 2**60)
            and (is_words(event) or not talk_only)
        ]
        return found[-limit:] if newest else found[:limit]


def something(author: Author, chance: random.Random, model: Model) -> Event:
    where = chance.sample(PLACES, chance.choice((1, 1, 1, 2)))
    words = [event for event in model.events if is_words(event)]
    if words and chance.random() < 0.1:
        return author.takes_back(chance.choice(words[-8:]))
    kind = chance.randrange(5)
    if kind == 0:
        return author.joins(*where)
    return author.reacts(*where) if kind == 1 else author.says("x", *where)


async def compare(log: SqliteLog, model: Model, chance: random.Random) -> None:
    for _ in range(12):
        newest, talk_only, limit = chance.random() < 0.5, chance.random() < 0.5, chance.choice((1, 2, 5, 50))
        edges = sorted(chance.sample(range(log.last_id + 2), 2))
        after, before = (str(edge) if chance.random() < 0.5 else None for edge in edges)
        asked = {"after": after, "before": before, "limit": limit, "newest": newest, "talk_only": talk_only}
        place = chance.choice(PLACES)
        assert ids(await log.page(place, **asked)) == ids(model.page(place, **asked)), (place, asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(12))
async def test_pages_are_the_same_whatever_is_placed_and_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(writing, "MOST", 12)
    model, folder = Model(), tmp_path / "0"
    folder.mkdir()
    for life in range(1, 4):
        async with opened(SqliteLog(folder / "log.db", durability="process")) as log:
            author = Author(log)
            for _ in range(20):
                batch = []
                for _ in range(chance.choice((1, 1, 3, 8))):
                    event = something(author, chance, model)
                    batch.append(event)
                    model.take(event)
                await log.append(batch)
                if chance.random() < 0.15:
                    await log.exclusive(lambda writer: None)  # everything is placed
                await compare(log, model, chance)
            folder = tmp_path / str(life)  # as it would be found if the process were killed now
            folder.mkdir()
            for part in (tmp_path / str(life - 1)).iterdir():
                if not part.name.endswith(("-shm", ".lock")):
                    shutil.copy(part, folder)


async def test_the_file_is_told_after_so_many_events_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST", 5)
    count = "SELECT count(*), (SELECT upto FROM placing) FROM placed"
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log)
        for _ in range(4):
            await log.append([author.says("x")])
        assert await log.read(count, ()) == [(0, 0)]
        await log.append([author.says("x")])
        assert await log.read(count, ()) == [(5, 5)]
        await log.append([author.says("x", "#1", "#2")])
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        assert await log.read(count, ()) == [(7, 6)]
        assert len(await log.page("#1", limit=9)) == 6


def test_what_is_not_placed_is_found_between_two_ids() -> None:
    unplaced = placing.Unplaced(4)
    for position, talk, places in ((5, 1, "ab"), (6, 0, "a"), (7, 1, "a"), (9, 1, "a")):
        unplaced.add(position, talk, places)
    assert unplaced.between("a", (1,), 5, 9) == [7]
    assert unplaced.between("a", (0, 1), 4, 10) == [5, 6, 7, 9]
    assert unplaced.between("b", (1,), 5, 99) == unplaced.between("c", (1,), 0, 99) == []
    unplaced.take_out(7, "a")
    assert unplaced.between("a", (1,), 0, 99) == [5, 9]
    unplaced.put_back(7, 1, "a")
    assert unplaced.between("a", (1,), 0, 99) == [5, 7, 9]


@pytest.mark.parametrize("newest", [False, True])
async def test_a_page_is_whole_though_events_are_placed_while_it_is_read(tmp_path: Path, newest: bool) -> None:
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log)
        events = [author.says(str(number)) for number in range(9)]
        await log.append(events[:6])
        await log.exclusive(lambda writer: None)
        await log.append(events[6:])
        go_on = threading.Event()
        log._reading.submit(go_on.wait)
        reading = asyncio.ensure_future(log.page("#1", after="0", limit=8, newest=newest))
        await asyncio.sleep(0)
        await log.exclusive(lambda writer: None)
        go_on.set()
        assert ids(await reading) == ids(events[1:] if newest else events[:8])


async def fails_to_flush(log: SqliteLog, event: Event, *, placed: bool) -> None:
    """The disk does not take an event, which is placed meanwhile or not."""
    begun, go_on = threading.Event(), threading.Event()

    def fail(descriptor: int) -> None:
        begun.set()
        go_on.wait(20)
        raise OSError(5, "Input/output error")

    log._flushing._be_wary()  # a thread waits for the disk
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flushing, "_flush", fail)
        appending = asyncio.ensure_future(log.append([event]))
        await asyncio.to_thread(begun.wait, 20)
        meanwhile = asyncio.ensure_future(log.exclusive(lambda writer: None)) if placed else None
        await asyncio.sleep(0)
        go_on.set()
        await appending
        if meanwhile is not None:
            await meanwhile


@pytest.mark.parametrize("placed", [False, True])
async def test_what_could_not_be_flushed_is_in_no_place_then_or_after_a_restart(tmp_path: Path, placed: bool) -> None:
    first_life, second_life = tmp_path / "1", tmp_path / "2"
    for folder in (first_life, second_life):
        folder.mkdir()
    async with opened(SqliteLog(first_life / "log.db")) as log:
        author = Author(log)
        kept = author.says("kept")
        await log.append([kept])
        await fails_to_flush(log, author.says("lost"), placed=placed)
        await log.exclusive(lambda writer: None)
        assert ids(await log.page("#1", limit=1)) == [kept.id]
    async with opened(SqliteLog(first_life / "log.db")) as log:
        again = Author(log).says("elsewhere", "#2")  # it may have the id of what was lost
        await log.append([again])
        for part in first_life.iterdir():  # as it would be found if the process were killed now
            if not part.name.endswith(("-shm", ".lock")):
                shutil.copy(part, second_life)
    async with opened(SqliteLog(second_life / "log.db")) as log:
        assert ids(await log.page("#1", limit=9)) == [kept.id]
        assert ids(await log.page("#2", limit=9)) == [again.id]


async def test_a_page_is_whole_though_what_it_was_to_have_is_trimmed_meanwhile(tmp_path: Path) -> None:
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log)
        events = [author.says(str(number)) for number in range(7)]
        await log.append(events)
        go_on = threading.Event()
        log._reading.submit(go_on.wait)
        reading = asyncio.ensure_future(log.page("#1", after="0", limit=3))
        await asyncio.sleep(0)

        def trim(writer: sqlite3.Connection) -> None:
            writer.execute("DELETE FROM events WHERE id < 4")
            writer.execute("DELETE FROM placed WHERE id < 4")

        await log.exclusive(trim)
        go_on.set()
        assert ids(await reading) == ids(events[3:6])


def test_what_is_put_back_twice_is_there_once() -> None:
    unplaced = placing.Unplaced(0)
    unplaced.add(1, 1, "a")
    unplaced.put_back(1, 1, "a")
    assert unplaced.between("a", (1,), 0, 9) == [1]
