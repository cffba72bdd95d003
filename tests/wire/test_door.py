"""The door: nothing is said before the wire is known, but for the greeting, which decides nothing."""

from __future__ import annotations

import pytest

from tests.conversation import CLOSED, Client, Town, packet, words

GREETING = b'*** asynchat "asynchat": type your name and press Enter\n'


async def greeted(town: Town) -> Client:
    """Somebody who has been silent until the greeting came."""
    client = town.connect("line")
    await town.passes(1.5)
    assert client.hears_bytes() == GREETING
    return client


async def test_nothing_is_said_before_a_second_of_silence(town: Town) -> None:
    client = town.connect()
    await town.passes(0.9)
    assert client.hears_bytes() == b""
    await town.passes(0.2)
    assert client.hears_bytes() == GREETING
    await town.passes(10)
    assert client.hears_bytes() == b""


async def test_who_speaks_at_once_is_not_greeted(town: Town) -> None:
    client = town.connect("irc")
    await client.says("NICK alice")
    await town.passes(30)
    assert client.hears() == []


@pytest.mark.parametrize(("greeting", "bytes_"), [("nick", b"NICK"), ("none", b""), ("text", GREETING)])
async def test_a_house_greets_as_it_was_told(greeting: str, bytes_: bytes) -> None:
    async with Town(greeting=greeting) as town:
        client = town.connect()
        await town.passes(2)
        assert client.hears_bytes() == bytes_


async def test_who_is_silent_is_not_greeted_where_lines_are_not_spoken() -> None:
    async with Town(wires=frozenset({"irc"})) as town:
        client = town.connect("irc")
        await town.passes(2)
        assert client.hears_bytes() == b""
        await client.says("NICK nat", "USER nat 0 * :nat")
        assert client.hears()[0].startswith(":asynchat 001 nat")


async def test_one_address_may_greet_otherwise(town: Town) -> None:
    client = town.connect(greeting="nick")
    await town.passes(2)
    assert client.hears_bytes() == b"NICK"


@pytest.mark.parametrize("wire", ["line", "frame"])
async def test_the_greeting_decides_nothing_for_people(town: Town, wire: str) -> None:
    client = await greeted(town)
    client.wire = wire
    await client.says("nat")
    assert "hello nat" in client.hears()[0]
    assert client.session.wire == wire


async def test_irc_after_the_greeting_begins_on_a_line_of_its_own(town: Town) -> None:
    client = await greeted(town)
    await client.sends(b"NICK alice\r\nUSER a 0 * :A\r\n")
    heard = client.hears_bytes()
    assert heard.startswith(b"\r\n:asynchat 001 alice :")


async def test_http_after_the_greeting_is_refused_and_its_body_reaches_no_wire(town: Town) -> None:
    """A browser's idle pre-connection that then posts must not become a chat user."""
    client = await greeted(town)
    await client.says(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\nNICK eve\r\nUSER e 0 * :E\r\n")
    assert client.hears_bytes().startswith(b"HTTP/1.1 400 ")
    assert client.closed
    assert not town.hub.state.users


@pytest.mark.parametrize(("waits", "answer"), [(0.0, b"\x15\x03\x01\x00\x02\x02\x46"), (1.5, GREETING)])
async def test_tls_is_closed_for_want_of_a_certificate(town: Town, waits: float, answer: bytes) -> None:
    """Not greeted, it hears the alert `protocol_version` (RFC 8446, 6); greeted, nothing more."""
    client = town.connect()
    await town.passes(waits)
    await client.says(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03NICK eve\r\n")
    assert client.hears_bytes() == answer
    assert client.closed


async def test_who_never_speaks_is_let_go(town: Town) -> None:
    client = town.connect()
    await town.passes(61)
    assert client.closed


async def test_half_an_opening_is_a_line_after_two_seconds(town: Town) -> None:
    """A lone `nick` is a person called Nick."""
    client = town.connect()
    await client.sends(b"Nick")
    await town.passes(1.9)
    assert client.hears() == []
    await town.passes(0.2)
    assert "hello Nick, you are in #lobby." in client.hears()[0]


async def test_half_an_opening_at_the_end_of_input_is_a_line(town: Town) -> None:
    nat, guest = await town.person("nat"), town.connect()
    await guest.sends(b"Cap")
    await guest.ends()
    assert nat.hears() == ["*** Cap joined", "*** Cap left (connection closed)"]


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("wire", "opening", "answer"),
    [
        ("irc", b"@a=b NICK alice\r\nUSER a 0 * :A\r\n", "001"),
        ("line", b"alice\n", "hello alice"),
        ("line", b"nick\n", "hello nick"),
        ("frame", packet("alice"), "hello alice"),
    ],
)
async def test_every_wire_is_known_however_its_opening_is_cut(
    town: Town, wire: str, opening: bytes, answer: str, cut: int
) -> None:
    client = town.connect(wire)
    await client.says(opening, cut=cut)
    assert answer in client.hears()[0]
    assert client.session.wire == wire


async def test_all_wires_meet_in_one_room(town: Town) -> None:
    """FEATURES.md, section 1: a client of each dialect, and they are all in one room."""
    await town.irc("alice", "#lobby")
    await town.person("nat")
    await town.framed("fred")
    town.forget()
    await town.plays("""
        alice> PRIVMSG #lobby :hello all
        nat<   <alice> hello all
        fred<  alice | hello all
        nat>   hi from netcat
        alice< :nat!~line@here PRIVMSG #lobby :hi from netcat
        fred<  nat | hi from netcat
        fred>  framed
        alice< :fred!~line@here PRIVMSG #lobby :framed
        nat<   <fred> framed
        alice> QUIT :gone
        alice< ERROR :Closing link: here (Quit: gone)
        alice< (closed)
        nat<   *** alice left (Quit: gone)
        fred<  *** | alice left (Quit: gone)
    """)


async def test_irc_commands_after_a_line_opening_stay_text(town: Town) -> None:
    nat, eve = await town.person("nat"), await town.person("eve")
    await eve.says("NICK admin", "QUIT :x")
    assert nat.hears() == ["<eve> NICK admin", "<eve> QUIT :x"]


async def test_quit_first_is_answered_and_closed(town: Town) -> None:
    client = town.connect("irc")
    await client.says("QUIT")
    heard = client.hears()
    assert words(heard[:-1]) == ["ERROR"]
    assert heard[-1] == CLOSED
