"""The log's file: its tables, how they came to be what they are, and how it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from asynchat.chat.errors import StoreError

# One script for each version, from the one before it; what was released is never changed.
_MIGRATIONS = (
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,       -- the event's id, and its position
        at_ms INTEGER NOT NULL,
        talk INTEGER NOT NULL,        -- 1: words, 0: a change of state
        sender TEXT,                  -- whose key it is: an account, or '' for a guest
        key TEXT,
        body TEXT NOT NULL            -- see codec.py; '' for what was taken back
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
    """,
    """
    ALTER TABLE events ADD COLUMN crc INTEGER;  -- see rows.py; NULL for what is older, or was taken back
    """,
    """
    CREATE TABLE placing (            -- up to which id events are in `placed`; see placing.py
        only INTEGER PRIMARY KEY CHECK (only = 1),
        upto INTEGER NOT NULL
    ) STRICT;
    INSERT INTO placing SELECT 1, coalesce(max(id), 0) FROM events;
    """,
)
VERSION = len(_MIGRATIONS)

# secure_delete: what is taken back is not left over in the file's free space.
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 0", "secure_delete = ON")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damaged(StoreError):
    """The file is no database any more, or parts of it are not."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file.

    Raises:
        sqlite3.Error
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.text_factory = _text
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing, whether a server has the file open or not.

    A write-ahead log that a killed server left is read, and left: the next server looks for what it misses.

    Raises:
        StoreError: there is no such file, it is no log of ours or of a later version, or SQLite fails meanwhile.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no such file")
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=10.0)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                raise StoreError(f"{path} is no log of asynchat")
            _check_known(version, path)
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from None


def _text(data: bytes) -> str:
    """A text of the file. If it is no UTF-8 a row is damaged, which its checksum shows; the others are not."""
    return data.decode(errors="replace")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables up to date, one version after the other.

    Raises:
        StoreError: they are of a later version.
        sqlite3.Error
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _check_known(version, path)
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT")


def _check_known(version: int, path: Path) -> None:
    if version > VERSION:
        raise StoreError(f"{path} was written by a newer asynchat (schema {version}, this one knows {VERSION})")


def check(connection: sqlite3.Connection) -> None:
    """Look through the whole file: about a tenth of a second of CPU for a million events.

    Raises:
        Damaged
        sqlite3.Error
    """
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise Damaged(" ".join(found.split()))


def empty_wal(connection: sqlite3.Connection) -> bool:
    """Move all of the write-ahead log into the file, and begin it anew; whether no reader was in the way.

    Raises:
        sqlite3.Error
    """
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is broken."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED


class Transaction:
    """`with Transaction(connection)`: all of it, or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
