"""Reading from code what was said: messages that come, pages of the past, what has some words in it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Self

from asynchat.chat.errors import NoSuchRoom
from asynchat.chat.events import Place
from asynchat.chat.messages import Message, message_of, messages_of
from asynchat.chat.search import Search
from asynchat.net.app.inside import Inside

LONGEST = 18
"""Digits of an id."""
PAGE = 64
"""Lines that are read at once; of long ones that is 4 MiB at most."""


class Messages:
    """What was said in a place after an id, each line once and in order; then what comes, if it is to `follow`.

    `place` is asked anew for each page, and raises NoSuchRoom as long as it is none.

    Nothing is kept for it but the page at hand, and nothing is held between two steps: who takes their time reads on
    from the log, and who stops needs to close nothing. It ends with the server, from whose log the next can go on.
    """

    def __init__(self, inside: Inside, place: Callable[[], Place], *, after: str | None, follow: bool) -> None:
        self._inside = inside
        self._place = place
        self._position = _position(after)
        self._follow = follow
        self._page: deque[Message] = deque()

    async def aclose(self) -> None:
        """Nothing: there is nothing to close. It is here for `contextlib.aclosing`."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """The next line; waits for it, if it is to follow.

        Raises:
            NoSuchRoom: nobody has ever been in it, and it is not to follow.
            StoreError: the log cannot be read.
        """
        arrivals = self._inside.arrivals
        while not self._page:
            if arrivals.closed:
                raise StopAsyncIteration
            with arrivals.reading():
                if not await self._read_on():
                    raise StopAsyncIteration
        return self._page.popleft()

    async def _read_on(self) -> bool:
        """Read the next page, which may be empty, or wait for it; False if there is none."""
        inside = self._inside
        upto = inside.position()
        place = self._where()
        if place is None or self._position >= upto:
            if not self._follow:
                return False
            await inside.arrivals.more(place)
            if not inside.arrivals.closed:
                return True
            upto = inside.position()  # and what was stored before the end is read still
        if place is None or self._position >= upto:
            return False
        events = await inside.log.page(place, after=str(self._position), before=str(upto + 1), limit=PAGE, newest=False)
        self._page.extend(messages_of(events))
        self._position = int(events[-1].id) if len(events) == PAGE else upto
        return True

    def _where(self) -> Place | None:
        try:
            return self._place()
        except NoSuchRoom:
            if not self._follow:
                raise
            return None


async def page(inside: Inside, place: Place, *, before: str | None, after: str | None, limit: int) -> list[Message]:
    """Up to `limit` lines of a place between two ids, in order: the first after `after`, else the last.

    Raises:
        ValueError: what should be an id is none, or the limit is no number of lines.
        StoreError
    """
    if not 0 <= limit < sys.maxsize:
        raise ValueError(f"{limit!r} is no number of lines")
    end = inside.position() + 1 if before is None else _position(before)
    first = None if after is None else str(_position(after))
    return messages_of(await inside.log.page(place, after=first, before=str(end), limit=limit))


async def search(inside: Inside, place: Place, words: str, *, limit: int) -> list[Message]:
    """The last `limit` lines of a place that have all these words, in order.

    Raises:
        Refused: not now, or it takes too long.
        StoreError
    """
    found = await inside.log.search(Search(places=frozenset({place}), text=words, limit=limit))
    return [message_of(said) for said in found]


def _position(event_id: str | None) -> int:
    """The number of an id; 0 for none.

    Raises:
        ValueError
    """
    if event_id is None:
        return 0
    if not (event_id.isascii() and event_id.isdigit() and len(event_id) <= LONGEST):
        raise ValueError(f"{event_id!r} is no id of a message")
    return int(event_id)
