"""Fetching what was said while there was no connection. (IRCv3 chathistory)"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.client.connection import Connection
from asynchat.client.positions import Position, Positions, is_talk, reference
from asynchat.wire.irc.message import Message

PAST = 20
"""How many lines from before one came are shown on entering a room."""
NEVER = "9999-12-31T23:59:59.999Z"
MOST = 2000
"""Lines that are fetched before any is handed on; where more was missed, the rest is read as it is taken."""


class Missed:
    """What was fetched of one place and is not handed on yet: whole messages, the last of them at `reference`."""

    __slots__ = ("ids", "lines", "reference")

    def __init__(self, reference: str) -> None:
        self.lines: list[Message] = []
        self.ids: set[str] = set()
        self.reference = reference


class Catchup:
    """Fetches page by page. Pages that are there are kept if the connection is lost, and the next one goes on."""

    def __init__(self, positions: Positions, past: int = PAST) -> None:
        self._positions = positions
        self._past = past
        self._missed: dict[str, Missed] = {}
        self.unfinished: dict[str, str] = {}
        """The places of which there is more to fetch: casefolded names to names."""

    async def past(self, connection: Connection, room: str) -> list[Message]:
        """The last lines of a room from before we came; they are marked as a batch.

        Raises:
            Lost, NotAcknowledged
        """
        position = self._positions.get(casefold(room))
        lines: list[Message] = []
        before, left = position.since if position is not None else "", self._past
        while before and left > 0:
            number = min(left, connection.page)
            try:
                page = await self._page(connection, ["BEFORE", room, before, str(number)])
            except Refused:
                break
            lines, left = page + lines, left - len(page)
            before = reference(page[0]) if len(page) >= number else ""
        return lines

    async def has(self, connection: Connection, target: str, reference: str, time: str) -> bool:
        """Whether the server has there what is known from before, by the id in a reference and the time. Where it does
        not tell, it has.

        Raises:
            Lost, NotAcknowledged
        """
        msgid = reference.removeprefix("msgid=")
        try:  # of one line alone servers differ in which that is
            page = await self._page(connection, ["AROUND", target, reference, "3"])
        except Refused:
            return True
        return any(line.tags.get("msgid") == msgid and line.tags.get("time") == time for line in page)

    async def page_after(self, connection: Connection, target: str, reference: str) -> list[Message]:
        """The lines of a room or a conversation after a message, at most a page.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        return await self._page(connection, ["AFTER", target, reference, str(connection.page)])

    async def fetch(
        self, connection: Connection, rooms: Iterable[str], people: Collection[str], held: Collection[Message]
    ) -> bool:
        """Fetch what was missed in these rooms, and by conversation with these people and with whom there was talk
        lately, up to what came live and is `held`.

        Returns whether that is all that was missed. Where it is not, since it is too much, the place is `unfinished`.

        Raises:
            Lost, NotAcknowledged
        """
        complete = True
        self.unfinished.clear()
        for room in rooms:
            position = self._positions.get(casefold(room))
            if position is not None:
                complete &= await self._fetch(connection, room, position, held)
        lately = await self.people(connection, self._positions.before)
        for person in dict.fromkeys([*people, *lately]):
            position = self._positions.place(casefold(person), f"timestamp={self._positions.began}")
            complete &= await self._fetch(connection, person, position, held)
        return complete

    def take(self) -> list[tuple[str, Message]]:
        """What was fetched, as places and lines, in order in each place; it is to be handed on now."""
        lines = []
        for place, missed in self._missed.items():
            position = self._positions.get(place)
            if position is not None:
                position.fetched = missed.ids
            lines += [(place, line) for line in missed.lines]
        self._missed = {}
        return lines

    async def _fetch(self, connection: Connection, target: str, position: Position, held: Collection[Message]) -> bool:
        missed = self._missed.setdefault(casefold(target), Missed(position.since))
        try:
            while True:
                if sum(len(each.lines) for each in self._missed.values()) >= MOST:
                    self.unfinished[casefold(target)] = target
                    return False
                page = await self._page(connection, ["AFTER", target, missed.reference, str(connection.page)])
                ids = [line.tags["msgid"] for line in page if "msgid" in line.tags]
                if missed.ids.issuperset(ids):
                    return True
                missed.lines += position.unseen(page)
                missed.ids.update(ids)
                missed.reference = f"msgid={ids[-1]}"
                # A page may be short because some of it is not for us: it ends where it is empty, or where the present
                # begins, which in a busy room comes first.
                if not missed.ids.isdisjoint(line.tags.get("msgid", "") for line in held):
                    return True
        except Refused:
            return False

    async def people(self, connection: Connection, since: str) -> list[str]:
        """With whom there was talk after a time of the server; "" is never.

        Raises:
            Lost, NotAcknowledged
        """
        names, limit = dict[str, None](), connection.page
        while since:
            request = ["TARGETS", f"timestamp={since}", f"timestamp={NEVER}", str(limit)]
            try:
                lines = await connection.answered(connection.ask(Message("CHATHISTORY", request), quiet=True))
            except Refused:
                break
            found = [line.params for line in lines if line.command == "CHATHISTORY" and len(line.params) > 2]
            new = dict.fromkeys(name for _, name, *_ in found if name not in names)
            names |= new
            since = found[-1][2].removeprefix("timestamp=") if new and len(found) >= limit else ""
        return [name for name in names if name[:1] != "#"]

    @staticmethod
    async def _page(connection: Connection, params: list[str]) -> list[Message]:
        page = await connection.answered(connection.ask(Message("CHATHISTORY", params), quiet=True))
        return [line for line in page if is_talk(line)]
