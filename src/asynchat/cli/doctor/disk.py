"""Where a server keeps its data: whether it can, how long the disk takes, and whether the log is in order."""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from asynchat.chat.errors import StoreError
from asynchat.cli.doctor.finding import Finding, note, ok, wrong
from asynchat.store.mark import Mark
from asynchat.store.schema import VERSION, check, read_only

LITTLE_SPACE = 100 * 1000**2
FLUSHES = 9
SLOW_S = 0.05
"""A disk that takes longer for a flush makes people wait."""
LARGE = 1 << 30
"""Bytes of a file that nobody wants to wait for until it is looked through."""
FAR = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph"}
FLEETING = {"tmpfs", "ramfs"}
_flush = getattr(os, "fdatasync", os.fsync)


def folder(path: Path) -> Iterator[Finding]:
    """Whether a folder can be written, and what its disk is like. Nothing stays there."""
    place = next(each for each in (path, *path.parents) if each.exists())
    if not place.is_dir():
        yield wrong("data", f"{place} is no folder")
        return
    if place == path:
        yield from _disk(place)
    elif os.access(place, os.W_OK | os.X_OK):
        yield note("data", f"{path} is not there; the first start makes it")
    else:
        yield wrong("data", f"{path} is not there, and {place} cannot be written")
    free = shutil.disk_usage(place).free
    yield (ok if free >= LITTLE_SPACE else wrong)("space", f"{free / 1000**3:,.1f} GB free")
    yield _file_system(place)


def _disk(place: Path) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            yield ok("data", f"{place} can be written")
            yield _locking(file.fileno())
            yield flushing(file.fileno())
    except OSError as error:
        yield wrong("data", f"{place} cannot be written: {error.strerror or error}")


def _locking(file: int) -> Finding:
    try:
        import fcntl
    except ImportError:
        return note("locks", "those of the database are all there are")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return wrong("locks", f"flock does not work: {error.strerror}; two servers could take the same data")
    return ok("locks", "flock works")


def flushing(file: int) -> Finding:
    """How long the disk takes for a flush."""
    took: list[float] = []
    try:
        for number in range(FLUSHES):
            os.pwrite(file, bytes(4096), number * 4096)
            began = time.monotonic()
            _flush(file)
            took.append(time.monotonic() - began)
    except OSError as error:
        return wrong("flush", f"fdatasync does not work: {error.strerror}")
    usual = statistics.median(took)
    text = f"fdatasync takes {usual * 1000:.2f} ms (median of {FLUSHES})"
    return wrong("flush", f"{text}: everybody waits for it") if usual > SLOW_S else note("flush", text)


def _file_system(place: Path) -> Finding:
    kind = file_system(place, _mounts())
    if kind in FAR:
        return wrong("file system", f"{kind} is on another machine: a database is not safe there")
    if kind in FLEETING:
        return wrong("file system", f"{kind} is in memory: everything is gone when the machine starts again")
    return ok("file system", kind) if kind else note("file system", "not known")


def _mounts() -> str:
    with suppress(OSError):
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    return ""


def file_system(place: Path, mounts: str) -> str:
    """The kind of file system that a folder is on, from the lines of /proc/mounts; "" if nobody knows."""
    found, depth = "", -1
    for line in mounts.splitlines():
        _, where, kind, *_ = line.split(" ")
        mounted = Path(where.replace("\\040", " "))
        if place.resolve().is_relative_to(mounted) and len(mounted.parts) >= depth:
            found, depth = kind, len(mounted.parts)
    return found


class Logged(NamedTuple):
    """What is found about a log, and the time of its last entry, in milliseconds since 1970."""

    findings: list[Finding]
    last_ms: int = 0


def database(path: Path, *, running: bool) -> Logged:
    """Whether the log is in order; `running` if a server has it open."""
    if not path.exists():
        return Logged([note("log", f"{path} is not there; the first start makes it")])
    if not os.access(path, os.R_OK | os.W_OK):
        return Logged([wrong("log", f"{path} cannot be read and written")])
    wal, shm = (Path(f"{path}-{end}").exists() for end in ("wal", "shm"))
    if wal and not shm:
        return Logged([note("log", f"{path} was not closed; the next start looks through it")])
    try:
        with read_only(path) if wal else _closed(path) as connection:
            return _look(connection, path, running=running)
    except (StoreError, sqlite3.Error) as error:
        return Logged([wrong("log", str(error) if str(path) in str(error) else f"{path}: {error}")])


def _look(connection: sqlite3.Connection, path: Path, *, running: bool) -> Logged:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 0 < version <= VERSION:
        kind = "is no log of asynchat" if not version else f"was written by a newer asynchat (schema {version})"
        return Logged([wrong("log", f"{path} {kind}")])
    last_id, last_ms = connection.execute("SELECT id, at_ms FROM events ORDER BY id DESC LIMIT 1").fetchone() or (0, 0)
    (saved_id,) = connection.execute("SELECT last_id FROM snapshot").fetchone() or (0,)
    known = Mark(path.with_name(f"{path.name}.mark"), durability="").read()
    last_id = max(last_id, saved_id)
    found = [ok("log", f"{path} goes up to #{last_id} (schema {version} of {VERSION})")]
    if known is not None and known.last_id > last_id and not running and not known.may_have_lost:
        found.append(wrong("log", f"{known.last_id - last_id} messages are missing after #{last_id}"))
    if path.stat().st_size > LARGE:
        found.append(note("log", "it is too large to be looked through here"))
    else:
        check(connection)
        found.append(ok("log", "it is not damaged, as far as a quick look tells"))
    return Logged(found, last_ms)


@contextmanager
def _closed(path: Path) -> Iterator[sqlite3.Connection]:
    """A log that nobody has open: as `read_only`, which would leave an empty write-ahead log behind."""
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        yield connection
