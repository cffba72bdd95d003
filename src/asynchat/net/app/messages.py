"""Messages that come: what was said in a room, read from the log one page at a time."""

from __future__ import annotations

from collections import deque
from typing import Self

from asynchat.chat.errors import NoSuchRoom
from asynchat.chat.messages import Message, messages_of
from asynchat.chat.names import casefold
from asynchat.net.app.inside import Inside

PAGE = 64
"""Lines that are read at once; of long ones that is 4 MiB at most."""


class Messages:
    """What was said in a room after an id, each line once and in order; then what comes, if it is to `follow`.

    Nothing is kept for it but the page at hand, and nothing is held between two steps: who takes their time reads on
    from the log, and who stops needs to close nothing. It ends with the server, from whose log the next can go on.
    """

    def __init__(self, inside: Inside, room: str, after: int, *, follow: bool) -> None:
        self._inside = inside
        self._room = room
        self._position = after
        self._follow = follow
        self._page: deque[Message] = deque()

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
        room = inside.hub.state.rooms.get(casefold(self._room))
        if room is None and not self._follow:
            raise NoSuchRoom(self._room)
        if room is None or self._position >= upto:
            if not self._follow:
                return False
            await inside.arrivals.more(room.place if room is not None else None)
            if not inside.arrivals.closed:
                return True
            upto = inside.position()  # and what was stored before the end is read still
        if room is None or self._position >= upto:
            return False
        events = await inside.log.page(
            room.place, after=str(self._position), before=str(upto + 1), limit=PAGE, newest=False
        )
        self._page.extend(messages_of(events))
        self._position = int(events[-1].id) if len(events) == PAGE else upto
        return True
