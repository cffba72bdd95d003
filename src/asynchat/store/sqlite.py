"""The SQLite engine: one file that keeps everything.

A batch is one transaction, committed on the loop: at `synchronous=NORMAL` that is 13 µs for a lone line, where handing
it to a thread would cost 55. The write-ahead log is then in the kernel's hands, so a killed process loses nothing
(`durability = "process"`). At `"sync"` a thread calls `fdatasync` on it besides, before anybody is told, so a power
cut loses nothing either; meanwhile the next batch gathers.

An event's position is its id. Checkpoints are awaited between two batches, every `CHECKPOINT_PAGES`: run beside the
writer they let the write-ahead log grow and make every flush dearer.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Redacted, Said
from asynchat.chat.search import Search
from asynchat.store import Had, Snapshot, Stored, is_words
from asynchat.store.codec import decode, encode
from asynchat.store.index import SLICE, WordIndex
from asynchat.store.lock import Lock

log = logging.getLogger("asynchat.store")

VERSION = 1
CHECKPOINT_PAGES = 1000
REPLAY_PAGE = 1000
INDEXED_AT = 10_000
"""Events that the index of words may lag behind, if nobody searches."""

_SCHEMA = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,       -- the event's id, and its position
    at_ms INTEGER NOT NULL,
    talk INTEGER NOT NULL,        -- 1: words, 0: a change of state
    sender TEXT,                  -- whose key it is: an account, or '' for a guest
    key TEXT,
    body TEXT NOT NULL            -- see codec.py
) STRICT;
CREATE UNIQUE INDEX events_by_key ON events (sender, key) WHERE key IS NOT NULL;
CREATE TABLE placed (             -- which events belong to a place, in order
    place TEXT NOT NULL,
    talk INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (place, talk, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE snapshot (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    last_id INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;
"""
# secure_delete: what is taken back is not left over in the file's free space.
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 0", "secure_delete = ON")
_INSERT_EVENT = "INSERT INTO events (id, at_ms, talk, sender, key, body) VALUES (?, ?, ?, ?, ?, ?)"
_TAKE_OUT = "DELETE FROM placed WHERE place = ? AND talk IN (0, 1) AND id = ?"
_INSERT_PLACE = "INSERT INTO placed (place, talk, id) VALUES (?, ?, ?)"
_IN_PLACE = "SELECT id FROM placed WHERE place = ? AND talk = {} AND id > ? AND id < ?"
_MOST = 2**63 - 1
_NOT_STORED = (sqlite3.Error, ValueError, OverflowError)  # ValueError: text that is no Unicode
_flush: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class SqliteLog:
    """Keeps events in the file `path`. `durability` is "sync" or "process"."""

    def __init__(self, path: Path, *, durability: str = "sync") -> None:
        self._path = path
        self._sync = durability == "sync"
        self._lock = Lock(path.with_name(path.name + ".lock"))
        self._writer: sqlite3.Connection
        self._reader: sqlite3.Connection
        self._flusher = ThreadPoolExecutor(1, "asynchat-flush")
        self._reading = ThreadPoolExecutor(1, "asynchat-read")
        self._searching = ThreadPoolExecutor(1, "asynchat-search")
        self._index = WordIndex(path)
        self._indexing = False
        self._durable_id = 0  # what comes after it may yet be taken back
        self._closing = False
        self._wal = -1
        self._pages = 0  # written since the last checkpoint, about
        self._last_id = 0
        self._last_ms = 0

    @property
    def last_id(self) -> int:
        return self._last_id

    @property
    def last_ms(self) -> int:
        return self._last_ms

    # Opening and closing.

    async def open(self) -> None:
        await self._in(self._flusher, self._open)

    def _open(self) -> None:
        self._lock.take()
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._writer = self._connect()
            self._migrate()
            self._reader = self._connect()
            self._wal = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            self._flush_folder()
            self._pages = CHECKPOINT_PAGES  # whatever was left is moved into the file soon
            self._recall()
        except sqlite3.Error as error:
            self._close()
            raise StoreError(f"{self._path}: {error}") from None
        except OSError as error:
            self._close()
            raise StoreError(f"{self._path}: {error.strerror}") from None
        except StoreError:
            self._close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1.0)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self._path} was written by a newer asynchat (schema {version}, this one knows {VERSION})"
            )
        if version == 0:
            self._writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")

    def _flush_folder(self) -> None:
        """Make the file's and the write-ahead log's names survive a power cut."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _recall(self) -> None:
        last = self._writer.execute("SELECT id, at_ms FROM events ORDER BY id DESC LIMIT 1").fetchone() or (0, 0)
        snapshot = self._writer.execute("SELECT last_id FROM snapshot").fetchone() or (0,)
        self._last_id, self._last_ms = max(last[0], snapshot[0]), last[1]
        self._durable_id = last[0]

    async def close(self) -> None:
        self._closing = True
        await self._in(self._searching, self._index.close)
        await self._in(self._flusher, self._close)
        for executor in (self._searching, self._reading, self._flusher):
            executor.shutdown()

    def _close(self) -> None:
        for name in ("_reader", "_writer"):
            connection: sqlite3.Connection | None = self.__dict__.pop(name, None)
            if connection is not None:
                connection.close()  # the last to close moves everything into the file
        if self._wal >= 0:
            os.close(self._wal)
            self._wal = -1
        self._lock.release()

    # Writing.

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        taken_back = [int(event.said) for event in batch if type(event) is Redacted]
        if taken_back:
            await self._in(self._searching, self._unindex, taken_back)
        answers = self._write(batch)
        if self._sync:
            try:
                await self._in(self._flusher, _flush, self._wal)
            except OSError as error:
                return self._take_back(answers, error)
        self._durable_id = self._last_id
        if self._last_id - self._index.upto >= INDEXED_AT and not self._indexing:
            self._indexing = True
            self._searching.submit(self._advance_index)
        if self._pages >= CHECKPOINT_PAGES:
            await self._in(self._flusher, self._checkpoint)
        return answers

    def _write(self, batch: Sequence[Event]) -> list[Stored | StoreError]:
        try:
            return self._transaction(batch)
        except _NOT_STORED as error:
            if len(batch) == 1:
                return [_store_error(error)]
        return [self._write([event])[0] for event in batch]

    def _transaction(self, batch: Sequence[Event]) -> list[Stored | StoreError]:
        """Store a batch, or raise and store nothing of it."""
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            answers: list[Stored | StoreError] = []
            events: list[tuple[Any, ...]] = []
            places: list[tuple[Place, int, int]] = []
            keys: dict[tuple[str, str], Stored] = {}
            for event in batch:
                position, key, owner = int(event.id), None, None
                if type(event) is Said and event.key is not None:
                    key, owner = event.key, event.by.account or ""
                    first = keys.get((owner, key)) or self._first(owner, event)
                    if first is not None:
                        answers.append(first._replace(new=False))
                        continue
                if type(event) is Redacted:
                    writer.executemany(_INSERT_EVENT, events)  # what is taken out may be of this batch
                    writer.executemany(_INSERT_PLACE, places)
                    events, places = [], []
                    writer.executemany(_TAKE_OUT, ((place, int(event.said)) for place in event.places))
                    writer.execute("UPDATE events SET body = '' WHERE id = ?", (int(event.said),))
                talk = int(is_words(event))
                events.append((position, event.at_ms, talk, owner, key, encode(event)))
                places += [(place, talk, position) for place in event.places]
                stored = Stored(position, event)
                if key is not None and owner is not None:
                    keys[owner, key] = stored
                answers.append(stored)
            writer.executemany(_INSERT_EVENT, events)
            writer.executemany(_INSERT_PLACE, places)
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise
        if events:
            self._last_id, self._last_ms = events[-1][0], events[-1][1]
            self._pages += 3 + len(batch) // 8
        return answers

    def _first(self, owner: str, event: Said) -> Stored | None:
        row = self._writer.execute(
            "SELECT id, at_ms, body FROM events WHERE sender = ? AND key = ?", (owner, event.key)
        ).fetchone()
        if row is None:
            return None
        if not row[2]:  # it was taken back: of its words there are only those that its sender has now
            return Stored(row[0], replace(event, id=str(row[0]), at_ms=row[1]))
        return Stored(row[0], _event(row))

    def _take_back(self, answers: Sequence[Stored | StoreError], error: OSError) -> Sequence[Stored | StoreError]:
        """The disk did not take what SQLite had taken: nobody is told that it is stored, so it must not be."""
        fault = StoreError(f"cannot flush: {error.strerror}", full=error.errno in (errno.ENOSPC, errno.EDQUOT))
        new = [(each.position,) for each in answers if isinstance(each, Stored) and each.new]
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany("DELETE FROM events WHERE id = ?", new)
            self._writer.executemany("DELETE FROM placed WHERE id = ?", new)
            self._writer.execute("COMMIT")
        except sqlite3.Error as worse:
            log.error("lines that could not be flushed may be back after a restart: %s", worse)
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        return [fault if isinstance(each, Stored) and each.new else each for each in answers]

    def _checkpoint(self) -> None:
        """Move what the write-ahead log holds into the file, as far as no reader needs it."""
        self._pages = 0
        try:
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:  # nothing is lost, the write-ahead log has it
            log.error("the write-ahead log cannot be moved into the file: %s", error)

    # Reading.

    async def page(
        self,
        place: Place,
        /,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int,
        newest: bool | None = None,
        talk_only: bool = True,
    ) -> Sequence[Event]:
        # An ordered read of each sort, merged: one read of both sorts would have to sort all of the place.
        order = "DESC" if (after is None if newest is None else newest) else "ASC"
        found = " UNION ALL ".join(_IN_PLACE.format(talk) for talk in ((1,) if talk_only else (0, 1)))
        query = f"SELECT id, at_ms, body FROM events WHERE id IN ({found} ORDER BY 1 {order} LIMIT ?) ORDER BY id"
        first = min(int(after or 0), _MOST)
        end = min(int(before), self._durable_id + 1) if before is not None else self._durable_id + 1
        values = (place, first, end)
        rows = await self._in(self._reading, self._read, query, (*values * (1 if talk_only else 2), limit))
        return [_event(row) for row in rows]

    def had(self, place: Place, /) -> Had:
        return Had()

    async def last_until(self, at_ms: int, /) -> str:
        return await self._in(self._reading, self._last_until, at_ms)

    def _last_until(self, at_ms: int) -> str:
        """Times rise with ids, so that halving finds it: the table needs no index on time."""
        low, high = 0, self._durable_id
        while low < high:
            middle = (low + high + 1) // 2
            row = self._read("SELECT id, at_ms FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (middle,))
            if not row or row[0][1] <= at_ms:
                low = middle
            else:
                high = row[0][0] - 1
        row = self._read("SELECT id FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (low,))
        return str(row[0][0]) if row else "0"

    async def find(self, event_id: str, /) -> Event | None:
        if not event_id.isdecimal() or len(event_id) > 18 or int(event_id) > self._durable_id:
            return None
        rows = await self._in(
            self._reading,
            self._read,
            "SELECT id, at_ms, body FROM events WHERE id = ? AND body <> ''",
            (int(event_id),),
        )
        return _event(rows[0]) if rows else None

    def _read(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _store_error(error) from None

    # Searching.

    async def search(self, search: Search, /) -> Sequence[Said]:
        return await self._in(self._searching, self._index.search, search, self._durable_id)

    def _advance_index(self) -> None:
        """Bring the index of words up to date, a while at a time: a search may be waiting for the thread."""
        try:
            for _ in range(INDEXED_AT // SLICE):
                if self._closing or not self._index.advance(self._durable_id):
                    break
        except StoreError as error:  # a search will say so, too
            log.error("the index of words lags behind: %s", error)
        finally:
            self._indexing = False

    def _unindex(self, ids: Sequence[int]) -> None:
        try:
            self._index.forget(ids)
        except StoreError as error:  # what is found is compared with the log, so it is not shown
            log.error("words that were taken back are in the index still: %s", error)

    async def snapshot(self) -> Snapshot | None:
        rows = await self._in(self._reading, self._read, "SELECT last_id, state FROM snapshot", ())
        return Snapshot(rows[0][0], json.loads(rows[0][1])) if rows else None

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        await self._in(self._flusher, self._save_snapshot, snapshot)

    def _save_snapshot(self, snapshot: Snapshot) -> None:
        try:
            self._writer.execute(
                "INSERT OR REPLACE INTO snapshot (only, last_id, state) VALUES (1, ?, ?)",
                (snapshot.last_id, json.dumps(snapshot.state)),
            )
        except sqlite3.Error as error:
            raise _store_error(error) from None

    async def replay(self, after: int) -> AsyncIterator[Sequence[Event]]:
        query = "SELECT id, at_ms, body FROM events WHERE id > ? AND talk = 0 AND body <> '' ORDER BY id LIMIT ?"
        while rows := await self._in(self._reading, self._read, query, (after, REPLAY_PAGE)):
            yield [_event(row) for row in rows]
            after = rows[-1][0]

    async def _in[T](self, executor: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)


def _event(row: Sequence[Any]) -> Event:
    return decode(row[2], id=str(row[0]), at_ms=row[1])


def _store_error(error: Exception) -> StoreError:
    full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return StoreError(str(error), full=full)
