"""A stage for the tests of the fan-out: people whose verbs gather into a batch, and what each of them hears."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from asynchat.chat.errors import Refused
from asynchat.chat.events import (
    Announced,
    Departed,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Redacted,
    Renamed,
    Said,
    TopicSet,
)
from asynchat.chat.hub import Hub
from asynchat.chat.users import User
from asynchat.net.fanout import Fanout
from asynchat.net.journal import Batch, Entry

SHOWN: dict[type[Event], Callable[[Any], str]] = {
    Said: lambda event: f"{event.to} {event.by.nick}: {event.text}",
    Joined: lambda event: f"{event.room} + {event.by.nick}",
    Left: lambda event: f"{event.room} - {event.by.nick}",
    Kicked: lambda event: f"{event.room} - {event.target.nick} by {event.by.nick}",
    TopicSet: lambda event: f"{event.room} is about {event.text}",
    Renamed: lambda event: f"{event.by.nick} is {event.nick}",
    Departed: lambda event: f"{event.by.nick} is gone",
    Invited: lambda event: f"{event.room} for {event.target.nick}",
    Redacted: lambda event: f"{event.to} without {event.said}",
    Announced: lambda event: f"! {event.text}",
}


def finish(rest: Coroutine[Any, Any, None] | None) -> None:
    """Deliver the rest, which waits for nothing but its turns."""
    with suppress(StopIteration):
        while rest is not None:
            rest.send(None)


ECHO = "* "
WATCHED = "? "


class Plain:
    """A dialect in which an event is a line of text; `rendered` is what it was asked for."""

    def __init__(self, *, ordered: bool = False) -> None:
        self.ordered = ordered
        self.rendered: list[str] = []

    def render(self, event: Event, /) -> str:
        line = SHOWN[type(event)](event) if type(event) in SHOWN else ""
        self.rendered.append(line)
        return line

    def join(self, rendered: Sequence[str], /) -> str:
        return "".join(f"{line}\n" for line in rendered if line)


class RecordingPeer:
    def __init__(self) -> None:
        self.chunks: list[list[str]] = []
        self.before = 0  # bytes of earlier batches that are unsent
        self.error: Exception | None = None
        self.holding = False

    def write(self, chunk: str, /) -> None:
        if self.error is not None:
            raise self.error
        assert chunk, "an empty write"
        self.chunks.append(chunk.splitlines())

    def unsent(self) -> int:
        return self.before + sum(len(line) + 1 for chunk in self.chunks for line in chunk)


class FakeSession:
    """A session that hears its own as an echo with `* ` before it, or not at all."""

    def __init__(self, dialect: Plain, *, echo: bool = True) -> None:
        self.user: User | None = None
        self.lagging = False
        self.peer = RecordingPeer()
        self.dialect = dialect
        self.echo = echo

    def own(self, event: Event, via_me: bool, /) -> str:
        line = self.dialect.render(event)
        if not via_me:
            return line
        return ECHO + line if self.echo and line else ""

    def told(self, event: Event, /) -> str:
        return self.dialect.render(event)

    def watched(self, event: Event, told: bool, /) -> str:
        return "" if told else WATCHED + event.by.nick

    def failed(self, event: Event, refused: Refused, /) -> None:
        self.peer.write(f"{refused.code} {event.text}\n")

    def repeated(self, event: Event, first: Event, /) -> None:
        self.peer.write(f"{event.text} was {first.id}\n")

    @property
    def heard(self) -> list[str]:
        return [line for chunk in self.peer.chunks for line in chunk]


class Stage:
    """A hub with people on it. Their verbs gather, until `deliver` has the fan-out show them as one batch."""

    def __init__(self, *, send_queue: int = 1000) -> None:
        self.hub = Hub(lambda: 0)
        self.hub.journal = self
        self.late: list[FakeSession] = []
        self.fanout = Fanout(self.hub, send_queue=send_queue, over=self.late.append)
        self.batch = Batch()
        self.plain = Plain()

    def put(self, event: Event, via: FakeSession | None) -> Entry:
        entry = Entry(event, via, self.batch)
        self.batch.entries.append(entry)
        return entry

    async def breathe(self) -> None:
        raise AssertionError("nobody waits in these tests")

    def deliver(self) -> None:
        batch, self.batch = self.batch, Batch()
        finish(self.fanout.deliver(batch.entries))
        batch.finish()

    def enter(self, nick: str, *rooms: str, echo: bool = True, dialect: Plain | None = None) -> FakeSession:
        """Somebody in some rooms, who has heard nothing yet."""
        session = FakeSession(dialect or self.plain, echo=echo)
        entered = self.hub.enter(nick, "i", "h", "", via=session)
        self.deliver()
        self.attach(session, self.hub.state.people[entered.event.by.user])
        for room in rooms:
            self.hub.join(session.user, room, via=session)
            self.deliver()
        self.forget()
        return session

    def attach(self, session: FakeSession, user: User) -> FakeSession:
        session.user = self.hub.attach(session, user.id)
        return session

    def forget(self) -> None:
        """What was heard until now."""
        for user in self.hub.state.people.values():
            for session in user.sessions:
                session.peer.chunks.clear()

    def say(self, session: FakeSession, to: str, *texts: str, **options: Any) -> None:
        for text in texts:
            self.hub.say(session.user, to, text, via=session, **options)

    def rejoin(self, session: FakeSession, room: str) -> None:
        """A JOIN that was decided after a PART of the same batch was applied, on another node say."""
        place, by = self.hub.room(room).place, session.user.source
        self.put(Joined(by=by, at_ms=0, id=self.hub._id(), places=(place,), room=room, realname=""), session)
