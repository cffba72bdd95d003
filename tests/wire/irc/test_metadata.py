"""METADATA: words kept with users and rooms, and who may see and follow them. (IRCv3 metadata)"""

from __future__ import annotations

import gc

import pytest

from asynchat.chat.hub import Limits
from asynchat.wire.irc.render import Irc
from tests.conversation import Client, Town, bare, matches, words

CAPS = "draft/metadata-3 batch"


async def three(town: Town) -> None:
    """alice, the operator of #a, and bob in it; eve in no room. All of them know metadata."""
    await town.irc("alice", "#a", caps=CAPS)
    await town.irc("bob", "#a", caps=CAPS)
    await town.irc("eve", caps=CAPS)
    town.forget()


async def asks(client: Client, line: str) -> list[str]:
    """The answers, without the batch around them."""
    await client.says(f"METADATA {line}")
    return [bare(line) for line in client.hears() if words([line]) != ["BATCH"]]


@pytest.mark.parametrize("target", ["*", "alice", "ALICE", "#a"])
async def test_a_word_is_set_read_listed_and_taken_away(town: Town, target: str) -> None:
    await three(town)
    alice, bob, _ = town.clients
    shown = "#a" if target == "#a" else "alice"
    assert await asks(alice, f"{target} SET url :https://a b") == [f":asynchat 761 alice {shown} url * :https://a b"]
    assert await asks(alice, f"{target} set empty :") == [f":asynchat 761 alice {shown} empty * :"]
    assert await asks(bob, f"{shown} GET url none empty") == [
        f":asynchat 761 bob {shown} url * :https://a b",
        f":asynchat 766 bob {shown} none :key not set",
        f":asynchat 761 bob {shown} empty * :",
    ]
    assert words(await asks(bob, f"{shown} LIST")) == ["761", "761"]
    assert await asks(alice, f"{target} SET url") == [f":asynchat 766 alice {shown} url :key not set"]
    assert words(await asks(bob, f"{shown} LIST")) == ["761"]
    assert await asks(alice, f"{target} CLEAR") == [f":asynchat 766 alice {shown} empty :key not set"]
    assert await asks(bob, f"{shown} LIST") == []


async def test_answers_are_in_a_batch_that_names_the_target(town: Town) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says("METADATA * LIST", "METADATA #A GET k", "METADATA * SUBS", "METADATA * CLEAR")
    openings = [line for line in alice.hears() if "BATCH +" in line]
    assert [line.partition(" BATCH ")[2] for line in openings] == [
        "+b2 metadata alice",
        "+b2 metadata #a",
        "+b2 metadata-subs",
        "+b2 metadata alice",
    ]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("* NOPE", "SUBCOMMAND_INVALID NOPE"),
        ("zed LIST", "INVALID_TARGET zed"),
        ("#z GET k", "INVALID_TARGET #z"),
        ("* GET Upper", "KEY_INVALID Upper"),
        ("* GET \u00e9", "KEY_INVALID \u00e9"),
        ("* SET", "KEY_INVALID *"),
        ("* SET $ x", "KEY_INVALID $"),
        ("* SET none", "KEY_NOT_SET alice none"),
        ("bob SET k v", "KEY_NO_PERMISSION bob k"),
        ("bob SET k", "KEY_NO_PERMISSION bob k"),
        ("bob CLEAR", "KEY_NO_PERMISSION bob *"),
        ("* SUB Upper", "KEY_INVALID Upper"),
        ("* UNSUB Upper", "KEY_INVALID Upper"),
        ("zed SYNC", "INVALID_TARGET zed"),
    ],
)
async def test_what_cannot_be_is_refused(town: Town, line: str, answer: str) -> None:
    await three(town)
    (heard,) = await asks(town.clients[0], line)
    assert matches(heard, f":asynchat FAIL METADATA {answer} :…")


@pytest.mark.parametrize("line", ["#a SET k v", "#a SET k", "#a CLEAR"])
async def test_the_words_of_a_room_are_set_by_who_runs_it(town: Town, line: str) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await alice.says("METADATA #a SET k v")
    town.forget()
    for other in (bob, eve):
        (heard,) = await asks(other, line)
        assert heard.startswith(":asynchat FAIL METADATA KEY_NO_PERMISSION #a ")
    assert words(await asks(eve, "#a LIST")) == ["761"]


@pytest.mark.parametrize("setting", ["+s", "+i", "+k key", "+R", "+b eve"])
@pytest.mark.parametrize("line", ["LIST", "GET k", "SYNC", "SET k v", "CLEAR"])
async def test_the_words_of_a_closed_room_are_for_members(town: Town, setting: str, line: str) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await alice.says("METADATA #a SET k secret", f"MODE #a {setting}")
    town.forget()
    (heard,) = await asks(eve, f"#a {line}")
    assert matches(heard, ":asynchat FAIL METADATA INVALID_TARGET #a :…")
    assert words(await asks(bob, "#a GET k")) == ["761"]


async def test_there_is_room_for_so_many_words_of_such_a_length_only() -> None:
    async with Town(limits=Limits(metadata_keys=2, metadata_value=10)) as town:
        alice = await town.irc("alice", caps=CAPS)
        assert words(await asks(alice, "* SET a 0123456789")) == ["761"]
        assert words(await asks(alice, "* SET b x")) == ["761"]
        (full,) = await asks(alice, "* SET c x")
        assert matches(full, ":asynchat FAIL METADATA LIMIT_REACHED alice :…") or "LIMIT_REACHED *" in full
        assert words(await asks(alice, "* SET a y")) == ["761"]
        (long,) = await asks(alice, "* SET b " + "\u00e9" * 6)
        assert "VALUE_INVALID" in long or "INVALID_VALUE" in long


async def test_a_value_as_long_as_the_server_says_is_kept_whole(town: Town) -> None:
    alice = await town.irc("alice", caps=CAPS)
    value = "x" * min(town.hub.limits.metadata_value, 440)  # what fits on a line
    assert await asks(alice, f"* SET k :{value}") == [f":asynchat 761 alice alice k * :{value}"]


# Following words.


async def test_who_follows_a_word_is_told_when_it_changes(town: Town) -> None:
    await three(town)
    alice, bob, eve = town.clients
    assert await asks(bob, "* SUB url avatar") == [":asynchat 770 bob url avatar"]
    await eve.says("METADATA * SUB url")
    town.forget()
    await alice.says("METADATA * SET url u", "METADATA #a SET avatar v", "METADATA * SET other w", "METADATA * SET url")
    heard = bob.hears()
    assert len(heard) == 3
    assert [each in line for each, line in zip(("alice url", "#a avatar", "alice url"), heard, strict=True)] == [
        True
    ] * 3
    assert eve.hears() == []  # no room in common
    assert await asks(bob, "* SUBS") == [":asynchat 772 bob avatar", ":asynchat 772 bob url"]
    assert await asks(bob, "* UNSUB url") == [":asynchat 771 bob url"]
    await alice.says("METADATA * SET url again")
    assert bob.hears() == []


async def test_who_begins_to_follow_a_word_is_told_what_it_is_now(town: Town) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await alice.says("METADATA * SET url u", "METADATA #a SET url v")
    town.forget()
    assert sorted(line.partition("bob ")[2] for line in await asks(bob, "* SUB url")) == [
        "#a url * :v",
        "alice url * :u",
        "url",
    ]
    await eve.says("METADATA * SUB url")
    assert words(eve.hears()) == ["770"]
    await eve.says("JOIN #a")
    assert sorted(line.partition("eve ")[2] for line in eve.hears() if words([line]) == ["761"]) == [
        "#a url * :v",
        "alice url * :u",
    ]
    assert words(await asks(eve, "#a SYNC")) == ["761", "761"]


async def test_who_watches_somebody_follows_their_words(town: Town) -> None:
    """ "Clients automatically receive metadata updates for ... users they are currently monitoring"."""
    await three(town)
    alice, _, eve = town.clients
    await eve.says("METADATA * SUB url", "MONITOR + alice", "CAP REQ extended-monitor")
    town.forget()
    await alice.says("METADATA * SET url u")
    (heard,) = eve.hears()
    assert "alice url" in heard


async def test_only_so_many_words_are_followed() -> None:
    async with Town(metadata_subs=2) as town:
        alice = await town.irc("alice", caps=CAPS)
        heard = await asks(alice, "* SUB a b a c d")
        assert sorted(words(heard)) == ["770", "FAIL"]
        assert any(line.startswith(":asynchat FAIL METADATA TOO_MANY_SUBS c :") for line in heard)
        assert words(await asks(alice, "* SUBS")) == ["772", "772"]


async def test_what_was_followed_once_is_not_remembered_for_ever(town: Town) -> None:
    """A client that follows other words again and again must cost no memory when it is gone."""
    client = await town.irc("alice", caps=CAPS)
    for number in range(50):
        await client.says(f"METADATA * SUB word{number}", f"METADATA * UNSUB word{number}")
    await client.vanishes()
    gc.collect()
    kept = [
        each for each in gc.get_objects() if isinstance(each, Irc) and any("word" in word for word in each.subscribed)
    ]
    assert len(kept) <= 1


async def test_many_long_words_are_acknowledged_on_lines_that_fit(town: Town) -> None:
    client = await town.irc("n" * 32, caps=CAPS)
    keys = [f"{number}{'k' * 63}" for number in range(7)]
    for subcommand in ("SUB", "UNSUB"):
        heard = await asks(client, f"* {subcommand} {' '.join(keys)}")
        assert all(len(line) <= 510 for line in heard)
        assert {word for line in heard for word in line.split(" ")[3:]} == set(keys)


# Before coming in.


async def test_words_set_before_coming_in_are_kept_and_told(town: Town) -> None:
    client = town.connect("irc")
    await client.says(
        f"CAP REQ :{CAPS}", "NICK alice", "METADATA * SET url u", "METADATA * SUB url", "METADATA #a LIST"
    )
    assert words(client.hears()) == ["CAP", "761", "770", "FAIL"]
    await client.says("USER a 0 * :A", "CAP END")
    heard = client.hears()
    assert any(bare(line) == ":asynchat 761 alice alice url * :u" for line in heard)
    bob = await town.irc("bob", caps=CAPS)
    assert await asks(bob, "alice GET url") == [":asynchat 761 bob alice url * :u"]
