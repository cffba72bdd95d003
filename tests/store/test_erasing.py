"""Erasing: what is too old or too much, and all that somebody has said. Ids and positions stay what they are."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Kicked, Said, Source, TopicSet
from asynchat.chat.search import Search
from asynchat.store import Stored, erasing
from asynchat.store import sqlite as sqlite_module
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, ids, opened, texts


async def found(log, text: str) -> list[str]:
    return ids(await log.search(Search(places=frozenset({"#1", "@g1"}), text=text, limit=99)))


# Too old, too much.


async def test_talk_from_before_a_time_goes_and_the_rest_stays(log):
    author = Author(log)
    old, change, recent = author.says("old words"), author.joins(), author.says("recent words")
    last = author.says("last words", "#2")
    await log.append([old, change, recent, last])
    assert await found(log, "words") == [old.id, recent.id]
    assert await log.trim(before_ms=recent.at_ms, most=None) == 1
    assert await texts(log) == ["recent words"]
    assert ids(await log.page("#1", limit=9, talk_only=False)) == [change.id, recent.id]
    assert await log.find(old.id) is None
    assert await found(log, "words") == [recent.id]
    assert ids(await log.page("#1", after=old.id, limit=9)) == [recent.id]  # who stood there stands there still
    assert await log.trim(before_ms=recent.at_ms, most=None) == 0


async def test_the_last_of_all_stays_for_the_log_ends_there(log):
    author = Author(log)
    lines = [author.says(str(number)) for number in range(3)]
    await log.append(lines)
    assert await log.trim(before_ms=lines[-1].at_ms + 1000, most=None) == 2
    assert await texts(log) == ["2"]
    assert log.last_id == int(lines[-1].id)


async def test_a_room_keeps_its_last_lines_and_what_is_said_alone_is_no_room(log, monkeypatch):
    monkeypatch.setattr(erasing, "CHUNK", 3)
    author = Author(log)
    batch = []
    for number in range(20):
        batch += [author.says(f"one {number}"), author.says(f"two {number}", "#2"), author.joins()]
        batch += [author.says(f"alone {number}", "@g1", "@g2", "&g1&g2")]
    await log.append([*batch, author.joins()])
    assert await log.trim(before_ms=None, most=5) == 30
    assert await texts(log, "#1") == [f"one {number}" for number in range(15, 20)]
    assert await texts(log, "#2") == [f"two {number}" for number in range(15, 20)]
    assert len(await texts(log, "@g1")) == len(await texts(log, "&g1&g2")) == 20
    assert len(await log.page("#1", limit=99, talk_only=False)) == 5 + 21
    assert await log.trim(before_ms=None, most=5) == 0


async def test_others_append_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(erasing, "CHUNK", 10)
    async with opened(SqliteLog(tmp_path / "log.db", durability="process")) as log:
        author = Author(log)
        await log.append([author.says(f"old {number}") for number in range(500)])
        edge = author.at_ms + 1
        author.step_ms = 10
        trimming = asyncio.ensure_future(log.trim(before_ms=edge, most=None))
        appended = 0
        while not trimming.done():
            await log.append([author.says(f"new {appended}")])
            appended += 1
            await asyncio.sleep(0)
        assert await trimming == 500
        assert appended > 5
        kept = await log.page("#1", after="0", limit=1_000_000)
        assert [line.text for line in kept] == [f"new {number}" for number in range(appended)]


async def test_it_survives_a_restart(surviving, tmp_path):
    async with opened(surviving.make(tmp_path)) as log:
        author = Author(log)
        lines = [author.says(f"word {number}") for number in range(10)]
        await log.append(lines)
        await log.trim(before_ms=None, most=3)
    async with opened(surviving.make(tmp_path)) as log:
        assert await texts(log) == ["word 7", "word 8", "word 9"]
        assert log.last_id == int(lines[-1].id)


# What somebody has said.


async def test_the_words_of_an_account_go_and_those_of_others_stay(log):
    author = Author(log, account="Alice")
    mine, reaction = author.says("xyzzy one", key="k"), author.reacts()
    private = author.says("xyzzy two", "@g1", "@g2", "&g1&g2")
    theirs = author.says("about xyzzy", account="bob")
    guest = Author(log)
    guest.ids, guest.at_ms = author.ids, author.at_ms
    unknown = guest.says("alice is nice")
    await log.append([mine, reaction, private, theirs, unknown])
    assert len(await found(log, "xyzzy")) == 3
    erased = await log.forget("aLICE")
    assert ids(erased) == [mine.id, reaction.id, private.id]
    assert await texts(log) == ["about xyzzy", "alice is nice"]
    assert await texts(log, "@g1") == await texts(log, "&g1&g2") == []
    assert await found(log, "xyzzy") == [theirs.id]
    assert await log.find(mine.id) is None
    assert ids(await log.page("#1", after=mine.id, limit=9)) == [theirs.id, unknown.id]
    assert await log.forget("alice") == [] or all(not isinstance(each, Said) for each in await log.forget("alice"))
    again = guest.says("new", key="k")
    (answer,) = await log.append([again])
    assert answer.new


async def test_what_they_wrote_elsewhere_is_blank_and_what_others_wrote_about_them_is_not(tmp_path):
    path = tmp_path / "log.db"
    async with opened(SqliteLog(path)) as log:
        author = Author(log, account="alice")
        topic = TopicSet(room="#a", text="xyzzy topic", **author._basics(("#1",), None))
        by_bob = author._basics(("#1",), "bob")
        target = Source(user="g1", nick="alice", ident="i", host="h", account="alice")
        kick = Kicked(room="#a", target=target, reason="plugh", **by_bob)
        await log.append([topic, kick])
        assert ids(await log.forget("alice")) == [topic.id]
        await log.wipe()
        changed, same = await log.page("#1", limit=9, talk_only=False)
        assert (changed.text, changed.id) == ("", topic.id)
        assert same == kick


def files_with(folder: Path, word: bytes) -> list[str]:
    return [each.name for each in folder.iterdir() if word in each.read_bytes()]


@pytest.mark.parametrize("durability", ["sync", "process"])
async def test_no_file_has_a_word_of_theirs_while_the_log_is_open_still(tmp_path, durability):
    async with opened(SqliteLog(tmp_path / "log.db", durability=durability)) as log:
        author = Author(log, account="alice")
        for number in range(300):
            await log.append(
                [author.says(f"xyzzy {number} " + "q" * 200), author.says("other", account="bob"), author.reacts()]
            )
        await log.append([TopicSet(room="#a", text="xyzzy topic", **author._basics(("#1",), None))])
        assert len(await found(log, "xyzzy")) == 99
        assert {"log.db.words-wal", "log.db-wal"} <= set(files_with(tmp_path, b"xyzzy"))
        assert len(await log.forget("alice")) == 601
        await log.wipe()
        assert files_with(tmp_path, b"xyzzy") == []
        assert len(await log.page("#1", limit=1000)) == 300


async def test_a_row_that_is_damaged_goes_once_and_is_no_stumbling_block(tmp_path):
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log)
        lines = [author.says(f"word {number}") for number in range(20)]
        await log.append(lines)
        await log.exclusive(lambda writer: writer.execute("UPDATE events SET crc = crc + 1 WHERE id = 3"))
        assert await log.trim(before_ms=None, most=10) == 10
        await log.append([author.says("more") for _ in range(5)])
        assert await log.trim(before_ms=None, most=10) == 5
        await log.exclusive(lambda writer: writer.execute("UPDATE events SET crc = crc + 1 WHERE id = 18"))
        assert await log.trim(before_ms=author.at_ms, most=None) == 9
        assert len(await log.read("SELECT * FROM placed", ())) == 1


async def test_a_name_that_json_writes_otherwise_is_found(log):
    author = Author(log, account="foo\\Bar{}")
    await log.append([author.says("xyzzy")])
    assert len(await log.forget("FOO\\bar{}")) == 1
    assert await texts(log) == []


async def test_reactions_do_not_break_the_index(tmp_path):
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log, account="alice")
        await log.append([author.says("xyzzyone"), *(author.reacts() for _ in range(30)), author.says("xyzzytwo")])
        assert len(await found(log, "xyzzyone")) == 1
        await log.forget("alice")
        await log.wipe()
        assert files_with(tmp_path, b"xyzzy") == []
        assert await found(log, "xyzzyone") == []


async def test_while_somebody_reads_the_file_it_is_not_said_that_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_module, "WIPES", 1)
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log, account="alice")
        await log.append([author.says("xyzzy")])
        reader = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchall()
        await log.forget("alice")
        with pytest.raises(StoreError, match="reads the file"):
            await log.wipe()
        reader.close()
        await log.wipe()
        assert files_with(tmp_path, b"xyzzy") == []


async def test_what_is_taken_back_while_others_search_is_in_no_index(tmp_path):
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log)
        for number in range(20):
            said = author.says(f"xyzzy{number}")
            await log.append([said])
            searches = [found(log, "other") for _ in range(3)]
            await asyncio.gather(log.append([author.takes_back(said)]), *searches)
        await log.wipe()
        assert files_with(tmp_path, b"xyzzy") == []


async def test_a_fault_of_erasing_is_not_that_of_somebody_who_says_something(tmp_path):
    async with opened(SqliteLog(tmp_path / "log.db")) as log:

        def fail(writer: sqlite3.Connection) -> None:
            time.sleep(0.05)
            raise sqlite3.OperationalError("disk I/O error")

        failing = asyncio.ensure_future(log.exclusive(fail))
        await asyncio.sleep(0)
        (answer,) = await log.append([Author(log).says("innocent")])
        assert isinstance(answer, Stored)
        with pytest.raises(StoreError):
            await failing
