"""MONITOR: who is here and who is not, without sharing a room. (IRCv3 monitor, extended-monitor)"""

from __future__ import annotations

import pytest

from asynchat.chat.hub import Limits
from tests.conversation import Town, words


async def two(town: Town, caps: str = "") -> None:
    """alice, who watches, with these capabilities, and bob; they share no room."""
    await town.irc("alice", caps=caps)
    await town.irc("bob")
    town.forget()


async def test_who_is_watched_is_told_to_be_here_or_not_and_when_that_changes(town: Town) -> None:
    await two(town)
    alice = town.clients[0]
    await town.plays("""
        alice> MONITOR + BOB,eve
        alice< :asynchat 730 alice :bob!~bob@here
        alice< :asynchat 731 alice :eve
        bob>   QUIT
        bob<   ERROR :Closing link: here (Quit)
        bob<   (closed)
        alice< :asynchat 731 alice :bob
    """)
    eve = town.connect("irc")
    await eve.says("NICK eve", "USER e 0 * :E")
    assert alice.hears() == [":asynchat 730 alice :eve!~e@here"]


async def test_a_new_name_is_a_going_and_a_coming(town: Town) -> None:
    await two(town)
    await town.plays("""
        alice> MONITOR + bob,robert
        alice< :asynchat 730 alice :bob!~bob@here
        alice< :asynchat 731 alice :robert
        bob>   NICK robert
        bob<   :bob!~bob@here NICK robert
        alice< :asynchat 731 alice :bob
        alice< :asynchat 730 alice :robert!~bob@here
        bob>   NICK ROBERT
        bob<   :robert!~bob@here NICK ROBERT
        bob>   NICK rob
        bob<   :ROBERT!~bob@here NICK rob
        alice< :asynchat 731 alice :ROBERT
    """)


async def test_the_list_is_shown_and_its_state(town: Town) -> None:
    await two(town)
    await town.plays("""
        alice> MONITOR L
        alice< :asynchat 733 alice :End of MONITOR list
        alice> MONITOR S
        alice> MONITOR + bob,eve,Bob
        alice< :asynchat 730 alice :bob!~bob@here,bob!~bob@here
        alice< :asynchat 731 alice :eve
        alice> MONITOR + bob
        alice< :asynchat 730 alice :bob!~bob@here
        alice> monitor l
        alice< :asynchat 732 alice :bob,eve
        alice< :asynchat 733 alice :End of MONITOR list
        alice> MONITOR s
        alice< :asynchat 730 alice :bob!~bob@here
        alice< :asynchat 731 alice :eve
    """)


@pytest.mark.parametrize("line", ["MONITOR - BOB", "MONITOR C", "MONITOR - bob,eve,nobody", "MONITOR c"])
async def test_who_is_taken_off_the_list_is_watched_no_more(town: Town, line: str) -> None:
    """ "No output will be returned for use of this command." """
    await two(town)
    alice, bob = town.clients
    await alice.says("MONITOR + bob")
    alice.hears()
    await alice.says(line)
    assert alice.hears() == []
    await bob.says("NICK robert", "NICK bob", "QUIT")
    assert alice.hears() == []
    assert not town.hub.state.watchers


@pytest.mark.parametrize(
    "line", ["MONITOR +", "MONITOR -", "MONITOR + ,,,", "MONITOR X bob", "MONITOR :", "MONITOR - zed"]
)
async def test_a_clumsy_request_changes_nothing(town: Town, line: str) -> None:
    await two(town)
    alice = town.clients[0]
    await alice.says(line, "MONITOR L")
    assert words(alice.hears()) == ["733"]


async def test_the_list_is_bounded_and_what_does_not_fit_is_told() -> None:
    async with Town(limits=Limits(watched=2)) as town:
        await two(town)
        await town.plays("""
            alice> MONITOR + a,b,c,d
            alice< :asynchat 734 alice 2 c,d :Monitor list is full
            alice< :asynchat 731 alice :a,b
            alice> MONITOR + a,b
            alice< :asynchat 731 alice :a,b
            alice> MONITOR + e
            alice< :asynchat 734 alice 2 e :Monitor list is full
            alice> MONITOR - a
            alice> MONITOR + e
            alice< :asynchat 731 alice :e
        """)


@pytest.mark.parametrize("name", ["x" * 20, "\u6f22" * 20])
async def test_a_long_list_is_on_several_lines_that_fit(town: Town, name: str) -> None:
    client = await town.irc("n" * 32)
    names = [f"{name}{number}" for number in range(60)]
    for start in range(0, 60, 5):
        await client.says(f"MONITOR + {','.join(names[start : start + 5])}")
    town.forget()
    for line, numeric in (("MONITOR L", "732"), ("MONITOR S", "731")):
        await client.says(line)
        lines = [line for line in client.hears() if words([line]) == [numeric]]
        assert all(len(line.encode()) <= 510 for line in lines)
        listed = [name for line in lines for name in line.partition(" :")[2].split(",")]
        assert listed == names or not name.isascii()  # what is no nick need not be listed


async def test_who_goes_watches_nobody(town: Town) -> None:
    await two(town)
    alice, bob = town.clients
    await alice.says("MONITOR + bob,eve")
    await alice.vanishes()
    await bob.says("QUIT")
    assert not town.hub.state.watchers


async def test_who_shares_a_room_hears_of_it_twice_and_in_order(town: Town) -> None:
    """The room's line, and the numeric: a client looks for each where it keeps it."""
    await two(town)
    alice, bob = town.clients
    await alice.says("JOIN #a", "MONITOR + bob")
    await bob.says("JOIN #a")
    town.forget()
    await bob.says("NICK rob")
    assert words(alice.hears()) == ["NICK", "731"]


@pytest.mark.parametrize(
    ("caps", "heard"),
    [
        ("away-notify account-notify setname", []),
        ("extended-monitor", []),
        ("extended-monitor away-notify", ["AWAY", "AWAY"]),
        ("extended-monitor setname", ["SETNAME"]),
        ("extended-monitor away-notify setname", ["AWAY", "AWAY", "SETNAME"]),
    ],
)
@pytest.mark.parametrize("together", [False, True])
async def test_more_of_who_is_watched_is_for_who_asks_for_it(
    town: Town, caps: str, heard: list[str], together: bool
) -> None:
    """Once, whether they share a room or not."""
    await two(town, caps)
    alice, bob = town.clients
    await alice.says("MONITOR + bob", *["JOIN #a"] * together)
    await bob.says("JOIN #a")
    town.forget()
    await bob.says("AWAY :tea", "AWAY", "SETNAME :Robert")
    alone = [
        word for word, cap in (("AWAY", "away-notify"), ("AWAY", "away-notify"), ("SETNAME", "setname")) if cap in caps
    ]
    assert words(alice.hears()) == (alone if together else heard)


async def test_logging_in_is_told_to_who_watches() -> None:
    async with Town(accounts={"Robert": "pw"}) as town:
        await two(town, "extended-monitor account-notify")
        alice, bob = town.clients
        await alice.says("MONITOR + bob")
        town.forget()
        await bob.says(*town.login("Robert"))
        assert alice.hears() == [":bob!~bob@here ACCOUNT Robert"]


async def test_watching_tells_nothing_of_rooms(town: Town) -> None:
    await two(town, "extended-monitor away-notify extended-join message-tags")
    alice, bob = town.clients
    await alice.says("MONITOR + bob")
    town.forget()
    await bob.says("JOIN #secret", "MODE #secret +s", "PRIVMSG #secret :x", "TOPIC #secret :x", "PART #secret")
    assert alice.hears() == []
