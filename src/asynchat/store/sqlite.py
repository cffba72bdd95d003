"""The SQLite engine: one file that keeps everything.

A batch is one transaction, committed on the loop: at `synchronous=NORMAL` that is 13 µs for a lone line, where handing
it to a thread would cost 55. The write-ahead log is then in the kernel's hands, so a killed process loses nothing
(`durability = "process"`). At `"sync"` it is flushed besides, before anybody is told, so a power cut loses nothing
either (see `flushing`).

An event's position is its id. Checkpoints are awaited between two batches, every `CHECKPOINT_PAGES`: run beside the
writer they let the write-ahead log grow and make every flush dearer.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Redacted, Said
from asynchat.store import Snapshot, Stored, erasing, is_words
from asynchat.store.codec import encode
from asynchat.store.file import LogFile
from asynchat.store.flushing import Flushing
from asynchat.store.placing import MOST, PLACED_UPTO, Unplaced, load
from asynchat.store.reading import SqliteReader, in_thread, store_error
from asynchat.store.rows import COLUMNS, checksum, event_of
from asynchat.store.schema import empty_wal

log = logging.getLogger("asynchat.store")

CHECKPOINT_PAGES = 1000
WIPES = 50
"""How often it is tried to empty the write-ahead log while others read."""
REST_S = 5.0
"""How long nothing has to come until the write-ahead log is emptied."""

_INSERT_EVENT = "INSERT INTO events (id, at_ms, talk, sender, key, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TAKE_OUT = "DELETE FROM placed WHERE place = ? AND talk IN (0, 1) AND id = ?"
_INSERT_PLACE = "INSERT OR IGNORE INTO placed (place, talk, id) VALUES (?, ?, ?)"  # of what was taken out of it
_NOT_STORED = (sqlite3.Error, ValueError, OverflowError)  # ValueError: text that is no Unicode


class SqliteLog(SqliteReader):
    """Keeps events in the file `path`. `durability` is "sync" or "process".

    With `accept_loss` it opens where it would refuse, see `LogFile`.
    """

    def __init__(self, path: Path, *, durability: str = "sync", accept_loss: bool = False) -> None:
        super().__init__(path)
        self._sync = durability == "sync"
        self._file = LogFile(path, durability=durability, accept_loss=accept_loss)
        self._writer: sqlite3.Connection
        self._flusher = ThreadPoolExecutor(1, "asynchat-flush")
        self._flushing = Flushing(partial(in_thread, self._flusher))
        self._pages = 0  # written since the last checkpoint, about
        self._last_id = 0
        self._last_ms = 0
        self._appended_at = 0.0
        self._blanked: list[tuple[Redacted, int, str, int | None]] = []  # what this batch takes back, as it was
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
        file = self._file
        await in_thread(self._flusher, lambda: file.open(check_later=self._searching.submit))
        self._writer, self._reader = file.writer, file.reader
        self._last_id, self._last_ms, self.durable_id = file.last_id, file.last_ms, file.durable_id
        self._unplaced = await in_thread(self._flusher, load, self._reader)

    async def close(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        if self._busy is not None:
            await asyncio.wait([self._busy])
        self._file.stop_checking()
        await self.close_reading()
        with suppress(sqlite3.Error):  # the next start finds it out
            await in_thread(self._flusher, self._place, self._writer)
        await in_thread(self._flusher, self._file.close, self.durable_id)
        self._flusher.shutdown()

    # Writing.

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        taken_back = [int(event.said) for event in batch if type(event) is Redacted]
        self._blanked = []
        async with self.unindexed(taken_back) if taken_back else nullcontext():
            await self._undisturbed()
            answers = self._write(batch)
        if self._sync:
            try:
                await self._flushing.flush(self._file.wal)
            except OSError as error:
                await self._undisturbed()
                return self._take_back(answers, error)
        self._stored(answers)
        if self._much_is_left:
            await in_thread(self._flusher, self._checkpoint)
        return answers

    def append_at_once(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError] | None:
        if self._busy is not None or self._much_is_left or (self._sync and self._flushing.wary):
            return None
        for event in batch:
            if type(event) is Redacted:
                return None
        self._blanked = []
        answers = self._write(batch)
        if self._sync:
            try:
                self._flushing.flush_at_once(self._file.wal)
            except OSError as error:
                return self._take_back(answers, error)
        self._stored(answers)
        return answers

    @property
    def _much_is_left(self) -> bool:
        """Whether it is time to tell the file itself of what lies in the write-ahead log and in memory."""
        return self._pages >= CHECKPOINT_PAGES or self._unplaced.count >= MOST

    def _stored(self, answers: Sequence[Stored | StoreError]) -> None:
        """Note that what was written will be there after a restart."""
        for answer in reversed(answers):
            if isinstance(answer, Stored) and answer.new:  # not `_last_id`: what was taken back had higher ids
                self.durable_id = answer.position
                self._file.mark.note(self.durable_id)
                break
        self.keep_indexing(quiet=False)
        self._rest_later()

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
        if len(batch) == 1 and getattr(batch[0], "key", None) is None and type(batch[0]) is not Redacted:
            event, position = batch[0], int(batch[0].id)
            talk, body = int(is_words(event)), encode(event)
            crc = checksum(position, event.at_ms, body)
            writer.execute(_INSERT_EVENT, (position, event.at_ms, talk, None, None, body, crc))  # its own transaction
            self._placed_later([(position, talk, event)])
            return [Stored(position, event)]
        writer.execute("BEGIN IMMEDIATE")
        blanked = len(self._blanked)
        try:
            answers: list[Stored | StoreError] = []
            events: list[tuple[Any, ...]] = []
            new: list[tuple[int, int, Event]] = []
            keys: dict[tuple[str, str], Stored] = {}
            for event in batch:
                position, key, owner = int(event.id), None, None
                if type(event) is Said:
                    if event.key is not None:
                        key, owner = event.key, event.by.account or ""
                        first = keys.get((owner, key)) or self._first(owner, event)
                        if first is not None:
                            answers.append(first._replace(new=False))
                            continue
                elif type(event) is Redacted:
                    writer.executemany(_INSERT_EVENT, events)  # what is taken out may be of this batch
                    events = []
                    self._take_out(event)
                talk = int(is_words(event))
                body = encode(event)
                events.append((position, event.at_ms, talk, owner, key, body, checksum(position, event.at_ms, body)))
                new.append((position, talk, event))
                stored = Stored(position, event)
                if key is not None and owner is not None:
                    keys[owner, key] = stored
                answers.append(stored)
            writer.executemany(_INSERT_EVENT, events)
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            del self._blanked[blanked:]
            raise
        if new:
            self._placed_later(new)
        return answers

    def _placed_later(self, new: Sequence[tuple[int, int, Event]]) -> None:
        """Note where events belong that are stored now, and that what they take back belongs nowhere."""
        unplaced = self._unplaced
        for position, talk, event in new:
            unplaced.add(position, talk, event.places)
            if type(event) is Redacted:
                unplaced.take_out(int(event.said), event.places)
        self._last_id, self._last_ms = position, event.at_ms
        self._pages += 2 + len(new) // 12

    def _take_out(self, redacted: Redacted) -> None:
        """Take what is taken back out of the file."""
        said = int(redacted.said)
        self._note_before(redacted)
        self._writer.executemany(_TAKE_OUT, ((place, said) for place in redacted.places))
        self._writer.execute("UPDATE events SET body = '', crc = NULL WHERE id = ?", (said,))

    def _note_before(self, redacted: Redacted) -> None:
        """Keep what is taken back until that is flushed."""
        found = self._writer.execute(
            "SELECT talk, body, crc FROM events WHERE id = ?", (int(redacted.said),)
        ).fetchone()
        if found is not None and found[1]:
            self._blanked.append((redacted, *found))

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
            # They may have been placed while they were flushed.
            self._writer.executemany(_TAKE_OUT, [(place, int(event.id)) for event in new for place in event.places])
            self._writer.execute(PLACED_UPTO + " WHERE upto > (SELECT coalesce(max(id), 0) FROM events)")
            for redacted, talk, body, crc in self._blanked:
                said = int(redacted.said)
                self._writer.execute("UPDATE events SET body = ?, crc = ? WHERE id = ?", (body, crc, said))
                if said <= self._unplaced.upto:
                    self._writer.executemany(_INSERT_PLACE, [(place, talk, said) for place in redacted.places])
            self._writer.execute("COMMIT")
            self._as_before(new)
        except sqlite3.Error as worse:
            log.error("lines that could not be flushed may be back after a restart: %s", worse)
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        gone = {int(event.id) for event in new}  # a repeat of one of these is not stored, either
        return [fault if isinstance(each, Stored) and each.position in gone else each for each in answers]

    def _as_before(self, new: Sequence[Event]) -> None:
        """Note that these events belong nowhere, and that what they took back belongs where it did."""
        for event in new:
            self._unplaced.take_out(int(event.id), event.places)
        for redacted, talk, _, _ in self._blanked:
            if int(redacted.said) > self._unplaced.upto:
                self._unplaced.put_back(int(redacted.said), talk, redacted.places)

    def _place(self, writer: sqlite3.Connection) -> None:
        """Tell the file where all events belong.

        Raises:
            sqlite3.Error
        """
        if self._unplaced.count:
            self._unplaced.place(writer)
            self._unplaced = Unplaced(self._last_id)

    def _placed_then[T](self, action: Callable[[sqlite3.Connection], T], writer: sqlite3.Connection) -> T:
        self._place(writer)
        return action(writer)

    def _checkpoint(self) -> None:
        """Move what the write-ahead log holds into the file, as far as no reader needs it."""
        self._pages = 0
        self._file.mark.flush()
        try:
            if self._unplaced.count >= MOST:
                self._place(self._writer)
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

    async def _undisturbed(self) -> None:
        """Wait until the writer does nothing in its thread."""
        while self._busy is not None:
            await asyncio.wait([self._busy])

    async def exclusive[T](self, action: Callable[[sqlite3.Connection], T]) -> T:
        """What the writer gives for something, while nothing is appended and everything is placed.

        Raises:
            StoreError
        """
        await self._undisturbed()
        try:
            return await asyncio.shield(self._begin(partial(self._placed_then, action)))
        except sqlite3.Error as error:
            raise store_error(error) from None

    def _empty(self, writer: sqlite3.Connection) -> None:
        """Move everything into the file and begin the write-ahead log anew: what is not in it cannot be torn."""
        self._pages = 0
        self._file.mark.flush()
        with suppress(sqlite3.Error):  # nothing is lost, it has it still
            self._place(writer)
            empty_wal(writer)

    # Erasing.

    async def trim(self, *, before_ms: int | None, most: int | None) -> int:
        before = int(await self.last_until(before_ms - 1)) if before_ms is not None else None
        await self.exclusive(lambda writer: None)  # which counts what is placed
        return await erasing.trim(self, before=before, most=most)

    async def forget(self, account: str) -> Sequence[Event]:
        return await erasing.forget(self, account)

    async def wipe(self) -> None:
        await self.clean_index()
        for _ in range(WIPES):
            if await self.exclusive(empty_wal):
                return
            await asyncio.sleep(0.1)
        raise StoreError("something reads the file, so that its write-ahead log could not be emptied; try again later")

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        query = "INSERT OR REPLACE INTO snapshot (only, last_id, state) VALUES (1, ?, ?)"
        await self.exclusive(lambda writer: writer.execute(query, (snapshot.last_id, json.dumps(snapshot.state))))
