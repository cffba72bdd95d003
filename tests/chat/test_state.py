"""The state: what the log adds up to, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asynchat.chat import events
from asynchat.chat.applying import APPLIERS, NOBODY
from asynchat.chat.events import Role, Source
from asynchat.chat.state import State
from tests.chat.events_at_random import EVENTS, KINDS, check
from tests.chat.town import House


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_can_be_applied(kind):
    assert kind in APPLIERS


@pytest.mark.timeout(120)  # only to make an example smaller, once there is one that fails
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, min_size=10, max_size=40))
def test_apply_is_total(log):
    """Whatever is in the log, in whatever order: it never raises, and what does not fit is counted."""
    now = State()
    void = 0
    for event in log:
        void += now.apply(event) is NOBODY
    check(now)
    assert now.void == void


@pytest.mark.parametrize(
    "event",
    [
        events.Said(
            to="#x", text="hi", by=Source(user="g9", nick="z", ident="", host=""), at_ms=0, id="1", places=("#9",)
        ),
        events.Left(
            room="#x", reason="", by=Source(user="g9", nick="z", ident="", host=""), at_ms=0, id="1", places=("#9",)
        ),
        events.Renamed(nick="z", by=Source(user="g9", nick="z", ident="", host=""), at_ms=0, id="1"),
        events.Departed(rooms=(), reason="", by=Source(user="g9", nick="z", ident="", host=""), at_ms=0, id="1"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_no_longer_fits_is_void(event):
    now = State()
    assert now.apply(event) is NOBODY
    assert now.void == 1
    assert not now.people


def test_a_line_of_who_left_is_not_void():
    house = House()
    _, bob = house.room_of("#x", "alice", "bob")
    with house.journal.held():
        said = house.hub.say(bob, "#x", "bye")
        house.hub.leave(bob, "#x")
    assert said.audience.rooms == (house.hub.room("#x"),)
    assert house.hub.state.void == 0


def test_of_two_who_enter_an_empty_room_the_first_is_operator():
    house = House()
    house.room_of("#x", "alice", "bob")
    assert house.roles("#x") == {"alice": Role.OPERATOR, "bob": Role.NONE}


def test_the_longest_empty_room_is_forgotten_first():
    house = House()
    house.hub.state.empty_rooms = 2
    (alice,) = house.room_of("#0", "alice")
    for name in ("#1", "#2", "#3"):
        house.hub.join(alice, name)
    for name in ("#2", "#1", "#3"):
        house.hub.leave(alice, name)
    assert list(house.hub.state.rooms) == ["#0", "#1", "#3"]
    check(house.hub.state)
