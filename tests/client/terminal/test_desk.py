"""What somebody at a terminal sees, and what becomes of what is typed."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable

import pytest

from asynchat.cli.sitting import WANTED
from asynchat.client.errors import Unreachable
from asynchat.client.talker import Talker
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


async def shown(typing: Typing, *connections: Answers) -> list[str]:
    """The lines that somebody sees who types so."""
    screen = Screen()
    async with alice(*connections, wanted=WANTED) as (client, _):
        face = PlainFace(typing(screen, client), screen, Renderer(time=""))
        await Desk(face, connect=nowhere).run([(client, ("#lobby",))])
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
