"""One stay of a program at a server: what is heard is handed to it, and what is done with is noted in the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from asynchat.chat.names import casefold
from asynchat.client.cursor import Cursor
from asynchat.client.handlers import MESSAGES, Handlers, kinds_of
from asynchat.client.incoming import Happening, Incoming, happening, nick, of_connection
from asynchat.client.lanes import Lanes
from asynchat.client.notices import Back, Notice
from asynchat.client.positions import ROOMS, is_talk, place_of, reference
from asynchat.client.reading import Reading
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message


class Heard(NamedTuple):
    """Something to be done: a line of talk, which may be no message for the program, or something that happens."""

    line: Message | None
    place: str
    what: Incoming | Happening | None


class Visit:
    """Hands what a talker hears to handlers, or to the `reading` if there are none for messages.

    `message` makes of a line what the program gets. `keeps_talks`: conversations go into the cursor too.
    """

    def __init__(
        self,
        talker: Talker,
        handlers: Handlers,
        cursor: Cursor | None,
        message: Callable[[Message], Incoming | None],
        *,
        keeps_talks: bool,
    ) -> None:
        self.talker = talker
        self.reading = Reading()
        self.over = asyncio.Event()
        self.failed: BaseException | None = None
        self._handlers = handlers
        self._cursor = cursor
        self._message = message
        self._keeps_talks = keeps_talks
        self._open = 0  # lines of conversations that are not done with
        self._until = ""  # when the last line of a conversation was said that was heard
        self._lost = False
        self._lanes: Lanes[Heard] | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def work(self) -> None:
        """Hear, and have what is heard be handled, until `stop`, or until the connection ends."""
        try:
            async with asyncio.TaskGroup() as group:
                self._lanes = Lanes(group, self._do)
                self._hearing = group.create_task(self._hear(self._lanes))
        except BaseExceptionGroup as group_:
            error: BaseException = group_
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self.failed = error
        finally:
            self.reading.end()
            self.over.set()

    def stop(self) -> None:
        """Begin nothing more; `work` ends when what was begun is done."""
        if self._hearing is not None:
            self._hearing.cancel()
        if self._lanes is not None:
            self._lanes.stop()
        self.reading.end()

    @property
    def is_handling(self) -> bool:
        """Whether whoever asks is a handler."""
        return self._lanes is not None and self._lanes.has_current_task

    # Hearing.

    async def _hear(self, lanes: Lanes[Heard]) -> None:
        async for heard in self.talker:
            if not isinstance(heard, Message):
                await self._notice(lanes, heard)
            elif is_talk(heard):
                await self._talk(lanes, heard)
            else:
                self._entered(heard)
                found = happening(heard, self.talker.nick)
                if found is not None and self._handlers.has((found.kind,)):
                    await lanes.put(casefold(found.room or found.by), Heard(None, "", found))
        if self.talker.ended_by is not None and self._cursor is not None:
            lanes.stop()  # the rest comes again, when it can be answered

    async def _notice(self, lanes: Lanes[Heard], notice: Notice) -> None:
        if isinstance(notice, Back):
            self._lost = False
            found = of_connection("back", "" if notice.missed is None else str(notice.missed))
        elif self._lost:  # it is one outage, however often it is tried to end it
            return
        else:
            self._lost = True
            found = of_connection("lost")
        if self._handlers.has((found.kind,)):
            await lanes.put("", Heard(None, "", found))

    async def _talk(self, lanes: Lanes[Heard], line: Message) -> None:
        place = place_of(line, self.talker.nick)
        if place[:1] not in ROOMS:
            self._open += 1
            self._until = max(self._until, line.tags.get("time", ""))
        await lanes.put(place, Heard(line, place, self._message(line)))

    def _entered(self, message: Message) -> None:
        """Whoever was killed before anything was said in a room they had entered wants to hear that too."""
        if message.command != "JOIN" or casefold(nick(message)) != casefold(self.talker.nick):
            return
        room, at = casefold(message.params[0]), reference(message)
        if self._cursor is not None and at and self._cursor.get(room) is None:
            self._cursor.move({room: at})

    # Handling.

    async def _do(self, heard: Heard) -> None:
        what = heard.what
        if isinstance(what, Happening):
            if not what.own:
                await self._handlers.run((what.kind,), what)
            return
        if what is not None and not what.own:
            if self._handlers.has(MESSAGES):
                await self._handlers.run(kinds_of(what), what)
            else:
                await self.reading.offer(what)
        assert heard.line is not None
        private = heard.place[:1] not in ROOMS
        self._open -= private
        if self.talker.ended_by is None:  # else it may not have been answered
            self._note(heard.line, heard.place, private=private)

    def _note(self, line: Message, place: str, *, private: bool) -> None:
        """Note in the cursor that a line is done with."""
        at = reference(line)
        if self._cursor is None or not at or (private and not self._keeps_talks):
            return
        known = self._cursor.get(place) or ""
        if known.startswith("msgid=") and not at.startswith("msgid="):
            return  # one of several lines of the message that stands there
        moves = {place: at}
        if private and not self._open and self.talker.is_level:
            moves[TALKS] = f"timestamp={self._until}"
        self._cursor.move(moves)


TALKS = "*"
"""Where the cursor has the time before which all that was said by conversation is done with."""


def talks_of(cursor: Cursor) -> str:
    """That time; "" if none is known."""
    return (cursor.get(TALKS) or "").removeprefix("timestamp=")
