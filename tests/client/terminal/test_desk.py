"""What somebody at a terminal sees, and what becomes of what is typed."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from asynchat.chat.errors import Refused
from asynchat.cli.sitting import WANTED
from asynchat.client.errors import Unreachable
from asynchat.client.talker import Talker
from asynchat.client.terminal.connecting import Connect
from asynchat.client.terminal.desk import Desk
from asynchat.client.terminal.plain import PlainFace
from asynchat.client.terminal.render import Renderer
from tests.client.scripted import ALL, CUT, Answers, batch, welcome
from tests.client.test_client import alice, line


class Screen(io.StringIO):
    """What is shown; `until` waits for a line."""

    def __init__(self) -> None:
        super().__init__()
        self._grown = asyncio.Event()

    def write(self, text: str) -> int:
        self._grown.set()
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    async def until(self, text: str) -> None:
        while not any(text in each for each in self.lines):
            self._grown.clear()
            await self._grown.wait()


Typing = Callable[[Screen, Talker], AsyncIterator[bytes]]


async def nowhere(url: str) -> tuple[Talker, tuple[str, ...]]:
    raise Unreachable(url)


async def shown(
    typing: Typing, *connections: Answers, connect: Connect = nowhere, face: type[PlainFace] = PlainFace
) -> list[str]:
    """The lines that somebody sees who types so."""
    screen = Screen()
    async with alice(*connections, wanted=WANTED) as (client, _):
        desk = Desk(face(typing(screen, client), screen, Renderer(time="")), connect=connect)
        await desk.run([(client, ("#lobby",))])
    return [line for line in screen.lines if line != "*** 2026-01-01"]


async def test_a_lost_connection_is_told_and_what_was_missed_is_shown() -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"hello"
        await screen.until("two")
        yield b"/quit"

    missed = batch("{label}", line(11, "hello", by="alice"), line(12, "one"), line(13, "two"))
    again = welcome() | {
        "PRIVMSG": "@label={label};msgid=11 :srv ACK",
        "CHATHISTORY AFTER #lobby msgid=10 2": missed,
    }
    lines = await shown(typing, welcome() | {"PRIVMSG": CUT}, again)
    assert lines[:5] == [
        "*** joined #lobby",
        "!!! connection lost, retrying in 1 s",
        "*** back, 2 missed:",
        "<bob> one",
        "<bob> two",
    ]


async def test_who_has_another_name_afterwards_is_told() -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"hello"
        await screen.until("in use")

    taken = ":srv 433 * alice :in use"
    again = welcome() | {"CAP END": taken, "NICK alice": taken, "NICK alice2": welcome()["CAP END"]}
    again |= {"PRIVMSG": "@label={label};msgid=11 :srv ACK"}
    lines = await shown(typing, welcome() | {"PRIVMSG": CUT}, again)
    assert "*** alice is in use; you are alice2" in lines


async def test_one_types_on_without_a_connection_and_is_told_what_was_not_sent() -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"one"
        await screen.until("connection lost")
        yield b"two"
        yield b"/topic tea"
        yield b"/join #dev"
        yield b"/quit"

    lines = await shown(typing, welcome() | {"PRIVMSG": CUT}, {"CAP LS": CUT})
    assert [each for each in lines if "not sent" in each] == ["!!! not sent: one", "!!! not sent: two"]
    assert lines.count("!!! there is no connection") == 2


async def test_what_is_refused_is_told_though_nobody_waited_for_it() -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/msg nobody hi"
        yield b"hello"
        await screen.until("No such nick")

    only = welcome() | {
        "PRIVMSG nobody": "@label={label} :srv 401 alice nobody :No such nick",
        "PRIVMSG #lobby": "@label={label};msgid=11 :srv ACK",
    }
    assert "!!! nobody No such nick" in await shown(typing, only)


async def test_with_a_server_that_knows_no_keys_one_is_told_what_may_be_lost() -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"perhaps"
        await screen.until("may or may not")

    strange = welcome(caps=ALL, software="ergo-2.13")
    lines = await shown(typing, strange | {"PRIVMSG": CUT}, strange)
    assert "!!! the connection was lost, and it may or may not have been said: perhaps" in lines


@pytest.mark.parametrize("count", ["many", "9" * 5000])
async def test_a_server_that_counts_oddly_is_asked_for_the_past_all_the_same(count: str) -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        await screen.until("joined")
        yield b"/history"
        await screen.until("begins here")

    odd = welcome()
    odd["CAP END"] = odd["CAP END"].replace("CHATHISTORY=2", f"CHATHISTORY={count}")
    assert "*** #lobby begins here" in await shown(typing, odd)


@pytest.mark.parametrize("command", [b"/history", b"/search tea", b"/register"])
async def test_what_needs_a_connection_waits_for_none(command: bytes) -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"hello"
        await screen.until("connection lost")
        yield command
        yield b"/quit"

    caps = f"{ALL} soju.im/search draft/account-registration"
    lines = await shown(typing, welcome(caps=caps) | {"PRIVMSG": CUT}, {"CAP LS": CUT})
    assert "!!! there is no connection" in lines


async def test_a_password_is_asked_for_without_editing_too() -> None:
    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/register"
        await screen.until("a password for alice:")
        yield b"sesame"
        await screen.until("once more:")
        yield b"sesame"
        await screen.until("is yours")

    answers = welcome(caps=f"{ALL} draft/account-registration") | {
        "REGISTER": "@label={label} :srv REGISTER SUCCESS alice :Done"
    }
    assert "*** registered; alice is yours" in await shown(typing, answers)


class Slow:
    """Servers that take their time: one comes when its `turn` has come, or fails so, or is `given_up`."""

    def __init__(self, *urls: str) -> None:
        self.turn = {url: asyncio.get_running_loop().create_future() for url in urls}
        self.given_up: list[str] = []

    async def __call__(self, url: str) -> tuple[Talker, tuple[str, ...]]:
        try:
            client: Talker = await self.turn[url]
        except asyncio.CancelledError:
            self.given_up.append(url)
            raise
        return client, ("#far",)


SAYS = {"PRIVMSG": "@label={label};msgid=11 :{nick}!u@h PRIVMSG {first} :{last}"}


async def test_one_types_on_while_a_server_is_connected_to_and_is_told_that_it_failed() -> None:
    slow = Slow("one", "two")

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        await screen.until("joined")
        yield b"/connect one"
        yield b"/connect two"
        yield b"/connect one"
        await screen.until("being connected to already")
        await client.send("#lobby", "hello")
        yield b"/help nick"
        await screen.until("take another name")
        slow.turn["two"].set_exception(Unreachable("asynchat://two:12345: Connection refused"))
        slow.turn["one"].set_exception(Refused("NO", "not you"))
        await screen.until("Connection refused")
        await screen.until("not you")
        yield b"/connect nowhere"
        await screen.until("!!! nowhere")

    async def connect(url: str) -> tuple[Talker, tuple[str, ...]]:
        return await (slow(url) if url in slow.turn else nowhere(url))

    lines = await shown(typing, welcome() | SAYS, connect=connect)
    assert [each for each in lines if each.startswith("!!!")] == [
        "!!! one is being connected to already",
        "!!! asynchat://two:12345: Connection refused",
        "!!! one: NO not you",
        "!!! nowhere",
    ]


async def test_a_server_that_is_not_connected_to_yet_is_given_up_before_one_that_is_left() -> None:
    slow = Slow("one", "two", "three")

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        await screen.until("joined")
        for url in slow.turn:
            yield f"/connect {url}".encode()
        yield b"/disconnect ONE"
        await screen.until("gave up one")
        yield b"/disconnect"
        await screen.until("gave up three")
        yield b"/disconnect four"
        await screen.until("there is no four")
        yield b"/connect one"
        yield b"/disconnect"
        yield b"/disconnect"
        await screen.until("gave up two")
        assert client.connected
        yield b"/disconnect"
        await screen.until("left 127.0.0.1")

    lines = await shown(typing, welcome(), connect=slow)
    assert [each for each in lines if "gave up" in each] == [
        f"*** gave up {url}" for url in ("one", "three", "one", "two")
    ]


@pytest.mark.parametrize("command", [b"/quit", b"quit"])
async def test_who_leaves_need_not_wait_for_a_server_that_is_connected_to(command: bytes) -> None:
    slow = Slow("one")

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/connect one"
        await screen.until("connecting to one")
        yield command

    await shown(typing, welcome(), connect=slow)
    assert slow.given_up == ["one"]


async def test_who_left_has_left_the_servers_too_that_came_later() -> None:
    slow = Slow("far")

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/connect far"
        slow.turn["far"].set_result(far)
        await screen.until("joined #far")
        yield b"/quit"

    async with alice(welcome()) as (far, server):
        await shown(typing, welcome(), connect=slow)
        assert server.said("QUIT") == ["QUIT"]


async def test_so_has_whoever_is_interrupted() -> None:
    slow, there = Slow("far"), asyncio.Event()

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/connect far"
        slow.turn["far"].set_result(far)
        await screen.until("joined #far")
        there.set()
        await asyncio.Event().wait()

    async with alice(welcome()) as (far, server):
        sitting = asyncio.create_task(shown(typing, welcome(), connect=slow))
        await there.wait()
        sitting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sitting
        assert server.said("QUIT") == ["QUIT"]


class Sees(PlainFace):
    """A face that knows whether a line is half typed."""

    line = ""

    @property
    def half_typed(self) -> bool:
        return bool(self.line)


class Begun(Sees):
    """One in whose line something stands."""

    line = "half typed"


@pytest.mark.parametrize(
    ("face", "meanwhile", "there"),
    [
        pytest.param(Sees, b"", True, id="who has typed nothing looks there"),
        pytest.param(Sees, b"/help nick", False, id="who has typed something looks where they did"),
        pytest.param(Begun, b"", False, id="and so does who has begun a line"),
        pytest.param(PlainFace, b"", False, id="or may have begun one"),
    ],
)
async def test_a_server_that_comes_late_does_not_take_what_is_meant_for_another(
    face: type[PlainFace], meanwhile: bytes, *, there: bool
) -> None:
    slow = Slow("far")

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/connect far"
        if meanwhile:
            yield meanwhile
        slow.turn["far"].set_result(far)
        await screen.until("joined #far")
        if not there:
            await screen.until("in 127.0.0.1/#far too; /switch 2 looks there")
        yield b"to whom?"
        yield b"/quit"

    async with alice(welcome() | SAYS) as (far, server):
        await shown(typing, welcome() | SAYS, connect=slow, face=face)
        assert server.said("PRIVMSG") == (["PRIVMSG #far :to whom?"] if there else [])


class Busy(Begun):
    """One that shows where one looks, and in whose line something stands."""

    hides = True


async def test_who_has_begun_a_line_stays_where_they_began_it() -> None:
    async def typing(screen: Screen) -> AsyncIterator[bytes]:
        yield b"/join #far"
        await screen.until("in #far too; /switch 2 looks there")
        yield b"to whom?"

    assert await said(typing, "#lobby", face=Busy) == ["PRIVMSG #lobby :to whom?"]


async def test_who_was_put_out_with_a_line_begun_looks_nowhere() -> None:
    async def typing(screen: Screen) -> AsyncIterator[bytes]:
        await screen.until("joined #lobby")
        yield b"/topic tea"
        await screen.until("was kicked")
        yield b"/join #far"
        await screen.until("in #far too; /switch 1 looks there")
        yield b"to whom?"
        await screen.until("you look at no room")

    assert await said(typing, "#lobby", face=Busy, TOPIC=":bob!u@h KICK #lobby alice") == []


async def test_of_several_rooms_at_the_start_the_first_is_looked_at() -> None:
    async def typing(screen: Screen) -> AsyncIterator[bytes]:
        await screen.until("joined #c")
        yield b"hello"

    assert await said(typing, "#a", "#b", "#c") == ["PRIVMSG #a hello"]


async def said(
    typing: Callable[[Screen], AsyncIterator[bytes]], *rooms: str, face: type[PlainFace] = PlainFace, **answers: str
) -> list[str]:
    """What the server is told that somebody says who is in these rooms and types so."""
    screen = Screen()
    async with alice(welcome() | SAYS | answers, wanted=WANTED) as (client, server):
        desk = Desk(face(typing(screen), screen, Renderer(time="")), connect=nowhere)
        await desk.run([(client, rooms)])
        return server.said("PRIVMSG")


async def test_a_line_answers_what_is_asked_meanwhile_and_is_said_nowhere() -> None:
    answers: list[str] = []
    faces: list[PlainFace] = []

    class Kept(PlainFace):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            faces.append(self)

    async def connect(url: str) -> tuple[Talker, tuple[str, ...]]:
        answers.append(await faces[0].ask(f"password of {url}", waits=True))
        raise Unreachable(f"{url} is gone")

    async def typing(screen: Screen, client: Talker) -> AsyncIterator[bytes]:
        yield b"/connect one"
        yield b"/connect two"
        await screen.until("password of one:")
        yield b"sesame"
        await screen.until("password of two:")
        yield b"simsim"
        await screen.until("two is gone")
        yield b"/connect three"
        await screen.until("password of three:")

    lines = await shown(typing, welcome() | SAYS, connect=connect, face=Kept)
    assert answers == ["sesame", "simsim", ""]
    assert not any("sesame" in each for each in lines)
