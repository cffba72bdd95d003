"""Reading the SQLite log: pages, single events, searches, the replay after a restart.

Each of them has a thread to itself, with a connection of its own; nothing that is not flushed yet is read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Said
from asynchat.chat.search import Search
from asynchat.store import Had, Snapshot
from asynchat.store.index import SLICE, WordIndex
from asynchat.store.rows import COLUMNS, event_of, events_of

if TYPE_CHECKING:
    from asynchat.store.writing import Writing

log = logging.getLogger("asynchat.store")

REPLAY_PAGE = 1000
INDEXED_AT = 500_000
"""Events that the index of words may lag behind while the log is busy and nobody searches."""

QUIET_AT = 500
"""The same, once nothing has come for a while."""
AT_ONCE = 20_000
"""Events that are indexed until a search has its turn."""

_IN_PLACE = "SELECT id FROM placed WHERE place = ? AND talk = {} AND id > ? AND id < ?"
_MOST = 2**63 - 1


class SqliteReader:
    """The part of the SQLite engine that reads the file `path`. What comes after `durable_id` may yet be taken back."""

    _reader: sqlite3.Connection
    _writing: Writing

    def __init__(self, path: Path) -> None:
        self.durable_id = 0
        self._reading = ThreadPoolExecutor(1, "asynchat-read")
        self._searching = ThreadPoolExecutor(1, "asynchat-search")
        self._index = WordIndex(path)
        self._indexing = False
        self._index_rests_until = 0.0  # after a fault
        self._holds: list[int] = []  # ids from which on nothing is to be put into it now
        self._closing = False

    async def close_reading(self) -> None:
        """Let go of the index and of the threads."""
        self._closing = True
        await in_thread(self._searching, self._index.close)
        for executor in (self._searching, self._reading):
            executor.shutdown()

    async def page(
        self,
        place: Place,
        /,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int,
        newest: bool | None = None,
        talk_only: bool = True,
    ) -> Sequence[Event]:
        order = "DESC" if (after is None if newest is None else newest) else "ASC"
        first = min(int(after or 0), _MOST)
        end = min(int(before), self.durable_id + 1) if before is not None else self.durable_id + 1
        rows = await self._rows(place, (1,) if talk_only else (0, 1), (first, end), limit=limit, order=order)
        events = list(events_of(rows))
        if len(events) == len(rows) or len(rows) < limit:
            return events
        # Some were damaged: a short page would say that there is no more.
        left = limit - len(events)
        if order == "DESC":
            before = str(rows[0][0])
            more = await self.page(place, after=after, before=before, limit=left, newest=True, talk_only=talk_only)
            return [*more, *events]
        after = str(rows[-1][0])
        more = await self.page(place, after=after, before=before, limit=left, newest=False, talk_only=talk_only)
        return [*events, *more]

    async def _rows(
        self, place: Place, talks: Sequence[int], between: tuple[int, int], *, limit: int, order: str, tries: int = 3
    ) -> list[Any]:
        """The rows of up to `limit` events between two ids, from one end or the other; in order."""
        unplaced, (first, end) = self._writing.unplaced, between
        rest = unplaced.between(place, talks, first, end)
        rest = rest[-limit:] if order == "DESC" else rest[:limit]
        # An ordered read of each sort, merged: one read of both sorts would have to sort all of the place.
        found = " UNION ALL ".join(_IN_PLACE.format(talk) for talk in talks)
        query = f"""
        SELECT {COLUMNS} FROM events WHERE id IN (
            SELECT id FROM ({found} ORDER BY 1 {order} LIMIT ?) UNION ALL SELECT value FROM json_each(?)
        ) AND body <> '' ORDER BY id"""
        placed = limit - len(rest) if order == "DESC" else limit
        values = (*(place, first, min(end, unplaced.upto + 1)) * len(talks), placed, json.dumps(rest))
        rows = (await in_thread(self._reading, self._read, query, values))[:limit]
        if len(rows) < limit and not {row[0] for row in rows}.issuperset(rest) and tries:
            # Some went while it was read. A page that is short would say that there is no more.
            return await self._rows(place, talks, between, limit=limit, order=order, tries=tries - 1)
        return rows

    def had(self, place: Place, /) -> Had:
        return Had()

    async def last_until(self, at_ms: int, /) -> str:
        return await in_thread(self._reading, self._last_until, at_ms)

    def _last_until(self, at_ms: int) -> str:
        """Times rise with ids, so that halving finds it: the table needs no index on time."""
        low, high = 0, self.durable_id
        while low < high:
            middle = (low + high + 1) // 2
            row = self._read("SELECT id, at_ms FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (middle,))
            if not row or row[0][1] <= at_ms:
                low = middle
            else:
                high = row[0][0] - 1
        row = self._read("SELECT id FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (low,))
        return str(row[0][0]) if row else "0"

    async def find(self, event_id: str, /) -> Event | None:
        if not event_id.isdecimal() or len(event_id) > 18 or int(event_id) > self.durable_id:
            return None
        rows = await in_thread(
            self._reading,
            self._read,
            f"SELECT {COLUMNS} FROM events WHERE id = ? AND body <> ''",
            (int(event_id),),
        )
        return event_of(rows[0]) if rows else None

    async def read(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        """The rows of a query.

        Raises:
            StoreError
        """
        return await in_thread(self._reading, self._read, query, values)

    def _read(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(error) from None

    # Searching.

    async def search(self, search: Search, /) -> Sequence[Said]:
        return await in_thread(self._searching, self._index.search, search, self._to_index)

    def keep_indexing(self, *, quiet: bool) -> None:
        """Have the index of words follow, if it lags far behind, or far enough and there is time."""
        behind = self.durable_id - self._index.upto
        if behind < (QUIET_AT if quiet else INDEXED_AT) or self._indexing or self._closing:
            return
        if time.monotonic() > self._index_rests_until:
            self._indexing = True
            self._searching.submit(self._advance_index)

    @asynccontextmanager
    async def unindexed(self, ids: Sequence[int]) -> AsyncIterator[None]:
        """Lines are to be erased inside: they are taken out of the index of words, and not put in meanwhile."""
        hold = min(ids)
        self._holds.append(hold)
        try:
            await in_thread(self._searching, self._unindex, ids)
            yield
        finally:
            self._holds.remove(hold)

    @property
    def _to_index(self) -> int:
        """The id up to which lines may be put into the index."""
        return min([self.durable_id, *(hold - 1 for hold in self._holds)])

    async def clean_index(self) -> None:
        """Have nothing left in the index of lines that were taken out.

        Raises:
            StoreError
        """
        await in_thread(self._searching, self._index.clean)

    def _advance_index(self) -> None:
        """Bring the index of words up to date, but for as long only: a search may be waiting for the thread."""
        try:
            for _ in range(AT_ONCE // SLICE):
                began = time.monotonic()
                if self._closing or not self._index.advance(self._to_index):
                    break
                time.sleep(time.monotonic() - began)  # the loop needs the interpreter, too
        except StoreError as error:  # a search will say so, too
            log.error("the index of words lags behind: %s", error)
            self._index_rests_until = time.monotonic() + 60
        finally:
            self._indexing = False

    def _unindex(self, ids: Sequence[int]) -> None:
        try:
            self._index.forget(ids)
        except StoreError as error:
            log.error("the index of words is made anew: %s", error)
            self._index.discard()  # else it would have words that were taken back

    async def snapshot(self) -> Snapshot | None:
        rows = await in_thread(self._reading, self._read, "SELECT last_id, state FROM snapshot", ())
        return Snapshot(rows[0][0], json.loads(rows[0][1])) if rows else None

    async def replay(self, after: int) -> AsyncIterator[Sequence[Event]]:
        query = f"SELECT {COLUMNS} FROM events WHERE id > ? AND talk = 0 AND body <> '' ORDER BY id LIMIT ?"
        while rows := await in_thread(self._reading, self._read, query, (after, REPLAY_PAGE)):
            yield list(events_of(rows))
            after = rows[-1][0]


async def in_thread[T](executor: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
    """What a function returns, that is run in a thread."""
    return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)


def store_error(error: Exception) -> StoreError:
    """What SQLite said, in our words."""
    full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return StoreError(str(error), full=full)
