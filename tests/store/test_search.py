"""Searching a log of any engine: what fits, in order, and what was taken back is not found."""

from __future__ import annotations

import random
from typing import Any

import pytest

from asynchat.chat.search import Search
from asynchat.store import Log, shelves
from tests.store.author import Author, ids, opened


@pytest.fixture(autouse=True, params=[16, 1], ids=["one shelf", "many shelves"])
def shelf_bits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the index of words has in one table: nobody who searches notices."""
    monkeypatch.setattr(shelves, "SHELF_BITS", request.param)


async def found(log: Log, text: str = "", *places: str, limit: int = 99, **more: Any) -> list[str]:
    search = Search(places=frozenset(places or ("#1",)), text=text, limit=limit, **more)
    return ids(await log.search(search))


async def test_words_are_found_in_order(log):
    author = Author(log)
    lines = [author.says(text) for text in ("red green", "green", "blue", "greenish red")]
    await log.append(lines)
    one, two, three, four = ids(lines)
    assert await found(log, "green") == [one, two, four]
    assert await found(log, "red green") == [one, four]
    assert await found(log, "yellow") == []
    assert await found(log, "?") == []
    assert await found(log, "") == [one, two, three, four]
    assert (await log.search(Search(places=frozenset({"#1"}), text="blue", limit=1)))[0] == lines[2]


async def test_only_where_it_is_looked_for_and_what_is_in_several_places_once(log):
    author = Author(log)
    here, there, private = author.says("red"), author.says("red", "#2"), author.says("red", "@g1", "@g2", "&g1&g2")
    await log.append([here, there, private])
    assert await found(log, "red") == [here.id]
    assert await found(log, "red", "#1", "#2") == [here.id, there.id]
    assert await found(log, "red", "@g1", "&g1&g2", "#1") == [here.id, private.id]
    assert await found(log, "red", "@g2") == [private.id]
    assert await found(log, "red", "#3", "#", "") == []


async def test_by_whom_it_was_said(log):
    author = Author(log)
    alice, bob = author.says("red"), author.says("red", account="Bob")  # bob is the one with an account
    await log.append([alice, bob])
    assert await found(log, "red", nick="ALICE") == [alice.id]
    assert await found(log, "", nick="bob") == [bob.id]
    assert await found(log, "red", nick="carol") == []


async def test_neither_changes_nor_reactions_are_found(log):
    author = Author(log)
    await log.append([author.joins(), author.reacts(), author.says("one"), author.renames("#1")])
    assert len(await found(log)) == 1


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, "789"),
        ({"before": 6}, "345"),
        ({"before": 0}, ""),
        ({"after": 6}, "789"),
        ({"after": 2}, "345"),
        ({"after": 2, "before": 5}, "34"),
        ({"after": 2, "before": 9}, "345"),
        ({"after": 9}, ""),
        ({"after": 5, "before": 5}, ""),
    ],
    ids=str,
)
async def test_the_last_are_found_or_the_first_after(log, bounds, expected):
    author = Author(log)
    lines = [author.says(f"word {number}") for number in range(10)]
    other = [author.says("word", "#2") for _ in range(5)]
    await log.append([*lines, *other])
    edges = {name: lines[index].id for name, index in bounds.items()}
    assert await found(log, "word", limit=3, **edges) == [lines[int(index)].id for index in expected]
    beyond = str(2**70)
    assert await found(log, "word", limit=3, before=beyond) == ids(lines[7:])
    assert await found(log, "word", limit=3, after=beyond) == []


async def test_more_than_one_page_of_candidates_is_looked_through(log):
    author = Author(log)
    needles = [author.says("foo-bar")]
    await log.append(needles)
    for _ in range(5):
        await log.append([author.says("bar foo") for _ in range(100)])
    needles += [author.says("foo-bar")]
    await log.append(needles[1:])
    assert await found(log, "foo-bar", limit=2) == ids(needles)
    assert await found(log, "foo-bar", limit=2, after="0") == ids(needles)


@pytest.mark.parametrize("looked_before", [False, True], ids=["not-indexed", "indexed"])
async def test_what_is_taken_back_is_found_no_more(log, looked_before):
    author = Author(log)
    said, other = author.says("a secret"), author.says("no secret")
    await log.append([said, other])
    if looked_before:
        assert await found(log, "secret") == ids([said, other])
    await log.append([author.takes_back(said)])
    assert await found(log, "secret") == [other.id]


async def test_it_is_found_after_a_restart(surviving, tmp_path):
    async with opened(surviving.make(tmp_path)) as log:
        author = Author(log)
        first, second = author.says("red one"), author.says("red two")
        await log.append([first])
        assert await found(log, "red") == [first.id]
        await log.append([second])
    async with opened(surviving.make(tmp_path)) as log:
        third = Author(log).says("red three")
        await log.append([third])
        assert await found(log, "red") == ids([first, second, third])


async def test_each_engine_finds_what_a_look_at_every_line_finds(log):
    chance = random.Random(7)
    author = Author(log)
    vocabulary = ["red", "green", "greenish", "blue-red", "ok", "oké", "東京", "京都", "x1", "x2y"]
    places = ["#1", "#2", "@g1"]
    lines = []
    for _ in range(300):
        text = " ".join(chance.choices(vocabulary, k=chance.randint(1, 4)))
        where = chance.sample(places, chance.randint(1, 2))
        lines.append(author.says(text, *where, account=chance.choice([None, "bob"])))
    await log.append(lines[:200])
    await log.append(lines[200:])
    for _ in range(100):
        search = Search(
            places=frozenset(chance.sample(places, chance.randint(1, 3))),
            text=" ".join(chance.choices([*vocabulary, "gre", "re", "京", "x"], k=chance.randint(0, 2))),
            nick=chance.choice([None, None, "alice", "bob"]),
            after=chance.choice([None, lines[50].id]),
            before=chance.choice([None, lines[250].id]),
            limit=chance.choice([1, 10, 1000]),
        )
        first, end = int(search.after or 0), int(search.before or 2**62)
        fits = [each.id for each in lines if first < int(each.id) < end and search.finds(each)]
        expected = fits[-search.limit :] if search.newest else fits[: search.limit]
        assert ids(await log.search(search)) == expected, search
