"""Up to where talk was handed on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.client.positions import Position, Positions, is_talk, place_of
from asynchat.wire.irc.message import Message


def said(msgid: str | None, text: str = "hi", *, to: str = "#lobby", by: str = "bob") -> Message:
    tags = {} if msgid is None else {"msgid": msgid, "time": f"2026-01-01T00:00:{int(msgid):02}.000Z"}
    return Message("PRIVMSG", [to, text], source=f"{by}!u@h", tags=tags)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (said("1", to="#Lobby"), "#lobby"),
        (said("1", to="@#lobby"), "#lobby"),
        (said("1", to="Alice", by="Bob"), "bob"),
        (said("1", to="Bob", by="alice"), "bob"),
        (said("1", to="alice", by="alice"), "alice"),
        (said("1", to="&local"), "&local"),
    ],
)
def test_a_line_belongs_to_a_room_or_to_the_other_person(line: Message, place: str) -> None:
    assert place_of(line, "alice") == place


def test_only_what_somebody_said_is_talk() -> None:
    assert is_talk(said("1"))
    assert not is_talk(Message("TAGMSG", ["#lobby"]))
    assert not is_talk(Message("PRIVMSG", ["#lobby"]))


def test_the_last_message_is_fetched_again_and_its_lines_that_are_known_left_out() -> None:
    position = Position("msgid=10")
    lines = [said("11"), said("12", "a"), said(None, "b"), said(None, "c"), said("13", "d")]
    position.passed(lines[:3])
    assert position.since == "msgid=11"
    assert [line.params[1] for line in position.unseen(lines[1:])] == ["c", "d"]
    position.passed(lines[3:])
    assert position.since == "msgid=12"
    assert list(position.unseen(lines[4:])) == []


def test_before_anything_is_handed_on_everything_is_new() -> None:
    position = Position("timestamp=2026-01-01T00:00:00.000Z")
    lines = [said("11"), said(None, "of it")]
    assert list(position.unseen(lines)) == lines


def test_what_was_fetched_is_not_taken_live_with_none_of_its_lines() -> None:
    position = Position("msgid=10")
    position.fetched = {"11", "12"}
    live = [said("11"), said(None), said("12"), said(None), said("13"), said(None)]
    assert position.new(live) == live[4:]
    assert [new for line in live for new in position.new([line])] == live[4:]


@given(st.lists(st.sampled_from([None, "1", "2", "3"]), min_size=1), st.data())
def test_a_position_is_the_same_however_many_lines_are_handed_on_at_once(
    ids: list[str | None], data: st.DataObject
) -> None:
    lines = [said(msgid) for msgid in ids]
    together, alone = Position("msgid=0"), Position("msgid=0")
    cut = data.draw(st.integers(0, len(lines) - 1))
    for part in (lines[:cut], lines[cut:]):
        together.passed(part)
    for line in lines:
        alone.passed([line])
    assert (together.since, together.last, together.lines) == (alone.since, alone.last, alone.lines)


def test_a_room_begins_where_it_was_entered() -> None:
    positions = Positions()
    positions.enter(Message("JOIN", ["#Lobby"], source="alice!u@h", tags={"msgid": "10"}))
    positions.passed([said("11")], "#lobby")
    positions.enter(Message("JOIN", ["#lobby"], source="alice!u@h", tags={"msgid": "20"}))
    position = positions.get("#lobby")
    assert position is not None
    assert (position.since, position.last) == ("msgid=10", "11")
    positions.leave("#lobby")
    positions.enter(Message("JOIN", ["#lobby"], source="alice!u@h", tags={"time": "2026-01-01T00:00:30.000Z"}))
    position = positions.get("#lobby")
    assert position is not None
    assert position.since == "timestamp=2026-01-01T00:00:30.000Z"


def test_a_conversation_begins_when_we_came() -> None:
    positions = Positions()
    positions.begin("2026-01-01T00:00:00.000Z")
    positions.begin("2026-01-01T00:01:00.000Z")
    positions.passed([said("11", to="alice")], "bob")
    position = positions.get("bob")
    assert position is not None
    assert position.since == "timestamp=2026-01-01T00:00:00.000Z"
    positions.renamed("bob", "rob")
    assert positions.get("rob") is position
    assert positions.get("bob") is None


def test_talk_in_a_room_that_we_are_not_in_is_remembered_nowhere() -> None:
    """What was held while we left it is handed on still; entering it again is another visit."""
    positions = Positions()
    positions.begin("2026-01-01T00:00:00.000Z")
    positions.passed([said("11")], "#lobby")
    assert positions.get("#lobby") is None


def test_who_may_have_written_is_asked_from_a_little_before_the_last_line() -> None:
    positions = Positions()
    assert positions.before == ""
    positions.begin("2026-01-01T00:00:00.000Z")
    positions.passed([said("43"), said("45")], "#lobby")
    positions.passed([said("44", to="alice")], "bob")
    assert positions.before == "2026-01-01T00:00:35.000Z"
