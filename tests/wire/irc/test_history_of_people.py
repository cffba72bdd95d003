"""CHATHISTORY of private talk, its TARGETS, and what else than talk is played back. (IRCv3 chathistory)"""

from __future__ import annotations

import pytest

from tests.conversation import Town, bare, words
from tests.wire.irc.test_history import asks, at

CAPS = "batch message-tags server-time"


async def three(town: Town, caps: str = CAPS) -> None:
    """alice with these capabilities, bob and eve, in no room."""
    await town.irc("alice", caps=caps)
    await town.irc("bob")
    await town.irc("eve")
    town.forget()


async def test_private_talk_is_one_conversation_for_both(town: Town) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await bob.says("PRIVMSG alice :one")
    await alice.says("PRIVMSG bob :two", "PRIVMSG eve :other")
    await eve.says("PRIVMSG bob :another")
    town.forget()
    assert await asks(alice, "LATEST bob * 10") == ["one", "two"]
    assert await asks(alice, "LATEST BOB * 1") == ["two"]
    await bob.says("CHATHISTORY LATEST alice * 10")
    assert bob.hears() == [":bob!~bob@here PRIVMSG alice :one", ":alice!~alice@here PRIVMSG bob :two"]
    assert await asks(eve, "LATEST bob * 10") == ["another"]


async def test_what_a_guest_said_who_has_left_can_be_read(town: Town) -> None:
    """TARGETS names them, and so does who remembers them; nobody else has a conversation with them."""
    await three(town)
    alice, bob, eve = town.clients
    await bob.says("PRIVMSG alice :one")
    await alice.says("PRIVMSG bob :two")
    await bob.says("QUIT")
    town.forget()
    assert await asks(alice, "LATEST Bob * 10") == ["one", "two"]
    await eve.says("CHATHISTORY LATEST bob * 10")
    assert "INVALID_TARGET" in eve.hears()[0]
    await alice.says("CHATHISTORY LATEST nobody * 10")
    assert "INVALID_TARGET" in alice.hears()[-1]


async def test_talk_with_oneself_is_a_conversation(town: Town) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says("PRIVMSG alice :note")
    alice.hears()
    assert await asks(alice, "LATEST alice * 10") == ["note"]


async def test_who_takes_a_nick_does_not_get_what_was_said_to_its_last_bearer(town: Town) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await bob.says("PRIVMSG alice :secret")
    await alice.says("QUIT")
    await eve.says("NICK alice")
    town.forget()
    assert await asks(eve, "LATEST bob * 10") == []
    assert await asks(bob, "LATEST alice * 10") == []


async def test_a_guest_who_comes_again_gets_nothing_either(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await bob.says("PRIVMSG alice :secret")
    await alice.says("QUIT")
    again = await town.irc("alice")
    assert await asks(again, "LATEST bob * 10") == []


async def test_an_account_reads_what_was_said_to_it_before() -> None:
    async with Town(accounts={"Alice": "pw"}, always_on=True) as town:
        alice, bob = await town.irc("alice", account="Alice"), await town.irc("bob")
        await bob.says("PRIVMSG alice :one")
        await alice.vanishes()
        await bob.says("PRIVMSG alice :two")
        again = await town.irc("alice", account="Alice")
        assert await asks(again, "LATEST bob * 10") == ["one", "two"]


# TARGETS.


async def talk_in_four_places(town: Town) -> None:
    """Talk in #a after 1 s, with bob after 2, with eve after 3, in #b after 4; each with older talk before it."""
    await three(town)
    alice, bob, eve = town.clients
    await alice.says("JOIN #a", "JOIN #b", "JOIN #silent")
    for line in ("PRIVMSG #a :a", "PRIVMSG bob :b", "PRIVMSG #b :d"):
        await alice.says(line)
    for client, line in ((alice, "#a :a"), (bob, "alice :b"), (alice, "eve :c"), (alice, "#b :d")):
        await town.passes(1)
        await client.says(f"PRIVMSG {line}")
    await eve.says("PRIVMSG bob :none of alice's business")
    town.forget()


@pytest.mark.parametrize(
    ("between", "found"),
    [
        ((0.5, 9), "#a bob eve #b"),
        ((9, 0.5), "#b eve bob #a"),
        ((1.5, 3.5), "bob eve"),
        ((1, 4), "bob eve"),
        ((4.5, 9), ""),
    ],
)
async def test_targets_are_those_with_whom_the_last_talk_was_between(
    town: Town, between: tuple[float, float], found: str
) -> None:
    """ "a target is not returned if its latest message is outside of the selection parameters"."""
    await talk_in_four_places(town)
    alice = town.clients[0]
    first, last = map(at, between)
    await alice.says(f"CHATHISTORY TARGETS {first} {last} 10")
    opening, *lines, closing = map(bare, alice.hears())
    assert opening == ":asynchat BATCH +b2 draft/chathistory-targets"
    assert closing == ":asynchat BATCH -b2"
    assert all(line.startswith("CHATHISTORY TARGETS ") for line in lines)
    assert sorted(line.split(" ")[2] for line in lines) == sorted(found.split())


async def test_targets_have_a_limit_and_the_time_of_the_last_talk(town: Town) -> None:
    await talk_in_four_places(town)
    alice = town.clients[0]
    await alice.says(f"CHATHISTORY TARGETS {at(0.5)} {at(9)} 1", f"CHATHISTORY TARGETS {at(9)} {at(0.5)} 1")
    lines = [line for line in alice.hears() if "TARGETS " in line]
    assert [line.partition("TARGETS ")[2] for line in lines] == [
        "#a 2026-01-02T03:04:06.678Z",
        "#b 2026-01-02T03:04:09.678Z",
    ]


async def test_one_whose_nick_is_written_in_two_ways_is_one_target(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await bob.says("PRIVMSG alice :one", "NICK BOB", "PRIVMSG alice :two")
    alice.hears()
    await alice.says(f"CHATHISTORY TARGETS {at(-1)} {at(9)} 10")
    assert len([line for line in alice.hears() if "TARGETS " in line]) == 1


# What else is played back. (draft/event-playback)


async def a_room_where_much_happened(town: Town, caps: str) -> None:
    await three(town, caps)
    alice, bob, _ = town.clients
    await alice.says("JOIN #a")
    await bob.says(
        "CAP REQ message-tags", "JOIN #a", "PRIVMSG #a :hi", "@+react=x TAGMSG #a", "@+typing=active TAGMSG #a"
    )
    await alice.says("TOPIC #a :Tea", "MODE #a +v bob", "INVITE eve #a", "METADATA #a SET k v")
    await bob.says("AWAY :gone", "NICK bo", "PART #a :bye")
    town.forget()


@pytest.mark.parametrize(
    ("caps", "found"),
    [
        ("", "PRIVMSG"),
        ("batch message-tags", "PRIVMSG"),
        ("draft/event-playback", "JOIN JOIN PRIVMSG TOPIC MODE NICK PART"),
        ("draft/event-playback message-tags", "JOIN JOIN PRIVMSG TAGMSG TOPIC MODE NICK PART"),
        ("draft/event-playback away-notify", "JOIN JOIN PRIVMSG TOPIC MODE AWAY NICK PART"),
    ],
)
async def test_other_events_are_for_who_asks_for_them(town: Town, caps: str, found: str) -> None:
    await a_room_where_much_happened(town, caps)
    alice = town.clients[0]
    await alice.says("CHATHISTORY LATEST #a * 50")
    assert [word for word in words(alice.hears()) if word != "BATCH"] == found.split()


async def test_what_is_said_to_operators_only_is_played_back_to_them_only(town: Town) -> None:
    """STATUSMSG: who did not hear it then does not hear it later, on coming in or on asking."""
    await three(town)
    alice, bob, eve = town.clients
    await alice.says("JOIN #a")
    await bob.says("JOIN #a")
    await alice.says("PRIVMSG #a :for all", "PRIVMSG @#a :for operators")
    town.forget()
    assert await asks(alice, "LATEST #a * 10") == ["for all", "for operators"]
    assert await asks(bob, "LATEST #a * 10") == ["for all"]
    await eve.says("JOIN #a")
    assert not any("for operators" in line for line in eve.hears())


async def test_what_is_said_to_operators_only_is_not_played_back_on_the_plain_wire(town: Town) -> None:
    alice, nat = await town.irc("alice", "#lobby"), await town.person("nat")
    await alice.says("PRIVMSG @#lobby :for operators")
    assert nat.hears() == []
    await nat.says("/history")
    assert not any("for operators" in line for line in nat.hears())
    late = town.connect("line")
    await late.says("late")
    assert not any("for operators" in line for line in late.hears())


async def test_a_long_text_is_played_back_as_one(town: Town) -> None:
    await town.irc("alice", "#a", caps=f"{CAPS} draft/multiline")
    await town.irc("bob", "#a")
    alice, bob = town.clients
    await alice.says(
        "BATCH +1 draft/multiline #a",
        "@batch=1 PRIVMSG #a :one",
        "@batch=1 PRIVMSG #a :two",
        "BATCH -1",
        "CHATHISTORY LATEST #a * 10",
    )
    heard = alice.hears()
    assert words(heard) == ["BATCH", "BATCH", "PRIVMSG", "PRIVMSG", "BATCH", "BATCH"]
    assert heard[1].startswith("@batch=b2;time=")
    assert {line.partition(" ")[0] for line in heard[2:4]} == {f"@batch={heard[1].partition(' BATCH +')[2].split()[0]}"}
    await bob.says("CHATHISTORY LATEST #a * 10")
    assert [line.rpartition(":")[2] for line in bob.hears()[-2:]] == ["one", "two"]
