"""A console: the line wire as the server's operator speaks it, who is the user `server`.

That user comes in with the first console and goes with the last; in the rooms it is like anybody else, but that it runs
them all (`chat.policy`). Whoever can open a console has shown who they are: nobody asks for a name or a password.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from asynchat.chat.errors import Refused
from asynchat.chat.events import Banished, Departed, Event, Joined, Kicked, Left, Pardoned, Said
from asynchat.chat.users import SERVER
from asynchat.wire import durations
from asynchat.wire.app import attach_server
from asynchat.wire.house import House
from asynchat.wire.line import LineSession
from asynchat.wire.session import NEVER, Link, Session
from asynchat.wire.talk.render import NEWS, Framing, Phrase, Plain, phrases
from asynchat.wire.talk.session import Stage
from asynchat.wire.text import plain


def clock(at_ms: int) -> str:
    """A time of day as the operator's own clock has it."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%H:%M:%S}"


def _silent(event: Event) -> list[Phrase]:
    return []


def _kicked(event: Kicked) -> list[Phrase]:
    why = f": {event.reason}" if event.reason else ""
    return [Phrase("-", plain(f"{event.target.nick} (kicked{why})"))]


def _said(event: Said) -> list[Phrase]:
    said = phrases(event)
    if event.by.user == SERVER.user:
        return [phrase._replace(who=f"@{phrase.who}") if phrase.named else phrase for phrase in said]
    return said


def _banished(event: Banished) -> list[Phrase]:
    how_long = f" for {durations.words(event.until_ms - event.at_ms)}" if event.until_ms is not None else ""
    why = f" ({event.reason})" if event.reason else ""
    return [Phrase(NEWS, plain(f"{event.mask} is banned from the server{how_long}{why}"))]


def _pardoned(event: Pardoned) -> list[Phrase]:
    return [Phrase(NEWS, plain(f"{event.mask} is not banned from the server any more"))]


# Who comes to the server and goes is told apart from the rooms, with the address: see `saw_come`.
_PHRASES: dict[type[Event], Callable[[Any], list[Phrase]]] = {
    Said: _said,
    Kicked: _kicked,
    Joined: _silent,
    Left: _silent,
    Departed: _silent,
    Banished: _banished,
    Pardoned: _pardoned,
}


class AtConsole(Plain):
    """The dialect of consoles: the time before each line; made by `dialect`."""

    __slots__ = ()

    def render(self, event: Event) -> bytes:
        before = f"{clock(event.at_ms)} {self.room_before(event)}"
        said = _PHRASES.get(type(event), phrases)(event)
        return b"".join(self.framing(phrase._replace(before=before)) for phrase in said)


@cache
def dialect(framing: Framing, *, several: bool) -> AtConsole:
    """The one dialect of this kind."""
    return AtConsole(framing, several, ids=False, times=True)


class ConsoleSession(LineSession):
    """The server's operator. It comes in as soon as it is woken, or says something."""

    wire = "console"

    __slots__ = ()

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._stage = Stage.TALK
        self.wake_at = now

    # What the server calls.

    async def receive(self, data: bytes) -> None:
        if self.user is None:
            await self._come_to_it()
        await super().receive(data)

    async def wake(self, now: float) -> None:
        if self.user is None:
            await self._come_to_it()
            self.wake_at = NEVER
        else:
            await super().wake(now)

    async def gone(self, reason: str) -> None:
        self.house.consoles.pop(self, None)
        await super().gone(reason)

    def saw_come(self, session: Session) -> None:
        if session.user is not None and not isinstance(session, ConsoleSession):
            self._tell_of("+", f"{session.user.nick}  {session.address}  {session.wire}")

    def saw_go(self, session: Session, reason: str) -> None:
        if session.user is not None and not isinstance(session, ConsoleSession):
            self._tell_of("-", session.user.nick + (f" ({reason})" if reason else ""))

    def _tell_of(self, sign: str, text: str) -> None:
        self.say_phrase(Phrase(sign, plain(text), before=f"{clock(self.hub.clock_ms())} "))

    # What the fan-out calls.

    def own(self, event: Event, via_me: bool) -> bytes:
        # An echo says that it is stored; what else was done here is answered by the command that did it.
        return (
            self.dialect.render(event) if not via_me or isinstance(event, Said | Kicked | Banished | Pardoned) else b""
        )

    # What the commands use.

    def time_of(self, event: Event) -> str:
        return clock(event.at_ms)

    def spoken(self, *, several: bool) -> Plain:
        return dialect(type(self).framing, several=several)

    # Coming in.

    async def _come_to_it(self) -> None:
        """Be the server, and enter the room where everybody comes in."""
        try:
            self.user = await attach_server(self)
            self.house.consoles[self] = None
            self.house.note_came(self)
            room, entered = await self.enter_room(self.house.room)
        except Refused as refused:
            self.no(refused.code, refused.text)
            self.end()
            return
        self.news(f"you are the server, in {room.name}{self.company(room)}. /help, /quit")
        if entered is not None:
            await self.replay(room, entered)


from asynchat.wire.talk.operating import OPERATING  # noqa: E402  (the commands are written in terms of the session)

ConsoleSession.commands = OPERATING
