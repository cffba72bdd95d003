"""What can be read of a log of any engine: pages, single events and times."""

from __future__ import annotations

import pytest

from asynchat.chat.events import Departed
from tests.store.author import Author, ids

# Pages. The place has eight events: talk, Joined, talk, Joined …, with others between them that it has nothing of.


@pytest.mark.parametrize("in_batches", [False, True], ids=["one-by-one", "one-batch"])
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"limit": 9, "talk_only": False}, "01234567"),
        ({"limit": 3, "talk_only": False}, "567"),
        ({"limit": 0, "talk_only": False}, ""),
        ({"limit": 9}, "0246"),
        ({"limit": 2, "talk_only": True}, "46"),
        ({"before": 5, "limit": 9, "talk_only": False}, "01234"),
        ({"before": 5, "limit": 2, "talk_only": False}, "34"),
        ({"before": 5, "limit": 2}, "24"),
        ({"before": 4, "limit": 9}, "02"),
        ({"before": 0, "limit": 9, "talk_only": False}, ""),
        ({"after": 5, "limit": 9, "talk_only": False}, "67"),
        ({"after": 5, "limit": 1, "talk_only": False}, "6"),
        ({"after": 1, "limit": 2}, "24"),
        ({"after": 2, "limit": 9}, "46"),
        ({"after": 7, "limit": 9, "talk_only": False}, ""),
        ({"newest": False, "limit": 3, "talk_only": False}, "012"),
        ({"newest": True, "limit": 3, "talk_only": False}, "567"),
        ({"after": 1, "newest": True, "limit": 2, "talk_only": False}, "67"),
        ({"after": 1, "newest": True, "limit": 2}, "46"),
        ({"before": 5, "newest": False, "limit": 2, "talk_only": False}, "01"),
        ({"after": 1, "before": 6, "limit": 9, "talk_only": False}, "2345"),
        ({"after": 1, "before": 6, "limit": 9}, "24"),
        ({"after": 1, "before": 6, "limit": 2, "talk_only": False}, "23"),
        ({"after": 1, "before": 6, "newest": False, "limit": 2, "talk_only": False}, "23"),
        ({"after": 1, "before": 6, "newest": True, "limit": 2, "talk_only": False}, "45"),
        ({"after": 1, "before": 6, "newest": True, "limit": 1}, "4"),
        ({"after": 3, "before": 4, "limit": 9, "talk_only": False}, ""),
        ({"after": 6, "before": 2, "limit": 9, "talk_only": False}, ""),
    ],
    ids=str,
)
async def test_a_page_is_the_last_or_the_last_before_or_the_first_after(log, in_batches, asked, found):
    author = Author(log)
    mine, batch = [], []
    for number in range(8):
        mine.append(author.joins() if number % 2 else author.says(str(number)))
        batch += [author.says("elsewhere", "#2"), mine[-1], author.joins("#3")]
    for part in [batch] if in_batches else [[event] for event in batch]:
        await log.append(part)
    edges = {edge: mine[asked[edge]].id for edge in ("before", "after") if edge in asked}
    page = await log.page("#1", **asked | edges)
    assert ids(page) == [mine[int(index)].id for index in found]


async def test_an_id_need_not_be_one_of_the_place(log):
    author = Author(log)
    first, other, second = author.says("one"), author.says("other", "#2"), author.says("two")
    await log.append([first, other, second])
    assert ids(await log.page("#1", before=other.id, limit=9)) == [first.id]
    assert ids(await log.page("#1", after=other.id, limit=9)) == [second.id]


@pytest.mark.parametrize("talk_only", [False, True])
async def test_an_id_may_be_beyond_all_that_there_are(log, talk_only):
    author = Author(log)
    event = author.says("one")
    await log.append([event])
    beyond = str(2**70)  # ids come from clients, too
    assert ids(await log.page("#1", before=beyond, limit=9, talk_only=talk_only)) == [event.id]
    assert ids(await log.page("#1", after=beyond, limit=9, talk_only=talk_only)) == []


async def test_a_place_of_which_nothing_is_stored_has_empty_pages(log):
    author = Author(log)
    event = author.says("one", "#2")
    await log.append([event])
    for place in ("#1", "", "@g1"):
        assert list(await log.page(place, limit=9, talk_only=False)) == []
        assert list(await log.page(place, before=event.id, limit=9)) == []
        assert list(await log.page(place, after="0", limit=9)) == []


async def test_a_place_without_talk_has_empty_pages_of_talk(log):
    author = Author(log)
    await log.append([author.joins(), author.renames("#1")])
    assert list(await log.page("#1", limit=9)) == []
    assert len(await log.page("#1", limit=9, talk_only=False)) == 2


async def test_an_event_of_several_places_is_in_each_of_them_once(log):
    author = Author(log)
    both = author.says("psst", "@g1", "@g2")
    gone = Departed(rooms=("#a", "#b"), reason="", **author._basics(("#1", "@g2"), None))
    await log.append([both, gone])
    assert ids(await log.page("@g1", limit=9, talk_only=False)) == [both.id]
    assert ids(await log.page("@g2", limit=9, talk_only=False)) == [both.id, gone.id]
    assert ids(await log.page("#1", limit=9, talk_only=False)) == [gone.id]


async def test_a_reaction_is_not_among_what_people_read_back(log):
    author = Author(log)
    words, reaction = author.says("one"), author.reacts()
    await log.append([words, reaction])
    for newest in (None, True, False):
        assert ids(await log.page("#1", limit=9, newest=newest)) == [words.id]
        assert ids(await log.page("#1", limit=9, newest=newest, talk_only=False)) == [words.id, reaction.id]
    assert await log.find(reaction.id) == reaction


# Single events.


async def test_what_is_kept_is_found_by_its_id(log):
    author = Author(log)
    batch = [author.says("one"), author.joins(), author.says("psst", "@g1", "@g2", "&g1&g2")]
    await log.append(batch)
    assert [await log.find(event.id) for event in batch] == batch
    for nothing in ("0", str(log.last_id + 1), str(2**70), "9" * 5000, "-1", "", "abc", "²"):
        assert await log.find(nothing) is None


# Times.


async def test_the_last_until_a_time_is_the_last_of_those_that_have_it(log):
    author = Author(log)
    assert await log.last_until(author.at_ms) == "0"
    author.step_ms = 0
    early = [author.says("one"), author.joins("#2"), author.says("three")]
    author.at_ms += 100
    late = [author.says("four"), author.says("five")]
    await log.append(early[:2])
    await log.append([*early[2:], *late[:1]])
    await log.append(late[1:])
    first, last = early[0].at_ms, late[0].at_ms
    asked = [0, first - 1, first, first + 1, last - 1, last, last + 1, last + 10**9]
    answers = ["0", "0", early[2].id, early[2].id, early[2].id, late[1].id, late[1].id, late[1].id]
    assert [await log.last_until(at_ms) for at_ms in asked] == answers


async def test_ids_between_which_nothing_is_kept_are_no_answer(log):
    """Much takes an id and is not kept."""
    author = Author(log)
    next(author.ids)
    first = author.says("one")
    for _ in range(5):
        next(author.ids)
    author.at_ms += 100
    second = author.says("two")
    await log.append([first, second])
    assert await log.last_until(first.at_ms - 1) == "0"
    assert await log.last_until(second.at_ms - 1) == first.id
    assert await log.last_until(second.at_ms) == second.id
