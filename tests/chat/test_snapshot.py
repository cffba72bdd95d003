"""Snapshots: the state as JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asynchat.chat import snapshot
from asynchat.chat.events import FLAGS, Change, Role, Setting, Source
from asynchat.chat.state import State
from tests.chat.town import House


@pytest.fixture
def house() -> House:
    """Everything that can be remembered, each at least once."""
    house = House()
    hub = house.hub
    alice, bob, _ = house.room_of("#full", "alice", "bob", "carol")
    house.now_ms = 2_000
    hub.set_topic(alice, "#full", "tea, é, 部屋")
    hub.set_away(bob, "out")
    hub.rename(bob, "Bob2")
    hub.change(
        alice,
        "#full",
        [
            *(Change(setting=flag, on=True) for flag in FLAGS),
            Change(setting=Setting.KEY, on=True, value="sesame"),
            Change(setting=Setting.LIMIT, on=True, value="7"),
            Change(setting=Setting.BAN, on=True, value="Bad!*@*"),
            Change(setting=Setting.BAN, on=True, value="worse!*@*", until_ms=9_000),
            Change(setting=Setting.BAN_EXCEPTION, on=True, value="*!*@ok"),
            Change(setting=Setting.INVITE_EXCEPTION, on=True, value="*!*@friend"),
            Change(setting=Setting.HELPER, on=True, value="Bob2", user=bob.id),
            Change(setting=Setting.VOICE, on=True, value="Bob2", user=bob.id),
        ],
    )
    house.enter("dan")
    hub.invite(alice, "#full", "dan")
    hub.join(alice, "#plain")
    hub.banish(hub.server, "192.0.2.7/24", "spam", until_ms=9_000)
    hub.banish(hub.server, "a:mallory")
    (eve,) = house.room_of("#empty", "eve")
    hub.leave(eve, "#empty")
    return house


def source(nick: str, host: str) -> Source:
    return Source(user="g9", nick=nick, ident="x", host=host)


def restored(state: State) -> State:
    now = State()
    snapshot.load(json.loads(json.dumps(snapshot.dump(state))), now)
    return now


def test_what_is_loaded_is_what_was_dumped(house):
    dumped = snapshot.dump(house.hub.state)
    assert json.loads(json.dumps(dumped)) == dumped
    assert snapshot.dump(restored(house.hub.state)) == dumped


def test_a_room_comes_back_with_all_that_is_set_in_it(house):
    before, room = house.hub.room("#full"), restored(house.hub.state).rooms["#full"]
    for attribute in ("place", "name", "created_ms", "topic", "flags", "key", "limit", "invited"):
        assert getattr(room, attribute) == getattr(before, attribute), attribute
    assert room.flags == FLAGS
    assert room.listed(Setting.BAN, source("BAD", "y"))
    assert not room.listed(Setting.BAN, source("good", "y"))
    assert room.listed(Setting.BAN_EXCEPTION, source("bad", "ok"))
    assert [entry.mask for entry in room.entries(Setting.BAN)] == ["Bad!*@*", "worse!*@*"]
    assert {entry.at_ms for entry in room.entries(Setting.BAN)} == {2_000}
    assert [entry.until_ms for entry in room.entries(Setting.BAN)] == [None, 9_000]


def test_members_come_back_in_order_with_their_roles(house):
    now = restored(house.hub.state)
    members = now.rooms["#full"].members
    assert [(user.nick, member.roles, member.since_ms) for user, member in members.items()] == [
        ("alice", Role.OPERATOR, 1_000),
        ("Bob2", Role.HELPER | Role.VOICE, 1_000),
        ("carol", Role.NONE, 1_000),
    ]
    assert list(now.users["alice"].rooms) == [now.rooms["#full"], now.rooms["#plain"]]
    assert all(now.people[user.id] is user for user in members)


def test_people_come_back_as_they_were(house):
    before, after = house.hub.user("bob2"), restored(house.hub.state).users["bob2"]
    for attribute in ("source", "realname", "away"):
        assert getattr(after, attribute) == getattr(before, attribute)


def test_nobody_listens_in_what_was_loaded(house):
    now = restored(house.hub.state)
    assert not any(room.hearers for room in now.rooms.values())
    assert not any(user.sessions for user in now.people.values())


def test_who_is_in_no_room_is_not_remembered(house):
    now = restored(house.hub.state)
    assert sorted(now.users) == ["alice", "bob2", "carol"]


def test_an_empty_room_is_remembered_as_empty(house):
    now = restored(house.hub.state)
    assert list(now.empty) == [now.rooms["#empty"]]


def test_the_longest_empty_room_is_still_forgotten_first_after_a_restart():
    house = House()
    (alice,) = house.room_of("#0", "alice")
    for name in ("#1", "#2", "#3"):
        house.hub.join(alice, name)
    for name in ("#3", "#1", "#2"):
        house.hub.leave(alice, name)
    names: Any = [room.name for room in restored(house.hub.state).empty]
    assert names == [room.name for room in house.hub.state.empty] == ["#3", "#1", "#2"]


def test_bans_from_the_server_come_back(house):
    bans = restored(house.hub.state).bans
    assert [(ban.mask, ban.reason, ban.until_ms) for ban in bans.all.values()] == [
        ("192.0.2.0/24", "spam", 9_000),
        ("a:mallory", "", None),
    ]
    assert bans.fitting(None, "192.0.2.99", 5_000) is not None


def test_a_snapshot_from_before_there_were_such_bans_is_read(house):
    dumped = snapshot.dump(house.hub.state)
    del dumped["bans"]
    now = State()
    snapshot.load(dumped, now)
    assert not now.bans
