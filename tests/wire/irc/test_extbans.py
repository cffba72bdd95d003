"""Bans on speaking only, `m:`, and of accounts, `a:`. (IRCv3 account-extban)"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conversation import Town, words


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """alice, the operator of #a; bob, logged in as Robert, and eve in it; mal, logged in as Mallory, outside."""
    async with Town(accounts={"Robert": "pw", "Mallory": "pw"}) as town:
        await town.irc("alice", "#a")
        await town.irc("bob", "#a", account="Robert")
        await town.irc("eve", "#a")
        await town.irc("mal", account="Mallory")
        town.forget()
        yield town


@pytest.mark.parametrize(
    ("modes", "refused"),
    [
        ("+b m:eve", "404"),
        ("+b m:eve!*@*", "404"),
        ("+b m:*", "404"),
        ("+b m:*!*@here", "404"),
        ("+b m:bob", ""),
        ("+b m:a:robert", ""),
        ("+b eve", "404"),
        ("+be m:eve m:eve", ""),
        ("+be m:*!*@* m:eve!*@*", ""),
        ("+be m:eve m:bob", "404"),
        ("+bv m:eve eve", ""),
        ("+b-b m:eve M:EVE", "404"),
        ("+b m:", ""),
    ],
)
async def test_who_is_muted_may_not_speak(town: Town, modes: str, refused: str) -> None:
    alice, bob, eve, _ = town.clients
    await alice.says(f"MODE #a {modes}")
    town.forget()
    await eve.says("PRIVMSG #a :hi", "NOTICE #a :hi")
    assert words(eve.hears()) == [refused] * bool(refused)
    assert len(bob.hears()) == (0 if refused else 2)


async def test_who_is_muted_may_come_in(town: Town) -> None:
    alice, *_, mal = town.clients
    await alice.says("MODE #a +b m:mal")
    await mal.says("JOIN #a", "PRIVMSG #a :hi")
    assert words(mal.hears()) == ["JOIN", "353", "366", "404"]


@pytest.mark.parametrize(
    ("modes", "refused"),
    [
        ("+b a:mallory", "474"),
        ("+b a:MALL*", "474"),
        ("+b a:*", "474"),
        ("+b a:mal", ""),
        ("+b a:", ""),
        ("+b m:a:mallory", ""),
        ("+be a:mallory mal", ""),
        ("+be mal a:mallory", ""),
        ("+iI a:mallory", ""),
        ("+iI a:robert", "473"),
        ("+i", "473"),
    ],
)
async def test_an_account_is_kept_out_or_let_in(town: Town, modes: str, refused: str) -> None:
    alice, *_, mal = town.clients
    await alice.says(f"MODE #a {modes}")
    await mal.says("JOIN #a")
    assert words(mal.hears())[0] == (refused or "JOIN")


async def test_a_mask_of_accounts_never_means_a_guest(town: Town) -> None:
    alice, _, eve, _ = town.clients
    await alice.says("MODE #a +b a:*")
    town.forget()
    await eve.says("PRIVMSG #a :hi", "PART #a", "JOIN #a")
    assert words(eve.hears())[:4] == ["PART", "JOIN", "353", "366"]


async def test_a_ban_of_an_account_holds_whatever_the_nick(town: Town) -> None:
    alice, _, _, mal = town.clients
    await alice.says("MODE #a +b a:mallory")
    await mal.says("NICK innocent", "JOIN #a")
    assert words(mal.hears()) == ["NICK", "474"]


async def test_who_logs_in_to_a_muted_account_falls_silent(town: Town) -> None:
    alice, _, eve, _ = town.clients
    await alice.says("MODE #a +b m:a:mallory")
    await eve.says("PRIVMSG #a :one", *town.login("Mallory"), "PRIVMSG #a :two")
    assert words(eve.hears())[-1] == "404"


async def test_they_are_listed_and_told_as_they_were_written(town: Town) -> None:
    alice, bob, *_ = town.clients
    await alice.says("MODE #a +bbb m:eve a:Mallory m:a:Robert")
    assert bob.hears() == [":alice!~alice@here MODE #a +bbb m:eve!*@* a:Mallory m:a:Robert"]
    await bob.says("MODE #a b")
    assert [line.split(" ")[4] for line in bob.hears()[:-1]] == ["m:eve!*@*", "a:Mallory", "m:a:Robert"]
    await alice.says("MODE #a -bb m:eve!*@* A:mallory")
    assert bob.hears()


async def test_005_names_them(town: Town) -> None:
    alice = town.clients[0]
    await alice.says("VERSION")
    words_ = " ".join(alice.hears()).split()
    assert {"EXTBAN=,am", "ACCOUNTEXTBAN=a"} <= set(words_)
