"""REDACT: taking back what was said. (IRCv3 message-redaction)"""

from __future__ import annotations

import pytest

from tests.conversation import Client, Town, bare, matches, tags, words

CAPS = "message-tags echo-message draft/message-redaction"


async def three(town: Town) -> None:
    """alice, the operator of #a, bob and plain in it; eve, in no room. plain knows nothing."""
    await town.irc("alice", "#a", caps=CAPS)
    await town.irc("bob", "#a", caps=CAPS)
    await town.irc("eve", caps=CAPS)
    await town.irc("plain", "#a")
    town.forget()


async def said(town: Town, client: Client, target: str, text: str = "oops") -> str:
    """Say something, and give its msgid."""
    await client.says(f"PRIVMSG {target} :{text}")
    msgid = tags(client.hears()[-1])["msgid"]
    town.forget()
    return msgid


async def test_what_one_said_one_takes_back(town: Town) -> None:
    await three(town)
    alice, bob, eve, plain = town.clients
    msgid = await said(town, bob, "#a")
    await bob.says(f"REDACT #A {msgid} :by mistake")
    for client in (alice, bob):
        (line,) = client.hears()
        assert bare(line) == f":bob!~bob@here REDACT #a {msgid} :by mistake"
    assert plain.hears() == eve.hears() == []


async def test_without_a_reason_there_is_none(town: Town) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    msgid = await said(town, bob, "#a")
    await bob.says(f"REDACT #a {msgid}")
    assert bare(alice.hears()[0]) == f":bob!~bob@here REDACT #a {msgid}"


async def test_what_was_taken_back_is_in_no_history(town: Town) -> None:
    await three(town)
    alice, bob, eve, plain = town.clients
    msgid = await said(town, bob, "#a", "secret")
    await bob.says(f"REDACT #a {msgid}")
    town.forget()
    await alice.says("CHATHISTORY LATEST #a * 10", f"CHATHISTORY AROUND #a msgid={msgid} 10", f"REDACT #a {msgid}")
    heard = alice.hears()
    assert not any("secret" in line for line in heard)
    assert matches(heard[-1], f":asynchat FAIL REDACT UNKNOWN_MSGID #a {msgid} :…")
    await eve.says("JOIN #a")
    await plain.says("CHATHISTORY LATEST #a * 10")
    assert not any("secret" in line for line in (*eve.hears(), *plain.hears()))


async def test_an_operator_of_the_room_takes_back_what_others_said(town: Town) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    msgid = await said(town, bob, "#a")
    await alice.says(f"REDACT #a {msgid} spam")
    assert bare(bob.hears()[0]) == f":alice!~alice@here REDACT #a {msgid} :spam"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("REDACT #a {}", "REDACT_FORBIDDEN #a {}"),
        ("REDACT #a 99999", "UNKNOWN_MSGID #a 99999"),
        ("REDACT #a nonsense", "UNKNOWN_MSGID #a nonsense"),
        ("REDACT #a \u00b2", "UNKNOWN_MSGID #a \u00b2"),
        ("REDACT #a -1", "UNKNOWN_MSGID #a -1"),
        ("REDACT #b {}", "UNKNOWN_MSGID #b {}"),
        ("REDACT #z {}", "INVALID_TARGET #z"),
        ("REDACT zed {}", "INVALID_TARGET zed"),
        ("REDACT alice {}", "UNKNOWN_MSGID alice {}"),
    ],
)
async def test_what_is_not_ones_own_stays(town: Town, line: str, code: str) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    await bob.says("JOIN #b")
    msgid = await said(town, alice, "#a")
    await bob.says(line.format(msgid))
    (heard,) = bob.hears()
    assert matches(heard, f":asynchat FAIL REDACT {code.format(msgid)} :…")
    assert alice.hears() == []


async def test_an_outsider_learns_nothing_of_what_was_said(town: Town) -> None:
    """ "consider whether errors returned on REDACT may leak a message's existence"."""
    await three(town)
    alice, _, eve, _ = town.clients
    msgid = await said(town, alice, "#a")
    await eve.says(f"REDACT #a {msgid}", "REDACT #a 99999")
    assert [line.split(" ")[3] for line in eve.hears()] == ["INVALID_TARGET", "INVALID_TARGET"]


async def test_who_left_cannot_take_back_any_more(town: Town) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    msgid = await said(town, bob, "#a")
    await bob.says("PART #a")
    town.forget()
    await bob.says(f"REDACT #a {msgid}")
    assert "INVALID_TARGET" in bob.hears()[0]
    assert alice.hears() == []


async def test_private_talk_is_taken_back_from_both(town: Town) -> None:
    await three(town)
    alice, bob, eve, _ = town.clients
    msgid = await said(town, alice, "bob")
    await bob.says(f"REDACT alice {msgid}")
    assert matches(bob.hears()[0], f":asynchat FAIL REDACT REDACT_FORBIDDEN alice {msgid} :…")
    await eve.says(f"REDACT bob {msgid}", f"REDACT alice {msgid}")
    assert [line.split(" ")[3] for line in eve.hears()] == ["UNKNOWN_MSGID", "UNKNOWN_MSGID"]
    await alice.says(f"REDACT bob {msgid} :no")
    for client in (alice, bob):
        assert bare(client.hears()[0]) == f":alice!~alice@here REDACT bob {msgid} :no"
    assert eve.hears() == []


async def test_what_is_no_talk_cannot_be_taken_back(town: Town) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    await bob.says("TOPIC #a", "NICK bobby")
    msgid = tags(alice.hears()[-1])["msgid"]
    await alice.says(f"REDACT #a {msgid}")
    assert words(alice.hears()) == ["FAIL"]


async def test_a_reaction_can_be_taken_back(town: Town) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    await bob.says("@+react=x TAGMSG #a")
    msgid = tags(bob.hears()[0])["msgid"]
    alice.hears()
    await bob.says(f"REDACT #a {msgid}")
    assert words(alice.hears()) == ["REDACT"]


async def test_after_a_renaming_the_operators_of_the_room_take_back_and_nobody_else(town: Town) -> None:
    """Who opens a room under the old name runs that one, not the history of the other."""
    await three(town)
    alice, bob, eve, _ = town.clients
    msgid, other = await said(town, alice, "#a"), await said(town, alice, "#a")
    await alice.says("RENAME #a #b")
    await bob.says("JOIN #a")
    town.forget()
    await bob.says(f"REDACT #b {msgid}")
    assert "REDACT_FORBIDDEN" in bob.hears()[0]
    await alice.says("MODE #b +o plain")
    town.forget()
    await town.clients[3].says(f"REDACT #b {other}")
    assert words(alice.hears()) == ["REDACT"]
    assert eve.hears() == []
