"""What the tests of the store share: the engines, somebody who says things, and ways to look at what is kept."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Joined, Kind, Redacted, Renamed, Said, Source
from asynchat.store import Log, Stored
from asynchat.store.memory import MemoryLog
from asynchat.store.sqlite import SqliteLog


class Engine(NamedTuple):
    """An engine, made for a folder; whether it `survives` its process, and whether an entry `can_fail`."""

    make: Callable[[Path], Log]
    survives: bool
    can_fail: bool


ENGINES = {
    "memory": Engine(lambda folder: MemoryLog(), survives=False, can_fail=False),
    "sqlite-sync": Engine(lambda folder: SqliteLog(folder / "log.db", durability="sync"), survives=True, can_fail=True),
    "sqlite-process": Engine(
        lambda folder: SqliteLog(folder / "log.db", durability="process"), survives=True, can_fail=True
    ),
}


@asynccontextmanager
async def opened(log: Log) -> AsyncIterator[Any]:
    """The log from its opening to its closing, whatever happens between them."""
    await log.open()
    try:
        yield log
    finally:
        await log.close()


class Author:
    """Somebody whose events go on where a log ends."""

    def __init__(self, log: Log, account: str | None = None) -> None:
        self.ids = itertools.count(log.last_id + 1)
        self.source = Source(user="g1", nick="alice", ident="i", host="h", account=account)
        self.at_ms = 1_767_323_045_678
        self.step_ms = 1

    def _basics(self, places: tuple[str, ...], account: str | None) -> dict[str, Any]:
        source = self.source
        if account is not None:
            source = Source(user="g2", nick="bob", ident="i", host="h", account=account)
        self.at_ms += self.step_ms
        return {"by": source, "at_ms": self.at_ms, "id": str(next(self.ids)), "places": places}

    def says(self, text: str, *places: str, key: str | None = None, account: str | None = None) -> Said:
        return Said(to="#a", text=text, key=key, **self._basics(places or ("#1",), account))

    def joins(self, *places: str) -> Joined:
        return Joined(room="#a", realname="Alice", **self._basics(places or ("#1",), None))

    def reacts(self, *places: str) -> Said:
        return Said(to="#a", text="", kind=Kind.SIGNAL, tags=(("+r", "x"),), **self._basics(places or ("#1",), None))

    def takes_back(self, said: Event) -> Redacted:
        return Redacted(to="#a", target=None, said=said.id, reason="", **self._basics(said.places, None))

    def renames(self, *places: str) -> Renamed:
        return Renamed(nick="Alice", **self._basics(places, None))


def ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


def stored(answers: Sequence[Stored | StoreError]) -> list[Stored]:
    assert all(isinstance(answer, Stored) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Stored)]


async def texts(log: Log, place: str = "#1") -> list[str]:
    page = await log.page(place, limit=99)
    return [event.text for event in page if isinstance(event, Said)]
