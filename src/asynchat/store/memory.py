"""The memory engine: a ring of events per place, gone with the process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place, Said
from asynchat.store import Snapshot, Stored


class MemoryLog:
    """Keeps the last `ring` events of each place, and the keys of the last `keys` sends."""

    def __init__(self, *, ring: int = 10_000, keys: int = 100_000) -> None:
        self._ring = ring
        self._most_keys = keys
        self._places: dict[Place, deque[Event]] = {}
        self._keys: dict[tuple[str, str], Stored] = {}
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
        for place in event.places:
            ring = self._places.get(place)
            if ring is None:
                ring = self._places[place] = deque(maxlen=self._ring)
            ring.append(event)
        self._last_id, self._last_ms = position, event.at_ms
        return stored

    async def page(
        self,
        place: Place,
        /,
        *,
        before: str | None = None,
        after: str | None = None,
        limit: int,
        talk_only: bool = True,
    ) -> Sequence[Event]:
        ring = self._places.get(place, ())
        fits = (event for event in ring if event.talk or not talk_only)
        if after is not None:
            first = int(after)
            return list(islice((event for event in fits if int(event.id) > first), limit))
        backwards = (event for event in reversed(ring) if event.talk or not talk_only)
        if before is not None:
            end = int(before)
            backwards = (event for event in backwards if int(event.id) < end)
        return list(islice(backwards, limit))[::-1]

    async def snapshot(self) -> Snapshot | None:
        return None

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        pass

    async def replay(self, after: int) -> AsyncIterator[Sequence[Event]]:
        return
        yield

    async def close(self) -> None:
        pass
