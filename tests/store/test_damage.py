"""Damage is noticed: what is missing, what is broken, what is another than it was."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from asynchat.chat.errors import StoreError
from asynchat.chat.search import Search
from asynchat.net.pages import Pages
from asynchat.store import file, flushing, mark, rows, schema, sqlite
from asynchat.store.codec import encode
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, ids, opened, texts

LINES = 200

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author

async def main(path, durability, lines):
    log = SqliteLog(path, durability=durability)
    await log.open()
    author = Author(log)
    for number in range(lines):
        await log.append([author.says(f"line {number} " + "x" * 500)])
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def kill_after(path: Path, lines: int = LINES, durability: str = "sync") -> None:
    """Have a process store lines and be killed."""
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(path), durability, str(lines)]
    assert subprocess.run(command, check=False, timeout=20).returncode == -9


def wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


async def refused(path: Path, **options: object) -> str:
    """What is said instead of opening."""
    with pytest.raises(StoreError) as caught:
        async with opened(SqliteLog(path, **options)):  # type: ignore[arg-type]
            pass
    return str(caught.value)


# What is missing.


async def test_what_a_killed_process_stored_is_there_and_nothing_is_missing(path):
    kill_after(path)
    async with opened(SqliteLog(path)) as log:
        assert len(await log.page("#1", limit=1000)) == LINES


@pytest.mark.parametrize("how", ["flipped", "torn", "deleted"])
async def test_a_write_ahead_log_that_lost_something_stops_the_start(path, how, caplog):
    kill_after(path)
    wal = wal_of(path)
    data = bytearray(wal.read_bytes())
    if how == "flipped":
        data[len(data) // 2] ^= 0xFF
        wal.write_bytes(data)
    elif how == "torn":
        wal.write_bytes(data[: len(data) // 2])
    else:
        wal.unlink()
        path.with_name("log.db-shm").unlink()
    copies = {each.name: each.read_bytes() for each in path.parent.iterdir() if "shm" not in each.name}
    told = await refused(path)
    assert "messages missing after #" in told
    assert "--accept-loss" in told
    assert (await refused(path)).partition(":")[0] == told.partition(":")[0]  # not only the first time
    assert copies["log.db.mark"] == path.with_name("log.db.mark").read_bytes()
    async with opened(SqliteLog(path, accept_loss=True)) as log:
        kept = await log.page("#1", limit=1000)
        missing = int(told.split(" messages missing")[0].split()[-1])
        assert len(kept) + missing == LINES
        assert log.last_id == LINES  # the ids of what is lost are not given out again
        line = Author(log).says("goes on")
        await log.append([line])
        assert "are lost" in caplog.text
    async with opened(SqliteLog(path)) as log:
        assert (await texts(log))[-1] == "goes on"


@pytest.mark.parametrize(("durability", "starts"), [("process", True), ("sync", False)])
async def test_after_a_reboot_process_was_allowed_to_lose_something_and_sync_was_not(
    path, durability, starts, monkeypatch, caplog
):
    kill_after(path, durability=durability)
    wal_of(path).unlink()
    path.with_name("log.db-shm").unlink()
    if durability == "process":
        assert "messages missing" in await refused(path, durability=durability)  # it was no reboot
    monkeypatch.setattr(mark, "_boot", lambda: "another")
    if not starts:
        assert "messages missing" in await refused(path, durability=durability)
        return
    async with opened(SqliteLog(path, durability=durability)) as log:
        assert log.last_id == LINES
    assert f"{LINES} messages missing after #0, and are lost" in caplog.text


async def test_a_mark_that_says_less_than_there_is_or_nothing_is_no_reason_not_to_start(path):
    kill_after(path)
    for text in ("00000000000000000001 b sync open\n", "rubbish", ""):
        path.with_name("log.db.mark").write_text(text)
        async with opened(SqliteLog(path)) as log:
            assert len(await log.page("#1", limit=1000)) == LINES


async def test_what_the_disk_did_not_take_is_not_missed_at_the_next_start(path, monkeypatch):
    async with opened(SqliteLog(path, durability="sync")) as log:
        author = Author(log)
        await log.append([author.says("one")])

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(flushing, "_flush", fail)
            await log.append([author.says("two")])
    async with opened(SqliteLog(path)) as log:
        assert await texts(log) == ["one"]


async def test_nor_is_it_after_something_was_stored_before(path, monkeypatch):
    async with opened(SqliteLog(path, durability="sync")) as log:
        author = Author(log)
        await log.append([author.says("one", key="k" * 16)])

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(flushing, "_flush", fail)
            await log.append([author.says("two")])
        (answer,) = await log.append([author.says("one", key="k" * 16)])
        assert not answer.new
    async with opened(SqliteLog(path)) as log:
        assert await texts(log) == ["one"]


@pytest.mark.parametrize("how", ["torn", "broken"])
async def test_a_start_that_is_refused_leaves_the_files_as_they_were(path, how):
    """What is in them is evidence: closing them must not move one into the other."""
    kill_after(path)
    wal = wal_of(path)
    if how == "torn":
        wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 2])
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(FULL)")
            corrupt_tables(path)
            path.with_name("log.db-wal").write_bytes(b"")
    before = path.read_bytes(), wal.read_bytes() if wal.exists() else b""
    for _ in range(2):
        await refused(path)
        assert (path.read_bytes(), wal.read_bytes() if wal.exists() else b"") == before
    if how == "torn":
        async with opened(SqliteLog(path, accept_loss=True)):
            (kept,) = path.parent.glob("log.db-wal.torn-*")
            assert kept.read_bytes() == before[1]


async def test_a_flush_that_fails_leaves_nothing_acknowledged_and_nothing_taken_back(path, monkeypatch):
    async with opened(SqliteLog(path, durability="sync")) as log:
        author = Author(log)
        said = author.says("words")
        await log.append([said])

        def fail(descriptor: int) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr(flushing, "_flush", fail)
            batch = [author.says("x", key="k" * 16), author.says("x", key="k" * 16), author.takes_back(said)]
            assert [type(answer) for answer in await log.append(batch)] == [StoreError] * 3
        assert await texts(log) == ["words"]
        assert await log.find(said.id) == said


# What is broken.


def corrupt_tables(path: Path) -> None:
    """Break the pages behind the first."""
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)


@pytest.mark.parametrize("how", ["header", "tables", "garbage"])
async def test_a_damaged_file_stops_the_start_and_is_moved_aside_only_if_that_is_accepted(path, how, caplog):
    kill_after(path)
    async with opened(SqliteLog(path)):
        pass  # everything is in the file now
    if how == "tables":
        corrupt_tables(path)
    else:
        path.write_bytes(b"\0" * 100 + path.read_bytes()[100:] if how == "header" else b"no database " * 5000)
    damaged = path.read_bytes()
    path.with_name("log.db.mark").write_text(f"{LINES:020d} b sync open\n")
    told = await refused(path)
    assert f"{path} is damaged: " in told
    assert "--accept-loss" in told
    assert path.read_bytes() == damaged
    assert len(told.splitlines()) == 1
    async with opened(SqliteLog(path, accept_loss=True)) as log:
        assert await log.page("#1", limit=9) == []
        await log.append([Author(log).says("anew")])
        assert log.last_id == LINES + 1
    (aside,) = (each for each in path.parent.glob("log.db.damaged-*") if not each.name.endswith("-wal"))
    assert aside.read_bytes() == damaged
    assert str(aside) in caplog.text
    async with opened(SqliteLog(path)) as log:
        assert await texts(log) == ["anew"]


async def test_a_file_is_looked_through_after_an_end_that_was_not_clean(path, monkeypatch):
    looked: list[str] = []
    monkeypatch.setattr(file, "check", lambda connection: looked.append("at once"))
    kill_after(path)
    async with opened(SqliteLog(path)):
        assert looked == ["at once"]
    async with opened(SqliteLog(path)):
        assert looked == ["at once"]  # the last end was


async def test_a_large_file_is_looked_through_while_the_server_runs(path, monkeypatch, caplog):
    monkeypatch.setattr(file, "CHECKED_AT_ONCE", 0)
    told = threading.Event()

    def find(connection: sqlite3.Connection) -> None:
        raise schema.Damaged("a page is bad")

    monkeypatch.setattr(file, "check", find)
    monkeypatch.setattr(file.log, "critical", lambda *words: (file.log.error(*words), told.set()))
    kill_after(path)
    async with opened(SqliteLog(path)) as log:
        assert len(await log.page("#1", limit=1000)) == LINES
        assert await asyncio.to_thread(told.wait, 20)
    assert f"{path} is damaged: a page is bad" in caplog.text


async def test_to_look_through_a_large_file_keeps_neither_the_start_waiting_nor_the_end(path, monkeypatch, caplog):
    monkeypatch.setattr(file, "CHECKED_AT_ONCE", 0)
    looking = threading.Event()
    empty_at_first: list[bool] = []

    def look(connection: sqlite3.Connection) -> None:
        empty_at_first.append(wal_of(path).stat().st_size == 0)
        looking.set()
        connection.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")

    monkeypatch.setattr(file, "check", look)
    kill_after(path)
    for _ in range(2):  # nobody has looked through it, so the next start has to
        async with opened(SqliteLog(path)):
            assert await asyncio.to_thread(looking.wait, 20)
        looking.clear()
    assert empty_at_first == [True, True]
    assert caplog.text == ""


# What is another than it was.


@pytest.mark.parametrize("changed", [b"two evil", b"two\xff\xfe\xfd\xfcx"], ids=["text", "no text"])
async def test_a_row_whose_bytes_changed_is_left_out_and_told_of_once(path, caplog, monkeypatch, changed):
    monkeypatch.setattr(rows, "_told", set())
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        lines = [author.says(text) for text in ("one good", "two good", "three good")]
        await log.append([*lines, author.joins()])
        await log.search(Search(places=frozenset({"#1"}), text="good", limit=9))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"two good", changed))  # which SQLite does not notice
    async with opened(SqliteLog(path)) as log:
        for _ in range(2):
            assert await texts(log) == ["one good", "three good"]
        found = await log.search(Search(places=frozenset({"#1"}), text="good", limit=9))
        assert ids(found) == [lines[0].id, lines[2].id]
        with pytest.raises(StoreError, match=f"event {lines[1].id} is damaged"):
            await log.find(lines[1].id)
    assert caplog.text.count(f"event {lines[1].id} is damaged") == 1


@pytest.mark.parametrize("changed", [b'"Renomed"', b'"Ren\xffmed"'], ids=["text", "no text"])
async def test_a_change_whose_row_is_damaged_does_not_stop_the_start(path, monkeypatch, changed):
    monkeypatch.setattr(rows, "_told", set())
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        joined, renamed = author.joins(), author.renames("#1")
        await log.append([joined, renamed])
    path.write_bytes(path.read_bytes().replace(b'"Renamed"', changed))
    async with opened(SqliteLog(path)) as log:
        assert [ids(page) async for page in log.replay(0)] == [[joined.id]]


async def test_a_page_of_laggards_is_full_though_a_row_is_damaged(path, monkeypatch):
    monkeypatch.setattr(rows, "_told", set())
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        lines = [author.says(str(number)) for number in range(1000)]
        await log.append(lines)
        await log.exclusive(lambda writer: writer.execute("UPDATE events SET crc = crc + 1 WHERE id IN (101, 300)"))
        pages, position, shown = Pages(log), 0, []
        while position < log.last_id:
            page = await pages.page("#1", position, log.last_id)
            shown += [each.text for each in page.events]
            position = page.upto
        assert shown == [str(number) for number in range(1000) if number not in (100, 299)]
        assert len(await log.page("#1", limit=5, before="103")) == 5


# Versions.


async def test_a_file_of_version_1_opens_and_goes_on(path):
    author = Author(type("Nothing", (), {"last_id": 0})())
    old = [author.says("old", key="k" * 16), author.joins()]
    connection = sqlite3.connect(path)
    connection.executescript(f"{schema._MIGRATIONS[0]} PRAGMA user_version = 1;")
    for event in old:
        talk = int(event is old[0])
        row = (int(event.id), event.at_ms, talk, "" if talk else None, getattr(event, "key", None), encode(event))
        connection.execute("INSERT INTO events (id, at_ms, talk, sender, key, body) VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO placed VALUES ('#1', ?, ?)", (talk, int(event.id)))
    connection.commit()
    connection.close()
    async with opened(SqliteLog(path)) as log:
        assert list(await log.page("#1", limit=9, talk_only=False)) == old
        again = Author(log).says("old", key="k" * 16)
        (answer,) = await log.append([again])
        assert (answer.new, answer.event) == (False, old[0])
        await log.append([Author(log).says("new")])
        assert await texts(log) == ["old", "new"]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert [crc is None for (crc,) in connection.execute("SELECT crc FROM events ORDER BY id")] == [True, True, False]
    connection.close()


def test_the_script_of_each_version_brings_the_one_before_it_up_to_date(path):
    made = []
    for start in range(schema.VERSION + 1):
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for script in schema._MIGRATIONS[:start]:
            connection.executescript(script)
        connection.execute(f"PRAGMA user_version = {start}")
        schema.migrate(connection, path)
        made.append(connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall())
        connection.close()
    assert all(each == made[0] for each in made)
    assert any("crc" in str(each) for each in made[0])


# The write-ahead log is short.


async def test_it_is_emptied_once_nothing_has_come_for_a_while_and_at_the_start(path, monkeypatch):
    monkeypatch.setattr(sqlite, "REST_S", 0.05)
    kill_after(path)
    assert wal_of(path).stat().st_size > 100_000
    async with opened(SqliteLog(path)) as log:
        assert wal_of(path).stat().st_size == 0
        author = Author(log)
        await log.append([author.says("one")])
        assert wal_of(path).stat().st_size > 0
        for _ in range(1000):
            if wal_of(path).stat().st_size == 0:
                break
            await asyncio.sleep(0.01)
        assert wal_of(path).stat().st_size == 0
        await log.append([author.says("two")])
        assert (await texts(log))[-2:] == ["one", "two"]
