"""Talk: what is said, to whom, and how it is taken back."""

from __future__ import annotations

import dataclasses

import pytest

from asynchat.chat.events import Kind, Renamed, Role, Said, Source, said
from asynchat.chat.rooms import Audience
from asynchat.chat.users import conversation
from tests.chat.town import House, refused


@pytest.fixture
def house() -> House:
    return House()


def test_what_is_said_to_a_person_is_in_both_inboxes(house):
    alice, bob = house.enter("alice"), house.enter("bob")
    pending = house.hub.say(alice, "BOB", "psst")
    assert (pending.event.to, pending.event.target) == ("bob", bob.id)
    assert pending.event.places == (bob.inbox, alice.inbox, conversation(alice.id, bob.id))
    assert pending.audience == Audience((), (bob,))
    assert house.hub.say(alice, "alice", "note").event.places == (alice.inbox, conversation(alice.id, alice.id))


@pytest.mark.parametrize(
    ("to", "text", "kind", "code"),
    [
        ("#a", "", Kind.MESSAGE, "NO_TEXT"),
        ("#a", "a\0b", Kind.MESSAGE, "BAD_TEXT"),
        ("#a", "a\rb", Kind.NOTICE, "BAD_TEXT"),
        ("#a", "é" * 6, Kind.MESSAGE, "TOO_LONG"),
        ("#a", "a" * 11, Kind.ACTION, "TOO_LONG"),
        ("#none", "hi", Kind.MESSAGE, "NO_SUCH_ROOM"),
        ("nobody", "hi", Kind.MESSAGE, "NO_SUCH_NAME"),
        ("", "hi", Kind.MESSAGE, "NO_SUCH_NAME"),
    ],
)
def test_a_line_is_refused(to, text, kind, code):
    house = House(text=10)
    (alice,) = house.room_of("#a", "alice")
    with refused(code):
        house.hub.say(alice, to, text, kind=kind)
    assert len(house.journal.stored) == 1


@pytest.mark.parametrize("text", ["a" * 10, "é" * 5, "two\nlines"])
def test_a_line_as_long_as_allowed_is_said(text):
    house = House(text=10)
    (alice,) = house.room_of("#a", "alice")
    assert house.hub.say(alice, "#A", text, key="k" * 16).event.text == text
    assert isinstance(house.journal.stored[-1], Said)


def test_a_signal_needs_no_text(house):
    (alice,) = house.room_of("#a", "alice")
    event = house.hub.say(alice, "#a", "", kind=Kind.SIGNAL, tags=(("+typing", "active"),), kept=False).event
    assert (event.tags, event.kept) == ((("+typing", "active"),), False)


@pytest.mark.parametrize(("text", "cut"), [("é" * 5, "é" * 4), ("a" * 9, "a" * 8), ("a\nb", "a b"), ("👍👍👍", "👍👍")])
def test_topics_are_cut_at_a_character(text, cut):
    house = House(topic=8)
    (alice,) = house.room_of("#a", "alice")
    assert house.hub.set_topic(alice, "#a", text).event.text == cut


def test_ids_rise_and_time_never_goes_back(house):
    house.hub.begin_after(41, last_ms=5_000)
    alice, _ = house.room_of("#a", "alice", "bob")
    house.now_ms = 9_000
    house.hub.say(alice, "#a", "later")
    house.now_ms = 8_000  # somebody set the clock
    house.hub.say(alice, "#a", "and later")
    ids = [int(event.id) for event in house.journal.stored]
    assert ids == sorted(set(ids))
    assert ids[0] > 41
    assert [event.at_ms for event in house.journal.stored] == [5_000, 5_000, 9_000, 9_000]


def test_the_last_that_a_user_did_can_be_waited_for(house):
    (alice,) = house.room_of("#a", "alice")
    joined = alice.last
    said = house.hub.say(alice, "#a", "hi")
    assert (alice.last, alice.changing) == (said, joined)
    renamed = house.hub.rename(alice, "bob")
    assert isinstance(renamed.event, Renamed)
    assert alice.last is alice.changing is renamed


def test_of_several_people_only_those_with_a_role_as_high_hear_it(house):
    alice, bob, carol, dan = house.room_of("#a", "alice", "bob", "carol", "dan")
    members = house.hub.room("#a").members
    members[bob].roles, members[carol].roles = Role.VOICE, Role.HELPER
    for least, hearers in ((Role.VOICE, (bob, carol)), (Role.HELPER, (carol,)), (Role.OPERATOR, ())):
        pending = house.hub.say(alice, "#a", "psst", least=least)
        assert pending.audience == Audience((), hearers)
    assert house.hub.say(dan, "#a", "help", least=Role.OPERATOR).audience == Audience((), (alice,))


# Taking it back.


def test_who_said_it_may_take_it_back_and_is_heard_where_it_was_said(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    said = house.hub.say(bob, "#a", "oops").event
    house.hub.leave(bob, "#a")
    pending = house.hub.redact(bob, said, "typo\n")
    event = pending.event
    assert (event.said, event.to, event.target, event.places) == (said.id, "#a", None, said.places)
    assert event.reason == "typo "
    assert pending.audience is house.hub.room("#a").audience
    assert house.hub.redact(alice, said, "").event.kept  # who runs the room may, too


def test_nobody_takes_back_what_was_said_to_a_person_but_who_said_it(house):
    alice, bob, carol = house.room_of("#a", "alice", "bob", "carol")
    said = house.hub.say(bob, "carol", "psst").event
    for user in (alice, carol):
        with refused("NOT_ALLOWED"):
            house.hub.redact(user, said, "")
    pending = house.hub.redact(bob, said, "")
    assert pending.event.places == said.places
    assert (pending.event.to, pending.event.target) == ("carol", carol.id)
    assert pending.audience == Audience((), (carol,))


def test_a_room_is_no_others_for_having_its_old_name(house):
    """Or whoever opens a room of that name could take words out of the log of another."""
    alice, bob = house.room_of("#a", "alice", "bob")
    said = house.hub.say(bob, "#a", "keep this").event
    house.hub.rename_room(alice, "#a", "#b", "")
    (mallory,) = house.room_of("#a", "mallory")
    with refused("NOT_IN_ROOM"):
        house.hub.redact(mallory, said, "")
    assert house.hub.redact(bob, said, "").event.to == "#b"  # where people are now
    assert house.hub.redact(alice, said, "").event.to == "#b"


def test_who_ran_a_room_that_has_ended_takes_nothing_back(house):
    alice, bob = house.room_of("#a", "alice", "bob")
    said = house.hub.say(bob, "#a", "keep this").event
    for user in (bob, alice):
        house.hub.leave(user, "#a")
    with refused("NO_SUCH_ROOM"):
        house.hub.redact(alice, said, "")
    (later,) = house.room_of("#a", "later")  # it is the same room, and runs it now
    assert house.hub.redact(later, said, "").event.kept


def test_a_later_bearer_of_the_name_takes_nothing_back(house):
    _, bob = house.room_of("#a", "alice", "bob")
    said = house.hub.say(bob, "#a", "mine").event
    house.hub.rename(bob, "bobby")
    house.hub.join(house.enter("bob"), "#a")
    with refused("NOT_ALLOWED"):
        house.hub.redact(house.hub.user("bob"), said, "")
    assert house.hub.redact(bob, said, "").event.kept


def test_what_is_said_has_all_its_fields_whichever_way_it_is_made():
    fields = {
        "by": Source(user="g1", nick="alice", ident="i", host="h"),
        "at_ms": 1,
        "id": "5",
        "places": ("#1",),
        "kept": False,
        "to": "#a",
        "text": "hello",
        "kind": Kind.ACTION,
        "target": "g2",
        "tags": (("+r", "x"),),
        "key": "k",
        "least": Role.VOICE,
        "cuts": (3,),
    }
    basics, own = tuple(fields.values())[:5], tuple(fields.values())[5:]
    assert said(basics, own) == Said(**fields)
    assert [each.name for each in dataclasses.fields(Said)] == list(fields)
