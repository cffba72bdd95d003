"""Rooms that take another name, and what may happen meanwhile."""

from __future__ import annotations

import pytest

from asynchat.chat.events import Change, Role, Setting
from tests.chat.town import House, refused


@pytest.fixture
def house() -> House:
    return House()


def test_a_renamed_room_is_the_same_room(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    room, carol = house.hub.room("#a"), house.enter("carol")
    house.hub.set_topic(alice, "#a", "tea")
    pending = house.hub.rename_room(alice, "#A", "#Bee", "why")
    assert (pending.event.room, pending.event.name, pending.event.reason) == ("#a", "#Bee", "why")
    assert pending.audience is room.audience
    assert house.hub.room("#bee") is room
    assert (room.name, room.topic.text, list(room.members)) == ("#Bee", "tea", [alice, bob])
    with refused("NO_SUCH_ROOM"):
        house.hub.room("#a")
    house.hub.join(carol, "#a")  # the name is free
    assert house.hub.room("#a") is not room
    assert not house.hub._opening


def test_a_room_may_change_the_case_of_its_name_and_take_no_others(house):
    (alice,) = house.room_of("#a", "alice")
    bob = house.enter("bob")
    house.room_of("#used", "carol")
    for name in ("#empty", "#a"):
        house.hub.join(bob, name)
    house.hub.leave(bob, "#empty")  # it is remembered
    for name in ("#USED", "#empty"):
        with refused("NAME_TAKEN"):
            house.hub.rename_room(alice, "#a", name, "")
    for name in ("b", "#a b", "#" + "x" * 64):
        with refused("BAD_ROOM_NAME"):
            house.hub.rename_room(alice, "#a", name, "")
    house.hub.rename_room(alice, "#a", "#A", "")
    assert house.hub.room("#a").name == "#A"
    assert not house.hub._opening


def test_who_joins_the_new_name_while_the_room_is_renamed_is_in_that_room(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    carol, room = house.enter("carol"), house.hub.room("#a")
    with house.journal.held():
        house.hub.rename_room(alice, "#a", "#b", "")
        assert house.hub.join(bob, "#b") is None
        joined = house.hub.join(carol, "#b")
    assert (joined.event.room, joined.event.places) == ("#b", (room.place,))
    assert house.roles("#b") == {"alice": Role.OPERATOR, "bob": Role.NONE, "carol": Role.NONE}
    assert (house.hub._opening, house.hub._coming) == ({}, {})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change(setting=Setting.BAN, on=True, value="carol!*@*"), "BANNED"),
        (Change(setting=Setting.KEY, on=True, value="sesame"), "BAD_KEY"),
        (Change(setting=Setting.INVITE_ONLY, on=True), "INVITE_ONLY"),
        (Change(setting=Setting.LIMIT, on=True, value="1"), "ROOM_FULL"),
    ],
)
def test_no_door_is_open_while_a_room_is_renamed(house, change, code):
    (alice,) = house.room_of("#a", "alice")
    carol = house.enter("carol")
    house.hub.change(alice, "#a", [change])
    with house.journal.held():
        house.hub.rename_room(alice, "#a", "#b", "")
        for name in ("#a", "#b"):
            with refused(code):
                house.hub.join(carol, name)
    assert house.roles("#b") == {"alice": Role.OPERATOR}


def test_a_name_that_is_being_taken_is_no_other_rooms(house):
    (alice,), (bob,) = house.room_of("#a", "alice"), house.room_of("#b", "bob")
    carol = house.enter("carol")
    with house.journal.held():
        house.hub.join(carol, "#c")
        house.hub.rename_room(alice, "#a", "#d", "")
        for name in ("#c", "#D"):
            with refused("NAME_TAKEN"):
                house.hub.rename_room(bob, "#b", name, "")
    assert sorted(house.hub.state.rooms) == ["#b", "#c", "#d"]


def test_a_renaming_that_could_not_be_stored_gives_the_name_back(house):
    (alice,), (bob,) = house.room_of("#a", "alice"), house.room_of("#b", "bob")
    with house.journal.failing():
        house.hub.rename_room(alice, "#a", "#c", "")
    assert house.hub.room("#a").name == "#a"
    house.hub.rename_room(bob, "#b", "#c", "")
    assert sorted(house.hub.state.rooms) == ["#a", "#c"]


def test_a_room_that_has_ended_is_not_renamed(house):
    (alice,) = house.room_of("#a", "alice")
    house.hub.change(alice, "#a", [Change(setting=Setting.INVITE_ONLY, on=True)])
    with house.journal.held():
        house.hub.leave(alice, "#a")
        house.hub.rename_room(alice, "#a", "#b", "")
    assert house.hub.state.void == 1
    assert not house.hub.state.rooms
    assert not house.hub._opening
