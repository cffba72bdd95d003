"""Fan-out: a batch is heard as its events would be one by one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asynchat.chat.events import Event, Joined, Kicked, Left, Renamed, Said, TopicSet
from asynchat.net import fanout
from asynchat.net.journal import Batch
from tests.net.stage import ECHO, FakeSession, Plain, Stage, finish

NICKS, ROOMS = ["alice", "bob", "carol"], ["#a", "#b"]
ACTS = st.tuples(
    st.sampled_from(["say", "say", "join", "leave", "kick", "topic", "rename", "psst"]),
    st.sampled_from(NICKS),
    st.sampled_from(ROOMS),
    st.sampled_from(NICKS),
)


def theatre() -> tuple[Stage, dict[str, FakeSession]]:
    stage = Stage(send_queue=10**9)
    sessions = {nick: stage.enter(nick, *ROOMS, echo=nick != "carol") for nick in NICKS}
    sessions["bob2"] = stage.attach(FakeSession(Plain()), sessions["bob"].user)
    return stage, sessions


def act(stage: Stage, sessions: dict[str, FakeSession], number: int, what: tuple[str, str, str, str]) -> None:
    """Put an event; lines of who has gone in the same batch were in the air."""
    verb, nick, room, other = what
    session, target, places = sessions[nick], sessions[other].user, (stage.hub.room(room).place,)
    basics = {"by": session.user.source, "at_ms": 0, "id": str(1000 + number), "places": places}
    event: Event
    match verb:
        case "say":
            event = Said(to=room, text=str(number), **basics)
        case "join":
            event = Joined(room=room, realname="", **basics)
        case "leave":
            event = Left(room=room, reason="", **basics)
        case "kick":
            event = Kicked(room=room, target=target.source, reason="", **basics)
        case "topic":
            event = TopicSet(room=room, text=str(number), **basics)
        case "psst":
            event = Said(to=other, text=str(number), target=target.id, **basics)
        case _:
            every = tuple(stage.hub.room(each).place for each in ROOMS)
            event = Renamed(nick=f"{nick}{number}", **basics | {"places": every})
    stage.put(event, session)


def fitting(acts: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Those after which somebody is where they were not before, and the rest."""
    here = {(nick, room) for nick in NICKS for room in ROOMS}
    kept = []
    for verb, nick, room, other in acts:
        who = (other if verb == "kick" else nick, room)
        if verb in ("say", "psst", "rename") or (who in here) is (verb != "join"):
            kept.append((verb, nick, room, other))
            if verb == "join":
                here.add(who)
            elif verb in ("leave", "kick"):
                here.discard(who)
    return kept


@pytest.mark.parametrize("crowd", [1, 1000])
@pytest.mark.timeout(120)  # only to make an example smaller, once there is one that fails
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTS, min_size=2, max_size=20))
def test_a_batch_is_heard_as_its_events_would_be_one_by_one(crowd, acts):
    """Each session hears the same; in the same order in each room, and of its own what it did."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fanout, "CROWD", crowd)
        compare(acts)


def compare(acts):
    (at_once, one_batch), (in_turn, many) = theatre(), theatre()
    for stage, sessions in ((at_once, one_batch), (in_turn, many)):
        for number, what in enumerate(fitting(acts)):
            act(stage, sessions, number, what)
    at_once.deliver()
    entries, in_turn.batch = in_turn.batch.entries, Batch()
    for entry in entries:
        finish(in_turn.fanout.deliver([entry]))
    for name in one_batch:
        together, apart = one_batch[name].heard, many[name].heard
        assert sorted(together) == sorted(apart)
        for sign in (ECHO, *ROOMS):
            assert [line for line in together if sign in line[:4]] == [line for line in apart if sign in line[:4]]
