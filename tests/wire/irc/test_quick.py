"""The short way of a plain line: what comes of it is what comes of the long one."""

from __future__ import annotations

import pytest

from asynchat.wire.irc.session import IrcSession
from tests.conversation import Town

LINES: tuple[str | bytes, ...] = (
    "PRIVMSG #a :plain",
    "PRIVMSG #A :another name of it",
    "PRIVMSG #a  :two spaces",
    "PRIVMSG #a plain",
    "PRIVMSG #a :",
    "PRIVMSG #a : leading space",
    "PRIVMSG #a :trailing space ",
    "PRIVMSG #a :with :colons : inside",
    "PRIVMSG #a :åäö 🎈",
    "PRIVMSG #a,#b :two rooms",
    "PRIVMSG #a more :words",
    "PRIVMSG #nowhere :no such room",
    "PRIVMSG #secret :not in it",
    "PRIVMSG # :no name",
    "PRIVMSG #a :\x01ACTION waves\x01",
    "PRIVMSG #a :\x01VERSION\x01",
    "PRIVMSG #ø :a room of another script",
    "privmsg #a :small letters",
    "PRIVMSG #a",
    "PRIVMSG @#a :for operators",
    "NOTICE #a :psst",
    b"PRIVMSG #a :no UTF-8 \xff\r\n",
    b"PRIVMSG #\xff :no UTF-8\r\n",
    b"PRIVMSG #a :NUL\0inside\r\n",
    b"PRIVMSG #a :CR\rinside\r\n",
    "PRIVMSG #a :" + "x" * 380,
    "PRIVMSG #a :" + "x" * 420,
    "PRIVMSG #a :" + "x" * 500,
    "PRIVMSG #a :" + "ö" * 240,
    "PRIVMSG #a :" + "x" * 600,
)
CAPS = ("", "echo-message", "echo-message server-time message-tags labeled-response batch")


async def transcript(caps: str) -> tuple[list[str], ...]:
    async with Town() as town:
        alice = await town.irc("alice", "#a", caps=caps)
        bob, eve = (
            await town.irc("bob", "#a", "#secret", "#ø"),
            await town.irc("eve", "#a", caps="server-time message-tags"),
        )
        await bob.says("MODE #secret +s", "MODE #a +v alice")
        await alice.says("JOIN #ø")
        for line in LINES:
            await alice.says(line)
        await alice.says(*LINES)  # in one packet
        await bob.says("MODE #a +b alice!*@*", "MODE #a -v alice", "MODE #ø +m")
        await alice.says("PRIVMSG #a :banned", "PRIVMSG #ø :moderated", "NICK ally", "PRIVMSG #a :banned", "PART #ø")
        await alice.says("PRIVMSG #ø :outside", "JOIN #c", "PRIVMSG #c :alone")
        return tuple(each.hears() for each in (alice, bob, eve))


@pytest.mark.parametrize("caps", CAPS)
async def test_the_short_way_leads_where_the_long_one_does(monkeypatch: pytest.MonkeyPatch, caps: str) -> None:
    taken: list[bytes] = []
    quick = IrcSession.quick

    def noted(session: IrcSession, line: bytes) -> bool:
        taken.append(line) if (took := quick(session, line)) else None
        return took

    monkeypatch.setattr(IrcSession, "quick", noted)
    short = await transcript(caps)
    monkeypatch.setattr(IrcSession, "quick", lambda session, line: False)
    assert short == await transcript(caps)
    assert b"PRIVMSG #a :plain" in taken
    assert b"PRIVMSG #nowhere :no such room" not in taken
    assert any("PRIVMSG #a :plain" in line for line in short[1])
