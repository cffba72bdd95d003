"""What is written into the SQLite file: batches of events, what they take back, and where they belong.

When that is done, and in which thread, is `SqliteLog`'s to say; nothing here waits for the disk.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Redacted, Said
from asynchat.store import Stored, is_words
from asynchat.store.codec import encode
from asynchat.store.placing import MOST, PLACED_UPTO, Unplaced, load
from asynchat.store.reading import store_error
from asynchat.store.rows import COLUMNS, checksum, event_of
from asynchat.store.schema import empty_wal

log = logging.getLogger("asynchat.store")

CHECKPOINT_PAGES = 1000
"""Pages that may lie in the write-ahead log, about."""

_INSERT_EVENT = "INSERT INTO events (id, at_ms, talk, sender, key, body, crc) VALUES (?, ?, ?, ?, ?, ?, ?)"
_TAKE_OUT = "DELETE FROM placed WHERE place = ? AND talk IN (0, 1) AND id = ?"
_INSERT_PLACE = "INSERT OR IGNORE INTO placed (place, talk, id) VALUES (?, ?, ?)"  # of what was taken out of it
_NOT_STORED = (sqlite3.Error, ValueError, OverflowError)  # ValueError: text that is no Unicode


class Writing:
    """Writes events, from `begin` on. `last_id` and `last_ms` are those of the last, `unplaced` those not placed yet.

    `pages` is how many were written since the last checkpoint, about.
    """

    _connection: sqlite3.Connection

    def __init__(self) -> None:
        self.unplaced = Unplaced(0)
        self.last_id = self.last_ms = 0
        self.pages = 0
        self._blanked: list[tuple[Redacted, int, str, int | None]] = []  # what this batch takes back, as it was

    def begin(self, connection: sqlite3.Connection, last_id: int, last_ms: int) -> None:
        """Go on over a connection, after the last event of its file.

        Raises:
            sqlite3.Error
        """
        self._connection, self.last_id, self.last_ms = connection, last_id, last_ms
        self.unplaced = load(connection)

    @property
    def much_is_left(self) -> bool:
        """Whether it is time to tell the file itself of what lies in the write-ahead log and in memory."""
        return self.pages >= CHECKPOINT_PAGES or self.unplaced.count >= MOST

    # Batches.

    def write(self, batch: Sequence[Event]) -> list[Stored | StoreError]:
        """Store a batch, each entry by itself if together they cannot be."""
        self._blanked = []
        return self._write(batch)

    def _write(self, batch: Sequence[Event]) -> list[Stored | StoreError]:
        try:
            return self._transaction(batch)
        except _NOT_STORED as error:
            if len(batch) == 1:
                return [store_error(error)]
        return [self._write([event])[0] for event in batch]

    def _transaction(self, batch: Sequence[Event]) -> list[Stored | StoreError]:
        """Store a batch, or raise and store nothing of it."""
        writer = self._connection
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
        unplaced = self.unplaced
        for position, talk, event in new:
            unplaced.add(position, talk, event.places)
            if type(event) is Redacted:
                unplaced.take_out(int(event.said), event.places)
        self.last_id, self.last_ms = position, event.at_ms
        self.pages += 2 + len(new) // 12

    def _take_out(self, redacted: Redacted) -> None:
        """Take what is taken back out of the file."""
        said = int(redacted.said)
        self._note_before(redacted)
        self._connection.executemany(_TAKE_OUT, ((place, said) for place in redacted.places))
        self._connection.execute("UPDATE events SET body = '', crc = NULL WHERE id = ?", (said,))

    def _note_before(self, redacted: Redacted) -> None:
        """Keep what is taken back until that is flushed."""
        found = self._connection.execute(
            "SELECT talk, body, crc FROM events WHERE id = ?", (int(redacted.said),)
        ).fetchone()
        if found is not None and found[1]:
            self._blanked.append((redacted, *found))

    def _first(self, owner: str, event: Said) -> Stored | None:
        row = self._connection.execute(
            f"SELECT {COLUMNS} FROM events WHERE sender = ? AND key = ?", (owner, event.key)
        ).fetchone()
        if row is None:
            return None
        if not row[2]:  # it was taken back: of its words there are only those that its sender has now
            return Stored(row[0], replace(event, id=str(row[0]), at_ms=row[1]))
        return Stored(row[0], event_of(row))

    def take_back(self, answers: Sequence[Stored | StoreError], error: OSError) -> Sequence[Stored | StoreError]:
        """The answers once the disk has not taken what was written: nobody is told that it is stored, and it goes."""
        fault = StoreError(f"cannot flush: {error.strerror}", full=error.errno in (errno.ENOSPC, errno.EDQUOT))
        new = [each.event for each in answers if isinstance(each, Stored) and each.new]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM events WHERE id = ?", [(int(event.id),) for event in new])
            # They may have been placed while they were flushed.
            self._connection.executemany(_TAKE_OUT, [(place, int(event.id)) for event in new for place in event.places])
            self._connection.execute(PLACED_UPTO + " WHERE upto > (SELECT coalesce(max(id), 0) FROM events)")
            for redacted, talk, body, crc in self._blanked:
                said = int(redacted.said)
                self._connection.execute("UPDATE events SET body = ?, crc = ? WHERE id = ?", (body, crc, said))
                if said <= self.unplaced.upto:
                    self._connection.executemany(_INSERT_PLACE, [(place, talk, said) for place in redacted.places])
            self._connection.execute("COMMIT")
            self._as_before(new)
        except sqlite3.Error as worse:
            log.error("lines that could not be flushed may be back after a restart: %s", worse)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        gone = {int(event.id) for event in new}  # a repeat of one of these is not stored, either
        return [fault if isinstance(each, Stored) and each.position in gone else each for each in answers]

    def _as_before(self, new: Sequence[Event]) -> None:
        """Note that these events belong nowhere, and that what they took back belongs where it did."""
        for event in new:
            self.unplaced.take_out(int(event.id), event.places)
        for redacted, talk, _, _ in self._blanked:
            if int(redacted.said) > self.unplaced.upto:
                self.unplaced.put_back(int(redacted.said), talk, redacted.places)

    # Moving on.

    def place(self) -> None:
        """Tell the file where all events belong.

        Raises:
            sqlite3.Error
        """
        if self.unplaced.count:
            self.unplaced.place(self._connection)
            self.unplaced = Unplaced(self.last_id)

    def checkpoint(self) -> None:
        """Move what the write-ahead log holds into the file, as far as no reader needs it."""
        self.pages = 0
        try:
            if self.unplaced.count >= MOST:
                self.place()
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:  # nothing is lost, the write-ahead log has it
            log.error("the write-ahead log cannot be moved into the file: %s", error)

    def empty(self) -> None:
        """Move everything into the file and begin the write-ahead log anew: what is not in it cannot be torn."""
        self.pages = 0
        with suppress(sqlite3.Error):  # nothing is lost, it has it still
            self.place()
            empty_wal(self._connection)
