"""One user with several sessions, and one who stays when the last of them goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conversation import CLOSED, Town, words

ACCOUNTS: dict[str, Any] = {"accounts": {"Alice": "sesame", "Bob": "tea"}}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town(**ACCOUNTS) as town:
        yield town


async def two_of_alice(town: Town, caps: str = "echo-message") -> None:
    """alice twice in #a, the second session with these capabilities, and eve there too."""
    await town.irc("alice", "#a", account="Alice")
    await town.irc("eve", "#a")
    second = await town.irc("alice", account="Alice", caps=caps)
    second.name = "second"
    town.forget()


async def test_a_second_session_is_the_same_user_and_is_shown_its_rooms(town: Town) -> None:
    first, eve = await town.irc("alice", "#a", account="Alice"), await town.irc("eve", "#a")
    await first.says("TOPIC #a :Tea")
    town.forget()
    second = town.connect("irc")
    await second.says("CAP LS 302", *town.login("Alice"), "NICK ALICE", "USER other 0 * :Other", "CAP END")
    heard = second.hears()
    assert "001" in words(heard)
    after = heard[words(heard).index("422") + 1 :]
    assert after == [
        ":alice!~alice@here JOIN #a",
        ":asynchat 332 alice #a :Tea",
        ":asynchat 333 alice #a alice!~alice@here 1767323045",
        ":asynchat 353 alice = #a :@alice eve",
        ":asynchat 366 alice #a :End of /NAMES list",
    ]
    assert first.hears() == eve.hears() == []
    assert len(town.hub.state.users) == 2


async def test_a_client_may_say_its_name_before_it_knows_that_it_can_log_in(town: Town) -> None:
    """As most do: everything in the first packet, then SASL."""
    first = await town.irc("alice", "#a", account="Alice")
    second = town.connect("irc")
    await second.says("CAP LS 302", "NICK alice", "USER a 0 * :A")
    assert "433" not in words(second.hears())
    await second.says(*town.login("Alice"), "CAP END")
    assert "001" in words(second.hears())
    assert len(first.session.user.sessions) == 2


async def test_whose_name_it_is_is_told_to_who_does_not_log_in(town: Town) -> None:
    await town.irc("alice", "#a", account="Alice")
    reserved = ":asynchat 433 * alice :Nickname is registered; log in with SASL to use it"
    for opening in (["NICK alice", "USER a 0 * :A"], ["CAP LS 302", "NICK alice", "USER a 0 * :A", "CAP END"]):
        other = town.connect("irc")
        await other.says(*opening)
        assert reserved in other.hears()


async def test_the_rooms_are_shown_as_the_session_wants_joins_to_be(town: Town) -> None:
    """IRCv3 extended-join: every JOIN that is sent has the account and the name."""
    await town.irc("alice", "#a", account="Alice")
    second = town.connect("irc")
    await second.says("CAP REQ :extended-join", *town.login("Alice"), "NICK alice", "USER a 0 * :A", "CAP END")
    assert ":alice!~alice@here JOIN #a Alice :Alice" in second.hears()


async def test_what_one_session_says_the_other_hears(town: Town) -> None:
    await two_of_alice(town)
    await town.plays("""
        alice>  PRIVMSG #a :hi
        eve<    :alice!~alice@here PRIVMSG #a :hi
        second< :alice!~alice@here PRIVMSG #a :hi
        second> PRIVMSG eve :psst
        second< :alice!~alice@here PRIVMSG eve :psst
        alice<  :alice!~alice@here PRIVMSG eve :psst
        eve<    :alice!~alice@here PRIVMSG eve :psst
        eve>    PRIVMSG alice :yes
        alice<  :eve!~eve@here PRIVMSG alice :yes
        second< :eve!~eve@here PRIVMSG alice :yes
        alice>  NICK al
        alice<  :alice!~alice@here NICK al
        second< :alice!~alice@here NICK al
        eve<    :alice!~alice@here NICK al
    """)


async def test_a_room_that_one_session_enters_is_shown_to_the_other_too(town: Town) -> None:
    """A client that hears that it joined shows the room, and wants the names; IRCv3 read-marker wants a MARKREAD."""
    await two_of_alice(town, caps="draft/read-marker")
    first, _, second = town.clients
    await first.says("JOIN #b")
    assert words(first.hears()) == ["JOIN", "353", "366"]
    assert words(second.hears()) == ["JOIN", "MARKREAD", "353", "366"]


async def test_a_user_leaves_when_its_last_session_goes(town: Town) -> None:
    await two_of_alice(town)
    first, eve, second = town.clients
    await first.says("QUIT :one")
    assert first.hears()[1:] == [CLOSED]
    assert eve.hears() == second.hears() == []
    await second.says("QUIT :two")
    assert eve.hears() == [":alice!~alice@here QUIT :Quit: two"]


async def test_two_sessions_that_come_at_once_meet_in_one_user(town: Town) -> None:
    one, two = town.connect("irc"), town.connect("irc")
    opening = ["CAP LS 302", *town.login("Alice"), "NICK alice", "USER a 0 * :A", "CAP END"]
    await town.at_once((one, one.encoded(*opening)), (two, two.encoded(*opening)))
    if "433" in words(two.hears()):
        await two.says("NICK alice")
    assert len(town.hub.state.users) == 1
    assert one.session.user is two.session.user is not None


async def test_who_bears_another_name_than_its_account_is_a_guest_with_an_account(town: Town) -> None:
    """Two people may be logged in to one account under two names: only its own name is one user."""
    one, two = await town.irc("al", account="Alice"), await town.irc("ally", account="Alice")
    assert one.session.user is not two.session.user
    await one.vanishes()
    assert "al" not in town.hub.state.users


async def test_after_registering_a_second_session_can_come_in() -> None:
    async with Town(**ACCOUNTS) as town:
        carl = await town.irc("carl", "#a")
        await carl.says("REGISTER * * word")
        second = town.connect("irc")
        await second.says("CAP LS 302", *town.login("carl"), "NICK carl", "USER c 0 * :C", "CAP END")
        assert "001" in words(second.hears())


# Users who stay. (`always_on`)


def always_on() -> Town:
    return Town(always_on=True, **ACCOUNTS)


async def test_a_user_who_stays_is_away_instead_of_gone() -> None:
    async with always_on() as town:
        alice = await town.irc("alice", "#a", account="Alice")
        eve, nat = await town.irc("eve", "#a", caps="away-notify"), await town.irc("nat", "#a")
        town.forget()
        await alice.says("QUIT :bye")
        assert eve.hears() == [":alice!~alice@here AWAY :Quit: bye"]
        assert nat.hears() == []
        await nat.says("PRIVMSG alice :are you there?", "NAMES #a")
        heard = nat.hears()
        assert heard[0] == ":asynchat 301 nat alice :Quit: bye"
        assert "@alice" in heard[1]
        again = town.connect("irc")
        await again.says("CAP LS 302", *town.login("Alice"), "NICK alice", "USER a 0 * :A", "CAP END")
        assert eve.hears() == [":alice!~alice@here AWAY"]
        assert ":alice!~alice@here JOIN #a" in again.hears()


async def test_who_comes_back_can_read_what_was_missed() -> None:
    async with always_on() as town:
        alice, eve = await town.irc("alice", "#a", account="Alice"), await town.irc("eve", "#a")
        await alice.vanishes()
        await eve.says("PRIVMSG #a :one", "PRIVMSG alice :two")
        again = await town.irc("alice", account="Alice")
        await again.says("CHATHISTORY LATEST #a * 10", "CHATHISTORY LATEST eve * 10")
        assert again.hears() == [":eve!~eve@here PRIVMSG #a :one", ":eve!~eve@here PRIVMSG alice :two"]


async def test_a_guest_does_not_stay() -> None:
    async with always_on() as town:
        eve, other = await town.irc("eve", "#a"), await town.irc("other", "#a")
        town.forget()
        await other.says("QUIT")
        assert eve.hears() == [":other!~other@here QUIT :Quit"]


async def test_an_operator_puts_out_a_user_who_stays_for_good() -> None:
    async with Town(always_on=True, operators={"root": "pw"}, **ACCOUNTS) as town:
        eve = await town.irc("eve", "#a")
        alice = await town.irc("alice", "#a", account="Alice")
        await eve.says("OPER root pw")
        town.forget()
        await eve.says("KILL alice :spam")
        assert alice.closed
        assert words(eve.hears()) == ["QUIT"]
        assert "alice" not in town.hub.state.users
