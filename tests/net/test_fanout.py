"""Fan-out: who hears what of a batch, in which order, and in how many writes."""

from __future__ import annotations

from contextlib import suppress

import pytest

from asynchat.chat.errors import StorageError
from asynchat.chat.events import Flag, Left, Role
from asynchat.net import fanout
from asynchat.net.journal import Batch
from tests.net.stage import ECHO, FakeSession, Plain, Stage, finish


@pytest.fixture(params=[1, 1000], ids=["in-turns", "at-once"])
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(fanout, "CROWD", request.param)
    return Stage()


# One room.


def test_a_line_reaches_every_other_member_and_nobody_else(stage):
    alice, bob, carol, dan = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol", "dan"))
    eve = stage.enter("eve", "#b")
    stage.hub.leave(dan.user, "#a", via=dan)
    stage.deliver()
    stage.forget()
    stage.say(alice, "#a", "hi")
    stage.deliver()
    assert bob.heard == carol.heard == ["#a alice: hi"]
    assert alice.heard == ["* #a alice: hi"]
    assert dan.heard == eve.heard == []


def test_a_batch_is_one_write_per_member_and_room_and_is_rendered_once_per_dialect(stage):
    first, other = Plain(), Plain()
    alice, bob = stage.enter("alice", "#a", "#b", dialect=first), stage.enter("bob", "#a", "#b", dialect=first)
    hearers = [stage.enter(f"one{n}", "#a", "#b", dialect=other) for n in range(3)]
    hearers += [stage.enter(f"two{n}", "#a", dialect=first) for n in range(2)]
    other.rendered.clear()
    stage.say(alice, "#a", "1", "2")
    stage.say(bob, "#b", "3")
    stage.say(alice, "#a", "4")
    stage.deliver()
    in_a, in_b = ["#a alice: 1", "#a alice: 2", "#a alice: 4"], ["#b bob: 3"]
    assert [each.peer.chunks for each in hearers] == [[in_a, in_b]] * 3 + [[in_a]] * 2
    assert sorted(other.rendered) == sorted(in_a + in_b)


def test_a_speaker_without_echo_hears_everything_but_its_own(stage):
    alice, bob = stage.enter("alice", "#a", echo=False), stage.enter("bob", "#a", echo=False)
    stage.say(alice, "#a", "1")
    stage.say(bob, "#a", "2")
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert alice.peer.chunks == [["#a bob: 2"]]
    assert bob.peer.chunks == [["#a alice: 1", "#a alice: 3"]]


def test_echoes_stand_in_the_places_of_the_lines(stage):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    stage.say(alice, "#a", "1")
    stage.say(bob, "#a", "2")
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert alice.peer.chunks == [["* #a alice: 1", "#a bob: 2", "* #a alice: 3"]]
    assert bob.peer.chunks == [["#a alice: 1", "* #a bob: 2", "#a alice: 3"]]


def test_the_other_sessions_of_a_speaker_hear_what_it_said(stage):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    second = stage.attach(FakeSession(stage.plain), alice.user)
    stage.say(alice, "#a", "1")
    stage.say(bob, "#a", "2")
    stage.deliver()
    assert alice.heard == ["* #a alice: 1", "#a bob: 2"]
    assert second.heard == ["#a alice: 1", "#a bob: 2"]


def test_a_newcomer_hears_from_its_own_join_on(stage):
    alice = stage.enter("alice", "#a")
    bob = stage.enter("bob")
    stage.say(alice, "#a", "1")
    stage.hub.join(bob.user, "#a", via=bob)
    stage.say(alice, "#a", "2")
    stage.deliver()
    assert bob.peer.chunks == [["* #a + bob", "#a alice: 2"]]
    assert alice.heard == ["* #a alice: 1", "#a + bob", "* #a alice: 2"]


def test_who_leaves_hears_up_to_its_own_line(stage):
    alice, bob, carol = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol"))
    stage.say(alice, "#a", "1")
    stage.hub.leave(bob.user, "#a", via=bob)
    stage.say(alice, "#a", "2")
    stage.hub.kick(alice.user, "#a", "carol", "", via=alice)
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert bob.heard == ["#a alice: 1", "* #a - bob"]
    assert carol.heard == ["#a alice: 1", "#a - bob", "#a alice: 2", "#a - carol by alice"]


def test_who_leaves_and_comes_again_in_one_batch_misses_what_was_between(stage):
    alice, bob, carol = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol"))
    stage.say(alice, "#a", "1")
    stage.hub.leave(bob.user, "#a", via=bob)
    stage.say(alice, "#a", "2")
    stage.rejoin(bob, "#a")
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert bob.heard == ["#a alice: 1", "* #a - bob", "* #a + bob", "#a alice: 3"]
    assert carol.heard == ["#a alice: 1", "#a - bob", "#a alice: 2", "#a + bob", "#a alice: 3"]


def test_who_comes_and_goes_in_one_batch_hears_what_was_between(stage):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob")
    stage.say(alice, "#a", "1")
    stage.rejoin(bob, "#a")
    stage.say(alice, "#a", "2")
    place = stage.hub.room("#a").place
    stage.put(Left(by=bob.user.source, at_ms=0, id=stage.hub._id(), places=(place,), room="#a", reason=""), bob)
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert bob.heard == ["* #a + bob", "#a alice: 2", "* #a - bob"]


def test_an_outsider_who_speaks_hears_its_echo_and_no_more(stage):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob")
    stage.hub.room("#a").flags.clear()
    stage.say(alice, "#a", "1")
    stage.say(bob, "#a", "2")
    stage.deliver()
    assert bob.heard == ["* #a bob: 2"]
    assert alice.heard == ["* #a alice: 1", "#a bob: 2"]


def test_a_line_in_the_air_of_who_was_kicked_comes_after_the_kick_for_all(stage):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    stage.say(alice, "#a", "1")
    stage.hub.kick(alice.user, "#a", "bob", "", via=alice)
    stage.say(bob, "#a", "2")
    stage.deliver()
    assert alice.heard == ["* #a alice: 1", "* #a - bob by alice", "#a bob: 2"]
    assert bob.heard == ["#a alice: 1", "#a - bob by alice", "* #a bob: 2"]


def test_who_is_kicked_by_somebody_kicked_in_the_same_batch_hears_of_both(stage):
    alice, bob, carol = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol"))
    stage.hub.room("#a").members[carol.user].roles = Role.OPERATOR
    stage.say(alice, "#a", "1")
    stage.hub.kick(carol.user, "#a", "alice", "", via=carol)
    stage.hub.kick(alice.user, "#a", "bob", "", via=alice)
    stage.deliver()
    assert bob.heard == ["#a alice: 1", "#a - alice by carol", "#a - bob by alice"]


# Several rooms, and people.


def test_echoes_come_in_the_order_in_which_one_spoke_whatever_the_rooms(stage):
    alice, bob = stage.enter("alice", "#a", "#b"), stage.enter("bob", "#a", "#b", "#c")
    stage.say(bob, "#a", "0")
    stage.say(alice, "#a", "1")
    stage.say(alice, "#b", "2")
    stage.say(alice, "bob", "3")
    stage.say(alice, "#a", "4")
    stage.deliver()
    echoes = [line for line in alice.heard if line.startswith(ECHO)]
    assert echoes == ["* #a alice: 1", "* #b alice: 2", "* bob alice: 3", "* #a alice: 4"]


def test_echoes_are_in_order_though_another_run_ends_in_which_one_is_too(stage):
    """The run of #a, out of which alice is kicked, ends between her lines in #b and #c."""
    alice = stage.enter("alice", "#b", "#c")
    tom, uma = stage.enter("tom", "#a", "#d"), stage.enter("uma", "#c")
    stage.hub.join(alice.user, "#a", via=alice)
    stage.deliver()
    stage.forget()
    stage.say(uma, "#c", "0")
    stage.say(alice, "#b", "1")
    stage.hub.kick(tom.user, "#a", "alice", "", via=tom)
    stage.say(tom, "#d", "bye")
    stage.say(alice, "#c", "2")
    stage.deliver()
    assert [line for line in alice.heard if line.startswith(ECHO)] == ["* #b alice: 1", "* #c alice: 2"]


def test_an_event_of_several_rooms_reaches_each_session_once_and_in_its_place(stage):
    alice, bob = stage.enter("alice", "#a", "#b"), stage.enter("bob", "#a", "#b")
    carol, other = stage.enter("carol", "#b"), stage.enter("dan", "#b", dialect=Plain())
    stage.say(bob, "#a", "1")
    stage.say(bob, "#b", "2")
    stage.hub.rename(alice.user, "al", via=alice)
    stage.say(bob, "#b", "3")
    stage.deliver()
    assert bob.heard == ["* #a bob: 1", "* #b bob: 2", "alice is al", "* #b bob: 3"]
    assert carol.heard == other.heard == ["#b bob: 2", "alice is al", "#b bob: 3"]
    assert alice.heard == ["#a bob: 1", "#b bob: 2", "* alice is al", "#b bob: 3"]


def test_who_departs_is_told_of_in_each_room_once(stage):
    alice, bob = stage.enter("alice", "#a", "#b"), stage.enter("bob", "#a", "#b")
    stage.hub.detach(alice, alice.user)
    stage.hub.depart(alice.user, "")
    stage.deliver()
    assert bob.heard == ["alice is gone"]
    assert alice.heard == []


def test_what_is_said_to_a_person_reaches_all_its_sessions_and_the_speakers(stage):
    alice, bob, carol = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol"))
    alice2, bob2 = (stage.attach(FakeSession(stage.plain), each.user) for each in (alice, bob))
    stage.say(alice, "bob", "psst")
    stage.deliver()
    assert bob.heard == bob2.heard == alice2.heard == ["bob alice: psst"]
    assert alice.heard == ["* bob alice: psst"]
    assert carol.heard == []


# What could not be stored, and what was stored before.


@pytest.mark.parametrize("how", ["failed", "repeated"])
def test_only_who_said_it_is_told_and_in_its_turn(stage, how):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    stage.say(alice, "#a", "1", "2", "3")
    first, second, _ = stage.batch.entries
    if how == "failed":
        second.refused, told = StorageError(), f"{StorageError.code_} 2"
    else:
        second.first, told = first.event, f"2 was {first.event.id}"
    stage.deliver()
    assert bob.heard == ["#a alice: 1", "#a alice: 3"]
    assert alice.heard == ["* #a alice: 1", told, "* #a alice: 3"]


def test_what_could_not_be_stored_changes_nothing_and_gives_its_claims_back(stage):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    entry = stage.hub.rename(bob.user, "carol")
    entry.refused = StorageError()
    stage.deliver()
    assert bob.user.nick == "bob"
    assert not stage.hub.is_taken("carol")
    assert alice.heard == []


# Some of the people of a room, and people who watch.


def test_what_is_for_those_with_a_role_comes_in_its_place_and_to_nobody_else(stage):
    alice, bob, carol = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol"))
    stage.hub.room("#a").members[bob.user].roles = Role.VOICE
    stage.say(alice, "#a", "1")
    stage.say(alice, "#a", "2", least=Role.VOICE)
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert bob.heard == ["#a alice: 1", "#a alice: 2", "#a alice: 3"]
    assert carol.heard == ["#a alice: 1", "#a alice: 3"]
    assert alice.heard == ["* #a alice: 1", "* #a alice: 2", "* #a alice: 3"]


def test_an_invitation_is_heard_in_the_room_and_by_who_is_invited(stage):
    alice, bob, carol = stage.enter("alice", "#a"), stage.enter("bob", "#a"), stage.enter("carol")
    stage.hub.invite(alice.user, "#a", "carol", via=alice)
    stage.deliver()
    assert bob.heard == carol.heard == ["#a for carol"]
    assert alice.heard == ["* #a for carol"]


def test_what_is_taken_back_from_a_person_is_told_to_both(stage):
    alice, bob, carol = (stage.enter(nick, "#a") for nick in ("alice", "bob", "carol"))
    said = stage.hub.say(alice.user, "bob", "psst", via=alice).event
    stage.hub.redact(alice.user, said, "", via=alice)
    stage.deliver()
    assert bob.heard == ["bob alice: psst", f"bob without {said.id}"]
    assert alice.heard == ["* bob alice: psst", f"* bob without {said.id}"]
    assert carol.heard == []


def test_an_announcement_reaches_those_who_want_it_and_who_made_it_once(stage):
    alice, bob, carol = (stage.enter(nick) for nick in ("alice", "bob", "carol"))
    for each in (alice, bob):
        stage.hub.set_flags(each.user, [Flag.WALLOPS])
    stage.deliver()
    stage.forget()
    stage.hub.announce(alice.user, "tea", via=alice)
    stage.deliver()
    assert (alice.heard, bob.heard, carol.heard) == (["* ! tea"], ["! tea"], [])


def test_who_watches_is_told_whether_it_hears_of_it_in_a_room(stage):
    alice, bob, carol = stage.enter("alice", "#a"), stage.enter("bob", "#a"), stage.enter("carol")
    for watcher in (bob, carol):
        stage.hub.state.watchers.add(watcher, "alice")
    stage.say(bob, "#a", "1")
    stage.hub.rename(alice.user, "al", via=alice)
    stage.deliver()
    assert bob.heard == ["* #a bob: 1", "alice is al"]
    assert carol.heard == ["? alice"]
    assert alice.heard == ["#a bob: 1", "* alice is al"]


def test_who_watches_hears_of_who_is_in_no_room(stage):
    carol = stage.enter("carol")
    stage.hub.state.watchers.add(carol, "dan")
    dan = stage.enter("dan")
    stage.hub.depart(dan.user, "")
    stage.deliver()
    assert carol.heard == ["? dan"]  # and of the coming, before `enter` had all forget what they heard


def test_who_wants_one_order_is_shown_everything_in_that_of_the_log(stage):
    """Others are shown rooms and conversations each in their order, and one run of a room after the other."""
    ordered = Plain(ordered=True)
    alice = stage.enter("alice", "#a", "#b")
    bob = stage.enter("bob", "#a", "#b", dialect=ordered)
    carol = stage.enter("carol", "#a", "#b")
    stage.say(alice, "#a", "1")
    stage.say(alice, "#b", "2")
    stage.say(alice, "bob", "3")
    stage.say(bob, "#a", "4")
    stage.hub.rename(carol.user, "cora", via=carol)
    stage.say(alice, "#b", "5")
    stage.deliver()
    said = ["#a alice: 1", "#b alice: 2", "bob alice: 3", f"{ECHO}#a bob: 4", "carol is cora", "#b alice: 5"]
    assert bob.heard == said
    assert len(bob.peer.chunks) == 1


def test_a_no_to_who_wants_one_order_comes_after_what_was_said_before(stage):
    bob = stage.enter("bob", "#a", dialect=Plain(ordered=True))
    stage.say(bob, "#a", "1")
    stage.say(bob, "#a", "2")
    stage.say(bob, "#a", "3")
    stage.batch.entries[1].refused = StorageError()
    stage.deliver()
    assert bob.heard == [f"{ECHO}#a bob: 1", f"{StorageError.code_} 2", f"{ECHO}#a bob: 3"]


# Crowds.


def test_a_crowd_is_told_in_turns_and_what_follows_comes_after_it(monkeypatch):
    monkeypatch.setattr(fanout, "CROWD", 2)
    stage = Stage()
    people = [stage.enter(f"p{number}", "#a") for number in range(6)]
    couple = [stage.enter(nick, "#b") for nick in ("x", "y")]
    stage.forget()
    stage.say(people[0], "#a", "hi")
    stage.say(couple[0], "#b", "ho")
    batch, before = stage.batch, stage.hub.applied
    stage.batch = Batch()
    rest = stage.fanout.deliver(batch.entries)
    told = []
    with suppress(StopIteration):
        while True:
            told.append([sum(bool(each.heard) for each in group) for group in (people[1:], couple[1:])])
            assert stage.hub.shown == before != stage.hub.applied  # who goes now has not been shown it
            rest.send(None)
    assert told == [[0, 0], [0, 0], [2, 0], [4, 0], [5, 0]]
    assert couple[1].heard == ["#b x: ho"]
    assert stage.hub.shown == stage.hub.applied
    assert all(each.heard == ["#a p0: hi"] for each in people[1:])


async def test_what_has_nothing_to_do_with_a_crowd_that_is_being_told_passes_it(monkeypatch):
    monkeypatch.setattr(fanout, "CROWD", 3)
    stage = Stage()
    people = [stage.enter(f"p{number}", "#a") for number in range(5)]
    x, y = stage.enter("x", "#b"), stage.enter("y", "#b")
    both = stage.enter("both", "#a", "#b")
    ordered = [stage.enter(nick, "#c", dialect=Plain(ordered=True)) for nick in ("o", "p")]
    large = [stage.enter(f"l{number}", "#d") for number in range(4)]
    stage.forget()
    stage.say(people[0], "#a", "hi")
    rest, stage.batch = stage.fanout.deliver(stage.batch.entries), Batch()
    rest.send(None)

    def may_pass(*lines: tuple[FakeSession, str]) -> bool:
        stage.batch = Batch()
        for who, to in lines:
            stage.say(who, to, "ho")
        return stage.fanout.may_pass(stage.batch.entries)

    assert not may_pass((people[1], "#a"))
    assert not may_pass((both, "#b"))  # its echo there comes after that in #a
    assert not may_pass((x, "y"))
    assert not may_pass((ordered[0], "#c"))
    assert not may_pass((large[0], "#d"))
    assert not may_pass((x, "#b"), (people[1], "#a"))
    assert may_pass((x, "#b"))
    assert stage.fanout.deliver(stage.batch.entries) is None
    assert [each.heard for each in (x, y, both)] == [["* #b x: ho"], ["#b x: ho"], ["#b x: ho"]]
    assert people[4].heard == []
    finish(rest)
    assert people[4].heard == ["#a p0: hi"]
    assert both.heard == ["#b x: ho", "#a p0: hi"]
    assert stage.hub.shown == stage.hub.applied
    assert stage.fanout.position == int(stage.hub.applied)


async def test_nothing_passes_a_crowd_that_is_told_of_somebody_in_several_rooms(monkeypatch):
    monkeypatch.setattr(fanout, "CROWD", 2)
    stage = Stage()
    [stage.enter(f"p{number}", "#a") for number in range(5)]
    both, x = stage.enter("both", "#a", "#b"), stage.enter("x", "#c")
    stage.hub.rename(both.user, "other", via=both)
    rest, stage.batch = stage.fanout.deliver(stage.batch.entries), Batch()
    assert stage.hub.concerns(x.user)
    stage.say(x, "#c", "ho")
    assert not stage.fanout.may_pass(stage.batch.entries)
    finish(rest)
    assert not stage.hub.concerns(x.user)


async def test_a_bug_in_one_room_costs_a_crowd_nothing_now_or_later(monkeypatch, caplog):
    monkeypatch.setattr(fanout, "CROWD", 2)
    stage = Stage()
    people = [stage.enter(f"p{number}", "#a") for number in range(5)]
    bad = Plain()
    x, y = (stage.enter(nick, "#b", dialect=bad) for nick in ("x", "y"))
    stage.forget()
    render = bad.render
    bad.render = lambda event: 1 / 0
    stage.say(people[0], "#a", "one")
    stage.say(x, "#b", "lost")
    stage.deliver()
    bad.render = render
    stage.say(people[0], "#a", "two")
    stage.say(y, "#b", "heard")
    stage.deliver()
    assert people[4].heard == ["#a p0: one", "#a p0: two"]
    assert x.heard[-1:] == ["#b y: heard"]  # who spoke when it failed is not deaf since
    assert "could not be shown" in caplog.text


async def test_who_is_put_out_of_a_crowd_is_concerned_and_does_not_pass_it(monkeypatch):
    monkeypatch.setattr(fanout, "CROWD", 3)
    stage = Stage()
    people = [stage.enter(f"p{number}", "#a") for number in range(6)]
    vic, other = stage.enter("vic", "#a", "#b"), stage.enter("other", "#b")
    stage.forget()
    stage.say(vic, "#a", "one")
    stage.hub.kick(people[0].user, "#a", "vic", "", via=people[0])
    rest, stage.batch = stage.fanout.deliver(stage.batch.entries), Batch()
    assert stage.hub.concerns(vic.user)
    assert not stage.hub.concerns(other.user)
    stage.say(vic, "#b", "two")
    assert not stage.fanout.may_pass(stage.batch.entries)
    finish(rest)
    stage.deliver()
    assert vic.heard[-1] == "* #b vic: two"
