"""Pages of the log, each read and rendered once for all who stand near it."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Protocol

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Role
from asynchat.chat.sessions import Dialect
from asynchat.store import Had

EVENTS = 256
TEXT = 32 * 1024
"""How many events, and how many characters of text, one page has about."""
MOST = 64
"""How many pages are kept."""


class Reader(Protocol):
    """As much of a log as pages need."""

    async def page(
        self, place: Place, /, *, after: str | None, before: str | None, limit: int, newest: bool, talk_only: bool
    ) -> Sequence[Event]: ...

    def had(self, place: Place, /) -> Had: ...


class Page:
    """What a place has after the id `after`, up to and with `upto`. `had`: what the log had, and had lost, by then."""

    __slots__ = ("_rendered", "after", "authors", "events", "for_some", "had", "ids", "upto")

    def __init__(self, after: int, upto: int, events: Sequence[Event], had: Had) -> None:
        self.after = after
        self.upto = upto
        self.had = had
        self.events = events
        self.ids = [int(event.id) for event in events]
        self.authors = {event.by.user for event in events}
        self.for_some = any(getattr(event, "least", Role.NONE) for event in events)
        """Whether not every member may read all of it."""
        self._rendered: dict[Dialect, list[Any]] = {}

    def rendered(self, dialect: Dialect) -> list[Any]:
        """The events as a dialect puts them, made once."""
        lines = self._rendered.get(dialect)
        if lines is None:
            lines = self._rendered[dialect] = [dialect.render(event) for event in self.events]
        return lines

    def between(self, after: int, upto: int) -> range:
        """Which of the events come after an id, up to and with another."""
        return range(bisect_right(self.ids, after), bisect_right(self.ids, upto))


class Pages:
    """Reads pages, and keeps those that were used last.

    Who stands inside of a page that is kept is given that one, so that those who read on from near the same place soon
    stand at the same places.
    """

    def __init__(self, log: Reader) -> None:
        self._log = log
        self._kept: dict[tuple[Place, int], Page] = {}  # by where it begins; the last used is the last
        self._reading: dict[tuple[Place, int], asyncio.Future[Page]] = {}

    async def page(self, place: Place, after: int, upto: int) -> Page:
        """A page with what comes next after an id; it ends at `upto` or before, or later if it was read by another.

        Raises:
            StoreError
        """
        page = self._find(place, after)
        if page is not None:
            return page
        reading = self._reading.get((place, after))
        if reading is not None:
            return await asyncio.shield(reading)
        reading = self._reading[place, after] = asyncio.get_running_loop().create_future()
        try:
            page = await self._read(place, after, upto)
            reading.set_result(page)
        except BaseException as error:
            reading.set_exception(error if isinstance(error, StoreError) else StoreError("it was not read"))
            reading.exception()  # whoever waits for it is told; nobody need
            raise
        else:
            return page
        finally:
            del self._reading[place, after]

    def _find(self, place: Place, after: int) -> Page | None:
        page = self._kept.get((place, after))
        if page is None or page.upto <= after:
            page = next(
                (p for (where, _), p in self._kept.items() if where == place and p.after <= after < p.upto), None
            )
        if page is not None:
            key = (place, page.after)
            self._kept[key] = self._kept.pop(key)
        return page

    async def _read(self, place: Place, after: int, upto: int) -> Page:
        events = await self._log.page(
            place, after=str(after), before=str(upto + 1), limit=EVENTS, newest=False, talk_only=False
        )
        had = self._log.had(place)  # with no await since it was read
        kept, text = 0, 0
        for event in events:
            kept += 1
            text += len(getattr(event, "text", None) or "")
            if text > TEXT:
                break
        if kept < len(events) or kept == EVENTS:
            events, upto = events[:kept], int(events[kept - 1].id)
        page = self._kept[place, after] = Page(after, upto, events, had)
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return page
