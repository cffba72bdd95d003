"""Taking things out of the SQLite log for good: what is too old, what is too much, what somebody said.

It is done a bit at a time, in the writer's thread while nothing is appended, so that nobody waits long. Ids of what is
left stay what they were, so that everybody's positions do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import fields, replace
from functools import partial
from typing import Any, Protocol

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Said
from asynchat.chat.names import casefold
from asynchat.store.codec import encode
from asynchat.store.rows import COLUMNS, checksum, event_of
from asynchat.store.schema import Transaction

CHUNK = 200
"""Events that go in one transaction."""
SCANNED = 20_000
"""Events that are looked through at once for somebody's words."""

_PLACES = """
WITH RECURSIVE each(place) AS (
    SELECT min(place) FROM placed WHERE place >= '#'
    UNION ALL SELECT (SELECT min(place) FROM placed WHERE place > each.place) FROM each WHERE place IS NOT NULL
) SELECT place FROM each WHERE place >= '#' AND place < '$'
"""  # each step is one look into the index, however many events a place has
_WORDS = frozenset({"text", "reason", "realname", "value", "away"})
"""The fields of events that are somebody's own words."""


class Engine(Protocol):
    """As much of the SQLite engine as erasing needs."""

    durable_id: int

    async def read(self, query: str, values: tuple[Any, ...]) -> list[Any]: ...

    async def exclusive[T](self, action: Callable[[sqlite3.Connection], T]) -> T: ...

    def unindexed(self, ids: Sequence[int]) -> AbstractAsyncContextManager[None]: ...


async def trim(engine: Engine, *, before: int | None, most: int | None) -> int:
    """Take out talk up to the id `before`, and of each room all but the last `most` lines; returns how many.

    Raises:
        StoreError
    """
    gone = 0
    last = engine.durable_id - 1  # the last of all stays: where the log ends is known by it
    if before is not None:
        query = "SELECT id FROM events WHERE id > ? AND id <= ? AND talk = 1 ORDER BY id LIMIT ?"
        gone += await _take_out_all(engine, lambda after: engine.read(query, (after, min(before, last), CHUNK)))
    if most is not None:
        for (place,) in await engine.read(_PLACES, ()):
            gone += await _trim_room(engine, place, most, last)
    return gone


async def _trim_room(engine: Engine, place: Place, most: int, last: int) -> int:
    query = "SELECT id FROM placed WHERE place = ? AND talk = 1 ORDER BY id DESC LIMIT 1 OFFSET ?"
    edge = await engine.read(query, (place, most))
    if not edge:
        return 0
    query = "SELECT id FROM placed WHERE place = ? AND talk = 1 AND id > ? AND id <= ? ORDER BY id LIMIT ?"
    upto = min(edge[0][0], last)
    return await _take_out_all(engine, lambda after: engine.read(query, (place, after, upto, CHUNK)), place)


async def _take_out_all(engine: Engine, more: Callable[[int], Awaitable[list[Any]]], place: Place | None = None) -> int:
    """Take out what `more` gives after an id, until it gives nothing; `place` is one where all of it is."""
    gone = after = 0
    while rows := await more(after):
        ids = [row[0] for row in rows]
        async with engine.unindexed(ids):
            await engine.exclusive(partial(_take_out, ids=ids, place=place))
        gone += len(ids)
        after = ids[-1]
    return gone


def _take_out(writer: sqlite3.Connection, *, ids: Iterable[int], place: Place | None) -> None:
    """Delete events, and where they were."""
    with Transaction(writer):
        for each in ids:
            row = writer.execute(f"SELECT {COLUMNS} FROM events WHERE id = ?", (each,)).fetchone()
            event = _readable(row) if row is not None else None
            places = {*(event.places if event is not None else ()), *(() if place is None else (place,))}
            writer.executemany(
                "DELETE FROM placed WHERE place = ? AND talk = 1 AND id = ?", ((p, each) for p in places)
            )
            if event is None:  # damaged: it has to be looked for everywhere
                writer.execute("DELETE FROM placed WHERE id = ?", (each,))
            writer.execute("DELETE FROM events WHERE id = ?", (each,))


async def forget(engine: Engine, account: str) -> list[Event]:
    """Erase the words of an account: what it said, and what it wrote elsewhere; returns what that was.

    Raises:
        StoreError
    """
    wanted, found = casefold(account), []
    edge = "SELECT max(id) FROM (SELECT id FROM events WHERE id > ? ORDER BY id LIMIT ?)"
    query = f"SELECT {COLUMNS} FROM events WHERE id > ? AND id <= ? AND instr(lower(body), ?) ORDER BY id"
    after = 0
    while (upto := (await engine.read(edge, (after, SCANNED)))[0][0]) is not None:
        rows = await engine.read(query, (after, upto, json.dumps(wanted)[1:-1]))  # as it stands in a row
        after = upto
        events = [event for event in map(_readable, rows) if event is not None and _has_words(event, wanted)]
        for start in range(0, len(events), CHUNK):
            chunk = events[start : start + CHUNK]
            async with engine.unindexed([int(event.id) for event in chunk]):
                await engine.exclusive(partial(_blank, events=chunk))
        found += events
    return found


def _readable(row: Sequence[Any]) -> Event | None:
    try:
        return event_of(row)
    except StoreError:
        return None


def _has_words(event: Event, account: str) -> bool:
    """Whether somebody of that account wrote something in it."""
    if event.by.account is None or casefold(event.by.account) != account:
        return False
    return isinstance(event, Said) or any(each.name in _WORDS and getattr(event, each.name) for each in fields(event))


def _blank(writer: sqlite3.Connection, *, events: Iterable[Event]) -> None:
    """Take what was said out of its places, and the words out of everything else."""
    with Transaction(writer):
        for event in events:
            position = int(event.id)
            if isinstance(event, Said):
                writer.executemany(
                    "DELETE FROM placed WHERE place = ? AND talk IN (0, 1) AND id = ?",
                    ((place, position) for place in event.places),
                )
                body, crc = "", None
            else:
                words = {each.name: "" for each in fields(event) if each.name in _WORDS and getattr(event, each.name)}
                body = encode(replace(event, **words))  # type: ignore[arg-type]  # they are texts, all of them
                crc = checksum(position, event.at_ms, body)
            writer.execute(
                "UPDATE events SET body = ?, crc = ?, sender = NULL, key = NULL WHERE id = ?", (body, crc, position)
            )
