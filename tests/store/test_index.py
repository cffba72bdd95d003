"""The index of words: it keeps up by itself, is made anew when it does not fit, and forgets."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.search import Search
from asynchat.store import index, reading, sqlite
from asynchat.store.index import WordIndex
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, ids, opened

PATIENCE_S = 20.0
RED = Search(places=frozenset({"#1"}), text="red", limit=99)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def words(path: Path) -> Path:
    return path.with_name("log.db.words")


@pytest.fixture
def own_index(path: Path) -> Iterator[WordIndex]:
    """Another index of the same log, to look at from here."""
    made = WordIndex(path)
    yield made
    made.close()


async def test_it_keeps_up_though_nobody_searches(path, monkeypatch):
    monkeypatch.setattr(reading, "INDEXED_AT", 2000)
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        for _ in range(3):
            await log.append([author.says("red") for _ in range(1000)])
        end = time.monotonic() + PATIENCE_S
        while log._index.upto < 2000:
            assert time.monotonic() < end, "nothing was indexed"
            await log.append([author.says("red")])


async def test_it_follows_once_nothing_has_come_for_a_while(path, monkeypatch):
    monkeypatch.setattr(sqlite, "REST_S", 0.05)
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says("red") for _ in range(1000)])
        end = time.monotonic() + PATIENCE_S
        while log._index.upto < 1000:
            assert time.monotonic() < end, "nothing was indexed"
            await asyncio.sleep(0.01)


async def test_it_is_not_even_made_if_there_is_little_and_nobody_searches(path, words):
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("red")])
    assert not words.exists()


@pytest.mark.parametrize("rubbish", [b"", b"no database at all" * 1000], ids=["empty", "rubbish"])
async def test_one_that_cannot_be_read_is_made_anew(path, words, rubbish):
    async with opened(SqliteLog(path)) as log:
        line = Author(log).says("red")
        await log.append([line])
        assert ids(await log.search(RED)) == [line.id]
    words.write_bytes(rubbish)
    async with opened(SqliteLog(path)) as log:
        assert ids(await log.search(RED)) == [line.id]


async def test_one_that_breaks_while_it_is_used_is_made_anew(path, words):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says(f"red {number}") for number in range(2000)])
        assert len(await log.search(RED)) == 99
    data = bytearray(words.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    words.write_bytes(data)
    async with opened(SqliteLog(path)) as log:
        with suppress(StoreError):  # this one may find out
            await log.search(RED)
        assert len(await log.search(RED)) == 99


async def test_one_of_another_log_is_made_anew(path, words, tmp_path):
    for name in ("log.db", "other.db"):
        async with opened(SqliteLog(tmp_path / name)) as log:
            author = Author(log)
            author.at_ms += len(name)
            lines = [author.says("red" if name == "log.db" else "green") for _ in range(3)]
            await log.append(lines)
            await log.search(RED)
    words.write_bytes((tmp_path / "other.db.words").read_bytes())
    async with opened(SqliteLog(path)) as log:
        assert len(await log.search(RED)) == 3


async def test_one_of_a_newer_version_is_made_anew(path, words):
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("red")])
        await log.search(RED)
    connection = sqlite3.connect(words)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    async with opened(SqliteLog(path)) as log:
        assert len(await log.search(RED)) == 1


async def test_no_file_has_words_that_were_taken_back_once_the_log_is_closed(path, words):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        said = author.says("xyzzysecret")
        await log.append([said, author.says("red")])
        await log.search(RED)
        assert any(b"xyzzysecret" in each.read_bytes() for each in path.parent.glob("log.db.words*"))
        await log.append([author.takes_back(said)])
    assert not any(b"xyzzysecret" in each.read_bytes() for each in path.parent.iterdir())
    assert words.exists()


async def test_while_the_log_runs_they_go_with_the_next_rewrite(path, monkeypatch):
    monkeypatch.setattr(index, "CLEANING_S", 0.0)
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        said = author.says("xyzzysecret")
        await log.append([said, author.says("red")])
        await log.search(RED)
        await log.append([author.takes_back(said)])
        await log.search(RED)
        assert not any(b"xyzzysecret" in each.read_bytes() for each in path.parent.glob("log.db.words*"))


async def test_a_search_while_the_index_is_being_made_says_so(path, own_index, monkeypatch):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says("red") for _ in range(3000)])
        monkeypatch.setattr(index, "PATIENCE_S", -1.0)
        with pytest.raises(Refused, match=r"TRY_LATER the index of words is being made, 3 % is done"):
            own_index.search(RED, log.last_id)
        with pytest.raises(Refused, match=r"6 % is done"):
            own_index.search(RED, log.last_id)


async def test_a_search_that_takes_too_long_ends(path, own_index, monkeypatch):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says("bar foo") for number in range(400)])
        while own_index.advance(log.last_id):
            pass
        search = Search(places=frozenset({"#1"}), text="foo-bar", limit=9)  # each line is looked at
        monkeypatch.setattr(index, "PATIENCE_S", -1.0)
        with pytest.raises(Refused, match="TOO_SLOW"):
            own_index.search(search, log.last_id)
        monkeypatch.undo()
        assert own_index.search(search, log.last_id) == []
