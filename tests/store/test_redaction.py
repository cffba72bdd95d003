"""What is taken back: it is in the log of no engine any more."""

from __future__ import annotations

import pytest

from asynchat.chat.events import Event
from asynchat.store import Log
from asynchat.store.memory import MemoryLog
from tests.store.author import Author, ids, opened, stored, texts

PLACES = ("@g1", "@g2", "&g1&g2")


async def kept(log: Log, place: str = "#1") -> list[str]:
    return ids(await log.page(place, limit=99, talk_only=False))


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "in-its-batch"])
async def test_it_is_neither_read_nor_found_and_the_rest_is(log, at_once):
    author = Author(log)
    before, said, after = author.says("one"), author.says("oops"), author.says("three")
    redacted = author.takes_back(said)
    batch: list[Event] = [before, said, after, redacted]
    for part in [batch] if at_once else [[event] for event in batch]:
        assert all(answer.new for answer in stored(await log.append(part)))
    assert await texts(log) == ["one", "three"]
    assert await kept(log) == [before.id, after.id, redacted.id]
    assert await log.find(said.id) is None
    assert await log.find(after.id) == after
    assert (log.last_id, log.last_ms) == (int(redacted.id), redacted.at_ms)


async def test_it_vanishes_from_each_of_its_places(log):
    author = Author(log)
    said = author.says("psst", *PLACES)
    redacted = author.takes_back(said)
    await log.append([said])
    await log.append([redacted])
    for place in PLACES:
        assert await kept(log, place) == [redacted.id]


async def test_a_reaction_can_be_taken_back_too(log):
    author = Author(log)
    said, reaction = author.says("one"), author.reacts()
    redacted = author.takes_back(reaction)
    await log.append([said, reaction])
    await log.append([redacted])
    assert await kept(log) == [said.id, redacted.id]
    assert await log.find(reaction.id) is None


async def test_it_is_taken_back_twice_and_what_never_was_to_no_harm(log):
    author = Author(log)
    said, other = author.says("oops"), author.says("other", "#2")
    await log.append([said])
    again = [author.takes_back(said), author.takes_back(said), author.takes_back(other)]
    stored(await log.append(again))
    assert await kept(log) == ids(again[:2])


async def test_its_key_stays_used_and_costs_the_others_of_a_batch_nothing(log):
    author = Author(log)
    said = author.says("oops", key="k")
    await log.append([said])
    await log.append([author.takes_back(said)])
    again, other = author.says("oops", key="k"), author.says("other")
    first, second = stored(await log.append([again, other]))
    assert (first.new, first.event.id, second.new) == (False, said.id, True)
    assert await texts(log) == ["other"]


@pytest.mark.parametrize("length", [1, 10_000], ids=["short", "long"])
async def test_it_stays_gone_after_a_restart(surviving, tmp_path, length):
    async with opened(surviving.make(tmp_path)) as log:
        author = Author(log)
        said, reaction, joined = author.says("a secret word" * length, key="k"), author.reacts(), author.joins()
        await log.append([said, reaction, joined])
        taken = [author.takes_back(said), author.takes_back(reaction)]
        await log.append(taken)
    async with opened(surviving.make(tmp_path)) as log:
        assert [await log.find(event.id) for event in (said, reaction)] == [None, None]
        assert await kept(log) == [joined.id, *ids(taken)]
        replayed = [each async for page in log.replay(0) for each in ids(page)]
        assert replayed == [joined.id, *ids(taken)]
        (again,) = stored(await log.append([Author(log).says("what?", key="k")]))
        assert (again.new, again.event.id) == (False, said.id)
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert not any(b"a secret word" in each for each in files)


async def test_what_has_fallen_off_one_ring_only_can_be_taken_back_from_the_others():
    log = MemoryLog(ring=2)
    author = Author(log)
    said = author.says("psst", *PLACES)
    await log.append([said, *(author.says(str(number), "@g1") for number in range(2))])
    assert await log.find(said.id) is said
    await log.append([author.takes_back(said)])
    assert said.id not in [*await kept(log, "@g2"), *await kept(log, "&g1&g2")]


async def test_what_has_fallen_off_all_its_rings_is_not_found():
    log = MemoryLog(ring=2)
    author = Author(log)
    batch = [author.says(str(number), *PLACES) for number in range(4)]
    await log.append(batch)
    assert [await log.find(event.id) for event in batch] == [None, None, *batch[2:]]
    assert len(log._events) == 2
