"""Rooms: what verbs decide, what they claim while it is in the air, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from asynchat.chat.events import Change, Changed, Joined, Role, Setting
from asynchat.chat.rooms import Audience
from tests.chat.town import House, refused


@pytest.fixture
def house() -> House:
    return House()


def test_two_who_open_a_room_at_once_are_in_one_room_with_one_operator(house):
    alice, bob = house.enter("alice"), house.enter("bob")
    with house.journal.held():
        first, second = house.hub.join(alice, "#New"), house.hub.join(bob, "#new")
    assert first.event.places == second.event.places
    assert house.roles("#new") == {"alice": Role.OPERATOR, "bob": Role.NONE}
    assert house.hub.room("#new").name == "#New"


def test_if_the_first_join_fails_the_second_opens_the_room(house):
    alice, bob = house.enter("alice"), house.enter("bob")
    house.journal.fails = lambda event: event.by.nick == "alice"
    with house.journal.held():
        house.hub.join(alice, "#a")
        house.hub.join(bob, "#a")
    assert house.roles("#a") == {"bob": Role.OPERATOR}


def test_joining_twice_in_one_batch_joins_once(house):
    alice = house.enter("alice")
    with house.journal.held():
        house.hub.join(alice, "#a")
        house.hub.join(alice, "#a")
    assert house.roles("#a") == {"alice": Role.OPERATOR}
    assert house.hub.state.void == 1
    assert house.hub.join(alice, "#A") is None


def test_an_empty_room_keeps_its_settings_and_gives_the_next_one_the_operators_role(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    house.hub.set_topic(alice, "#a", "tea")
    for user in (alice, bob):
        house.hub.leave(user, "#a")
    with refused("NO_SUCH_ROOM"):
        house.hub.say(alice, "#a", "anybody?")
    house.hub.join(bob, "#a")
    assert house.roles("#a") == {"bob": Role.OPERATOR}
    assert house.hub.room("#a").topic.text == "tea"


def test_an_empty_room_that_only_the_invited_may_enter_ends(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    place = house.hub.room("#a").place
    house.hub.change(alice, "#a", [Change(setting=Setting.INVITE_ONLY, on=True)])
    house.hub.leave(bob, "#a")
    house.hub.leave(alice, "#a")
    house.hub.join(bob, "#a")
    assert house.hub.room("#a").place != place


def test_a_kick_and_a_part_in_one_batch_void_the_second(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    with house.journal.held():
        kicked = house.hub.kick(alice, "#a", "bob", "")
        left = house.hub.leave(bob, "#a")
    assert house.hub.state.void == 1
    assert kicked.audience.goes is bob
    assert left.audience == Audience()
    assert house.roles("#a") == {"alice": Role.OPERATOR}


def test_a_line_in_the_air_when_its_author_is_kicked_is_still_shown(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    with house.journal.held():
        house.hub.kick(alice, "#a", "bob", "")
        said = house.hub.say(bob, "#a", "one more")
        assert said.event.by == bob.source
    assert said.audience.rooms == (house.hub.room("#a"),)


def test_the_limit_counts_joins_in_the_air(house):
    alice, bob, carol, dan = (house.enter(nick) for nick in ("alice", "bob", "carol", "dan"))
    house.hub.join(alice, "#a")
    house.hub.change(alice, "#a", [Change(setting=Setting.LIMIT, on=True, value="2")])
    with house.journal.held():
        house.hub.join(bob, "#a")
        with refused("ROOM_FULL"):
            house.hub.join(carol, "#a")
    with refused("ROOM_FULL"):
        house.hub.join(carol, "#a")
    house.hub.leave(bob, "#a")
    with house.journal.failing():
        house.hub.join(carol, "#a")  # could not be stored: its place is free again
    house.hub.join(dan, "#a")
    assert list(house.roles("#a")) == ["alice", "dan"]


def test_one_can_be_in_so_many_rooms_and_no_more():
    house = House(rooms=1)
    (alice,) = house.room_of("#a", "alice")
    with refused("TOO_MANY_ROOMS"):
        house.hub.join(alice, "#b")
    assert house.hub.join(alice, "#a") is None


def test_who_is_invited_is_told_and_may_enter(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    carol = house.enter("carol")
    house.hub.change(alice, "#a", [Change(setting=Setting.INVITE_ONLY, on=True)])
    with refused("INVITE_ONLY"):
        house.hub.join(carol, "#a")
    pending = house.hub.invite(alice, "#a", "carol")
    assert pending.audience == Audience((house.hub.room("#a"),), (carol,))
    assert pending.event.places == (house.hub.room("#a").place, carol.inbox)
    house.hub.join(carol, "#a")
    with refused("ALREADY_IN_ROOM"):
        house.hub.invite(alice, "#a", "carol")
    house.hub.leave(carol, "#a")
    with refused("INVITE_ONLY"):  # an invitation opens once
        house.hub.join(carol, "#a")


# Settings.


def test_changes_are_made_together_and_only_what_changes_something(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    pending = house.hub.change(
        alice,
        "#a",
        [
            Change(setting=Setting.NO_OUTSIDERS, on=True),  # it is so already
            Change(setting=Setting.MODERATED, on=True),
            Change(setting=Setting.VOICE, on=True, value="bob", user=bob.id),
        ],
    )
    assert [change.setting for change in pending.event.changes] == [Setting.MODERATED, Setting.VOICE]
    assert house.roles("#a")["bob"] is Role.VOICE
    assert house.hub.change(alice, "#a", [Change(setting=Setting.MODERATED, on=True)]) is None
    assert [type(event) for event in house.journal.stored] == [Joined, Joined, Changed]


@pytest.mark.parametrize("value", ["", "0", "-1", "x", "1.5", "²", "٣", str(2**31), "9" * 5000, None])
def test_a_limit_is_a_sensible_number(house, value):
    (alice,) = house.room_of("#a", "alice")
    with refused("BAD_SETTING"):
        house.hub.change(alice, "#a", [Change(setting=Setting.LIMIT, on=True, value=value)])


@pytest.mark.parametrize("value", ["", " ", "a b", "a,b", "a\n", "k" * 33, None])
def test_a_key_is_one_word(house, value):
    (alice,) = house.room_of("#a", "alice")
    with refused("BAD_SETTING"):
        house.hub.change(alice, "#a", [Change(setting=Setting.KEY, on=True, value=value)])


def ban(house: House, *masks: str, on: bool = True) -> Any:
    changes = [Change(setting=Setting.BAN, on=on, value=mask) for mask in masks]
    return house.hub.change(house.hub.user("alice"), "#a", changes)


def test_a_list_holds_so_many_masks_and_no_more():
    house = House(entries=2)
    house.room_of("#a", "alice")
    ban(house, "a!*@*")
    ban(house, "b!*@*")
    with refused("LIST_FULL"):
        ban(house, "c!*@*")
    ban(house, "A!*@*", on=False)
    ban(house, "c!*@*")
    assert [entry.mask for entry in house.hub.room("#a").entries(Setting.BAN)] == ["b!*@*", "c!*@*"]


def test_a_mask_that_is_on_a_full_list_already_is_no_change():
    house = House(entries=1)
    house.room_of("#a", "alice")
    ban(house, "a!*@*")
    assert ban(house, "A!*@*") is None


def test_one_command_does_not_fill_a_list_beyond_its_limit():
    house = House(entries=2)
    house.room_of("#a", "alice")
    with refused("LIST_FULL"):
        ban(house, "a!*@*", "b!*@*", "c!*@*")


def test_who_is_given_a_role_must_be_in_the_room(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    carol = house.enter("carol")
    with refused("NOT_THEIR_ROOM"):
        house.hub.change(alice, "#a", [Change(setting=Setting.VOICE, on=True, value="carol", user=carol.id)])
    with refused("NO_SUCH_NAME"):
        house.hub.change(alice, "#a", [Change(setting=Setting.VOICE, on=True, value="dan", user="g999")])


@pytest.mark.parametrize("mask", ["server!*@*", "Server!*@localhost", "m:server!*@*"])
def test_nobody_bans_the_server_and_such_a_ban_from_before_can_be_taken_back(house, mask):
    house.room_of("#a", "alice")
    with refused("NOT_ALLOWED"):
        ban(house, mask)
    assert ban(house, mask, on=False) is None
    ban(house, "s*!*@*")


@pytest.mark.parametrize("mask", ["", ":a", "a b", "a\n", "m" * 301, None, "m:", "a:", "m:a:"])
def test_a_mask_is_one_word(house, mask):
    house.room_of("#a", "alice")
    with refused("BAD_SETTING"):
        ban(house, mask)


def test_a_word_is_kept_with_a_room(house):
    alice, _ = house.room_of("#A", "alice", "bob")
    pending = house.hub.set_metadata(alice, "color", "blue", room="#a")
    room = house.hub.room("#a")
    assert (pending.event.room, pending.event.places) == ("#A", (room.place,))
    assert pending.audience is room.audience
    assert room.metadata == {"color": "blue"}
    assert alice.metadata is None
    with refused("NO_SUCH_ROOM"):
        house.hub.set_metadata(alice, "color", "blue", room="#b")
    house.hub.set_metadata(alice, "color", None, room="#a")
    assert room.metadata is None


# What holds until some time.


def timed(mask: str, until_ms: int | None) -> Change:
    return Change(setting=Setting.BAN, on=True, value=mask, until_ms=until_ms)


def bans(house: House) -> dict[str, int | None]:
    return {entry.mask: entry.until_ms for entry in house.hub.room("#a").entries(Setting.BAN)}


def test_what_is_over_is_lifted_by_the_server_in_one_event_for_each_room():
    house = House()
    alice, _ = house.room_of("#a", "alice", "bob")
    house.hub.change(alice, "#a", [timed("x!*@*", 2_000), timed("m:y!*@*", 2_000), timed("z!*@*", 3_000)])
    house.hub.change(alice, "#a", [timed("w!*@*", None)])
    assert house.hub.lift(1_999) == []
    (lifted,) = house.hub.lift(2_000)
    assert [(change.value, change.on) for change in lifted.event.changes] == [("x!*@*", False), ("m:y!*@*", False)]
    assert lifted.event.by.nick == "server"
    assert bans(house) == {"z!*@*": 3_000, "w!*@*": None}
    assert house.hub.lift(2_000) == []


def test_it_is_lifted_in_a_room_that_nobody_is_in_and_after_a_restart():
    house = House()
    (alice,) = house.room_of("#a", "alice")
    house.hub.change(alice, "#a", [timed("x!*@*", 2_000)])
    house.hub.leave(alice, "#a")
    again = house.restarted()
    assert len(again.hub.lift(2_000)) == 1
    assert not again.hub.state.rooms["#a"].lists


def test_another_time_is_a_change_and_the_same_is_none():
    house = House()
    (alice,) = house.room_of("#a", "alice")
    house.hub.change(alice, "#a", [timed("x!*@*", 2_000)])
    assert house.hub.change(alice, "#a", [timed("X!*@*", 2_000)]) is None
    house.hub.change(alice, "#a", [timed("X!*@*", 5_000)])
    assert bans(house) == {"X!*@*": 5_000}
    house.hub.change(alice, "#a", [timed("x!*@*", None)])
    assert bans(house) == {"x!*@*": None}
    assert house.hub.change(alice, "#a", [Change(setting=Setting.BAN, on=False, value="y!*@*")]) is None
