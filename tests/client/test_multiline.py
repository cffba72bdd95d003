"""Messages of several lines, from texts to batches and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.client.multiline import MOST_BYTES, MOST_OPEN, Assembler, Limits, batch, parts
from asynchat.wire.irc.message import Message

TEXTS = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=80)


def put_together(messages: list[Message]) -> list[Message]:
    assembler = Assembler()
    read = [Message.parse(message.encode()) for message in messages]
    return [whole for message in read if (whole := assembler.take(message)) is not None]


@given(TEXTS, st.integers(4, 12))
def test_a_text_comes_out_as_it_went_in(text: str, room: int) -> None:
    sent = list(batch(Message("PRIVMSG", ["#lobby", text], tags={"+asynchat/key": "k"}), room))
    assert all(len(each.params[-1].encode()) <= room for each in sent[1:-1])
    assert put_together(sent) == [Message("PRIVMSG", ["#lobby", text], tags={"+asynchat/key": "k"})]


@given(TEXTS, st.integers(4, 12), st.integers(4, 40), st.integers(1, 12))
def test_parts_are_the_whole_and_keep_to_the_limits(text: str, room: int, most: int, lines: int) -> None:
    limits = Limits(max(most, room), max(lines, most))
    found = parts(text, limits, room)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")
    for part in found:
        assert len(part.encode()) <= limits.bytes
        assert len(list(batch(Message("PRIVMSG", ["#lobby", part]), room))) - 2 <= limits.lines


def test_a_text_that_fits_is_one_part() -> None:
    assert parts("one\n\nthree", Limits(100, 10), 50) == ["one\n\nthree"]
    assert parts("one\ntwo\nthree", Limits(100, 2), 50) == ["one\ntwo", "three"]


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        ("max-bytes=4096,max-lines=24", Limits(4096, 24)),
        ("max-bytes=40", Limits(40, 1000)),
        ("", None),
        ("max-bytes=x", None),
    ],
)
def test_the_limits_of_a_server(value: str, limits: Limits | None) -> None:
    assert Limits.parse(value) == limits


def test_lines_of_other_batches_and_of_none_pass() -> None:
    lines = [":srv BATCH +h chathistory #lobby", "@batch=h :bob PRIVMSG #lobby hello", ":srv BATCH -h", "BATCH"]
    assert put_together([Message.parse(line) for line in lines]) == [Message.parse(line) for line in lines]


def test_a_server_that_never_ends_what_it_begins_costs_little() -> None:
    assembler = Assembler()
    for number in range(1000):
        assert assembler.take(Message.parse(f"BATCH +{number} draft/multiline #lobby")) is None
    assert len(assembler._open) == MOST_OPEN
    for _ in range(MOST_BYTES // 1000 + 100):
        assert assembler.take(Message.parse(f"@batch=999 PRIVMSG #lobby {'x' * 1000}")) is None
    whole = assembler.take(Message.parse("BATCH -999"))
    assert whole is not None
    assert MOST_BYTES <= len(whole.params[1]) <= MOST_BYTES + 2000


@pytest.mark.parametrize("value", ["max-bytes=0", "max-bytes=3", "max-bytes=-1", "max-lines=5", ""])
def test_limits_that_nobody_can_keep_to_are_none(value: str) -> None:
    assert Limits.parse(value) is None
