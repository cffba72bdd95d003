"""The memory engine: a ring of events per place, gone with the process."""

from __future__ import annotations

import asyncio
import math
import time
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from heapq import merge
from itertools import islice

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Redacted, Said
from asynchat.chat.names import casefold
from asynchat.chat.search import Search
from asynchat.store import Had, Snapshot, Stored, is_words

TURN = 100
"""Events that are looked at before others have their turn."""


class MemoryLog:
    """Keeps the last `ring` events of each place, and the keys of the last `keys` sends."""

    def __init__(self, *, ring: int = 10_000, keys: int = 100_000) -> None:
        self._ring = ring
        self._most_keys = keys
        self._places: dict[Place, deque[Event]] = {}
        self._lost: dict[Place, tuple[int, int]] = {}  # how many fell off a ring, and the last of them
        self._keys: dict[tuple[str, str], Stored] = {}
        self._events: dict[str, Event] = {}  # what is in a ring, by id
        self._times: list[tuple[int, int]] = []  # each time in ms, and the last position that has it
        # Ids must not be given out again after a restart, and nothing is remembered: they go on from the clock, which
        # outruns a thousand events a second.
        self._last_id = time.time_ns() // 1_000_000
        self._last_ms = 0

    @property
    def last_id(self) -> int:
        return self._last_id

    @property
    def last_ms(self) -> int:
        return self._last_ms

    async def open(self) -> None:
        pass

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        return self.append_at_once(batch)

    def append_at_once(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        return [self._append(event) for event in batch]

    def _append(self, event: Event) -> Stored:
        position = int(event.id)
        stored = Stored(position, event)
        if type(event) is Said and event.key is not None:
            owner = (event.by.account or "", event.key)
            first = self._keys.get(owner)
            if first is not None:
                return first._replace(new=False)
            self._keys[owner] = stored
            if len(self._keys) > self._most_keys:
                del self._keys[next(iter(self._keys))]
        if type(event) is Redacted:
            self._redact(event)
        for place in event.places:
            ring = self._places.get(place)
            if ring is None:
                ring = self._places[place] = deque()
            ring.append(event)
            if len(ring) > self._ring:
                oldest = ring.popleft()
                self._lost[place] = (self._lost.get(place, (0, 0))[0] + 1, int(oldest.id))
                if len(oldest.places) == 1 or not any(self._holds(other, oldest) for other in oldest.places):
                    self._events.pop(oldest.id, None)
        if event.places:
            self._events[event.id] = event
        if not self._times or self._times[-1][0] != event.at_ms:
            self._times.append((event.at_ms, position))
            if len(self._times) > self._most_keys:
                del self._times[: self._most_keys // 2]
        else:
            self._times[-1] = (event.at_ms, position)
        self._last_id, self._last_ms = position, event.at_ms
        return stored

    def _holds(self, place: Place, event: Event) -> bool:
        """Whether an event of that place has not fallen off its ring."""
        ring = self._places.get(place)
        return ring is not None and len(ring) > 0 and int(ring[0].id) <= int(event.id)

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
        if newest is None:
            newest = after is None
        first, end = int(after or 0), int(before) if before is not None else math.inf
        ring = self._places.get(place, ())
        fits = (
            event
            for event in (reversed(ring) if newest else ring)
            if first < int(event.id) < end and (is_words(event) or not talk_only)
        )
        found = list(islice(fits, limit))
        return found[::-1] if newest else found

    def had(self, place: Place, /) -> Had:
        lost, last = self._lost.get(place, (0, 0))
        return Had(lost + len(self._places.get(place, ())), lost, last)

    async def last_until(self, at_ms: int, /) -> str:
        times = self._times
        index = bisect_right(times, at_ms, key=lambda each: each[0])
        return str(times[index - 1][1]) if index else "0"

    async def find(self, event_id: str, /) -> Event | None:
        return self._events.get(event_id)

    async def search(self, search: Search, /) -> Sequence[Said]:
        if search.impossible:
            return []
        first, end = int(search.after or 0), int(search.before) if search.before is not None else math.inf
        rings = [tuple(self._places.get(place, ())) for place in search.places]  # as they are now: others have turns
        lines = merge(*map(reversed, rings), key=_back) if search.newest else merge(*rings, key=_forth)
        found: dict[str, Said] = {}  # what is in several places is found once
        for turn, event in enumerate(lines):
            if turn % TURN == 0:
                await asyncio.sleep(0)
            if len(found) >= search.limit:
                break
            if isinstance(event, Said) and first < int(event.id) < end and is_words(event) and search.finds(event):
                found[event.id] = event
        kept = [said for said in found.values() if said.id in self._events]  # not taken back meanwhile
        return kept[::-1] if search.newest else kept

    def _redact(self, event: Redacted) -> None:
        said = self._events.pop(event.said, None)
        if said is not None:
            for place in said.places:
                ring = self._places[place]
                with suppress(ValueError):  # it has fallen off that ring
                    ring.remove(said)

    async def trim(self, *, before_ms: int | None, most: int | None) -> int:
        gone: set[str] = set()
        for place, ring in self._places.items():
            words = [event for event in ring if is_words(event) and int(event.id) < self._last_id]
            old = [event for event in words if before_ms is not None and event.at_ms < before_ms]
            if most is not None and place[:1] == "#":
                old += words[: max(sum(map(is_words, ring)) - most, 0)]
            gone.update(event.id for event in old)
        self._drop(gone)
        return len(gone)

    async def forget(self, account: str) -> Sequence[Event]:
        wanted = casefold(account)
        found = [event for event in self._events.values() if casefold(event.by.account or "") == wanted]
        self._drop({event.id for event in found if isinstance(event, Said)})
        for owner in [owner for owner in self._keys if casefold(owner[0]) == wanted]:
            del self._keys[owner]
        return found

    def _drop(self, ids: set[str]) -> None:
        """Take events out of all places."""
        for event_id in ids:
            event = self._events.pop(event_id)
            for place in event.places:
                ring = self._places[place]
                with suppress(ValueError):  # it has fallen off that ring
                    ring.remove(event)

    async def wipe(self) -> None:
        pass

    async def snapshot(self) -> Snapshot | None:
        return None

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        pass

    async def replay(self, after: int) -> AsyncIterator[Sequence[Event]]:
        return
        yield

    async def close(self) -> None:
        pass


def _forth(event: Event) -> int:
    return int(event.id)


def _back(event: Event) -> int:
    return -int(event.id)
