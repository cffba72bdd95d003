"""What a room keeps to itself, by whatever command one asks: its topic, people, talk, words, and that it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conversation import Client, Town

ASKING = (
    "LIST",
    "LIST #den",
    "LIST #*",
    "LIST >0",
    "WHO #den",
    "WHO alice",
    "WHO *",
    "WHO #den %tcuihsnfdlaor",
    "WHOIS alice",
    "WHOIS asynchat alice",
    "WHOWAS alice",
    "NAMES #den",
    "NAMES",
    "NAMES *",
    "TOPIC #den",
    "MODE #den b",
    "MODE #den e",
    "MODE #den I",
    "MODE #den",
    "CHATHISTORY LATEST #den * 10",
    "CHATHISTORY BETWEEN #den timestamp=2026-01-01T00:00:00.000Z timestamp=2027-01-01T00:00:00.000Z 10",
    "CHATHISTORY TARGETS timestamp=2026-01-01T00:00:00.000Z timestamp=2027-01-01T00:00:00.000Z 10",
    "CHATHISTORY LATEST alice * 10",
    "METADATA #den LIST",
    "METADATA #den GET word",
    "METADATA #den SYNC",
    "METADATA * SUB word",
    "MONITOR + alice,#den",
    "MONITOR S",
    "INVITE",
    "INVITE bob #den",
    "INVITE eve #den",
    "KICK #den alice",
    "KNOCK #den",
    "PART #den",
    "REDACT #den 7",
    "RENAME #den #mine",
    "PRIVMSG #den :hello",
    "PRIVMSG @#den :hello",
    "MARKREAD #den",
    "USERHOST alice",
    "ISON alice",
    "LUSERS",
)
INSIDE = ("hidden-topic", "hidden-talk", "hidden-word", "hidden-mask", "bob")


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """alice runs #den, where bob is too; eve is in neither, but knows all there is to be known."""
    caps = "batch message-tags draft/metadata-3 draft/event-playback extended-monitor away-notify invite-notify"
    async with Town() as town:
        alice, eve = await town.irc("alice", "#den"), await town.irc("eve", caps=caps)
        await town.irc("bob", "#den")
        await alice.says("TOPIC #den :hidden-topic", "PRIVMSG #den :hidden-talk", "METADATA #den SET word :hidden-word")
        await alice.says("MODE #den +be hidden-mask hidden-mask", "MODE bob +i")
        await town.clients[2].says("MODE bob +i")
        assert eve.session.user is not None
        town.forget()
        yield town


async def asks(client: Client, line: str) -> str:
    """The whole answer but for what was asked itself."""
    await client.says(line)
    heard = "\n".join(client.hears())
    return heard.replace(line.partition(" ")[2], "") if " " in line else heard


@pytest.mark.parametrize("line", ASKING)
async def test_a_secret_room_tells_outsiders_nothing(town: Town, line: str) -> None:
    alice, eve, _ = town.clients
    await alice.says("MODE #den +s")
    town.forget()
    heard = await asks(eve, line)
    about = line.split()
    assert not any(word in heard for word in INSIDE if word not in about)
    assert "#den" not in heard or "#den" in line


@pytest.mark.parametrize("line", [each for each in ASKING if each.split()[0] in ("CHATHISTORY", "METADATA", "MONITOR")])
@pytest.mark.parametrize("setting", ["+i", "+k key", "+b eve", "+R"])
async def test_a_closed_room_keeps_its_talk_and_words(town: Town, line: str, setting: str) -> None:
    alice, eve, _ = town.clients
    await alice.says(f"MODE #den {setting}")
    town.forget()
    heard = await asks(eve, line)
    assert not any(word in heard for word in ("hidden-talk", "hidden-word", "hidden-topic"))


@pytest.mark.parametrize("setting", ["+s", "+i", "+k key", "+b eve"])
async def test_what_happens_in_a_closed_room_is_not_heard_outside(town: Town, setting: str) -> None:
    alice, eve, bob = town.clients
    await eve.says("MONITOR + alice,bob", "METADATA * SUB word")
    await alice.says(f"MODE #den {setting}")
    town.forget()
    await bob.says("PRIVMSG #den :x", "@+react=x TAGMSG #den", "PART #den")
    await alice.says("INVITE bob #den", "METADATA #den SET word :other", "TOPIC #den :x")
    await bob.says("JOIN #den")
    await alice.says("KICK #den bob :x", "RENAME #den #lair")
    assert eve.hears() == []


@pytest.mark.parametrize("line", ["TOPIC #den :x", "MODE #den +m", "MODE #den +l", "MODE #den +z", "INVITE bob #den"])
async def test_who_is_outside_changes_nothing(town: Town, line: str) -> None:
    alice, eve, bob = town.clients
    await eve.says(line)
    assert alice.hears() == bob.hears() == []
    (heard,) = eve.hears()
    assert heard.split(" ")[1] in ("442", "403", "472", "696")


async def test_the_key_is_told_to_nobody_outside(town: Town) -> None:
    alice, eve, _ = town.clients
    await alice.says("MODE #den +k sesame")
    for line in ASKING:
        assert "sesame" not in await asks(eve, line)


async def test_who_was_in_the_room_is_outside_afterwards(town: Town) -> None:
    alice, _, bob = town.clients
    await alice.says("MODE #den +s", "KICK #den bob")
    town.forget()
    for line in ASKING:
        heard = await asks(bob, line)
        assert "hidden-" not in heard
