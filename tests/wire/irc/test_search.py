"""SEARCH: its attributes, its batch, and that nobody finds what they may not read. (soju.im/search)"""

from __future__ import annotations

import pytest

from asynchat.chat.errors import Refused, StoreError
from tests.conversation import Client, Town, bare, tags, words

CAPS = "batch message-tags server-time soju.im/search"


async def three(town: Town) -> tuple[Client, Client]:
    """alice in #a and #b, bob in #a; what bob said, a second apart, and a word between them alone."""
    alice, bob = await town.irc("alice", "#a", "#b", caps=CAPS), await town.irc("bob", "#a", caps=CAPS)
    for line in ("#a :red one", "#a :green; two", "#b :red three", "alice :red four", "#a :\x01ACTION likes red\x01"):
        await town.passes(1)
        await (alice if line.startswith("#b") else bob).says(f"PRIVMSG {line}")
    town.forget()
    return alice, bob


def texts(heard: list[str]) -> list[str]:
    """What stands in the batch, which must be whole."""
    opening, *lines, end = heard
    assert bare(opening).split(" ")[1:2] == ["BATCH"]
    assert bare(opening).endswith(" soju.im/search")
    name = bare(opening).split(" ")[2][1:]
    assert bare(end).endswith(f"BATCH -{name}")
    assert all(tags(line)["batch"] == name and "msgid" in tags(line) and "time" in tags(line) for line in lines)
    return [line.rpartition(" :")[2] for line in lines]


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ("text=red", ["red one", "red three", "red four", "\x01ACTION likes red\x01"]),
        ("in=#a;text=red", ["red one", "\x01ACTION likes red\x01"]),
        ("text=red;in=#A;limit=1", ["\x01ACTION likes red\x01"]),
        ("from=ALICE;text=red", ["red three"]),
        ("from=alice", ["red three"]),
        ("in=bob", ["red four"]),
        ("in=nobody;text=red", []),
        ("text=two\\sgreen", ["green; two"]),
        (":text=two green", ["green; two"]),
        ("text=green\\:", ["green; two"]),
        ("before=2026-01-02T03:04:07.000Z;in=#a", ["red one"]),
        ("after=2026-01-02T03:04:06.678Z;limit=2", ["red one", "green; two"]),
        ("after=2026-01-02T03:04:06.679Z;before=2026-01-02T03:04:07.678Z", ["green; two"]),
        ("before=2010-01-01T00:00:00.000Z;in=#a", []),
        ("text=?!", []),
        ("in=#a;limit=1000000", ["red one", "green; two", "\x01ACTION likes red\x01"]),
    ],
)
async def test_it_finds_what_is_asked_for(town: Town, attributes: str, found: list[str]) -> None:
    alice, _ = await three(town)
    await alice.says(f"SEARCH {attributes}")
    assert texts(alice.hears()) == found


@pytest.mark.parametrize(
    ("attributes", "about"),
    [
        ("", "*"),
        ("colour=red", "colour"),
        ("limit=0;text=a", "limit 0"),
        ("limit=-1", "limit -1"),
        ("limit=9999999999999999999", "limit 9999999999999999999"),
        ("before=yesterday", "before yesterday"),
        ("after=", "after *"),
        ("in=#nowhere", "in #nowhere"),
    ],
)
async def test_what_makes_no_sense_is_told(town: Town, attributes: str, about: str) -> None:
    alice, _ = await three(town)
    await alice.says(f"SEARCH :{attributes}")
    (line,) = alice.hears()
    assert bare(line).startswith(f":asynchat FAIL SEARCH INVALID_PARAMS {about} :")


async def test_nobody_finds_what_they_may_not_read(town: Town) -> None:
    alice, bob = await three(town)
    eve = await town.irc("eve", "#a", caps=CAPS)
    await alice.says("PRIVMSG @#a :red for operators", "PART #b")
    town.forget()
    await eve.says("SEARCH text=red", "SEARCH in=#b;text=red", "SEARCH in=bob", "SEARCH in=alice;from=bob")
    heard = eve.hears()
    assert texts(heard[:4]) == ["red one", "\x01ACTION likes red\x01"]
    assert words(heard[4:5]) == ["FAIL"]
    assert texts(heard[5:7]) == texts(heard[7:]) == []
    await alice.says("SEARCH text=three", "SEARCH text=operators")
    assert [texts(alice.hears()[at : at + size]) for at, size in ((0, 2),)] == [[]]
    await bob.says("SEARCH text=red;in=alice", "SEARCH text=operators")
    heard = bob.hears()
    assert texts(heard[:3]) == ["red four"]
    assert texts(heard[3:]) == []


async def test_without_batches_there_are_just_the_lines(town: Town) -> None:
    await three(town)
    carol = await town.irc("carol", "#a")
    await carol.says("SEARCH text=green")
    assert [line.partition("PRIVMSG ")[2] for line in carol.hears()] == ["#a :green; two"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (StoreError("/secret/path: disk"), ":asynchat FAIL SEARCH INTERNAL_ERROR :The log cannot be read"),
        (Refused("TRY_LATER", "not yet"), ":asynchat FAIL SEARCH TRY_LATER :not yet"),
    ],
)
async def test_a_search_that_fails_is_told(town: Town, monkeypatch, fault: Exception, told: str) -> None:
    alice, _ = await three(town)

    async def fail(search: object) -> None:
        raise fault

    monkeypatch.setattr(town.log, "search", fail)
    await alice.says("SEARCH text=red", "PING x")
    heard = [bare(line) for line in alice.hears()]
    assert heard[0] == told
    assert words(heard[1:]) == ["PONG"]


async def test_a_person_without_a_client_searches_too(town: Town) -> None:
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby")
    await alice.says("PRIVMSG #lobby :red one", "PRIVMSG #lobby :blue", "PRIVMSG nat :red two")
    town.forget()
    await town.plays("""
        nat> /search RED
        nat< #… 03:04 <alice> red one
        nat< #… 03:04 [dm alice] red two
        nat< *** end
        nat> /search nothing-like-it
        nat< *** end
        nat> /search
        nat< !!! NEED_MORE /search words
    """)
    await nat.says("/join #other")
    town.forget()
    await nat.says("/search blue")
    assert nat.hears()[0].endswith("[#lobby] <alice> blue")


async def test_a_person_without_a_client_is_told_of_a_log_that_cannot_be_read(town: Town, monkeypatch) -> None:
    nat = await town.person("nat")

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("/secret/path: disk")

    monkeypatch.setattr(town.log, "search", fail)
    monkeypatch.setattr(town.log, "page", fail)
    await nat.says("/search red", "/history", "still here")
    assert nat.hears() == ["!!! INTERNAL_ERROR the log cannot be read"] * 2


async def test_history_that_cannot_be_read_is_told(town: Town, monkeypatch) -> None:
    alice, _ = await three(town)

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("/secret/path: disk")

    monkeypatch.setattr(town.log, "page", fail)
    await alice.says("CHATHISTORY LATEST #a * 10")
    (line,) = alice.hears()
    assert bare(line) == ":asynchat FAIL CHATHISTORY MESSAGE_ERROR LATEST :Messages could not be retrieved"
