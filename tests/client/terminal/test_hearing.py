"""What comes together in a room, and what somebody at the desk sees of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime

import pytest

from asynchat.client.registration import Identity
from asynchat.client.show import Line
from asynchat.client.talker import Talker
from asynchat.client.terminal.desk import Desk
from asynchat.client.terminal.hearing import Hearing
from asynchat.client.terminal.places import Place, Server
from asynchat.client.url import Url
from asynchat.wire.irc.message import Message
from tests.client.terminal.test_desk import nowhere


class Watched:
    """A face that hides what is elsewhere, and keeps what it is to show; `rung` is how often it rang."""

    hides = True
    echoes = True
    full = False

    def __init__(self) -> None:
        self.lines_shown: list[Line] = []
        self.rung = 0

    def show(self, lines: Sequence[Line]) -> None:
        self.lines_shown += lines

    def ring(self) -> None:
        self.rung += 1

    def changed(self) -> None:
        return

    def clear(self) -> None:
        return

    async def room(self) -> None:
        return

    async def ask(self, question: str) -> str:
        return ""

    async def lines(self) -> AsyncGenerator[str]:
        yield ""


class Seat:
    """Somebody called alice at a desk, who looks at #lobby and is in #ops too."""

    def __init__(self, bell: str = "mentions") -> None:
        self.face = Watched()
        self.desk = Desk(self.face, connect=nowhere, bell=bell)
        self._server = Server(Talker(Url("127.0.0.1", 1), Identity(name="alice")))
        self.desk.servers.append(self._server)
        self.lobby, self.ops = (self._server.open(room) for room in ("#lobby", "#ops"))
        self.desk.here = self.lobby
        self._hearing = Hearing(self.desk, self._server)

    def hear(
        self, *texts: str, by: Sequence[str] = ("bob",), room: str = "#lobby", at: Sequence[datetime] = ()
    ) -> None:
        """These texts come together; `by` and `at` go round."""
        run = []
        for number, text in enumerate(texts):
            when = at[number % len(at)] if at else datetime.now(UTC)
            time = when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            source = f"{by[number % len(by)]}!u@h"
            run.append(Message("PRIVMSG", [room, text], source=source, tags={"time": time}))
        self._hearing.take(run)

    @property
    def shown(self) -> list[str]:
        return [str(line) for line in self.face.lines_shown]


def test_a_mention_among_many_lines_is_marked_and_the_bell_rings_once() -> None:
    seat = Seat()
    seat.hear("one", "Alice: look", "three", "malice")
    assert [(line.text, line.mention) for line in seat.face.lines_shown] == [
        ("one", False),
        ("Alice: look", True),
        ("three", False),
        ("malice", False),
    ]
    assert seat.face.rung == 1


@pytest.mark.parametrize(("bell", "rung"), [("all", 5), ("mentions", 1), ("none", 0)])
def test_the_bell_rings_for_what_one_wants(bell: str, rung: int) -> None:
    seat = Seat(bell)
    seat.hear("one", "two")
    seat.hear("three", "alice: four", "five", room="#ops")
    assert seat.face.rung == rung


def test_what_comes_where_one_does_not_look_is_counted_and_what_is_for_one_shown() -> None:
    seat = Seat()
    seat.hear("one", "two", "three", room="#ops")
    seat.hear("four", "alice, there?", "five", room="#ops")
    assert seat.shown == ["[#ops] <bob> alice, there?"]
    assert (seat.ops.unread, seat.ops.mentions) == (5, 0)
    assert [line.text for line in seat.ops.take()[0]] == ["one", "two", "three", "four", "five"]


def test_what_is_hostile_among_many_lines_is_filtered_and_the_rest_left_as_it_is() -> None:
    seat = Seat()
    seat.hear("one", "\x1b[2Jtwo", "\x02bold\x02", "größe", "\x01ACTION waves\x01")
    assert seat.shown == ["<bob> one", "<bob> \ufffd[2Jtwo", "<bob> bold", "<bob> größe", "* bob waves"]


def test_a_new_day_is_told_before_what_is_said_on_it() -> None:
    seat = Seat()
    day, night, morning = (datetime(2030, 5, *at).astimezone() for at in ((17, 12), (17, 23, 59, 59), (18, 0)))
    seat.hear("one", "two", at=[day])
    seat.hear("three", "four", at=[night, morning])
    assert seat.shown == [
        "*** 2030-05-17",
        "<bob> one",
        "<bob> two",
        "<bob> three",
        "*** 2030-05-18",
        "<bob> four",
    ]


def test_who_is_ignored_is_not_heard_among_others() -> None:
    seat = Seat()
    seat.desk.ignored.add("eve")
    seat.hear("one", "two", "three", by=("bob", "Eve"))
    seat.hear("four", "five", by=("Eve",))
    assert seat.shown == ["<bob> one", "<bob> three"]


def test_who_spoke_last_comes_last_and_types_no_more() -> None:
    seat = Seat()
    seat.lobby.meet(["bob", "carol", "dave", "eve"])
    for name in ("bob", "eve"):
        seat.lobby.typing.types(name, 1.0)
    seat.hear("one", "two", "three", by=("dave", "bob"))
    assert list(seat.lobby.people.values()) == ["carol", "eve", "bob", "dave"]
    assert seat.lobby.typing.names(1.0) == ["eve"]


def test_the_role_of_who_speaks_is_shown() -> None:
    seat = Seat()
    seat.lobby.meet(["bob", "carol"])
    seat.lobby.give("bob", "@")
    seat.hear("one", "two", by=("bob", "carol"))
    assert seat.shown == ["<@bob> one", "<carol> two"]


def test_in_which_place_one_is_spoken_to_alone_is_remembered() -> None:
    seat = Seat()
    seat.hear("psst", room="alice")
    assert isinstance(seat.desk.replies_to, Place)
    assert seat.desk.replies_to.name == "bob"
    assert seat.shown == ["[dm bob] <bob> psst"]
