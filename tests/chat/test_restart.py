"""A restart: the state rebuilt from the log is what it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asynchat.chat import events, snapshot
from asynchat.chat.errors import Refused
from asynchat.chat.events import ROLES, Change, Event, Flag, Said, Setting
from asynchat.chat.state import State
from asynchat.chat.users import User
from tests.chat.events_at_random import CHANGES, KINDS, NAMES, check
from tests.chat.town import House


def facts(now: State) -> dict[str, Any]:
    """What a restart must bring back: people in rooms, and rooms with everything in them.

    Not what guests told of themselves in no room: nobody saw it, and a restart ends them. Who is away and who is
    invited have tests of their own below.
    """
    dumped = snapshot.dump(now)
    return {
        "people": {user["source"][0]: (user["source"][:-1], user["realname"]) for user in dumped["people"]},
        "bans": dumped["bans"],
        "rooms": {room.pop("place"): room for room in dumped["rooms"] if room.pop("invited") is not None},
    }


def rebuilt(stored: list[Event], saved: tuple[int, str] = (0, "")) -> State:
    """The state of a log, from a snapshot that was saved after so many events."""
    now = State()
    after, text = saved
    if text:
        snapshot.load(json.loads(text), now)
    for event in stored[after:]:
        now.apply(event)
    check(now)
    return now


VERB_NAMES = [
    "enter",
    "depart",
    "rename",
    "rename",
    "away",
    "join",
    "join",
    "join",
    "leave",
    "leave",
    "kick",
    "invite",
    "topic",
    "change",
    "say",
    "account",
    "realname",
    "flags",
    "metadata",
    "metadata",
    "rename-room",
    "banish",
    "pardon",
    "redact",
]
Move = tuple[str, int, str, int, str, Change]
MOVES = st.tuples(
    st.sampled_from([*VERB_NAMES, "hold", "release", "save"]),
    st.integers(0, 2),
    NAMES,
    st.integers(0, 2),
    st.sampled_from("abCcdef"),
    CHANGES,
)


def lines_of(house: House) -> list[Said]:
    return [event for event in house.journal.stored if isinstance(event, Said)]


def move(house: House, user: User, other: User, what: Move) -> None:
    """One verb; whoever it is about is `other`."""
    hub, (verb, _, room, _, word, change) = house.hub, what
    if change.setting in ROLES:
        change = Change(setting=change.setting, on=change.on, value=other.nick, user=other.id)
    verbs: dict[str, Callable[[], Any]] = {
        "enter": lambda: hub.enter(word, "i", "h", "r"),
        "depart": lambda: hub.depart(user, word),
        "rename": lambda: hub.rename(user, word),
        "away": lambda: hub.set_away(user, None if word == "a" else word),
        "join": lambda: hub.join(user, room, word),
        "leave": lambda: hub.leave(user, room),
        "kick": lambda: hub.kick(user, room, other.nick, word),
        "invite": lambda: hub.invite(user, room, other.nick),
        "topic": lambda: hub.set_topic(user, room, word),
        "change": lambda: hub.change(user, room, [change]),
        "say": lambda: hub.say(user, room, word),
        "account": lambda: hub.set_account(user, word),
        "realname": lambda: hub.set_realname(user, word),
        "flags": lambda: hub.set_flags(user, [Flag.BOT], [Flag.BOT] if word == "a" else []),
        "metadata": lambda: hub.set_metadata(user, word, word, room=None if word == "a" else room),
        "rename-room": lambda: hub.rename_room(user, room, "#" + word, ""),
        "banish": lambda: hub.banish(hub.server, word, word),
        "pardon": lambda: hub.pardon(hub.server, word),
        "redact": lambda: [hub.redact(user, said, "") for said in lines_of(house)[-1:]],
    }
    with suppress(Refused):
        verbs[verb]()


def play(moves: list[Move], every_nth_fails: int) -> tuple[House, tuple[int, str]]:
    """People who do things at random, as sessions let them: who has changed something waits until it is applied."""
    house, saved = House(entries=2, rooms=2), (0, "")
    house.enter("a")
    house.enter("b")
    house.journal.fails = lambda event: bool(every_nth_fails) and int(event.id) % every_nth_fails == 0
    for what in moves:
        if not house.hub.state.people:
            house.journal.holding = False
            house.enter("last")
        people = list(house.hub.state.people.values())
        user, other = people[what[1] % len(people)], people[what[3] % len(people)]
        if what[0] == "hold":
            house.journal.holding = True
        elif what[0] == "release":
            house.journal.holding = False
            house.journal.release()
        elif what[0] == "save":
            saved = len(house.journal.stored), json.dumps(snapshot.dump(house.hub.state))
        else:
            if user.changing is not None and not user.changing.done:
                house.journal.release()
            if user.id in house.hub.state.people:
                move(house, user, other, what)
    house.journal.release()
    return house, saved


@pytest.mark.timeout(120)  # as above
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(MOVES, min_size=10, max_size=60), st.sampled_from([0, 0, 3, 7]))
def test_the_log_adds_up_to_the_state(moves, every_nth_fails):
    """From its beginning, and from a snapshot and the rest. Nothing stays claimed once nothing is in the air."""
    house, saved = play(moves, every_nth_fails)
    check(house.hub.state)
    assert facts(rebuilt(house.journal.stored)) == facts(house.hub.state)
    assert facts(rebuilt(house.journal.stored, saved)) == facts(house.hub.state)
    assert (house.hub.claims, house.hub._opening, house.hub._coming) == ({}, {}, {})


def test_the_moves_reach_everything_that_can_be_stored():
    """Or the test above would show less than it says."""
    flag = Change(setting=Setting.MODERATED, on=True)
    alone = ["join", "invite", "say", "redact", "topic", "away", "account", "realname", "flags", "metadata", "change"]
    verbs = [(verb, 0) for verb in [*alone, "rename", "join"]]
    verbs += [
        ("banish", 0),
        ("pardon", 0),
        ("join", 1),
        ("kick", 0),
        ("rename-room", 0),
        ("leave", 0),
        ("join", 0),
        ("depart", 0),
    ]
    moves = [(verb, who, "#c" if verb == "leave" else "#x", 1 - who, "c", flag) for verb, who in verbs]
    house, _ = play(moves, 0)
    never = {events.Entered, events.Announced, events.MarkerSet}  # of guests, that is
    assert {type(event) for event in house.journal.stored} == set(KINDS) - never


def test_who_took_another_name_outside_of_all_rooms_has_it_after_a_restart():
    """That renaming is not kept, since nobody saw it: what was joined later tells the name."""
    house = House()
    (alice,) = house.room_of("#x", "alice")
    house.hub.leave(alice, "#x")
    house.hub.rename(alice, "bob")
    house.hub.join(alice, "#x")
    assert rebuilt(house.journal.stored).users["bob"].nick == "bob"


def test_a_name_that_went_from_one_to_another_outside_of_all_rooms_does_not_stop_a_restart():
    house = House()
    (first,) = house.room_of("#x", "alice")
    house.hub.leave(first, "#x")
    house.hub.rename(first, "bob")
    (second,) = house.room_of("#x", "alice")
    house.hub.depart(second, "")
    house.hub.join(first, "#x")
    house.hub.rename(first, "dan")
    assert facts(rebuilt(house.journal.stored)) == facts(house.hub.state)


def test_who_departed_from_no_room_keeps_no_name_from_others_after_a_restart():
    house = House()
    (first,) = house.room_of("#x", "alice")
    house.hub.leave(first, "#x")
    house.hub.depart(first, "")
    (second,) = house.room_of("#x", "alice")
    now = rebuilt(house.journal.stored)
    assert now.users["alice"] is now.people[second.id]


@pytest.mark.parametrize("first", ["join", "away"])
def test_who_was_away_is_so_after_a_restart(first):
    """Everything that changes what a client shows is stored. (DESIGN.md section 3)"""
    house = House()
    alice = house.enter("alice")
    verbs = {"join": lambda: house.hub.join(alice, "#x"), "away": lambda: house.hub.set_away(alice, "out")}
    for verb in sorted(verbs, key=lambda verb: verb != first):
        verbs[verb]()
    assert rebuilt(house.journal.stored).people[alice.id].away == "out"


@pytest.mark.parametrize("in_a_room", [True, False], ids=["in-a-room", "in-no-room"])
def test_who_was_invited_is_so_after_a_restart(in_a_room):
    house = House()
    (alice,) = house.room_of("#x", "alice")
    bob = house.enter("bob")
    if in_a_room:
        house.hub.join(bob, "#y")
    house.hub.invite(alice, "#x", "bob")
    assert rebuilt(house.journal.stored).rooms["#x"].invited == {bob.id}


def test_what_changed_unseen_is_told_by_the_next_join():
    house = House()
    (alice,) = house.room_of("#x", "alice")
    house.hub.leave(alice, "#x")
    house.hub.set_account(alice, "al")
    house.hub.set_realname(alice, "Al")
    house.hub.set_away(alice, "out")
    house.hub.join(alice, "#x")
    again = rebuilt(house.journal.stored).users["alice"]
    assert (again.source, again.realname, again.away) == (alice.source, "Al", "out")


def test_flags_that_were_put_on_unseen_are_not_counted_when_they_are_taken_off():
    house = House()
    alice = house.enter("alice")
    house.hub.set_flags(alice, [Flag.INVISIBLE, Flag.OPERATOR])
    house.hub.join(alice, "#x")
    house.hub.set_flags(alice, off=[Flag.INVISIBLE, Flag.OPERATOR])
    house.hub.depart(alice, "")
    now = rebuilt(house.journal.stored)
    assert (now.invisible, now.operators) == (0, 0)
