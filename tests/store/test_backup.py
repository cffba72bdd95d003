"""A backup is all of the log at one moment, or there is none."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from asynchat.chat.errors import StoreError
from asynchat.store import Snapshot, backup, schema
from asynchat.store.accounts import Account, Credential, SqlAccounts
from asynchat.store.backup import back_up
from asynchat.store.schema import VERSION, Damaged
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, opened, texts
from tests.store.test_damage import LINES, corrupt_tables, kill_after, wal_of

CREDENTIAL = Credential(salt=b"salt", iterations=4096, stored_key=b"stored", server_key=b"server")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "log.db"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "copy.db"


def files(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


async def test_it_has_all_that_was_stored_while_the_log_is_open_and_is_one_file(path, target):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        said = author.says("oops")
        await log.append([author.says("one"), author.joins(), said, author.takes_back(said), author.says("two")])
        await log.save_snapshot(Snapshot(5, {"people": []}))
        accounts = SqlAccounts(path)
        await accounts.open()
        await accounts.add(Account(name="Ann", credential=CREDENTIAL))
        assert back_up(path, target) == (2, 5)
        await accounts.close()
        await log.append([author.says("later")])
        assert await texts(log) == ["one", "two", "later"]
    assert files(target) == {"copy.db"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    async with opened(SqliteLog(target)) as log:
        assert await texts(log) == ["one", "two"]
        assert await log.snapshot() == (5, {"people": []})
        accounts = SqlAccounts(target)
        await accounts.open()
        assert await accounts.names() == ["Ann"]
        await accounts.close()
        await log.append([Author(log).says("goes on")])


async def test_it_has_what_a_killed_process_stored_and_leaves_that_as_it_is(path, target):
    kill_after(path)
    before = wal_of(path).read_bytes()
    assert before
    assert back_up(path, target) == (LINES, LINES)
    assert wal_of(path).read_bytes() == before
    async with opened(SqliteLog(path)) as log:
        assert log.last_id == LINES


async def test_a_log_of_which_something_is_missing_is_not_backed_up(path, target):
    kill_after(path)
    wal = wal_of(path)
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 2])
    torn = wal.read_bytes()
    with pytest.raises(StoreError, match="messages missing after #") as caught:
        back_up(path, target)
    assert files(target) == set()
    assert wal.read_bytes() == torn
    with pytest.raises(StoreError) as told:
        async with opened(SqliteLog(path)):
            pass
    assert str(told.value).startswith(str(caught.value))  # the same that the server says


async def test_a_damaged_log_is_not_backed_up(path, target, monkeypatch):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says("x" * 500) for _ in range(50)])
    good = path.read_bytes()
    corrupt_tables(path)
    with pytest.raises(StoreError):
        back_up(path, target)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        back_up(path, target)
    path.write_bytes(good)

    def find(connection: sqlite3.Connection) -> None:
        raise Damaged("a page is bad")

    monkeypatch.setattr(backup, "check", find)
    with pytest.raises(StoreError, match=f"{path} is damaged: a page is bad"):
        back_up(path, target)
    assert files(target) == set()


async def test_what_is_there_is_not_written_over_and_what_is_not_there_not_made(path, target, tmp_path):
    with pytest.raises(StoreError, match="there is no such file"):
        back_up(path, target)
    path.touch()
    with pytest.raises(StoreError, match="no log of asynchat"):
        back_up(path, target)
    path.unlink()
    async with opened(SqliteLog(path)):
        pass
    target.write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        back_up(path, target)
    assert target.read_text() == "mine"
    with pytest.raises(StoreError, match="No such file"):
        back_up(path, tmp_path / "none" / "copy.db")
    assert files(target) == {"copy.db"}
    assert not (tmp_path / "none").exists()


async def test_what_a_newer_version_wrote_is_left_to_it(path, target):
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(StoreError, match="newer asynchat"):
        back_up(path, target)


async def test_one_that_was_cut_short_is_begun_anew_and_two_at_once_are_not(path, target):
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("one")])
    part = target.with_name("copy.db.part")
    part.write_bytes(b"half of it")
    part.with_name("copy.db.part-wal").write_bytes(b"and more")
    with backup.whole(target), pytest.raises(StoreError, match=rf"copy\.db\.part is in use .* pid {os.getpid()}"):
        back_up(path, target)
    target.unlink()
    part.write_bytes(b"half of it")
    assert back_up(path, target) == (1, 1)
    assert files(target) == {"copy.db"}


async def test_a_disk_that_is_full_is_told_and_nothing_is_left(path, target, monkeypatch):
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("x" * 50_000)])
    monkeypatch.setattr(backup, "_PRAGMAS", (*backup._PRAGMAS, "max_page_count = 3"))
    with pytest.raises(StoreError, match="cannot be copied"):
        back_up(path, target)
    assert files(target) == set()


async def test_a_log_of_version_1_is_copied_as_it_is(path, target):
    connection = sqlite3.connect(path)
    connection.executescript(f"{schema._MIGRATIONS[0]} PRAGMA user_version = 1;")
    connection.close()
    assert back_up(path, target) == (0, 0)
    shutil.copy(target, path)
    async with opened(SqliteLog(path)) as log:
        assert log.last_id == 0
