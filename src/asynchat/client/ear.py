"""What somebody hears: each line once and in order in its place, also what was said while they could not hear it.

A place has a *gap* while lines of it are fetched, or are to be. What comes live of it then is held or dropped: dropped
is what the next page brings anyway. So a gap of any length, and however slowly it is taken, costs a page of memory;
and who does not take what comes live falls behind, and reads on from the server's history. (IRCv3 chathistory)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.client.catchup import Catchup
from asynchat.client.connection import Connection
from asynchat.client.errors import Lost
from asynchat.client.heard import Heard, Run, size_of
from asynchat.client.notices import Back, Elsewhere, Notice
from asynchat.client.positions import ROOMS, Position, Positions, is_talk, now, place_of
from asynchat.wire.irc.message import Message

log = logging.getLogger("asynchat")

MOST_HELD = 16 * 1024 * 1024
"""Bytes of what comes live while something is fetched, or is not taken and can not be fetched later; a server that says
more is left, and come back to."""


Held = deque[Run]
"""What is to be handed on later."""


class Gap:
    """What is missing of one place. `level` is done when nothing is; `reference` is where the next page begins.

    `held` is what comes live while it may not be in the page that was asked for; None when it is dropped. One that is
    `seeded` is that of a room whose position was known before, and which is not entered yet.
    """

    __slots__ = ("held", "ids", "level", "reference", "seeded", "target")

    def __init__(self, target: str) -> None:
        self.target = target
        self.held: Held | None = deque()
        self.reference = ""
        self.seeded = False
        self.ids: set[str] = set()
        self.level: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Ear:
    """Hears for somebody whose name is what `nick` says. Who does not `hear` keeps nothing.

    `past` is how many lines from before one came are handed on when a room is entered.
    """

    def __init__(self, nick: Callable[[], str], *, hear: bool, past: int) -> None:
        self.hear = hear
        self.positions = Positions()
        self.heard = Heard()
        self._nick = nick
        self._catchup = Catchup(self.positions, past)
        self._resumes = False
        self._connected = False
        self._held: Held | None = None  # everything, while the connection is new
        self._held_bytes = 0
        self._gaps: dict[str, Gap] = {}
        self._times: dict[str, str] = {}  # when that was said up to where rooms are known, until it was looked for
        self._some = asyncio.Event()  # there are gaps to be read page by page
        self._unread: dict[str, None] = {}  # people of whom something was to be read when the connection was lost

    def take(self, run: Run) -> None:
        """Something has come.

        Raises:
            Lost: too much is held.
        """
        if self._held is not None:
            self._hold(self._held, run)
        else:
            self._pass_on(run)

    @property
    def is_level(self) -> bool:
        """Whether nothing is missing, and all was taken."""
        missing = any(gap.reference for gap in self._gaps.values()) or self._unread
        return not missing and self._held is None and not self.heard.size

    async def room(self, connection: Connection) -> None:
        """Wait until more may be taken.

        Who can fetch later what they miss now need not wait; nor does who waits for an answer.
        """
        if not self._resumes:
            await self.heard.room(unless=lambda: connection.asks)

    # A connection begins and ends.

    def begin(self) -> None:
        """A connection begins: everything waits until `release`."""
        self._held = deque()
        self._held_bytes = 0
        self._connected = True

    def release(self) -> None:
        """Hand on what was held, and from now on everything at once."""
        while self._held:
            self._pass_on(self._held.popleft())
        self._held = None

    def lost(self) -> None:
        """The connection is lost; over the next one all is fetched that is missing."""
        self._held, self._resumes, self._connected = None, False, False
        gaps, self._gaps = self._gaps, {}
        self._some.set()  # nobody shall wait for more
        self.heard.wake()
        for gap in gaps.values():
            if gap.target[:1] not in ROOMS:
                self._unread[gap.target] = None
            if not gap.level.done():
                gap.level.set_exception(Lost("the connection was lost"))
                gap.level.exception()  # whoever awaits it is told; nobody need

    def seed(self, places: Mapping[str, str], times: Mapping[str, str]) -> None:
        """Before we come for the first time: up to where these places, casefolded, are known already.

        Of rooms whose `times` are given too it is looked for, since a server may have another log than it had.
        """
        self._times = {place: time for place, time in times.items() if places.get(place, "").startswith("msgid=")}
        for place, reference in places.items():
            self.positions.place(place, reference)
            if place[:1] in ROOMS:  # in which the server may put us before we ask for it
                self._gaps[place] = gap = Gap(place)
                gap.held, gap.seeded = None, True

    async def come(self, connection: Connection, since: str) -> None:
        """We are let in for the first time. Fetch what people have said to us after the time `since`, or after what is
        known of them.

        Raises:
            Lost, NotAcknowledged
        """
        self._resumes = self.hear and connection.resumes
        self.positions.begin(connection.welcomed_at)
        if not self._resumes:
            self._gaps.clear()
            return
        for gap in [gap for gap in self._gaps.values() if not gap.seeded]:
            self.read_up(gap)
        for person in await self._catchup.people(connection, since):
            self.positions.place(casefold(person), f"timestamp={since}")
            self._fall_behind(casefold(person), person)

    def entered(self, room: str) -> None:
        """We are in a room."""
        gap = self._gaps.get(casefold(room))
        if gap is not None and gap.seeded:
            gap.target, gap.seeded = room, False
            if self._resumes:
                self.read_up(gap)

    async def come_back(self, connection: Connection, rooms: Iterable[str], own: Callable[[], Collection[str]]) -> None:
        """We are let in again, and are in these rooms. Hand on that, and what was missed; what is too much to be kept
        has a gap then.

        Of one's `own` lines those that wait for their echo are handed on as that would be: in no batch.

        Raises:
            Lost, NotAcknowledged
        """
        self._resumes = self.hear and connection.resumes
        complete = False
        if self._resumes:
            held = [message for run in self._held or () for message in run]
            complete = await self._catchup.fetch(connection, rooms, self._unread, held)
        ids, lines, missed, msgid = own(), [], 0, ""
        for place, line in self._catchup.take():
            msgid = line.tags.get("msgid", msgid)
            missed += msgid not in ids
            lines.append((place, _live(line) if msgid in ids else line))
        self._hand_on(Back(missed if complete else None))
        for place, line in lines:
            self._pass_fetched([line], place)
        self._unread.clear()
        for place, target in self._catchup.unfinished.items():
            self._fall_behind(place, target)

    # Gaps.

    def open(self, room: str) -> Gap:
        """Have what is said in a room wait: it is being entered. If it has a gap already, that is it."""
        self._held_bytes = 0
        return self._gaps.setdefault(casefold(room), Gap(room))

    async def fill(self, connection: Connection, gap: Gap) -> None:
        """Hand on the last lines from before a room was entered.

        Raises:
            Lost, NotAcknowledged
        """
        if self._resumes:
            for line in await self._catchup.past(connection, gap.target):
                self._pass_fetched([line], casefold(gap.target))

    def close(self, gap: Gap) -> None:
        """Nothing is missing any more."""
        place = casefold(gap.target)
        if self._gaps.get(place) is gap:
            del self._gaps[place]
            while gap.held:
                self._pass_on(gap.held.popleft())
        if not gap.level.done():
            gap.level.set_result(None)

    def read_up(self, gap: Gap) -> None:
        """Have everything be read that was said in the gap's place after its position."""
        position = self.positions.get(casefold(gap.target))
        if not self._resumes or position is None:
            self.close(gap)
            return
        gap.reference, gap.held = position.since, None
        self._some.set()

    def _fall_behind(self, place: str, target: str) -> None:
        self._gaps[place] = gap = Gap(target)
        self.read_up(gap)

    async def keep_level(self, connection: Connection) -> None:
        """Read on in all gaps, a page of each in turn, as they are taken, until the connection ends.

        Raises:
            Lost, NotAcknowledged
        """
        while self._connected:
            await self._some.wait()
            gaps = [gap for gap in self._gaps.values() if gap.reference]
            if not gaps:
                self._some.clear()
            for gap in gaps:
                await self.heard.room(unless=lambda: not self._connected)
                await self._read_page(connection, gap)

    async def _read_page(self, connection: Connection, gap: Gap) -> None:
        """Hand on the next page. It is the last if nothing is in it, or something that came live meanwhile."""
        place = casefold(gap.target)
        position = self.positions.get(place)
        if position is None or self._gaps.get(place) is not gap:  # the room was left
            self.close(gap)
            return
        if place in self._times:
            position = await self._looked_for(connection, gap, position, self._times[place])
        gap.held = deque()
        self._held_bytes = 0
        try:
            page = await self._catchup.page_after(connection, gap.target, gap.reference)
        except Refused as refused:
            log.warning("what was missed in %s cannot be had: %s", gap.target, refused)
            self.close(gap)
            return
        ids = [line.tags["msgid"] for line in page if "msgid" in line.tags]
        before, gap.ids = gap.ids, set(ids)
        for line in list(position.unseen(page)):
            self._pass_fetched([line], place)
        live = (line.tags.get("msgid", "") for run in gap.held for line in run)
        if before.issuperset(ids) or not gap.ids.isdisjoint(live):
            position.fetched = before | gap.ids
            self.close(gap)
        else:
            gap.reference, gap.held = f"msgid={ids[-1]}", None

    async def _looked_for(self, connection: Connection, gap: Gap, position: Position, time: str) -> Position:
        """The position where to begin: by time, if the server does not have what was said there."""
        if not await self._catchup.has(connection, gap.target, gap.reference, time):
            position = self.positions.move(casefold(gap.target), f"timestamp={time}")
            gap.reference = position.since
            self.note(Elsewhere(gap.target, time))
        del self._times[casefold(gap.target)]
        return position

    # Handing on.

    def note(self, notice: Notice) -> None:
        """Tell something besides what the server says."""
        self._hand_on(notice)

    def end(self) -> None:
        """Nothing more will be heard."""
        self.heard.end()

    def _hold(self, held: Held, run: Run) -> None:
        held.append(run)
        self._held_bytes += size_of(run)
        if self._held_bytes > MOST_HELD:
            raise Lost("the server says more than can be kept while it answers")

    def _pass_on(self, run: Run) -> None:
        """Hand on what came live, unless it was fetched, or will be."""
        first = run[0]
        if self.hear and is_talk(first):
            place = place_of(first, self._nick())
            if (gap := self._gaps.get(place)) is not None:
                if gap.held is not None:
                    self._hold(gap.held, run)
                return
            if self._resumes and self.heard.full and self.positions.get(place) is not None:
                target = first.params[0].lstrip("~&@%+") if place[:1] in ROOMS else place
                self._fall_behind(place, target)
                return
            run = self.positions.new(run, place)
            if not run:
                return
            self.positions.passed(run, place)
        self._hand_on(run)
        if self.heard.size > MOST_HELD:
            raise Lost("the server says more than is taken")

    def _pass_fetched(self, run: Run, place: str) -> None:
        """Hand on what was fetched."""
        self.positions.passed(run, place)
        self._hand_on(run)

    def _hand_on(self, heard: Run | Notice) -> None:
        if not self.hear:
            return
        if not self._resumes and isinstance(heard, list):  # else times are references, and all the server's
            heard = [_timed(message) for message in heard]
        self.heard.put(heard)


def _timed(message: Message) -> Message:
    """A line of talk with the time at which it came, if the server has not told when it was said."""
    if not is_talk(message) or "time" in message.tags:
        return message
    return Message(message.command, message.params, source=message.source, tags={**message.tags, "time": now()})


def _live(line: Message) -> Message:
    """A line as if it came by itself."""
    tags = {name: value for name, value in line.tags.items() if name != "batch"}
    return Message(line.command, line.params, source=line.source, tags=tags)
