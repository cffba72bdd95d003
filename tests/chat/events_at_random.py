"""Any events, and what must hold of a state whatever they are."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from asynchat.chat import events, state
from asynchat.chat.events import FLAGS, LISTS, ROLES, Change, Event, Flag, Kind, Role, Setting, Source
from asynchat.chat.names import casefold
from asynchat.chat.state import State

NICKS = st.sampled_from(["a", "B", "b"])
NAMES = st.sampled_from(["#x", "#X", "#y"])
USERS = st.sampled_from(["g1", "g2", "g3"])
SOURCES = st.builds(Source, user=USERS, nick=NICKS, ident=st.just("i"), host=st.just("h"))
WORDS = st.sampled_from(["", "one", "two"])
CHANGES = st.one_of(
    st.builds(Change, setting=st.sampled_from(sorted(FLAGS, key=str)), on=st.booleans()),
    st.builds(
        Change,
        setting=st.sampled_from(sorted(LISTS, key=str)),
        on=st.booleans(),
        value=NICKS,
        until_ms=st.sampled_from([None, 5, 2_000]),
    ),
    st.builds(Change, setting=st.sampled_from(list(ROLES)), on=st.booleans(), value=NICKS, user=USERS),
    st.builds(Change, setting=st.just(Setting.KEY), on=st.booleans(), value=WORDS),
    st.builds(Change, setting=st.just(Setting.LIMIT), on=st.booleans(), value=st.sampled_from(["1", "9", None])),
)
FLAG_SETS = st.lists(st.sampled_from(Flag), max_size=2).map(tuple)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "by": SOURCES,
    "target": SOURCES,
    "at_ms": st.integers(0, 9),
    "id": st.integers(1, 9).map(str),
    "places": st.sampled_from(["#1", "#2", "#3"]).map(lambda place: (place,)),
    "kept": st.booleans(),
    "room": NAMES,
    "rooms": st.tuples(NAMES),
    "to": NAMES,
    "nick": NICKS,
    "changes": st.lists(CHANGES, max_size=3).map(tuple),
    "kind": st.sampled_from(Kind),
    "tags": st.just(()),
    "key": st.none(),
    "least": st.sampled_from(Role),
    "cuts": st.just(()),
    "on": FLAG_SETS,
    "off": FLAG_SETS,
    "name": st.sampled_from(["#x", "#Y", "#z"]),  # of a room that is renamed, and of a word that is kept
    "value": st.none() | WORDS,
    "account": st.none() | WORDS,
    "away": st.none() | WORDS,
    "gone": st.booleans(),
    "until_ms": st.none() | st.integers(0, 9),
}
KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event) and kind != Event]
MOVING = [events.Joined, events.Left, events.Departed, events.Renamed]  # these are most likely to go wrong


def some(kind: type[Event], **others: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(kind, **{each.name: VALUES.get(each.name, WORDS) for each in fields(kind)} | others)


WITH_TARGET: dict[type[Event], st.SearchStrategy[Any]] = {
    events.Said: st.none() | USERS,
    events.Redacted: st.none() | USERS,
}
EVENTS = st.one_of(
    *(some(kind) for kind in [*MOVING, *KINDS] if kind not in WITH_TARGET),
    *(some(kind, target=target) for kind, target in WITH_TARGET.items()),
    some(events.MetadataSet, room=st.none()),
)


def check(now: State) -> None:
    """What must hold at any time."""
    for user in now.people.values():
        assert all(user in room.members for room in user.rooms)
    for room in now.places.values():
        assert now.places[room.place] is room
        assert all(user.rooms.get(room, ...) is None and now.people[user.id] is user for user in room.members)
        assert (room in now.empty) is not bool(room.members)
    assert set(now.rooms.values()) == set(now.places.values())
    assert all(now.people.get(user.id) is user for user in now.users.values())
    assert all(now.rooms[casefold(room.name)] is room for room in now.places.values())
    people = now.people.values()
    assert now.invisible == sum(Flag.INVISIBLE in user.flags for user in people)
    assert now.operators == sum(Flag.OPERATOR in user.flags for user in people)
    assert len(now.former) <= state.FORMER_NAMES
