"""Who is told of a name, and who bore it before."""

from __future__ import annotations

import pytest

from asynchat.chat.state import FORMER_EACH, FORMER_NAMES
from tests.chat.town import House


@pytest.fixture
def house() -> House:
    return House()


class Watcher:
    """All that is asked of a session that watches."""


def test_who_watches_a_name_is_told_who_comes_goes_and_changes_wherever_that_is(house):
    watcher, state = Watcher(), house.hub.state
    state.watchers.add(watcher, "Alice")
    seen = [house.hub.enter("aLICE", "i", "h", "")]
    alice = house.hub.user("alice")
    seen += [
        house.hub.set_away(alice, "out"),
        house.hub.set_account(alice, "al"),
        house.hub.set_realname(alice, "Al"),
        house.hub.set_metadata(alice, "a", "b"),
        house.hub.rename(alice, "bob"),
    ]
    assert [pending.audience.watchers for pending in seen] == [(watcher,)] * len(seen)
    assert house.hub.set_away(alice, None).audience.watchers == ()
    assert house.hub.rename(alice, "alice").audience.watchers == (watcher,)
    assert house.hub.depart(alice, "").audience.watchers == (watcher,)


def test_who_watches_both_names_of_a_renaming_is_told_once(house):
    watcher, alice = Watcher(), house.enter("alice")
    for name in ("alice", "bob"):
        house.hub.state.watchers.add(watcher, name)
    assert house.hub.rename(alice, "bob").audience.watchers == (watcher,)


def test_who_watches_no_more_is_told_no_more(house):
    state, one, other = house.hub.state, Watcher(), Watcher()
    for watcher in (one, other):
        for name in ("alice", "Bob"):
            state.watchers.add(watcher, name)
    state.watchers.remove(one, "ALICE")
    state.watchers.remove(one, "carol")  # whom it never watched
    assert (state.watchers.names_of(one), state.watchers.names_of(other)) == (["bob"], ["alice", "bob"])
    assert not state.watchers.has(one, "alice")
    assert state.watchers.has(other, "alice")
    state.watchers.remove(other)
    state.watchers.remove(one)
    assert house.hub.enter("bob", "i", "h", "").audience.watchers == ()
    assert not state.watchers


# Who bore a name.


def test_who_bore_a_name_is_remembered_latest_first(house):
    for number in range(3):
        house.now_ms = 1_000 * (number + 1)
        house.hub.depart(house.enter("Alice"), "")
    former = house.hub.state.former["alice"]
    assert [each.at_ms for each in former] == [3_000, 2_000, 1_000]
    alice = house.enter("alice")
    house.hub.rename(alice, "ALICE")  # that is the same name
    assert len(former) == 3
    house.hub.rename(alice, "bob")
    assert [each.source.nick for each in house.hub.state.former["alice"]] == ["ALICE", "Alice", "Alice", "Alice"]


def test_no_more_former_names_and_bearers_are_remembered_than_so_many(house):
    for _ in range(FORMER_EACH + 5):
        house.hub.depart(house.enter("old"), "")
    user = house.enter("n")
    for number in range(FORMER_NAMES - 1):
        house.hub.rename(user, f"n{number}")
    former = house.hub.state.former
    assert (len(former), len(former["old"])) == (FORMER_NAMES, FORMER_EACH)
    house.hub.depart(house.enter("old"), "")  # so that it is not the longest ago
    house.hub.rename(user, "m")
    assert len(former) == FORMER_NAMES
    assert "old" in former
    assert "n" not in former
