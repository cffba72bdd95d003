"""Accounts in SQL, and the certificates that log in to them.

They live in the log's file, in tables of their own, behind a connection and a thread of their own. The thread commits
at `synchronous=NORMAL` and then flushes the write-ahead log itself: as durable as `FULL`, but with the flush outside of
the transaction. `FULL` flushes while it has the file's one write lock, for which the log, that commits on the loop,
would wait: with a flush of 10 ms the loop stood still for 8.5 ms (p50) and 227 ms (worst) of 1000 commits; so it is
0.08 and 15.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.names import casefold

SECRET_BYTES = 32
CHECKPOINT_PAGES = 4000
"""Far above what the log lets the write-ahead log grow to: it sees to checkpoints."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    folded TEXT PRIMARY KEY,      -- the name as names are compared
    name TEXT NOT NULL,           -- the name as it is shown
    salt BLOB NOT NULL,
    iterations INTEGER NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    email TEXT,
    created_ms INTEGER NOT NULL,
    verified INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS certificates (
    fingerprint TEXT PRIMARY KEY, -- lower-case hexadecimal
    account TEXT NOT NULL         -- folded
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    value BLOB NOT NULL
) STRICT;
"""
_COLUMNS = "name, salt, iterations, stored_key, server_key, email, created_ms, verified"
_FIND = f"SELECT {_COLUMNS} FROM accounts WHERE folded = ?"
_ADD = f"""
INSERT INTO accounts (folded, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING name
"""
_SET_CREDENTIAL = """
UPDATE accounts SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE folded = ? RETURNING name
"""
_ADD_CERTIFICATE = """
INSERT INTO certificates (fingerprint, account) SELECT ?, folded FROM accounts WHERE folded = ?
ON CONFLICT DO UPDATE SET account = account RETURNING account
"""
_REMOVE_CERTIFICATE = "DELETE FROM certificates WHERE fingerprint = ? AND account = ? RETURNING account"
_BY_CERTIFICATE = f"""
SELECT {_COLUMNS} FROM accounts WHERE folded = (SELECT account FROM certificates WHERE fingerprint = ?)
"""
_FAULTS = (sqlite3.Error, ValueError, OverflowError)  # ValueError: text that is no Unicode
_flush: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a password is checked against without being kept: one record for PLAIN and SCRAM-SHA-256. (RFC 5802 3)"""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who comes back. `name` is as it is shown; one that is not `verified` cannot be logged in to yet."""

    name: str
    credential: Credential
    email: str | None = None
    created_ms: int = 0
    verified: bool = True


class SqlAccounts:
    """Keeps accounts in the file `path`, or in memory if there is none.

    To be opened after the log of the same file and closed before it: the log sees to the lock and to checkpoints.
    Names may come in any case. Every method raises `StoreError` if the store fails. Unless `flushing`, nothing is
    durable before the file is closed and flushed: for who makes a new one.
    """

    def __init__(self, path: Path | None, *, flushing: bool = True) -> None:
        self._path = path
        self._flushing = flushing
        self._thread = ThreadPoolExecutor(1, "asynchat-accounts")
        self._connection: sqlite3.Connection
        self._wal = -1
        self._secret = b""

    @property
    def secret(self) -> bytes:
        """Random bytes that nobody else knows, the same for the life of the file."""
        return self._secret

    async def open(self) -> None:
        """Make ready; called once, before anything else.

        Raises:
            StoreError: it is damaged, or cannot be opened.
        """
        await self._in_thread(self._open)

    def _open(self) -> None:
        try:
            self._connect()
            self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT")
            fresh = secrets.token_bytes(SECRET_BYTES)
            self._run("INSERT INTO secret (only, value) VALUES (1, ?) ON CONFLICT DO NOTHING", fresh)
            self._secret = self._run("SELECT value FROM secret")[0][0]
            if self._path is not None and self._flushing:
                self._wal = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
                _flush(self._wal)
        except sqlite3.Error as error:
            self._close()
            raise StoreError(f"{self._path}: {error}") from None
        except OSError as error:
            self._close()
            raise StoreError(f"{self._path}: {error.strerror}") from None

    def _connect(self) -> None:
        if self._path is not None:
            # There are hashes of passwords in it, so nobody else may read it. A file that is there must not even be
            # opened here: closing it would drop the locks that SQLite has on it in this process.
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        where = self._path or ":memory:"
        self._connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=10.0)
        self._run("PRAGMA journal_mode = WAL")  # which memory has not, and ignores
        self._run("PRAGMA synchronous = NORMAL")
        self._run("PRAGMA secure_delete = ON")  # who is forgotten is not left over in free space
        self._run(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")

    async def close(self) -> None:
        """Let go of everything; what was stored stays."""
        await self._in_thread(self._close)
        self._thread.shutdown()

    def _close(self) -> None:
        connection: sqlite3.Connection | None = self.__dict__.pop("_connection", None)
        if connection is not None:
            connection.close()
        if self._wal >= 0:
            os.close(self._wal)
            self._wal = -1

    # Accounts.

    async def find(self, name: str) -> Account | None:
        """The account of that name."""
        rows = await self._read(_FIND, casefold(name))
        return _account(rows[0]) if rows else None

    async def names(self) -> list[str]:
        """The names of all accounts."""
        return [row[0] for row in await self._read("SELECT name FROM accounts")]

    async def add(self, account: Account) -> None:
        """Keep a new account; it is durable on return.

        Raises:
            Refused: ACCOUNT_EXISTS, the name is taken.
        """
        name, email = account.name, account.email
        columns = (name, *_values(account.credential), email, account.created_ms, int(account.verified))
        if not await self._write(_ADD, casefold(name), *columns):
            raise Refused("ACCOUNT_EXISTS", f"{name} is registered already", (name,))

    async def set_credential(self, name: str, credential: Credential) -> None:
        """Give an account another password; it is durable on return.

        Raises:
            Refused: NO_SUCH_ACCOUNT
        """
        if not await self._write(_SET_CREDENTIAL, *_values(credential), casefold(name)):
            raise _no_such_account(name)

    async def remove(self, name: str) -> None:
        """Forget an account and everything kept for it; it is durable on return.

        Raises:
            Refused: NO_SUCH_ACCOUNT
        """
        folded = casefold(name)
        if not await self._write("DELETE FROM accounts WHERE folded = ? RETURNING folded", folded):
            raise _no_such_account(name)
        await self._write("DELETE FROM certificates WHERE account = ?", folded)

    # Certificates. A fingerprint is the SHA-256 of a certificate in hexadecimal, in any case, with colons or without.

    async def by_certificate(self, fingerprint: str) -> Account | None:
        """The account that a certificate logs in to."""
        rows = await self._read(_BY_CERTIFICATE, _normal(fingerprint))
        return _account(rows[0]) if rows else None

    async def add_certificate(self, name: str, fingerprint: str) -> None:
        """Let a certificate log in to an account, which has none or several; it is durable on return.

        Raises:
            Refused: NO_SUCH_ACCOUNT, or CERTIFICATE_TAKEN: it logs in to another one.
        """
        rows = await self._write(_ADD_CERTIFICATE, _normal(fingerprint), casefold(name))
        if not rows:
            raise _no_such_account(name)
        if rows[0][0] != casefold(name):
            raise Refused("CERTIFICATE_TAKEN", "that certificate belongs to another account", (name,))

    async def remove_certificate(self, name: str, fingerprint: str) -> bool:
        """Let a certificate no longer log in to an account; whether it did. It is durable on return."""
        return bool(await self._write(_REMOVE_CERTIFICATE, _normal(fingerprint), casefold(name)))

    # The thread.

    async def _read(self, query: str, *values: Any) -> list[Any]:
        return await self._in_thread(self._guarded, query, values, False)

    async def _write(self, query: str, *values: Any) -> list[Any]:
        return await self._in_thread(self._guarded, query, values, True)

    def _guarded(self, query: str, values: tuple[Any, ...], flush: bool) -> list[Any]:
        try:
            rows = self._run(query, *values)
            if flush and self._wal >= 0:
                _flush(self._wal)
        except _FAULTS as error:
            full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL  # errors of the module have none
            raise StoreError(str(error), full=full) from None
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None
        return rows

    def _run(self, query: str, *values: Any) -> list[Any]:
        """One statement, which is one transaction."""
        return self._connection.execute(query, values).fetchall()

    async def _in_thread[T](self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _values(credential: Credential) -> tuple[bytes, int, bytes, bytes]:
    return credential.salt, credential.iterations, credential.stored_key, credential.server_key


def _account(row: tuple[Any, ...]) -> Account:
    name, salt, iterations, stored_key, server_key, email, created_ms, verified = row
    credential = Credential(salt=salt, iterations=iterations, stored_key=stored_key, server_key=server_key)
    return Account(name=name, credential=credential, email=email, created_ms=created_ms, verified=bool(verified))


def _normal(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()


def _no_such_account(name: str) -> Refused:
    return Refused("NO_SUCH_ACCOUNT", f"there is no account {name}", (name,))
