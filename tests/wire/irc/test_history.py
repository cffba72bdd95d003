"""CHATHISTORY: every subcommand, by msgid and by time, and to whom nothing is told. (IRCv3 chathistory)"""

from __future__ import annotations

import pytest

from tests.conversation import Client, Town, bare, matches, tags, words

CAPS = "batch message-tags server-time"


async def three(town: Town, caps: str = CAPS) -> list[str]:
    """alice and bob in #a, where bob said one to five, a second apart; returns the msgids. eve is in no room."""
    alice, bob = await town.irc("alice", "#a", caps=caps), await town.irc("bob", "#a")
    await town.irc("eve", caps=caps)
    town.forget()
    ids = []
    for text in ("one", "two", "three", "four", "five"):
        await town.passes(1)
        await bob.says(f"PRIVMSG #a :{text}")
        ids += [tags(line).get("msgid", "") for line in alice.hears()]
    return ids


def texts(heard: list[str]) -> list[str]:
    """What stands in the batch."""
    return [line.rpartition(" :")[2] for line in heard if words([line])[0] in ("PRIVMSG", "NOTICE")]


def at(seconds: float) -> str:
    """A reference to a time, in seconds after the town began: `one` was said after 1."""
    return f"timestamp=2026-01-02T03:04:{5.678 + seconds:06.3f}Z"


async def asks(client: Client, line: str) -> list[str]:
    await client.says(f"CHATHISTORY {line}")
    return texts(client.hears())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("LATEST #a * 10", "one two three four five"),
        ("LATEST #a * 2", "four five"),
        ("latest #A * 2", "four five"),
        ("LATEST #a {3} 10", "four five"),
        ("LATEST #a {1} 2", "four five"),
        ("BEFORE #a {3} 10", "one two"),
        ("BEFORE #a {3} 1", "two"),
        ("BEFORE #a {1} 10", ""),
        ("AFTER #a {3} 10", "four five"),
        ("AFTER #a {1} 2", "two three"),
        ("AFTER #a {5} 10", ""),
        ("BETWEEN #a {1} {5} 10", "two three four"),
        ("BETWEEN #a {5} {1} 10", "two three four"),
        ("BETWEEN #a {1} {5} 2", "two three"),
        ("BETWEEN #a {5} {1} 2", "three four"),
        ("BETWEEN #a {3} {3} 10", ""),
        ("AROUND #a {3} 3", "two three four"),
        ("AROUND #a {3} 1", "three"),
        ("AROUND #a {3} 10", "one two three four five"),
    ],
)
@pytest.mark.parametrize("by", ["msgid", "timestamp"])
async def test_a_subcommand_finds_what_it_is_for(town: Town, by: str, line: str, found: str) -> None:
    ids = await three(town)
    names = ["", *(f"msgid={each}" for each in ids)] if by == "msgid" else [at(second) for second in range(6)]
    alice = town.clients[0]
    assert await asks(alice, line.format(*names)) == found.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("AFTER #a {} 10", "three four five"),
        ("BEFORE #a {} 10", "one two"),
        ("LATEST #a {} 10", "three four five"),
    ],
)
async def test_a_time_between_two_lines_is_between_them(town: Town, line: str, found: str) -> None:
    await three(town)
    assert await asks(town.clients[0], line.format(at(2.5))) == found.split()


async def test_the_answer_is_a_batch_with_the_ids_and_times_of_then(town: Town) -> None:
    ids = await three(town)
    alice = town.clients[0]
    await alice.says("CHATHISTORY LATEST #A * 1", "CHATHISTORY AFTER #a " + at(9) + " 1")
    first, line, last, *empty = alice.hears()
    assert matches(bare(first), ":asynchat BATCH +b2 chathistory #…")
    assert line == f"@batch=b2;time=2026-01-02T03:04:10.678Z;msgid={ids[4]} :bob!~bob@here PRIVMSG #a :five"
    assert bare(last) == ":asynchat BATCH -b2"
    assert words(empty) == ["BATCH", "BATCH"]


async def test_the_batch_names_the_room_as_it_is_called(town: Town) -> None:
    """ "the canonical name of the target being queried"."""
    await three(town)
    alice = town.clients[0]
    await alice.says("CHATHISTORY LATEST #A * 1")
    assert alice.hears()[0].endswith(" chathistory #a")


async def test_nobody_gets_more_than_the_server_gives() -> None:
    async with Town(most_history=2) as town:
        await three(town)
        for limit in ("2", "3", "1000000", "9" * 300):
            assert await asks(town.clients[0], f"LATEST #a * {limit}") == ["four", "five"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "INVALID_PARAMS"),
        ("NOPE #a * 5", "INVALID_PARAMS"),
        ("LATEST", "NEED_MORE_PARAMS"),
        ("LATEST #a *", "NEED_MORE_PARAMS"),
        ("LATEST #a * x", "INVALID_PARAMS"),
        ("LATEST #a * 0", "INVALID_PARAMS"),
        ("LATEST #a * -1", "INVALID_PARAMS"),
        ("LATEST #a \u00b2 5", "INVALID_PARAMS"),
        ("LATEST #a * \u00b2", "INVALID_PARAMS"),
        ("LATEST #a 5 5", "INVALID_PARAMS"),
        ("LATEST #a msgid= 5", "INVALID_PARAMS"),
        ("LATEST #a timestamp=now 5", "INVALID_PARAMS"),
        ("LATEST #a timestamp=2026-13-01T00:00:00.000Z 5", "INVALID_PARAMS"),
        ("BEFORE #a * 5", "INVALID_PARAMS"),
        ("BETWEEN #a msgid=1 5", "NEED_MORE_PARAMS"),
        ("TARGETS msgid=1 msgid=2 5", "INVALID_PARAMS"),
        ("TARGETS timestamp=2026-01-01T00:00:00.000Z 5", "NEED_MORE_PARAMS"),
        ("LATEST #z * 5", "INVALID_TARGET"),
        ("LATEST zed * 5", "INVALID_TARGET"),
        ("LATEST :", "NEED_MORE_PARAMS"),
    ],
)
async def test_a_wrong_request_is_refused(town: Town, line: str, code: str) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(f"CHATHISTORY {line}")
    (heard,) = alice.hears()
    assert bare(heard).startswith(f":asynchat FAIL CHATHISTORY {code} ")


@pytest.mark.parametrize("reference", ["msgid=nonsense", "msgid=0", "msgid=999999999999999999", "msgid=" + "9" * 300])
@pytest.mark.parametrize("subcommand", ["LATEST", "BEFORE", "AFTER", "AROUND"])
async def test_an_id_that_is_none_breaks_nothing(town: Town, subcommand: str, reference: str) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(f"CHATHISTORY {subcommand} #a {reference} 5")
    assert words(alice.hears())[0] in ("BATCH", "FAIL")


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999999Z"]
)
@pytest.mark.parametrize("subcommand", ["LATEST", "BEFORE", "AFTER", "AROUND"])
async def test_the_ends_of_time_are_times(town: Town, subcommand: str, when: str) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(f"CHATHISTORY {subcommand} #a timestamp={when} 5")
    assert words(alice.hears())[0] == "BATCH"


@pytest.mark.parametrize("setting", ["", "+s", "+i", "+k key", "+b eve"])
async def test_who_is_not_in_the_room_is_told_nothing(town: Town, setting: str) -> None:
    await three(town)
    alice, _, eve = town.clients
    await alice.says(f"MODE #a {setting}")
    for line in ("LATEST #a * 5", f"BETWEEN #a {at(0)} {at(9)} 5", "AROUND #a msgid=3 5"):
        await eve.says(f"CHATHISTORY {line}")
        (heard,) = eve.hears()
        assert bare(heard).startswith(":asynchat FAIL CHATHISTORY INVALID_TARGET ")
    await eve.says(f"CHATHISTORY TARGETS {at(0)} {at(9)} 5")
    assert words(eve.hears()) == ["BATCH", "BATCH"]


async def test_who_was_put_out_is_told_nothing_any_more(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await alice.says("KICK #a bob")
    bob.hears()
    await bob.says("CHATHISTORY LATEST #a * 5")
    assert words(bob.hears()) == ["FAIL"]


async def test_a_page_is_full_though_some_of_it_is_not_for_everybody(town: Town) -> None:
    """A page that is short says that there is no more."""
    alice, bob = await town.irc("alice", "#a", caps=CAPS), await town.irc("bob", "#a", caps=CAPS)
    await alice.says("PRIVMSG #a :one", *(f"PRIVMSG @#a :secret {n}" for n in range(7)), "PRIVMSG #a :two")
    await alice.says(*(f"PRIVMSG @#a :secret {n}" for n in range(3)), "PRIVMSG #a :three")
    town.forget()
    assert await asks(bob, "LATEST #a * 2") == ["two", "three"]
    assert await asks(bob, "AFTER #a timestamp=2026-01-01T00:00:00.000Z 2") == ["one", "two"]
    assert await asks(bob, "LATEST #a * 5") == ["one", "two", "three"]
    assert len(await asks(alice, "LATEST #a * 5")) == 5
