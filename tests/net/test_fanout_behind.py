"""Fan-out: peers that are gone or behind."""

from __future__ import annotations

import pytest

from asynchat.chat.errors import StorageError
from tests.net.stage import ECHO, FakeSession, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("error", [RuntimeError("closed"), ConnectionResetError(), OSError(9, "bad")], ids=repr)
def test_a_peer_that_is_gone_costs_nobody_else_a_line(stage, error):
    sessions = [stage.enter(nick, "#a", "#b") for nick in ("alice", "bob", "carol", "dan")]
    for gone in (sessions[0], sessions[2]):
        gone.peer.error = error
    for session in sessions:
        stage.say(session, "#a", "hi")
        stage.say(session, session.user.nick, "note")
    stage.hub.rename(sessions[0].user, "al", via=sessions[0])
    stage.deliver()
    for session in (sessions[1], sessions[3]):
        others = [line for line in session.heard if not line.startswith(ECHO)]
        assert [line for line in others if ": hi" in line] == [
            f"#a {other}: hi" for other in ("alice", "bob", "carol", "dan") if other != session.user.nick
        ]
        assert "alice is al" in others


def test_a_peer_that_is_behind_is_reported_once_and_written_no_more():
    stage = Stage(send_queue=100)
    alice, bob, carol = (stage.enter(nick, "#a", "#b") for nick in ("alice", "bob", "carol"))
    bob.peer.before, carol.peer.before = 101, 100
    stage.say(alice, "#a", "1")
    stage.say(alice, "#b", "2")
    stage.hub.rename(alice.user, "al", via=alice)
    stage.deliver()
    assert stage.late == [bob]
    assert bob.heard == []
    assert carol.heard[0] == "#a alice: 1"
    stage.forget()  # all of it is sent
    bob.peer.before = carol.peer.before = 0
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert stage.late == [bob]
    assert bob.heard == carol.heard == ["#a al: 3"]


def test_a_peer_is_not_behind_because_of_what_this_batch_has_for_it():
    """Nothing of it can have been sent yet, however fast the peer is."""
    stage = Stage(send_queue=100)
    alice, bob = stage.enter("alice", "#a", "#b"), stage.enter("bob", "#a", "#b")
    stage.say(alice, "#a", "x" * 200)
    stage.say(alice, "#b", "2")
    stage.deliver()
    assert stage.late == []
    assert bob.heard[1:] == ["#b alice: 2"]
    stage.say(alice, "#a", "3")
    stage.deliver()
    assert bob in stage.late  # by now it is: of 200 bytes it has taken none


def test_an_empty_batch_is_nothing(stage):
    alice = stage.enter("alice", "#a")
    stage.deliver()
    assert alice.peer.chunks == []


def test_who_has_missed_a_line_of_a_batch_hears_no_later_one():
    """Or there would be a gap in what it heard, that nobody tells it of."""
    stage = Stage(send_queue=100)
    alice, bob = stage.enter("alice", "#a", "#b"), stage.enter("bob", "#a", "#b")
    bob.peer.before = 101
    stage.say(alice, "#a", "x" * 50)
    stage.say(alice, "#b", "2")
    stage.say(alice, "bob", "3")
    stage.deliver()
    assert (stage.late, bob.heard) == ([bob], [])


@pytest.mark.parametrize("error", [RuntimeError("closed"), ConnectionResetError()], ids=repr)
def test_a_no_to_who_is_gone_costs_nobody_else_a_line(stage, error):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    stage.say(alice, "#a", "refused", "repeated")
    stage.say(bob, "#a", "hello")
    stage.batch.entries[0].refused = StorageError()
    stage.batch.entries[1].first = stage.batch.entries[1].event
    alice.peer.error = error
    stage.deliver()
    assert bob.heard == [f"{ECHO}#a bob: hello"]


def test_an_event_that_cannot_be_shown_costs_the_others_of_its_batch_nothing(stage, monkeypatch, caplog):
    alice, bob = stage.enter("alice", "#a"), stage.enter("bob", "#a")
    stage.say(alice, "#a", "one", "two", "three")
    own = FakeSession.own

    def broken(self, event, via_me):
        if event.text == "two":
            raise ZeroDivisionError("injected")
        return own(self, event, via_me)

    monkeypatch.setattr(FakeSession, "own", broken)
    stage.deliver()
    assert {"#a alice: one", "#a alice: three"} <= set(bob.heard)
    assert "Said could not be shown" in caplog.text
