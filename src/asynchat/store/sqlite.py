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
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Redacted, Said
from asynchat.store import Snapshot, Stored, erasing, is_words
from asynchat.store.codec import encode
from asynchat.store.lock import Lock
from asynchat.store.mark import Known, Mark
from asynchat.store.reading import SqliteReader, in_thread, store_error
from asynchat.store.rows import COLUMNS, checksum, event_of
from asynchat.store.schema import Damaged, check, connect, is_damage, migrate

log = logging.getLogger("asynchat.store")

CHECKPOINT_PAGES = 1000
REST_S = 5.0
"""How long nothing has to come until the write-ahead log is emptied."""
CHECKED_AT_ONCE = 512 << 20
"""Bytes of a file that is looked through before the start, after an end that was not clean; others are meanwhile."""

_INSERT_EVENT = "INSERT INTO events (id, at_ms, talk, sender, key, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TAKE_OUT = "DELETE FROM placed WHERE place = ? AND talk IN (0, 1) AND id = ?"
_INSERT_PLACE = "INSERT INTO placed (place, talk, id) VALUES (?, ?, ?)"
_NOT_STORED = (sqlite3.Error, ValueError, OverflowError)  # ValueError: text that is no Unicode
_flush: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class SqliteLog(SqliteReader):
    """Keeps events in the file `path`. `durability` is "sync" or "process".

    With `accept_loss` it opens where it would refuse: if it misses what was stored, or is damaged, which then is moved
    aside.
    """

    def __init__(self, path: Path, *, durability: str = "sync", accept_loss: bool = False) -> None:
        super().__init__(path)
        self._path = path
        self._sync = durability == "sync"
        self._accept_loss = accept_loss
        self._lock = Lock(path.with_name(path.name + ".lock"))
        self._mark = Mark(path.with_name(path.name + ".mark"), durability=durability)
        self._writer: sqlite3.Connection
        self._flusher = ThreadPoolExecutor(1, "asynchat-flush")
        self._wal = -1
        self._pages = 0  # written since the last checkpoint, about
        self._last_id = 0
        self._last_ms = 0
        self._appended_at = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._busy: asyncio.Future[Any] | None = None  # what the writer does in its thread meanwhile

    @property
    def last_id(self) -> int:
        return self._last_id

    @property
    def last_ms(self) -> int:
        return self._last_ms

    # Opening and closing.

    async def open(self) -> None:
        await in_thread(self._flusher, self._open)

    def _open(self) -> None:
        self._lock.take()
        try:
            try:
                self._open_file()
            except Damaged as error:
                if not self._accept_loss:
                    raise StoreError(
                        f"{self._path} is damaged: {error}. Restore a backup; or start with --accept-loss, "
                        "and it is moved aside and an empty one begun"
                    ) from None
                self._let_go()
                self._move_aside(error)
                self._open_file()
        except BaseException:
            self._close()
            raise

    def _open_file(self) -> None:
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            known = self._mark.read()
            self._writer = connect(self._path)
            migrate(self._writer, self._path)
            self._reader = connect(self._path)
            if known is not None and not known.closed:
                self._check()
            self._recall(known)
            self._empty_wal(self._writer)
            self._wal = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            self._mark.begin(self.durable_id)
            self._flush_folder()
        except sqlite3.Error as error:
            raise (Damaged if is_damage(error) else StoreError)(f"{self._path}: {error}") from None
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None

    def _check(self) -> None:
        """After an end that was not clean: look through the file, before or after the start."""
        if self._path.stat().st_size <= CHECKED_AT_ONCE:
            check(self._writer)
        else:
            self._searching.submit(self._check_meanwhile)

    def _check_meanwhile(self) -> None:
        try:
            with closing(connect(self._path)) as connection:
                check(connection)
        except (sqlite3.Error, Damaged) as error:
            log.critical("%s is damaged: %s; make a backup of what can be read", self._path, error)

    def _recall(self, known: Known | None) -> None:
        """Where the log ends, and whether that is where it should."""
        last = self._writer.execute("SELECT id, at_ms FROM events ORDER BY id DESC LIMIT 1").fetchone() or (0, 0)
        snapshot = self._writer.execute("SELECT last_id FROM snapshot").fetchone() or (0,)
        self._last_id, self._last_ms = max(last[0], snapshot[0]), last[1]
        self.durable_id = last[0]
        if known is None or known.last_id <= self._last_id:
            return
        missing = f"{known.last_id - self._last_id} messages missing after #{self._last_id}"
        if not (self._accept_loss or known.may_have_lost):
            raise StoreError(
                f"{self._path}: {missing}: the write-ahead log is torn or gone. Restore a backup, "
                "or start with --accept-loss"
            )
        log.error("%s: %s, and are lost", self._path, missing)
        self._last_id = known.last_id  # their ids are not given out again

    def _move_aside(self, error: Damaged) -> None:
        """Keep a damaged file under another name."""
        aside = f"{self._path}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            for end in ("", "-wal"):
                with suppress(FileNotFoundError):
                    Path(f"{self._path}{end}").rename(f"{aside}{end}")
            with suppress(FileNotFoundError):
                Path(f"{self._path}-shm").unlink()  # it is nothing without the process that had it
        except OSError as fault:
            raise StoreError(f"{self._path} cannot be moved aside: {fault.strerror}") from None
        log.error("%s is damaged (%s); it is %s now, and an empty one begins", self._path, error, aside)

    def _flush_folder(self) -> None:
        """Make the file's and the write-ahead log's names survive a power cut."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    async def close(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        if self._busy is not None:
            await asyncio.wait([self._busy])
        await self.close_reading()
        await in_thread(self._flusher, self._close)
        self._flusher.shutdown()

    def _close(self) -> None:
        whole = hasattr(self, "_writer") and self._wal >= 0
        self._let_go()
        self._mark.end(self.durable_id if whole else None)
        self._lock.release()

    def _let_go(self) -> None:
        """Close the connections and what else is open of the file."""
        for name in ("_reader", "_writer"):
            connection: sqlite3.Connection | None = self.__dict__.pop(name, None)
            if connection is not None:
                connection.close()  # the last to close moves everything into the file
        if self._wal >= 0:
            os.close(self._wal)
            self._wal = -1

    # Writing.

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        taken_back = [int(event.said) for event in batch if type(event) is Redacted]
        if taken_back:
            await self.unindex(taken_back)
        while self._busy is not None:
            await asyncio.shield(self._busy)
        answers = self._write(batch)
        if self._sync:
            try:
                await in_thread(self._flusher, _flush, self._wal)
            except OSError as error:
                return self._take_back(answers, error)
        if self._last_id > self.durable_id:
            self.durable_id = self._last_id
            self._mark.note(self._last_id)
        self.keep_indexing(quiet=False)
        if self._pages >= CHECKPOINT_PAGES:
            await in_thread(self._flusher, self._checkpoint)
        self._rest_later()
        return answers

    def _write(self, batch: Sequence[Event]) -> list[Stored | StoreError]:
        try:
            return self._transaction(batch)
        except _NOT_STORED as error:
            if len(batch) == 1:
                return [store_error(error)]
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
                    writer.execute("UPDATE events SET body = '', crc = NULL WHERE id = ?", (int(event.said),))
                talk = int(is_words(event))
                body = encode(event)
                crc = checksum(position, event.at_ms, body)
                events.append((position, event.at_ms, talk, owner, key, body, crc))
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
            f"SELECT {COLUMNS} FROM events WHERE sender = ? AND key = ?", (owner, event.key)
        ).fetchone()
        if row is None:
            return None
        if not row[2]:  # it was taken back: of its words there are only those that its sender has now
            return Stored(row[0], replace(event, id=str(row[0]), at_ms=row[1]))
        return Stored(row[0], event_of(row))

    def _take_back(self, answers: Sequence[Stored | StoreError], error: OSError) -> Sequence[Stored | StoreError]:
        """The disk did not take what SQLite had taken: nobody is told that it is stored, so it must not be."""
        fault = StoreError(f"cannot flush: {error.strerror}", full=error.errno in (errno.ENOSPC, errno.EDQUOT))
        new = [each.event for each in answers if isinstance(each, Stored) and each.new]
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany("DELETE FROM events WHERE id = ?", [(int(event.id),) for event in new])
            self._writer.executemany(_TAKE_OUT, [(place, int(event.id)) for event in new for place in event.places])
            self._writer.execute("COMMIT")
        except sqlite3.Error as worse:
            log.error("lines that could not be flushed may be back after a restart: %s", worse)
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        return [fault if isinstance(each, Stored) and each.new else each for each in answers]

    def _checkpoint(self) -> None:
        """Move what the write-ahead log holds into the file, as far as no reader needs it."""
        self._pages = 0
        self._mark.flush()
        try:
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:  # nothing is lost, the write-ahead log has it
            log.error("the write-ahead log cannot be moved into the file: %s", error)

    def _rest_later(self) -> None:
        """Empty the write-ahead log once nothing has come for a while."""
        loop = asyncio.get_running_loop()
        self._appended_at = loop.time()
        if self._rest is None:
            self._rest = loop.call_later(REST_S, self._rest_now, loop)

    def _rest_now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._rest = None
        quiet_s = loop.time() - self._appended_at
        if quiet_s < REST_S:
            self._rest = loop.call_later(REST_S - quiet_s, self._rest_now, loop)
        elif self._busy is None and not self._closing:
            self._begin(self._empty)
            self.keep_indexing(quiet=True)

    def _begin[T](self, action: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Have the writer do something in its thread; what is to be appended waits."""
        busy = asyncio.get_running_loop().run_in_executor(self._flusher, action, self._writer)
        self._busy = busy
        busy.add_done_callback(self._done)
        return busy

    def _done(self, busy: asyncio.Future[Any]) -> None:
        self._busy = None
        if not busy.cancelled():
            busy.exception()  # whoever waits for it is told

    async def exclusive[T](self, action: Callable[[sqlite3.Connection], T]) -> T:
        """What the writer gives for something, while nothing is appended.

        Raises:
            StoreError
        """
        while self._busy is not None:
            await asyncio.shield(self._busy)
        try:
            return await asyncio.shield(self._begin(action))
        except sqlite3.Error as error:
            raise store_error(error) from None

    def _empty(self, writer: sqlite3.Connection) -> None:
        """Move everything into the file and begin the write-ahead log anew: what is not in it cannot be torn."""
        self._pages = 0
        self._mark.flush()
        with suppress(sqlite3.Error):  # nothing is lost, it has it still
            self._empty_wal(writer)

    @staticmethod
    def _empty_wal(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # Erasing.

    async def trim(self, *, before_ms: int | None, most: int | None) -> int:
        before = int(await self.last_until(before_ms - 1)) if before_ms is not None else None
        return await erasing.trim(self, before=before, most=most)

    async def forget(self, account: str) -> Sequence[Event]:
        return await erasing.forget(self, account)

    async def wipe(self) -> None:
        await self.clean_index()
        await self.exclusive(self._empty)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        await in_thread(self._flusher, self._save_snapshot, snapshot)

    def _save_snapshot(self, snapshot: Snapshot) -> None:
        try:
            self._writer.execute(
                "INSERT OR REPLACE INTO snapshot (only, last_id, state) VALUES (1, ?, ?)",
                (snapshot.last_id, json.dumps(snapshot.state)),
            )
        except sqlite3.Error as error:
            raise store_error(error) from None
