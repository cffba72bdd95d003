"""The file of the SQLite log: who has it, whether it is whole, and where it ends."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from asynchat.chat.errors import StoreError
from asynchat.store.lock import Lock
from asynchat.store.mark import Known, Mark
from asynchat.store.schema import Damaged, check, connect, empty_wal, is_damage, migrate

log = logging.getLogger("asynchat.store")

CHECKED_AT_ONCE = 64 << 20
"""Bytes of a file that is looked through before the start, after an end that was not clean; others are meanwhile."""

Later = Callable[[Callable[[], None]], object]


class LogFile:
    """The file `path`, once it is open: a connection to write and one to read, its write-ahead log's descriptor, the
    last id and time in it, and the id up to which what is in it is to be read.

    With `accept_loss` it opens where it would refuse: if it misses what was stored, or is damaged, which then is moved
    aside.
    """

    writer: sqlite3.Connection
    reader: sqlite3.Connection

    def __init__(self, path: Path, *, durability: str, accept_loss: bool) -> None:
        self.wal = -1
        self.last_id = self.last_ms = self.durable_id = 0
        self.mark = Mark(path.with_name(path.name + ".mark"), durability=durability)
        self._path = path
        self._accept_loss = accept_loss
        self._checking: sqlite3.Connection | None = None
        self._closing = self._unchecked = False
        self._lock = Lock(path.with_name(path.name + ".lock"))

    def open(self, *, check_later: Later) -> None:
        """Open it, and see whether it is what it should be; what takes too long to see, `check_later`.

        Raises:
            StoreError: it is damaged, misses something, is of a newer version, or in use by another process.
        """
        self._lock.take()
        try:
            try:
                self._open_file(check_later)
            except Damaged as error:
                if not self._accept_loss:
                    raise StoreError(
                        f"{self._path} is damaged: {error}. Restore a backup; or start with --accept-loss, "
                        "and it is moved aside and an empty one begun"
                    ) from None
                self._let_go()
                self._move_aside(error)
                self._open_file(check_later)
        except BaseException:
            self.close(None)
            raise

    def _open_file(self, check_later: Later) -> None:
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            known = self.mark.read()
            self.writer, self.reader = connect(self._path), connect(self._path)
            self._keep_as_it_is(True)
            migrate(self.writer, self._path)
            self._unchecked = known is not None and not known.closed
            if self._unchecked and self._path.stat().st_size <= CHECKED_AT_ONCE:
                check(self.writer)
                self._unchecked = False
            self._recall(known)
            self._keep_as_it_is(False)
            empty_wal(self.writer)
            if self._unchecked:
                check_later(self._check_meanwhile)  # not before: a write-ahead log that is read cannot be emptied
            self.wal = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            self.mark.begin(self.durable_id)
            self._flush_folder()
        except sqlite3.Error as error:
            raise (Damaged if is_damage(error) else StoreError)(f"{self._path}: {error}") from None
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None

    def _keep_as_it_is(self, keep: bool) -> None:
        """Have a file that is refused stay what it is: closing it would move its write-ahead log into it."""
        for connection in (self.writer, self.reader):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)

    def _check_meanwhile(self) -> None:
        try:
            with closing(connect(self._path)) as connection:
                self._checking = connection
                if not self._closing:
                    check(connection)
                    self._unchecked = False
        except (sqlite3.Error, Damaged) as error:
            if not self._closing:
                log.critical("%s is damaged: %s; make a backup of what can be read", self._path, error)
        finally:
            self._checking = None

    def stop_checking(self) -> None:
        """Look through the file no more: it would take a minute for ten gigabytes."""
        self._closing = True
        checking = self._checking
        if checking is not None:
            with suppress(sqlite3.Error):  # it has ended in this moment
                checking.interrupt()

    def _recall(self, known: Known | None) -> None:
        """Where the log ends, and whether that is where it should."""
        last = self.writer.execute("SELECT id, at_ms FROM events ORDER BY id DESC LIMIT 1").fetchone() or (0, 0)
        snapshot = self.writer.execute("SELECT last_id FROM snapshot").fetchone() or (0,)
        self.last_id, self.last_ms = max(last[0], snapshot[0]), last[1]
        self.durable_id = last[0]
        if known is None or known.last_id <= self.last_id:
            return
        missing = f"{known.last_id - self.last_id} messages missing after #{self.last_id}"
        if not (self._accept_loss or known.may_have_lost):
            raise StoreError(
                f"{self._path}: {missing}: the write-ahead log is torn or gone. Restore a backup, "
                "or start with --accept-loss"
            )
        with suppress(FileNotFoundError):  # something may be found in it yet
            Path(f"{self._path}-wal.torn-{_now()}").write_bytes(Path(f"{self._path}-wal").read_bytes())
        log.error("%s: %s, and are lost", self._path, missing)
        self.last_id = known.last_id  # their ids are not given out again

    def _move_aside(self, error: Damaged) -> None:
        """Keep a damaged file under another name."""
        aside = f"{self._path}.damaged-{_now()}"
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

    def close(self, durable_id: int | None) -> None:
        """Let go of it; it ends with that id, None if it was never open."""
        self._let_go()
        self.mark.end(None if self._unchecked else durable_id)  # the next start looks through it, else
        self._lock.release()

    def _let_go(self) -> None:
        """Close the connections and what else is open of the file."""
        for name in ("reader", "writer"):
            connection: sqlite3.Connection | None = self.__dict__.pop(name, None)
            if connection is not None:
                connection.close()  # the last to close moves everything into the file
        if self.wal >= 0:
            os.close(self.wal)
            self.wal = -1


def _now() -> str:
    """The time, for a file's name."""
    return time.strftime("%Y%m%d-%H%M%S")
