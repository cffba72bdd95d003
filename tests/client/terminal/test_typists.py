"""Who is typing, and when they do no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from asynchat.client.show import Line
from asynchat.client.terminal.desk import Desk
from asynchat.client.terminal.plain import PlainFace
from asynchat.client.terminal.prompt import Around
from asynchat.client.terminal.render import Renderer
from asynchat.client.terminal.typists import MOST, TYPING_FOR_S, Typists
from tests.client.clock import Clock
from tests.client.scripted import Scripted, welcome
from tests.client.terminal.test_desk import Screen, nowhere
from tests.client.test_client import alice


def test_who_does_not_say_so_again_types_for_six_seconds() -> None:
    typists = Typists()
    typists.types("bob", now=10)
    typists.types("tom", now=13)
    assert typists.names(now=15.9) == ["bob", "tom"]
    assert typists.names(now=16) == ["tom"]
    typists.types("BOB", now=16)
    assert typists.names(now=18.9) == ["tom", "BOB"]
    assert typists.names(now=19) == ["BOB"]
    typists.stops("Bob")
    assert typists.names(now=19) == []


def test_those_who_never_said_that_they_stopped_keep_nobody_out() -> None:
    typists = Typists()
    for number in range(2 * MOST):
        typists.types(f"bob{number}", now=1)
    assert len(typists) == MOST
    typists.types("tom", now=1 + TYPING_FOR_S)
    assert typists.names(now=1 + TYPING_FOR_S) == ["tom"]
    assert len(typists) == 1


class Watched(PlainFace):
    """What stands below the line, as often as it is drawn."""

    hides = True

    def __init__(self, typed: AsyncIterator[bytes], screen: Screen) -> None:
        super().__init__(typed, screen, Renderer(time=""))
        self.around = Around()
        self._drawn = asyncio.Event()
        self.below = ""

    def changed(self) -> None:
        self.below = "".join(each[1] for each in self.around.below())
        self._drawn.set()

    def show(self, lines: Sequence[Line]) -> None:
        super().show(lines)
        asyncio.get_running_loop().call_soon(self.changed)  # the editor draws soon after, too

    async def until(self, *, typing: str) -> None:
        """Wait until it is drawn that these type, "" for nobody."""
        while typing not in self.below or (not typing and "typing" in self.below):
            self._drawn.clear()
            await self._drawn.wait()


async def sit(look: str, hear: Sequence[tuple[str, str]]) -> None:
    """Somebody looks there, and hears one thing after the other: a line, or +SECONDS, and what is drawn then of who
    types.
    """
    clock = Clock()

    async def typing(server: Scripted) -> AsyncIterator[bytes]:
        await screen.until("joined")
        yield look.encode()
        for line, drawn in hear:
            if line[:1] == "+":
                await clock.move(float(line))
            elif line[:1] == "/":
                yield line.encode()
            else:
                server.say(line)
            await face.until(typing=drawn)

    screen = Screen()
    async with alice(welcome()) as (client, server):
        face = Watched(typing(server), screen)
        face.around.desk = desk = Desk(face, connect=nowhere)
        await desk.run([(client, ("#lobby",))])


TYPES = ":bob!u@h TAGMSG #lobby"


@pytest.mark.parametrize(
    "end",
    [
        f"@+typing=done {TYPES}",
        f"@+typing=paused {TYPES}",
        ":bob!u@h PRIVMSG #lobby :well",
        ":bob!u@h NOTICE #lobby :well",
        ":bob!u@h PART #lobby",
        ":tom!u@h KICK #lobby BOB",
        ":bob!u@h QUIT :gone",
        ":bob!u@h NICK rob",
        "+6",
    ],
)
async def test_who_types_in_a_room_is_told_until(end: str) -> None:
    there = ":srv 353 alice = #lobby :alice bob tom"
    await sit("/switch #lobby", [(there, ""), (f"@+typing=active {TYPES}", "bob is typing"), (end, "")])


@pytest.mark.parametrize(
    "end",
    [
        "@+typing=done :bob!u@h TAGMSG alice",
        ":bob!u@h PRIVMSG alice :well",
        ":bob!u@h QUIT :gone",
        ":bob!u@h NICK rob",
        "+6",
    ],
)
async def test_who_types_to_one_alone_is_told_until(end: str) -> None:
    await sit("/switch bob", [("@+typing=active :bob!u@h TAGMSG alice", "bob is typing"), (end, "")])


async def test_who_says_so_again_types_on() -> None:
    bob, tom = f"@+typing=active {TYPES}", "@+typing=active :tom!u@h TAGMSG #lobby"
    begin = [(bob, "bob is typing"), ("+5", "bob is typing"), (tom, "bob, tom are typing")]
    await sit("/switch #lobby", [*begin, (bob, "tom, bob are typing"), ("+5", "tom, bob are typing"), ("+1", "")])


async def test_who_is_ignored_types_unheard() -> None:
    tom = "@+typing=active :tom!u@h TAGMSG #lobby"
    await sit(
        "/switch #lobby",
        [("/ignore bob", ""), (f"@+typing=active {TYPES}", ""), (tom, "tom is typing"), ("+6", "")],
    )
