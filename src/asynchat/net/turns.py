"""What is written in turns of the loop, as it goes to more people than one turn should.

It stays in order, and what comes after it in its batch is written after it. Meanwhile it is known whom it concerns, so
that others need not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable

from asynchat.chat.hub import Hub
from asynchat.chat.rooms import Room
from asynchat.chat.users import User

log = logging.getLogger("asynchat")


class Turns:
    """Pushes that wait for their turn, each of which writes to at most `most` people."""

    def __init__(self, hub: Hub, most: int) -> None:
        self.most = most
        self._hub = hub
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._rooms: set[Room] = set()
        self._apart: set[User] = set()
        self._of_rooms = 0  # how many of those that wait belong to a room

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def begun(self) -> bool:
        """Whether they are being taken: nothing may be added now."""
        return self._hub.showing is not None

    def add(self, writes: int, push: Callable[[], None]) -> None:
        """Have this done after what waits already; it writes to so many."""
        self._waiting.append((writes, push))

    def note(self, room: Room, apart: Iterable[User], pushes: int) -> None:
        """The last so many belong to a room, and these came, went or spoke in it."""
        self._rooms.add(room)
        self._apart.update(apart)
        self._of_rooms += pushes

    def begin(self, before: str) -> None:
        """They are about to be taken; `before` is the id of the last event that was shown before them."""
        hub = self._hub
        hub.showing, hub.apart = before, frozenset(self._apart)
        hub.crowded = frozenset(self._rooms) if self._of_rooms == len(self._waiting) else None
        self._rooms, self._apart, self._of_rooms = set(), set(), 0

    async def take(self) -> None:
        """Take them, as many in each turn of the loop as write to `most`."""
        hub = self._hub
        try:
            while self._waiting:
                await asyncio.sleep(0)
                left = self.most
                while self._waiting and left >= self._waiting[0][0]:
                    writes, push = self._waiting.popleft()
                    left -= writes
                    try:
                        push()
                    except Exception:  # a bug: it must not cost the others anything
                        log.exception("a part of a batch could not be shown")
        finally:
            hub.showing, hub.crowded, hub.apart = None, frozenset(), frozenset()
