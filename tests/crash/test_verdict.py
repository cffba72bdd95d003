"""The verdict finds each kind of fault, and nothing in a transcript without any."""

from __future__ import annotations

import pytest

from tests.crash.transcript import Line, Told, Transcript, told
from tests.crash.verdict import DOUBLED, LOST, MISNAMED, ORDER, STATE, Fault, RoomState, judge, judge_state

ONE, TWO, THREE = (Line("ann", number) for number in range(3))
OTHER = Line("bob", 0)
LOG = [Told(ONE, "1"), Told(OTHER, "2"), Told(TWO, "3"), Told(THREE, "5")]


def transcript() -> Transcript:
    """Of three lines, the third of which was stored when the server was killed, and told when it was sent again."""
    said = Transcript(sent=5, again=1, repeats=1)
    for line, msgid in LOG:
        said.acked[line].append(msgid)
    said.heard["ann"] = LOG[:3]
    said.heard["bob"] = LOG[:2]
    return said


def kinds(said: Transcript, log: list[Told]) -> list[str]:
    return [fault.kind for fault in judge(said, log)]


def test_a_clean_transcript_has_no_fault() -> None:
    assert judge(transcript(), LOG) == []


def test_a_line_that_nobody_was_told_of_may_be_there_or_not() -> None:
    said = transcript()
    said.sent += 1
    assert judge(said, LOG) == []
    assert judge(said, [*LOG, Told(Line("ann", 3), "6")]) == []


@pytest.mark.parametrize("gone", range(4))
def test_an_acknowledged_line_that_is_not_there_is_lost(gone: int) -> None:
    assert kinds(transcript(), LOG[:gone] + LOG[gone + 1 :]) == [LOST]


def test_a_line_that_was_only_shown_and_is_not_there_is_lost() -> None:
    said = transcript()
    said.heard["bob"].append(Told(Line("ann", 3), "6"))
    assert judge(said, LOG) == [Fault(LOST, f"{Line('ann', 3)} was shown to bob")]


def test_a_line_that_is_there_twice_is_doubled_and_no_matter_of_order() -> None:
    assert kinds(transcript(), [*LOG, Told(ONE, "6")]) == [DOUBLED]


def test_two_acknowledgements_under_two_msgids_are_a_double() -> None:
    said = transcript()
    said.acked[TWO].append("4")
    assert kinds(said, LOG) == [DOUBLED, MISNAMED]
    assert kinds(said, [*LOG[:3], Told(TWO, "4"), *LOG[3:]]) == [DOUBLED, DOUBLED]


def test_an_acknowledgement_again_under_the_same_msgid_is_none() -> None:
    said = transcript()
    said.acked[TWO].append("3")
    assert judge(said, LOG) == []


def test_a_line_that_is_shown_twice_is_doubled() -> None:
    said = transcript()
    said.heard["bob"] = [*LOG[:3], LOG[0]]
    assert kinds(said, LOG) == [DOUBLED]


def test_a_line_told_under_a_msgid_that_is_not_its_own_is_misnamed() -> None:
    said = transcript()
    said.acked[TWO] = ["2"]
    assert kinds(said, LOG) == [MISNAMED]
    said = transcript()
    said.heard["bob"] = [Told(ONE, "")]
    assert kinds(said, LOG) == [MISNAMED]


def test_two_lines_of_one_sender_that_are_swapped_break_the_order() -> None:
    swapped = [Told(TWO, "1"), LOG[1], Told(ONE, "3"), LOG[3]]
    said = transcript()
    said.acked[ONE], said.acked[TWO] = ["3"], ["1"]
    said.heard.clear()
    assert kinds(said, swapped) == [ORDER]


def test_lines_of_two_senders_have_no_order() -> None:
    said = transcript()
    said.heard.clear()
    assert judge(said, [LOG[1], LOG[0], *LOG[2:]]) == []


def test_order_counts_where_lines_are_shown_and_acknowledged_too() -> None:
    said = transcript()
    said.heard["bob"] = [LOG[2], LOG[0]]
    said.out_of_turn.append("one before the other")
    assert kinds(said, LOG) == [ORDER, ORDER]


def test_what_was_wrong_after_a_restart_is_a_fault_of_state() -> None:
    said = transcript()
    said.wrong.append("the topic is gone")
    assert judge(said, LOG) == [Fault(STATE, "the topic is gone")]


def test_the_state_is_the_last_that_was_acknowledged_or_the_one_asked_for_and_no_half_of_it() -> None:
    before = RoomState("a topic", frozenset({"x!*@*"}), moderated=False)
    asked = RoomState("a topic", frozenset(), moderated=True)
    assert judge_state(before, before, None) is None
    assert judge_state(before, before, asked) is None
    assert judge_state(asked, before, asked) is None
    assert judge_state(asked, before, None)
    assert judge_state(before._replace(moderated=True), before, asked)
    assert judge_state(before._replace(bans=frozenset()), before, asked)
    assert judge_state(before._replace(topic=""), before, asked)


def test_what_nobody_said_is_no_line() -> None:
    line = Line("ann", 7)
    assert told(line.text, "1", "ann") == Told(line, "1")
    for text, by in ((line.text, "bob"), (line.text[:-1], "ann"), ("hello", "ann")):
        with pytest.raises(ValueError, match=r"."):
            told(text, "1", by)
