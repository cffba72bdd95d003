"""What every engine promises. Another engine is one row of `ENGINES`."""

from __future__ import annotations

import pytest

from asynchat.chat.errors import StoreError
from asynchat.store import Snapshot
from tests.store.author import Author, ids, opened, stored, texts


async def test_an_answer_for_each_in_order_and_all_are_new(log):
    author = Author(log)
    batch = [author.says("one"), author.joins(), author.says("two", "#2")]
    answers = stored(await log.append(batch))
    assert [answer.event for answer in answers] == batch
    assert all(answer.new for answer in answers)
    positions = [answer.position for answer in answers]
    assert positions == sorted(set(positions))
    (later,) = stored(await log.append([author.says("three")]))
    assert later.position > positions[0]


async def test_nothing_is_stored_by_an_empty_batch(log):
    before = log.last_id
    assert list(await log.append([])) == []
    assert log.last_id == before


async def test_the_last_id_and_time_are_those_of_the_last_event(log):
    author = Author(log)
    assert log.last_ms == 0
    batch = [author.says("one"), author.says("two")]
    await log.append(batch)
    assert (log.last_id, log.last_ms) == (int(batch[-1].id), batch[-1].at_ms)


async def test_what_comes_back_is_what_was_stored(log):
    author = Author(log, account="alice")
    batch = [author.says("é\n部屋 \u202e\x01", key="k"), author.joins(), author.renames("#1", "#2")]
    await log.append(batch)
    assert list(await log.page("#1", limit=9, talk_only=False)) == batch


# Idempotency keys.


async def test_a_key_that_was_used_before_gives_the_first_and_stores_nothing(log):
    author = Author(log)
    first, again = author.says("hi", key="k"), author.says("hi again", key="k")
    await log.append([first])
    (answer,) = stored(await log.append([again]))
    assert (answer.new, answer.event.id) == (False, first.id)
    assert await texts(log) == ["hi"]


async def test_a_key_that_is_used_twice_in_a_batch_is_stored_once(log):
    author = Author(log)
    batch = [author.says("hi", key="k"), author.says("ho", key="k"), author.says("hey"), author.says("hi", key="k")]
    answers = stored(await log.append(batch))
    assert [answer.new for answer in answers] == [True, False, True, False]
    assert ids([answer.event for answer in answers]) == [batch[n].id for n in (0, 0, 2, 0)]
    assert await texts(log) == ["hi", "hey"]


async def test_a_key_is_its_senders_own(log):
    author = Author(log)
    first = [author.says("guest", key="k"), author.says("bob", key="k", account="bob")]
    assert [answer.new for answer in stored(await log.append(first))] == [True, True]
    (later,) = stored(await log.append([author.says("carol", key="k", account="carol")]))
    assert later.new
    (again,) = stored(await log.append([author.says("bob again", key="k", account="bob")]))
    assert again.event.id == first[1].id


async def test_lines_without_a_key_are_never_the_same(log):
    author = Author(log)
    answers = stored(await log.append([author.says("hi"), author.says("hi")]))
    assert all(answer.new for answer in answers)
    assert await texts(log) == ["hi", "hi"]


# Failure.


async def test_an_entry_that_cannot_be_stored_does_not_keep_the_others_out(engine, log):
    if not engine.can_fail:
        pytest.skip("it takes anything")
    author = Author(log)
    batch = [
        author.says("one"),
        author.says("no Unicode: \ud800", key="k"),
        author.says("two", key="k"),
        author.joins(),
        author.says("no Unicode: \udfff"),
    ]
    answers = await log.append(batch)
    assert [isinstance(answer, StoreError) for answer in answers] == [False, True, False, False, True]
    assert not answers[1].full
    assert answers[2].new  # what failed has used no key
    assert ids(await log.page("#1", limit=9, talk_only=False)) == [batch[n].id for n in (0, 2, 3)]
    assert await texts(log) == ["one", "two"]
    (later,) = stored(await log.append([author.says("three")]))
    assert later.new
    assert log.last_id == later.position


# Coming back.


async def test_nothing_was_saved_in_a_new_log(log):
    assert await log.snapshot() is None
    assert [page async for page in log.replay(0)] == []


async def test_all_of_it_is_there_after_closing_and_opening(surviving, tmp_path):
    async with opened(surviving.make(tmp_path)) as log:
        author = Author(log)
        batch = [author.says("one", key="k"), author.joins(), author.says("two", "#1", "#2")]
        await log.append(batch)
    async with opened(surviving.make(tmp_path)) as log:
        assert (log.last_id, log.last_ms) == (int(batch[-1].id), batch[-1].at_ms)
        assert ids(await log.page("#1", limit=9, talk_only=False)) == ids(batch)
        assert ids(await log.page("#2", limit=9)) == [batch[2].id]
        (again,) = stored(await log.append([author.says("one", key="k")]))
        assert (again.new, again.event.id) == (False, batch[0].id)


async def test_the_last_snapshot_is_there_after_closing_and_opening(surviving, tmp_path):
    saved = Snapshot(7, {"people": [["g1", None, "é部屋"]], "rooms": [{"a": 1.5, "b": True}]})
    async with opened(surviving.make(tmp_path)) as log:
        await log.save_snapshot(Snapshot(6, {"people": []}))
        await log.save_snapshot(saved)
        assert await log.snapshot() == saved
    async with opened(surviving.make(tmp_path)) as log:
        assert await log.snapshot() == saved
        assert log.last_id >= 7  # ids go on after what the snapshot has seen


async def test_a_replay_has_all_changes_after_an_id_in_order_and_no_talk(surviving, tmp_path):
    async with opened(surviving.make(tmp_path)) as log:
        author = Author(log)
        batch = [author.says("talk") if number % 3 == 0 else author.renames("#1") for number in range(3600)]
        await log.append(batch)
    async with opened(surviving.make(tmp_path)) as log:
        pages = [ids(page) async for page in log.replay(0)]
        assert [each for page in pages for each in page] == ids([event for event in batch if not event.talk])
        assert len(pages) > 1  # it does not need room for all of them at once
        late = [each async for page in log.replay(int(batch[3500].id)) for each in ids(page)]
        assert late == ids([event for event in batch[3501:] if not event.talk])
