"""The intake: an export becomes the log of a server that has none yet.

It grows beside its place, as `PATH.part`, and is put there when all of it is in: a server finds all of it or nothing.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from asynchat.chat import snapshot
from asynchat.chat.errors import AsynchatError, Refused, StoreError
from asynchat.chat.events import Event, Redacted
from asynchat.chat.state import State
from asynchat.store import Snapshot, Stored, is_words
from asynchat.store.accounts import Account, Credential, SqlAccounts
from asynchat.store.codec import from_json, is_id, milliseconds
from asynchat.store.export import END, FORMAT, HEADER, Counts
from asynchat.store.lock import Lock
from asynchat.store.schema import connect
from asynchat.store.sqlite import SqliteLog
from asynchat.store.whole import flush, remove

BATCH = 1000
"""Events that are stored at once."""
_DERIVED = (".words", ".mark")
"""The ends of the names of what a log keeps beside itself, and takes along."""


class BadExport(AsynchatError):
    """A line of an export cannot be used; `number` counts from 1."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(f"line {number}: {text}")
        self.number = number


async def take_in(lines: Iterable[bytes], path: Path) -> Counts:
    """Make the log at `path`, with its accounts, from what `export` wrote.

    What was read up to a line that is bad is left in `PATH.part`, which nobody looks at.

    Raises:
        BadExport
        StoreError: there is a log already, a server is running, or the disk does not take it.
    """
    lock = Lock(path.with_name(path.name + ".lock"))
    lock.take()
    part = path.with_name(path.name + ".part")
    try:
        _check_empty(path)
        for end in ("", *_DERIVED):
            remove(Path(f"{part}{end}"))
        counts = await _Intake(part).take_all(lines)
        _put(part, path)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from None
    except OSError as error:
        raise StoreError(f"{error.filename or part}: {error.strerror or error}") from None
    finally:
        lock.release()
    return counts


def _check_empty(path: Path) -> None:
    """That nothing is lost if another log takes its place.

    Raises:
        StoreError: something would be.
        sqlite3.Error
    """
    wal = Path(f"{path}-wal")
    if path.exists():
        with closing(connect(path)) as connection:  # on closing it, its write-ahead log goes
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            for table in tables & {"events", "accounts"}:
                if connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1)").fetchone() != (0,):
                    raise StoreError(f"{path} is not empty: an import makes a new store")
            if tables and "events" not in tables:
                raise StoreError(f"{path} is no log of asynchat")
    if wal.exists() and wal.stat().st_size:
        raise StoreError(f"{wal} is left of another store: move it away")


def _put(part: Path, path: Path) -> None:
    """Give the new log its name, and let nothing of an older one lie beside it.

    Raises:
        StoreError: it is not all in one file.
        OSError
    """
    if Path(f"{part}-wal").exists():
        raise StoreError(f"{part}: its write-ahead log could not be moved into it")
    flush(part)
    for end in ("", *_DERIVED):
        remove(Path(f"{path}{end}"))
    part.rename(path)
    for end in _DERIVED:
        if Path(f"{part}{end}").exists():
            Path(f"{part}{end}").rename(f"{path}{end}")
    Path(f"{part}.lock").unlink(missing_ok=True)
    flush(path.parent)


class _Intake:
    """Fills the file `part`."""

    def __init__(self, part: Path) -> None:
        self._log = SqliteLog(part, durability="process")  # all of it is flushed at its end
        self._accounts = SqlAccounts(part, flushing=False)
        self._state = State()
        self._batch: list[tuple[int, Event]] = []
        self._last_id = 0
        self._counts = Counts()
        self._ended = False

    async def take_all(self, lines: Iterable[bytes]) -> Counts:
        """Take the lines in, and close the file.

        Raises:
            BadExport, StoreError
        """
        await self._log.open()
        try:
            await self._accounts.open()
            try:
                await self._take_each(lines)
            finally:
                await self._store()
            await self._log.save_snapshot(Snapshot(self._last_id, snapshot.dump(self._state)))
        finally:
            await self._accounts.close()
            await self._log.close()
        return self._counts

    async def _take_each(self, lines: Iterable[bytes]) -> None:
        number = 0
        for number, line in enumerate(lines, 1):
            await self._take(number, line)
        if not self._ended:
            raise BadExport(number + 1, "the end is missing: it was cut short")

    async def _take(self, number: int, line: bytes) -> None:
        values = _object(number, line)
        if number == 1:
            _check_header(values)
        elif self._ended:
            raise BadExport(number, "there is something after the end")
        elif "event" in values:
            self._take_event(number, values)
            if len(self._batch) == BATCH:
                await self._store()
        elif values.get("asynchat") == END:
            if values != {"asynchat": END, **self._counts._asdict()}:
                raise BadExport(number, f"something is missing, or too much: before it are {self._counts}")
            self._ended = True
        else:
            await self._take_account(number, values)

    def _take_event(self, number: int, values: dict[str, Any]) -> None:
        try:
            event = from_json(values)
            if int(event.id) <= self._last_id:
                raise StoreError(f"event {event.id} comes after event {self._last_id}")
            if len(set(event.places)) < len(event.places):
                raise StoreError(f"event {event.id} has a place twice")
            if isinstance(event, Redacted) and not is_id(event.said):
                raise StoreError(f"event {event.id} takes back {event.said!r}, which is no id")
            if not is_words(event):
                self._apply(event)
        except StoreError as error:
            raise BadExport(number, str(error)) from None
        self._last_id = int(event.id)
        self._batch.append((number, event))
        self._counts = self._counts._replace(events=self._counts.events + 1)

    def _apply(self, event: Event) -> None:
        """See whether a server could start on it. What one has stored is always applied, what was made by hand not."""
        try:
            self._state.apply(event)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"event {event.id} makes no sense: {error!r}") from None

    async def _store(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        for (number, event), answer in zip(batch, await self._log.append([event for _, event in batch]), strict=True):
            if not isinstance(answer, Stored):
                raise answer
            if not answer.new:
                raise BadExport(number, f"event {event.id} has the key of event {answer.event.id}")

    async def _take_account(self, number: int, values: dict[str, Any]) -> None:
        try:
            account = _account(values)
            if isinstance(account, Account):
                await self._accounts.add(account)
                self._counts = self._counts._replace(accounts=self._counts.accounts + 1)
            else:
                await self._accounts.add_certificate(*account)
                self._counts = self._counts._replace(certificates=self._counts.certificates + 1)
        except ValueError as error:
            raise BadExport(number, str(error)) from None
        except Refused as refused:
            raise BadExport(number, refused.text) from None


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadExport(number, f"no JSON: {error}") from None
    if type(values) is not dict:
        raise BadExport(number, "no object")
    return values


def _check_header(values: dict[str, Any]) -> None:
    if values.get("asynchat") != HEADER["asynchat"]:
        raise BadExport(1, "this is no export of asynchat")
    if values != HEADER:
        raise BadExport(1, f"it is of version {values.get('version')}, this asynchat knows {FORMAT}")


def _account(values: dict[str, Any]) -> Account | tuple[str, str]:
    """An account; or the name of one, and a certificate that logs in to it.

    Raises:
        ValueError: it is neither.
    """
    json.dumps(values, ensure_ascii=False).encode()  # half a character cannot be stored
    match values:
        case {"certificate": str(fingerprint), "account": str(name), **rest} if not rest:
            return name, fingerprint
        case {
            "account": str(name),
            "credential": {
                "salt": str(salt),
                "iterations": int(iterations),
                "stored_key": str(stored_key),
                "server_key": str(server_key),
            },
            "email": str() | None as email,
            "created": created,
            "verified": bool(verified),
            **rest,
        } if iterations > 0 and not rest:
            credential = Credential(
                salt=b64decode(salt, validate=True),
                iterations=iterations,
                stored_key=b64decode(stored_key, validate=True),
                server_key=b64decode(server_key, validate=True),
            )
            return Account(
                name=name,
                credential=credential,
                email=email,
                created_ms=milliseconds(created),
                verified=verified,
            )
    raise ValueError("that is neither an event, nor an account, nor a certificate")
