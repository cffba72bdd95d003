"""Whatever a clumsy or hostile client says: every command of the table answers, and its answer is a message."""

from __future__ import annotations

import re

import pytest

from asynchat.wire.irc.commands import COMMANDS
from asynchat.wire.irc.message import BODY_LIMIT
from tests.conversation import CLOSED, Town, bare, words

NICK = "Hostile" + "e" * 25
"""As long as a nick may be: what is repeated to its bearer has the least room."""
PARAMETERS = {
    "none": "",
    "an empty one": " :",
    "fifteen odd ones": " a:b \x01 \x1b[2J x\x7f #a + % @ = ! * ? - \u00e9 : y: \x07 z",
    "fifteen rooms": " #a" * 14 + " : #a b",
    "a long one": " " + "x" * 470,
    "a long one of wide characters": " " + "\u6f22" * 158,
    "a long one at the end": " #a x :" + "y" * 450,
    "a colon": " ::",
    "words in one": " :a b",
    "words in the second": " #a :b c",
    "words in the second, about oneself": f" {NICK} :b c",
    "an empty second": " #a :",
    "nothing but commas": " ,,,",
    "stars": " *,*,* *,* *",
    "numbers that are none": " \u00b2 \u0663 -1 99999999999999999999 0x1 1e9 ::",
    "subcommands": " LIST LIST * * * LIST",
}
SILENT = {
    "JOIN": "one is in the room already",
    "MODE": "no letter, no change (and `MODE own +` has no numeric of its own)",
    "MONITOR": "`-` and `C` have no answer, and there is none for what is no subcommand (IRCv3 monitor)",
    "NICK": "it is the nick already, or waits for USER",
    "NOTICE": "is never answered (RFC 2812, 3.3.2)",
    "PASS": "is looked at when registration ends",
    "PONG": "is an answer itself",
    "PRIVMSG": "was said, and there is no echo without echo-message",
    "SETNAME": "was set, and there is no echo without setname",
    "USER": "waits for NICK",
}
_REPLY = re.compile(r":asynchat \d{3} \S+( [^ :]\S*)*( :.*)?")
_FAIL = re.compile(r":asynchat FAIL \S+ [A-Z_0-9]+( [^ :]\S*)* :.+")


def check(line: str) -> None:
    """A line that a client can read: short enough, and every word where it belongs."""
    message = bare(line)
    assert len(message.encode()) <= BODY_LIMIT
    command = words([line])[0]
    if command.isdigit():
        assert _REPLY.fullmatch(message)
        assert len(message.partition(" :")[0].split(" ")) <= 2 + 15
    elif command == "FAIL":
        assert _FAIL.fullmatch(message)
        assert len(message.partition(" :")[0].split(" ")) <= 7  # no reply about more than three words
    else:
        assert "  " not in message.partition(" :")[0]


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
@pytest.mark.parametrize("name", [*COMMANDS, "NOPE"])
async def test_any_parameters_are_answered_with_messages(town: Town, name: str, parameters: str) -> None:
    client = await town.irc(NICK, "#a")
    await client.says((name + parameters).encode()[:BODY_LIMIT].decode(errors="ignore"))
    heard = client.hears()
    assert heard or name in SILENT
    for line in filter(lambda line: line != CLOSED, heard):
        check(line)
    if not client.session.closing:
        await client.says("PING still-here")
        assert client.hears()[-1] == ":asynchat PONG asynchat :still-here"


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
@pytest.mark.parametrize("name", [*COMMANDS, "NOPE"])
async def test_before_coming_in_any_parameters_are_answered_with_messages(
    town: Town, name: str, parameters: str
) -> None:
    client = town.connect("irc")
    await client.says("CAP LS 302")
    client.hears()
    await client.says((name + parameters).encode()[:BODY_LIMIT].decode(errors="ignore"))
    heard = client.hears()
    assert heard or name in SILENT
    for line in filter(lambda line: line != CLOSED, heard):
        check(line)


@pytest.mark.parametrize("name", [*COMMANDS, "NOPE"])
@pytest.mark.parametrize("parameters", ["", " :", " #a :b c", " * LIST", " #a x y z"])
async def test_under_a_label_anything_has_exactly_one_answer(town: Town, name: str, parameters: str) -> None:
    """IRCv3 labeled-response: a line, a batch, or an ACK."""
    client = await town.irc("alice", "#a", caps="labeled-response batch echo-message message-tags")
    await client.says(f"@label=x {name}{parameters}")
    labelled = [line for line in client.hears() if line.startswith("@label=x")]
    assert len(labelled) == 1 or (name == "BATCH" and not labelled)


@pytest.mark.parametrize(
    "line",
    [
        "CHATHISTORY :a b",
        "CHATHISTORY LATEST #a * :a b",
        "CHATHISTORY LATEST #a :a b",
        "HELP :a b",
        "ISUPPORT :a b",
        "KILL :a b",
        "MARKREAD :a b",
        "MARKREAD #a :a b",
        "METADATA * :a b",
        "METADATA * GET :a b",
        "METADATA * SET :a b",
        "METADATA * SUB :a b",
        "METADATA * UNSUB :a b",
        "METADATA #a SET :a b",
        "MODE :a b",
        "MOTD :a b",
        "REDACT #a :a b",
        "REGISTER a b :a b",
        "RENAME #a :#a b",
        "STATS :a b",
        "VERIFY a :a b",
        "WHO #a :%n,a b",
        "WHOWAS :a b",
    ],
)
async def test_a_parameter_with_a_space_is_one_parameter_in_every_answer(town: Town, line: str) -> None:
    """Modern IRC, "Message Format": only the last parameter may have spaces."""
    alice = await town.irc("alice", "#a")
    await alice.says(line)
    heard = alice.hears()
    assert heard
    assert all("a b " not in each.partition(" :")[0] + " " for each in heard)


@pytest.mark.parametrize("line", ["JOIN :", "JOIN ,,,", "JOIN , key", "PART :", "PART ,,,", "PRIVMSG , :x", "TAGMSG ,"])
async def test_a_list_of_nothing_is_answered(town: Town, line: str) -> None:
    client = await town.irc("alice", "#a", caps="message-tags")
    await client.says(line)
    assert len(client.hears()) == 1


@pytest.mark.parametrize("letter", ["x", "\u00df", "\u0390"])
async def test_a_long_command_that_grows_in_capitals_is_answered_on_one_line(town: Town, letter: str) -> None:
    client = await town.irc(NICK)
    await client.says((letter * BODY_LIMIT).encode()[:BODY_LIMIT].decode(errors="ignore"))
    (line,) = client.hears()
    check(line)
    assert words([line]) == ["421"]
