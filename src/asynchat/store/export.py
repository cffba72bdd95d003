"""The export: all of a log, and its accounts, as lines of JSON. The format is described in docs/reference/export.md."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from asynchat.chat.errors import StoreError
from asynchat.store.codec import timestamp, to_json
from asynchat.store.rows import COLUMNS, event_of
from asynchat.store.schema import VERSION, read_only

FORMAT = 1
HEADER = {"asynchat": "export", "version": FORMAT}
END = "end"

_EVENTS = f"SELECT {COLUMNS} FROM events WHERE body <> '' ORDER BY id"
_HAS_ACCOUNTS = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('accounts', 'certificates')"
_ACCOUNTS = """
SELECT name, salt, iterations, stored_key, server_key, email, created_ms, verified FROM accounts ORDER BY folded
"""
_CERTIFICATES = """
SELECT fingerprint, account FROM certificates WHERE account IN (SELECT folded FROM accounts) ORDER BY fingerprint
"""
_encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Counts(NamedTuple):
    """How much an export has."""

    events: int = 0
    accounts: int = 0
    certificates: int = 0


class Exported(NamedTuple):
    """What was exported, and the reasons why an event was left out because its row is damaged."""

    counts: Counts
    damaged: list[str]


def export(path: Path, write: Callable[[bytes], object]) -> Exported:
    """Write the log at `path`, line by line, as it is at this moment, whether or not a server runs.

    While it is read the server's write-ahead log is not emptied. What `write` raises is not caught.

    Raises:
        StoreError: there is no such log, or it cannot be read.
    """
    counts: Counter[str] = Counter()
    damaged: list[str] = []
    with read_only(path) as connection:
        connection.execute("BEGIN")  # one transaction, so that all of it is of one moment
        _check_version(connection, path)
        write(_line(HEADER))
        connection.text_factory = _text
        for row in connection.execute(_EVENTS):
            try:
                line = _line(to_json(event_of(row)))
            except StoreError as error:
                damaged.append(str(error))
            else:
                write(line)
                counts["events"] += 1
        connection.text_factory = str
        if connection.execute(_HAS_ACCOUNTS).fetchone() == (2,):
            for row in connection.execute(_ACCOUNTS):
                write(_line(_account(row)))
                counts["accounts"] += 1
            for fingerprint, account in connection.execute(_CERTIFICATES):
                write(_line({"certificate": fingerprint, "account": account}))
                counts["certificates"] += 1
        whole = Counts(**counts)
        write(_line({"asynchat": END, **whole._asdict()}))
    return Exported(whole, damaged)


def _text(data: bytes) -> str:
    """A row's text; nothing if it is damaged so that it is none, which would end the reading of all rows."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < VERSION:
        raise StoreError(f"{path} was written by an older asynchat: start the server on it once")


def _account(row: tuple[Any, ...]) -> dict[str, Any]:
    name, salt, iterations, stored_key, server_key, email, created_ms, verified = row
    return {
        "account": name,
        "credential": {
            "salt": b64encode(salt).decode(),
            "iterations": iterations,
            "stored_key": b64encode(stored_key).decode(),
            "server_key": b64encode(server_key).decode(),
        },
        "email": email,
        "created": timestamp(created_ms),
        "verified": bool(verified),
    }


def _line(values: dict[str, Any]) -> bytes:
    return _encode(values).encode() + b"\n"
