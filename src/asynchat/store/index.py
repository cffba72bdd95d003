"""The index of words: where in the log something was said.

It is derived from the log, lies in a file of its own, and is made anew whenever it does not fit: so it costs the log's
commits nothing, which would wait for the write lock of one file, and the file with the log holds nothing twice. While
the log is busy it lags behind; a search first brings it up to date. It only narrows down where to look: what is found
is read from the log and compared, so that what was taken back is not found, whatever the index says.

Per line of 58 bytes it costs some 12 µs of CPU, in a thread, and 23 bytes.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.events import Said
from asynchat.chat.names import casefold
from asynchat.chat.search import Search, is_beginning, words_of
from asynchat.store.rows import COLUMNS, events_of
from asynchat.store.schema import Transaction, connect, is_damage
from asynchat.store.shelves import Document, Shelves

log = logging.getLogger("asynchat.store")

VERSION = 2
SLICE = 100
"""Lines that are indexed in one transaction; then the loop may have the interpreter, for which it waits up to 5 ms."""
BREATH_S = 0.0001
"""For how long it may have it at once, where somebody waits for the index."""
FIRST_PAGE = 100
"""Lines that are read at first."""
LOOKED_THROUGH = 10_000
"""Lines that have all the words of a search, and are compared at most."""
PATIENCE_S = 2.0
"""How long a search may take."""
CLEANING_S = 600.0
"""The least time between two rewrites of the whole index, which rid it of words that were taken back."""

_SCHEMA = """
CREATE TABLE upto (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id INTEGER NOT NULL,          -- the last event that was looked at
    at_ms INTEGER NOT NULL        -- and its time: does this index belong to that log?
) STRICT;
INSERT INTO upto (only, id, at_ms) VALUES (1, 0, 0);
"""
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON")
_NEXT = f"SELECT {COLUMNS} FROM events WHERE id > ? AND id <= ? AND talk = 1 ORDER BY id LIMIT ?"
_OLDEST = "SELECT id FROM events WHERE talk = 1 ORDER BY id LIMIT 1"
_THESE = (
    f"SELECT {COLUMNS} FROM events WHERE id IN (SELECT value FROM json_each(?)) AND body <> '' AND talk = 1 ORDER BY id"
)
_MOST = 2**63 - 1


class WordIndex:
    """The words of the log in the file `log_path`. To be used by one thread at a time; it opens when first used."""

    def __init__(self, log_path: Path) -> None:
        self.upto = 0
        """The last event that was looked at, once it is open."""
        self._log_path = log_path
        self._path = log_path.with_name(log_path.name + ".words")
        self._lines: sqlite3.Connection | None = None
        self._log: sqlite3.Connection
        self._shelves: Shelves
        self._cleaned_at = time.monotonic()

    # Opening and closing.

    def open(self) -> None:
        """Make ready; one that does not fit its log is made anew.

        Raises:
            StoreError
        """
        if self._lines is not None:
            return
        try:
            self._log = connect(self._log_path)
            self._log.execute("PRAGMA query_only = ON")
            try:
                self._open()
            except (sqlite3.DatabaseError, _Unfit) as error:
                log.warning("the index of words is made anew: %s", error)
                self.discard()
                self._open()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreError(f"{self._path}: {error}") from None

    def _open(self) -> None:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        lines = self._lines = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            lines.execute(f"PRAGMA {pragma}")
        (version,) = lines.execute("PRAGMA user_version").fetchone()
        if version == 0:
            lines.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
        elif version != VERSION:
            raise _Unfit(f"it is of version {version}")
        self._shelves = Shelves(lines)
        self.upto, at_ms = lines.execute("SELECT id, at_ms FROM upto").fetchone()
        event = self._log.execute("SELECT at_ms FROM events WHERE id = ?", (self.upto,)).fetchone()
        if self.upto and (event is None or event[0] != at_ms):
            raise _Unfit("it belongs to another log")

    def close(self) -> None:
        """Let go of the files; what was taken back is in none of them then."""
        if self._lines is not None:
            if not self._shelves.clean:
                self._clean()
            self._lines.close()
            self._lines = None
        connection: sqlite3.Connection | None = self.__dict__.pop("_log", None)
        if connection is not None:
            connection.close()

    def discard(self) -> None:
        """Remove the file."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        for end in ("", "-wal", "-shm"):
            Path(f"{self._path}{end}").unlink(missing_ok=True)
        self.upto = 0

    # Keeping up.

    def advance(self, last_id: int) -> bool:
        """Look at the next lines of the log, up to an id; whether there are more.

        Raises:
            StoreError
        """
        return self._guarded(lambda: self._advance(last_id))

    def _advance(self, last_id: int) -> bool:
        rows = self._log.execute(_NEXT, (self.upto, last_id, SLICE)).fetchall()
        upto, at_ms = (last_id, None) if len(rows) < SLICE else rows[-1][:2]
        if at_ms is None:
            found = self._log.execute("SELECT id, at_ms FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (upto,))
            upto, at_ms = found.fetchone() or (0, 0)
        if upto > self.upto:
            with Transaction(self._index):
                if self._shelves.put(_documents(rows)):
                    self._drop_old()
                self._index.execute("UPDATE upto SET id = ?, at_ms = ?", (upto, at_ms))
            self.upto = upto
        if not self._shelves.clean and time.monotonic() - self._cleaned_at > CLEANING_S:
            self._clean()
        return len(rows) == SLICE

    def _drop_old(self) -> None:
        """Let go of the shelves of which the log has nothing any more."""
        oldest = self._log.execute(_OLDEST).fetchone()
        if oldest is not None:
            self._shelves.drop_before(oldest[0])

    def forget(self, ids: Sequence[int]) -> None:
        """Take lines out; to be called while the log has them still.

        Raises:
            StoreError
        """
        self._guarded(lambda: self._forget(ids))

    def _forget(self, ids: Sequence[int]) -> None:
        rows = self._log.execute(_THESE, (json.dumps([each for each in ids if each <= self.upto]),)).fetchall()
        if rows:
            with Transaction(self._index):
                self._shelves.take_out(_documents(rows))

    def clean(self) -> None:
        """Have no word left in the file of a line that was taken out.

        Raises:
            StoreError
        """
        if self._lines is not None and not self._shelves.clean:
            self._guarded(self._clean)

    def _clean(self) -> None:
        """Rewrite what has words of lines that were taken out."""
        self._shelves.rewrite()
        self._index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._cleaned_at = time.monotonic()

    # Looking.

    def search(self, search: Search, last_id: int) -> list[Said]:
        """What was said and fits, in order; everything up to `last_id` is looked through.

        Raises:
            Refused: TRY_LATER, the index is being made; TOO_SLOW, it takes too long.
            StoreError
        """
        if search.impossible:
            return []
        return self._guarded(lambda: self._search(search, last_id))

    def _search(self, search: Search, last_id: int) -> list[Said]:
        end = time.monotonic() + PATIENCE_S
        while self._advance(last_id):
            time.sleep(BREATH_S)
            if time.monotonic() > end:
                raise Refused("TRY_LATER", f"the index of words is being made, {self.upto * 100 // last_id} % is done")
        found = list(self._found(search, end))
        return found[::-1] if search.newest else found

    def _found(self, search: Search, end: float) -> Iterator[Said]:
        """What fits, the nearest to where it is begun first."""
        after, before = min(int(search.after or 0), _MOST), min(int(search.before or _MOST), _MOST)
        looked, left, page = 0, search.limit, max(search.limit, FIRST_PAGE)
        if left <= 0:
            return
        for ids in self._shelves.find(_terms(search), after, before, newest=search.newest, page=page):
            rows = self._log.execute(_THESE, (json.dumps(ids),)).fetchall()
            for said in events_of(reversed(rows) if search.newest else rows):
                if isinstance(said, Said) and search.finds(said):
                    yield said
                    left -= 1
                    if not left:
                        return
            looked += len(ids)
            if looked >= LOOKED_THROUGH:
                return
            if time.monotonic() > end:
                raise Refused("TOO_SLOW", "the search took too long; ask for rarer words, or for less time")

    # SQLite.

    @property
    def _index(self) -> sqlite3.Connection:
        assert self._lines is not None, "the index is not open"
        return self._lines

    def _guarded[T](self, action: Callable[[], T]) -> T:
        self.open()
        try:
            return action()
        except sqlite3.Error as error:
            if is_damage(error):
                log.warning("the index of words is damaged; it will be made anew")
                self.discard()
            else:
                self._shelves.look()
            raise StoreError(f"{self._path}: {error}") from None


class _Unfit(Exception):
    """The file is no index of this log."""


def _documents(rows: Sequence[Sequence[Any]]) -> Iterator[Document]:
    """The rows of events as the index knows them: their words, places and speakers."""
    for said in events_of(row for row in rows if row[2]):
        if isinstance(said, Said):
            names = [_place(place) for place in said.places]
            yield int(said.id), " ".join((*words_of(said.text), *names, _nick(said.by.nick)))


def _place(place: str) -> str:
    return f"#{place.encode().hex()}"


def _nick(nick: str) -> str:
    return f"@{casefold(nick).encode().hex()}"


def _terms(search: Search) -> list[str]:
    """What FTS5 is asked: all of these."""
    asked = [" OR ".join(f'"{_place(place)}"' for place in sorted(search.places))]
    if search.nick is not None:
        asked.append(f'"{_nick(search.nick)}"')
    for term in search.terms:
        asked += (f'"{word}"' for word in term[:-1])
        asked.append(f'"{term[-1]}"{" *" if is_beginning(term[-1]) else ""}')
    return asked
