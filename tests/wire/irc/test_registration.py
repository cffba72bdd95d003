"""Coming in by IRC: CAP PASS NICK USER, the welcome, PING and the end. (Modern IRC, "Connection Registration")"""

from __future__ import annotations

import pytest

from asynchat.wire.irc.numerics import RPL_ISUPPORT
from tests.conversation import CLOSED, Client, Town, words

WELCOME = ["001", "002", "003", "004", "005", "005", "005", "251", "252", "253", "254", "255", "265", "266", "422"]


async def comes(town: Town, *lines: str | bytes) -> Client:
    client = town.connect("irc")
    client.name = "new"
    await client.says(*lines)
    return client


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["NICK alice", "USER a 0 * :Alice"], id="NICK first"),
        pytest.param(["USER a 0 * :Alice", "NICK alice"], id="USER first"),
        pytest.param(["PASS x", "NICK alice", "USER a 0 * :Alice"], id="a password nobody asked for"),
        pytest.param(["nick alice", "user a 0 * Alice"], id="small letters"),
        pytest.param([b"NICK alice\n\r\nUSER a 0 * :Alice\n"], id="bare LF and empty lines"),
    ],
)
async def test_a_client_is_let_in_once_it_has_said_who_it_is(town: Town, lines: list[str | bytes]) -> None:
    client = await comes(town, *lines)
    heard = client.hears()
    assert words(heard) == WELCOME
    assert heard[0] == ":asynchat 001 alice :Welcome to the asynchat Network, alice"


async def test_negotiation_holds_registration_back(town: Town) -> None:
    client = await comes(town, "CAP LS 302", "NICK alice", "USER a 0 * :A", "CAP REQ :batch")
    assert set(words(client.hears())) == {"CAP"}
    await client.says("CAP END")
    assert words(client.hears()) == WELCOME


async def test_the_welcome_names_the_limits_in_force(town: Town) -> None:
    client = await comes(town, "NICK alice", "USER a 0 * :A")
    lines = [line for line in client.hears() if words([line]) == ["005"]]
    assert all(line.endswith(f" :{RPL_ISUPPORT.text}") for line in lines)
    tokens = [token for line in lines for token in line.partition(" :are")[0].split(" ")[3:]]
    assert {"CASEMAPPING=ascii", "NICKLEN=32", "CHANTYPES=#", "PREFIX=(ohv)@%+", "UTF8ONLY", "MODES=20"} <= set(tokens)
    assert "CHANMODES=beI,k,l,CimnRst" in tokens
    assert all(len(line.partition(" :are")[0].split(" ")) <= 3 + 13 for line in lines)


async def test_the_message_of_the_day_is_shown() -> None:
    async with Town(motd=("Be kind.", "")) as town:
        client = await comes(town, "NICK alice", "USER a 0 * :A")
        assert client.hears()[-4:] == [
            ":asynchat 375 alice :- asynchat Message of the day -",
            ":asynchat 372 alice :- Be kind.",
            ":asynchat 372 alice :- ",
            ":asynchat 376 alice :End of /MOTD command",
        ]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("NICK", ":asynchat 431 * :No nickname given"),
        ("NICK :", ":asynchat 431 * :No nickname given"),
        ("NICK 9lives", ":asynchat 432 * 9lives :Erroneous nickname"),
        ("NICK :two words", ":asynchat 432 * two_words :Erroneous nickname"),
        ("NICK server", ":asynchat 432 * server :server is a name that only the server has"),
        ("NICK bob", ":asynchat 433 * bob :Nickname is already in use"),
        ("NICK BOB", ":asynchat 433 * BOB :Nickname is already in use"),
        ("USER a 0 *", ":asynchat 461 * USER :Not enough parameters"),
        ("USER a 0 * :", ":asynchat 461 * USER :Not enough parameters"),
        ("PASS", ":asynchat 461 * PASS :Not enough parameters"),
        ("JOIN #a", ":asynchat 451 * :You have not registered"),
        ("PRIVMSG #a :x", ":asynchat 451 * :You have not registered"),
        ("FOO", ":asynchat 451 * :You have not registered"),
        ("PING x", ":asynchat PONG asynchat :x"),
        ("CAP FOO", ":asynchat 410 * FOO :Invalid CAP command"),
    ],
)
async def test_before_coming_in_a_line_is_answered_so(town: Town, line: str, answer: str) -> None:
    await town.person("bob")
    client = await comes(town, "CAP LIST", line)
    assert client.hears()[1:] == [answer]
    await client.says("NICK alice", "USER a 0 * :A")
    assert words(client.hears()) == WELCOME


async def test_of_two_who_want_a_nick_at_once_one_gets_it(town: Town) -> None:
    one, two = town.connect("irc"), town.connect("irc")
    opening = b"NICK sam\r\nUSER a 0 * :A\r\n"
    await town.at_once((one, opening), (two, opening))
    assert words(one.hears()) == WELCOME
    assert two.hears() == [":asynchat 433 * sam :Nickname is already in use"]
    await two.says("NICK tom")
    assert words(two.hears()) == WELCOME


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("USER a 0 * :A", "462"),
        ("PASS x", "462"),
        ("FOO bar", "421"),
        ("NICK bob", "433"),
        ("NICK", "431"),
        ("PING", "461"),
        ("JOIN", "461"),
        ("PRIVMSG", "411"),
        ("PRIVMSG #lobby", "412"),
        ("WHO", "461"),
    ],
)
async def test_after_coming_in_a_line_is_answered_so(town: Town, line: str, answer: str) -> None:
    await town.person("bob")
    alice = await town.irc("alice", "#lobby")
    await alice.says(line)
    assert words(alice.hears()) == [answer]


@pytest.mark.parametrize(("password", "is_let_in"), [("sesame", True), ("wrong", False), (None, False)])
async def test_the_gate_wants_the_password(password: str | None, is_let_in: bool) -> None:
    async with Town(password="sesame") as town:
        lines = [f"PASS {password}"] if password else []
        client = await comes(town, *lines, "NICK alice", "USER a 0 * :A")
        heard = client.hears()
        assert (words(heard) == WELCOME) is is_let_in
        if not is_let_in:
            assert words(heard[:2]) == ["464", "ERROR"]
            assert heard[2:] == [CLOSED]


async def test_who_does_not_finish_registration_is_let_go(town: Town) -> None:
    client = await comes(town, "NICK alice")
    await town.passes(61)
    assert client.hears() == ["ERROR :Registration timed out", CLOSED]


async def test_a_silent_client_is_pinged_and_stays_if_it_answers(town: Town) -> None:
    alice = await town.irc("alice", "#lobby")
    await town.passes(61)
    assert alice.hears() == ["PING asynchat"]
    await alice.says("PONG asynchat")
    await town.passes(59)
    assert alice.hears() == []
    await town.passes(2)
    assert alice.hears() == ["PING asynchat"]
    await alice.says("PRIVMSG #lobby :here")
    await town.passes(59)
    assert not alice.closed


async def test_a_client_that_does_not_answer_leaves_and_the_others_hear_why(town: Town) -> None:
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby")
    nat.hears()
    await town.passes(91)
    assert alice.hears() == ["PING asynchat", "ERROR :Ping timeout: 90 seconds", CLOSED]
    assert nat.hears() == ["*** alice left (Ping timeout: 90 seconds)"]


@pytest.mark.parametrize(("line", "reason"), [("QUIT", "Quit"), ("QUIT :so long", "Quit: so long"), ("QUIT :", "Quit")])
async def test_quit_says_why(town: Town, line: str, reason: str) -> None:
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby")
    nat.hears()
    await alice.says("PRIVMSG #lobby :bye", line, "PRIVMSG #lobby :not said")
    assert alice.hears() == [f"ERROR :Closing link: here ({reason})", CLOSED]
    assert nat.hears() == ["<alice> bye", f"*** alice left ({reason})"]


async def test_what_was_said_before_the_end_of_input_is_said(town: Town) -> None:
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby", caps="echo-message")
    nat.hears()
    await alice.sends(b"PRIVMSG #lobby :one\r\n")
    await alice.ends()
    assert nat.hears() == ["<alice> one", "*** alice left (connection closed)"]
    assert alice.hears() == [":alice!~alice@here PRIVMSG #lobby :one", CLOSED]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        pytest.param(b"PING " + b"x" * 506, "417", id="too long by a byte"),
        pytest.param(b"@a=" + b"x" * 4093 + b" PING y", "417", id="tags too long by a byte"),
        pytest.param(b"@a=" + b"x" * 4092 + b" PING y", "PONG", id="tags as long as may be"),
        pytest.param(b"PING " + b"x" * 400, "PONG", id="a long one"),
        pytest.param(b"x" * 20_000, "417", id="longer than anything"),
        pytest.param(b"PING \xff", "FAIL", id="no UTF-8"),
        pytest.param(b"PING a\0b", "FAIL", id="NUL"),
        pytest.param(b"PING a\rb", "FAIL", id="CR"),
        pytest.param(b":only.a.source", "FAIL", id="no command"),
        pytest.param(b"   ", None, id="nothing but spaces"),
    ],
)
async def test_a_line_that_is_no_message_is_refused_once(town: Town, line: bytes, answer: str | None) -> None:
    alice = await town.irc("alice")
    await alice.says(line + b"\r\nPING after\r\n", cut=1000)
    assert words(alice.hears()) == [*([answer] if answer else []), "PONG"]
