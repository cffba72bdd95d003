"""The SQLite engine: what it survives, and what it refuses to open."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from asynchat.chat.errors import StoreError
from asynchat.chat.search import Search
from asynchat.store import Stored, flushing
from asynchat.store.schema import VERSION
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, ids, opened, stored, texts

PATIENCE_S = 20.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks, signals and modes of POSIX")

IN_ANOTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from asynchat.chat.errors import StoreError
from asynchat.store import Stored
from asynchat.store.sqlite import SqliteLog
from asynchat.store.writing import CHECKPOINT_PAGES
from tests.store.author import Author

async def main(path, durability):
    log = SqliteLog(path, durability=durability)
    try:
        await log.open()
    except StoreError as error:
        print(error)
        return
    author = Author(log)
{body}
asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


def start(path: Path, body: str, durability: str = "process") -> subprocess.Popen[str]:
    """Another process that opens the log and goes on with `body`; use it in a `with`."""
    code = IN_ANOTHER_PROCESS.format(body=textwrap.indent(textwrap.dedent(body), " " * 4))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), durability],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
async def log(path: Path) -> Any:
    async with opened(SqliteLog(path, durability="process")) as log:
        yield log


@pytest.mark.parametrize("durability", ["sync", "process"])
async def test_what_append_has_answered_survives_sigkill(path, durability):
    body = """
        await log.append([author.says("one"), author.joins()])
        await log.append([author.says("two", key="k")])
        print("stored", flush=True)
        sys.stdin.read()
    """
    with start(path, body, durability) as process:
        assert process.stdout.readline() == "stored\n"
        process.kill()
    async with opened(SqliteLog(path)) as log:
        assert await texts(log) == ["one", "two"]
        assert log.last_id == 3
        (again,) = stored(await log.append([Author(log).says("two", key="k")]))
        assert not again.new


# One server per file.


async def test_a_second_one_is_refused_at_once_with_the_pid_of_the_first(log, path):
    with pytest.raises(StoreError, match=rf"chat\.db is in use by the process with pid {os.getpid()}$"):
        await SqliteLog(path).open()
    with start(path, "print('opened')") as process:
        told, _ = process.communicate()
    assert told == f"{path} is in use by the process with pid {os.getpid()}\n"
    await log.append([Author(log).says("undisturbed")])
    assert await texts(log) == ["undisturbed"]


async def test_the_lock_is_another_processs_until_it_ends_however_it_ends(path):
    with start(path, "print('opened', flush=True)\nsys.stdin.read()") as process:
        assert process.stdout.readline() == "opened\n"
        with pytest.raises(StoreError, match=f"pid {process.pid}$"):
            await SqliteLog(path).open()
        process.kill()
        process.wait()
        async with opened(SqliteLog(path)) as log:
            assert log.last_id == 0


async def test_the_lock_is_let_go_of_on_closing(path):
    for _ in range(2):
        async with opened(SqliteLog(path)) as log:
            assert log.last_id == 0


# What cannot be opened.


async def test_what_a_newer_version_wrote_is_refused_and_left_alone(path):
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(StoreError, match=rf"newer asynchat \(schema {VERSION + 1}, this one knows {VERSION}\)"):
        await SqliteLog(path).open()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        database.execute("PRAGMA user_version = 0")
    database.close()
    async with opened(SqliteLog(path)) as log:  # the refused one has let go of the lock
        assert log.last_id == 0


async def test_what_is_no_database_is_refused_and_left_alone(path):
    garbage = b"these are my notes\n" * 400
    path.write_bytes(garbage)
    for _ in range(2):  # the refused one has let go of the lock
        with pytest.raises(StoreError, match=r"chat\.db: file is not a database"):
            await SqliteLog(path).open()
    assert path.read_bytes() == garbage
    gc.collect()  # and of the file: a connection that is still open is warned of here


async def test_a_path_that_cannot_be_had_is_refused(tmp_path):
    with pytest.raises(StoreError, match="No such file"):
        await SqliteLog(tmp_path / "none" / "chat.db").open()
    with pytest.raises(StoreError, match="directory"):
        await SqliteLog(tmp_path).open()


async def test_nobody_else_may_read_the_files(path):
    before = os.umask(0)
    try:
        async with opened(SqliteLog(path)) as log:
            await log.append([Author(log).says("secret")])
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {f"chat.db{end}": 0o600 for end in ("", "-wal", "-shm", ".lock", ".mark")}


# When the disk fails.


async def test_a_full_disk_is_told_and_what_was_stored_before_and_after_is_there(log):
    author = Author(log)
    (pages,) = log._file.writer.execute("PRAGMA page_count").fetchone()
    log._file.writer.execute(f"PRAGMA max_page_count = {pages + 4}")
    kept, refused = [], []
    while not refused:
        event = author.says("x" * 1000)
        (answer,) = await log.append([event])
        (kept if isinstance(answer, Stored) else refused).append(event)
    assert answer.full
    batch = [author.says("y" * 9000), author.says("z" * 9000)]
    assert [answer.full for answer in await log.append(batch)] == [True, True]
    log._file.writer.execute("PRAGMA max_page_count = 1000000")
    kept.append(author.says("again"))
    assert stored(await log.append(kept[-1:]))
    assert ids(await log.page("#1", limit=99)) == ids(kept)


async def test_a_failed_write_is_told_and_the_next_one_may_succeed(path):
    body = """
        import resource
        def limit(size): resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        limit(100_000)
        answers = [each for n in range(99) for each in await log.append([author.says("x" * 5000)])]
        limit(resource.RLIM_INFINITY)
        answers += await log.append([author.says("again")])
        found = await log.page("#1", limit=200)
        assert [each.event.id for each in answers if isinstance(each, Stored)] == [each.id for each in found]
        print(*(type(each).__name__ for each in (answers[0], answers[-2], answers[-1])))
        await log.close()
    """
    with start(path, body) as process:
        told, _ = process.communicate()
    assert told == "Stored StoreError Stored\n"


async def test_a_checkpoint_that_fails_costs_nobody_a_line(path):
    """The lines are in the write-ahead log: that they cannot be moved into the file yet is no reason to fail."""
    body = """
        import resource
        await log.append([author.says("x" * 4000) for n in range(200)])
        log._writing.pages = CHECKPOINT_PAGES
        await log.append([author.says("moved into the file, so that the write-ahead log begins anew")])
        size = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))  # the file cannot grow any more
        log._writing.pages = CHECKPOINT_PAGES
        batch = [author.says("y" * 4000) for n in range(20)]
        answers = await log.append(batch)
        assert path.stat().st_size == size
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        answers += await log.append([author.says("again")])
        print(len(answers), all(isinstance(each, Stored) for each in answers), flush=True)
        await log.close()
    """
    with start(path, body) as process:
        told, _ = process.communicate()
    assert told == "21 True\n"


async def test_what_could_not_be_flushed_is_not_said_to_be_stored(path, monkeypatch):
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    async with opened(SqliteLog(path, durability="sync")) as log:
        monkeypatch.setattr(flushing, "_flush", fail)
        try:
            answers = await log.append([Author(log).says("lost?")])
        except StoreError as error:
            answers = [error]
    assert [type(answer) for answer in answers] == [StoreError]


async def test_what_is_read_after_closing_is_a_store_error(log):
    log._reader.close()
    with pytest.raises(StoreError):
        await log.page("#1", limit=1)


async def test_what_is_not_flushed_yet_is_neither_read_nor_found(path, monkeypatch):
    """Nobody sees what a power cut could take back; and its id may be given out again after a restart."""
    async with opened(SqliteLog(path, durability="sync")) as log:
        author = Author(log)
        first, second = author.says("one"), author.says("one more")
        await log.append([first])
        begun, fails = threading.Event(), threading.Event()

        def fail(descriptor: int) -> None:
            begun.set()
            assert fails.wait(PATIENCE_S)
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(flushing, "_flush", fail)
        log._flushing._be_wary()  # a thread waits for the disk
        appending = asyncio.ensure_future(log.append([second]))
        try:
            await asyncio.to_thread(begun.wait)
            assert ids(await log.page("#1", limit=9)) == [first.id]
            assert ids(await log.page("#1", before=str(2**70), limit=9, talk_only=False)) == [first.id]
            assert await log.find(second.id) is None
            assert ids(await log.search(Search(places=frozenset({"#1"}), text="one", limit=9))) == [first.id]
            assert await log.last_until(second.at_ms) == first.id
        finally:
            fails.set()
            await appending
        monkeypatch.undo()
    async with opened(SqliteLog(path)) as log:
        again = Author(log).says("one again")
        await log.append([again])
        assert again.id == second.id
        assert ids(await log.search(Search(places=frozenset({"#1"}), text="one", limit=9))) == [first.id, again.id]
