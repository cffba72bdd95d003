"""Who comes back is shown what was said meanwhile, and nothing twice."""

from __future__ import annotations

import pytest

from asynchat.chat import snapshot
from asynchat.chat.state import State
from tests.conversation import Client, Town

ACCOUNTS = {"alice": "secret"}


def texts(client: Client) -> list[str]:
    return [line.rpartition(" :")[2] if " :" in line else line for line in client.hears() if " PRIVMSG " in line]


async def test_a_name_that_comes_back_is_shown_what_was_said_since_it_left(town: Town) -> None:
    nat, bob = await town.person("nat"), await town.person("bob")
    await bob.says("one")
    await nat.says("quit")
    await bob.says("two", "three")
    again = town.connect()
    again.name = "nat"
    await again.says("NAT")
    assert again.hears() == [
        "*** hello NAT, you are in #lobby with bob. /help, /quit.",
        "[03:04] <bob> two",
        "[03:04] <bob> three",
    ]
    await again.vanishes()
    third = town.connect()
    await third.says("nat")
    assert third.hears() == ["*** hello nat, you are in #lobby with bob. /help, /quit."]


async def test_it_is_no_more_than_the_replay_and_then_the_last_of_it() -> None:
    async with Town(replay=3) as town:
        nat, bob = await town.person("nat"), await town.person("bob")
        await bob.says(*(f"line {number}" for number in range(5)))
        await nat.says("quit")
        await bob.says(*(f"more {number}" for number in range(10)))
        for name, number in (("nat", 7), ("nora", 7)):
            client = town.connect()
            await client.says(name)
            assert [line.rpartition("> ")[2] for line in client.hears()[1:]] == [f"more {n}" for n in range(number, 10)]


async def test_each_room_is_a_matter_of_its_own_and_so_is_a_kick(town: Town) -> None:
    alice, bob = await town.irc("alice", "#a", "#b"), await town.irc("bob", "#a", "#b")
    await bob.says("PART #a")
    await alice.says("PRIVMSG #a :a1", "PRIVMSG #b :b1", "KICK #b bob", "PRIVMSG #b :b2")
    town.forget()
    await bob.says("JOIN #a,#b")
    assert texts(bob) == ["[03:04] a1", "[03:04] b2"]


@pytest.mark.parametrize(
    ("caps", "shown"),
    [
        ("", [":bob!~bob@here PRIVMSG #a :[03:04] hi"]),
        ("server-time", ["@time=2026-01-02T03:04:05.678Z :bob!~bob@here PRIVMSG #a :hi"]),
        ("batch server-time", ["@batch=b2;time=2026-01-02T03:04:05.678Z :bob!~bob@here PRIVMSG #a :hi"]),
        ("batch draft/chathistory", []),
    ],
)
async def test_times_are_where_the_client_can_read_them_and_who_can_ask_asks(
    town: Town, caps: str, shown: list[str]
) -> None:
    alice, bob = await town.irc("alice", "#a", caps=caps), await town.irc("bob", "#a")
    await alice.says("PART #a")
    await bob.says("PRIVMSG #a :hi")
    town.forget()
    await alice.says("JOIN #a")
    assert [line for line in alice.hears() if "PRIVMSG" in line] == shown


async def test_what_was_said_into_a_connection_that_was_dead_is_not_shown_again(town: Town) -> None:
    """It may be missed: who must not, names a position."""
    nat, bob = await town.person("nat"), await town.person("bob")
    await bob.says("into the void")
    await nat.vanishes()
    again = town.connect()
    await again.says("nat")
    assert len(again.hears()) == 1


@pytest.mark.parametrize("caps", ["", "batch server-time", "batch draft/chathistory"])
async def test_who_has_an_account_is_shown_what_was_said_in_its_rooms_and_to_it_while_it_had_no_session(
    caps: str,
) -> None:
    async with Town(accounts=ACCOUNTS, always_on=True) as town:
        alice, bob = await town.irc("alice", "#a", "#b", account="alice"), await town.irc("bob", "#a", "#b")
        await bob.says("PRIVMSG #a :before")
        await alice.vanishes()
        await bob.says("PRIVMSG #a :a1", "PRIVMSG #b :b1", "PRIVMSG alice :psst")
        town.forget()
        alice = await town.irc("alice", caps=caps, account="alice") if not caps else town.connect("irc")
        if caps:
            await alice.says(f"CAP REQ :{caps} sasl", *town.login("alice"), "CAP END", "NICK alice", "USER a 0 * :A")
        else:
            await alice.vanishes()
            await bob.says("PRIVMSG #b :b2")
            alice = town.connect("irc")
            await alice.says("CAP REQ sasl", *town.login("alice"), "CAP END", "NICK alice", "USER a 0 * :A")
        expected = {
            "": ["[03:04] b2"],
            "batch server-time": ["a1", "b1", "psst"],
            "batch draft/chathistory": [],
        }
        assert texts(alice) == expected[caps]
        second = town.connect("irc")  # the first is here: nothing was missed
        await second.says("CAP REQ sasl", *town.login("alice"), "CAP END", "NICK alice", "USER a 0 * :A")
        assert texts(second) == []


async def test_a_netcat_user_with_an_account_is_shown_it_with_the_rooms() -> None:
    async with Town(accounts=ACCOUNTS, always_on=True) as town:
        alice = town.connect()
        await alice.says("alice", "secret", "/join #b")
        bob = await town.irc("bob", "#lobby", "#b")
        await alice.vanishes()
        await bob.says("PRIVMSG #b :b1", "PRIVMSG #lobby :l1", "PRIVMSG alice :psst")
        again = town.connect()
        await again.says("alice", "secret")
        assert again.hears()[-3:] == ["[03:04] [#b] <bob> b1", "[03:04] [#lobby] <bob> l1", "[03:04] [dm bob] psst"]


async def test_what_was_said_at_the_moment_of_coming_back_is_shown_once() -> None:
    async with Town(replay=1000) as town:
        nat, bob = await town.person("nat"), await town.irc("bob", "#lobby")
        await nat.says("quit")
        again = town.connect()
        lines = b"".join(b"PRIVMSG #lobby :line %d\r\n" % number for number in range(50))
        await town.at_once((bob, lines), (again, b"nat\n"), (bob, lines.replace(b"line", b"late")))
        heard = [line.rpartition("> ")[2] for line in again.hears() if "<bob>" in line]
        assert heard == [f"line {number}" for number in range(50)] + [f"late {number}" for number in range(50)]


async def test_who_left_is_remembered_over_a_restart_from_a_snapshot(town: Town) -> None:

    nat = await town.person("nat")
    await nat.says("quit")
    state = State()
    snapshot.load(snapshot.dump(town.hub.state), state)
    assert state.rooms["#lobby"].left == town.hub.state.rooms["#lobby"].left != {}


@pytest.mark.parametrize("how", ["quits", "vanishes"])
async def test_who_has_registered_can_be_written_to_once_they_have_gone(how: str) -> None:
    async with Town(accounts={}, always_on=True) as town:
        alice, bob = await town.person("alice"), await town.person("bob")
        await alice.says("/register secret")
        await (alice.vanishes() if how == "vanishes" else alice.says("/quit to lunch"))
        town.forget()
        await bob.says("/msg alice are you there?", "/msg ALICE call me", "/who", "/msg alicee hm")
        assert bob.hears() == [
            "*** to alice: queued, alice is offline",
            "*** to alice: queued, alice is offline",
            "*** #lobby (1): bob",
            "!!! NO_SUCH_NAME alicee; did you mean alice?",
        ]
        again = town.connect()
        await again.says("alice", "secret")
        assert again.hears()[-3:] == [
            "*** hello alice, you are in #lobby with bob. /help, /quit.",
            "[03:04] [dm bob] are you there?",
            "[03:04] [dm bob] call me",
        ]
        bob.hears()
        await bob.says("/msg alice welcome back")
        assert bob.hears() == ["*** to alice: delivered"]


async def test_others_see_one_leave_and_nothing_else() -> None:
    async with Town(accounts={}, always_on=True) as town:
        alice, irene = await town.person("alice"), await town.irc("irene", "#lobby", caps="away-notify account-notify")
        await alice.says("/register secret")
        town.forget()
        await alice.says("quit")
        assert irene.hears() == [":alice!~line@here QUIT :quit"]
        await irene.says("ISON alice", "PRIVMSG alice :psst")
        assert irene.hears() == [":asynchat 303 irene :alice", ":asynchat 301 irene alice :quit"]


@pytest.mark.parametrize("reason", ["users do not stay", "it logged out", "the account is here"])
async def test_nobody_is_left_behind_if(reason: str) -> None:
    async with Town(accounts={}, always_on=reason != "users do not stay") as town:
        alice = await town.irc("alice")
        await alice.says("REGISTER * * secret")
        if reason == "it logged out":
            alice.session.dismiss("logged out")
        elif reason == "the account is here":
            await alice.says("NICK alison")
            await town.irc("alice", account="alice")
        await alice.vanishes()
        assert [user.id for user in town.hub.state.people.values()] == ["a:alice"] * (reason == "the account is here")
