"""WHOWAS: who bore a name and does not any more. (Modern IRC, "WHOWAS message")"""

from __future__ import annotations

import pytest

from asynchat.chat.state import FORMER_EACH
from tests.conversation import Town, words


async def three_bobs(town: Town) -> None:
    """Three people called bob who have gone, and alice."""
    await town.irc("alice")
    for name in ("One", "Two", "Three"):
        client = town.connect("irc")
        await client.says("NICK bob", f"USER {name} 0 * :{name}", "QUIT")
        await town.passes(1)
    town.forget()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bob", "Three Two One"),
        ("BOB", "Three Two One"),
        ("bob 2", "Three Two"),
        ("bob 1 asynchat", "Three"),
        ("bob 0", "Three Two One"),
        ("bob -1", "Three Two One"),
        ("bob x", "Three Two One"),
        ("bob 99999999999999999999", "Three Two One"),
        ("bob \u00b2", "Three Two One"),
    ],
)
async def test_the_bearers_of_a_name_are_told_latest_first(town: Town, asked: str, found: str) -> None:
    """ "If this parameter is negative or zero, all entries are returned"."""
    await three_bobs(town)
    alice = town.clients[0]
    await alice.says(f"WHOWAS {asked}")
    *rows, end = alice.hears()
    assert words(rows) == ["314", "312"] * len(found.split())
    assert [row.rpartition(":")[2] for row in rows[::2]] == found.split()
    assert end == f":asynchat 369 alice {asked.partition(' ')[0]} :End of WHOWAS"


async def test_one_row_tells_mask_name_and_when(town: Town) -> None:
    await three_bobs(town)
    alice = town.clients[0]
    await alice.says("WHOWAS bob 1")
    assert alice.hears()[:2] == [
        ":asynchat 314 alice bob ~Three here * :Three",
        ":asynchat 312 alice bob asynchat :2026-01-02T03:04:07.678Z",
    ]


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("WHOWAS zed", ["406", "369"]),
        ("WHOWAS alice", ["406", "369"]),
        ("WHOWAS", ["431"]),
        ("WHOWAS :", ["431"]),
        ("WHOWAS #a", ["406", "369"]),
        ("WHOWAS :a b", ["406", "369"]),
    ],
)
async def test_of_whom_nothing_is_known_is_said_so(town: Town, line: str, answers: list[str]) -> None:
    await three_bobs(town)
    alice = town.clients[0]
    await alice.says(line)
    assert words(alice.hears()) == answers


async def test_a_name_given_up_is_remembered_and_a_change_of_case_is_none(town: Town) -> None:
    alice = await town.irc("alice")
    bob = await town.irc("bob")
    await bob.says("NICK BOB", "NICK rob")
    alice.hears()
    await alice.says("WHOWAS bob", "WHOWAS rob")
    heard = alice.hears()
    assert words(heard) == ["314", "312", "369", "406", "369"]
    assert heard[0].split(" ")[3] == "BOB"


async def test_only_so_many_are_remembered(town: Town) -> None:
    alice = await town.irc("alice")
    for _ in range(FORMER_EACH + 5):
        client = await town.irc("bob")
        await client.says("QUIT")
    town.forget()
    await alice.says("WHOWAS bob")
    assert words(alice.hears()).count("314") == FORMER_EACH


async def test_it_tells_nothing_of_rooms_and_addresses(town: Town) -> None:
    alice, bob = await town.irc("alice"), await town.irc("bob", "#secret")
    await bob.says("QUIT")
    alice.hears()
    await alice.says("WHOWAS bob")
    assert not any("#" in line or "192.0.2" in line for line in alice.hears())
