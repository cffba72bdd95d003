"""The splitter: bytes to lines, and what becomes of one that is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.wire.lines import Splitter

LIMIT = 8
streams = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"bcd", b"12345678", b"\xff", b"\0"]), max_size=20)


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data in pieces of these lengths, and the rest."""
    pieces = []
    for length in cuts:
        pieces.append(data[:length])
        data = data[length:]
    return [*pieces, data]


@pytest.mark.parametrize(
    ("data", "lines", "rest"),
    [
        pytest.param(b"", [], b"", id="nothing"),
        pytest.param(b"one", [], b"one", id="an unfinished line"),
        pytest.param(b"one\n", [b"one"], b"", id="LF"),
        pytest.param(b"one\r\n", [b"one"], b"", id="CRLF"),
        pytest.param(b"one\r\r\n", [b"one\r"], b"", id="only one CR belongs to the end"),
        pytest.param(b"a\rb\n", [b"a\rb"], b"", id="a CR inside stays"),
        pytest.param(b"\n\r\n", [b"", b""], b"", id="empty lines"),
        pytest.param(b"a\nb\nc", [b"a", b"b"], b"c", id="two lines and a half"),
        pytest.param(b"12345678\r\n", [b"12345678"], b"", id="as long as may be"),
        pytest.param(b"123456789\n", [None], b"", id="one byte too long"),
        pytest.param(b"12345678\r", [], b"12345678\r", id="its CR may be the end of it"),
        pytest.param(b"1234567890", [None], b"", id="too long already"),
        pytest.param(b"1234567890\nok\n", [None, b"ok"], b"", id="too long, then a good one"),
    ],
)
def test_a_stream_is_cut_at_line_feeds(data: bytes, lines: list[bytes | None], rest: bytes) -> None:
    splitter = Splitter(LIMIT)
    assert splitter.feed(data) == lines
    assert splitter.rest == rest


def test_a_line_that_is_too_long_is_told_of_once_and_its_tail_is_no_line() -> None:
    splitter = Splitter(LIMIT)
    assert splitter.feed(b"x" * 20) == [None]
    assert splitter.discarding
    assert splitter.feed(b"/quit") == []
    assert splitter.feed(b"/quit\nhello\n") == [b"hello"]
    assert not splitter.discarding


def test_flush_ends_an_unfinished_line() -> None:
    splitter = Splitter(LIMIT)
    splitter.feed(b"one\ntwo")
    assert splitter.flush() == b"two"
    assert splitter.feed(b"three\n") == [b"three"]


@given(streams, st.lists(st.integers(0, 6), max_size=20))
def test_the_cuts_of_a_stream_do_not_matter(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    whole, cut = Splitter(LIMIT), Splitter(LIMIT)
    lines = [line for piece in cut_up(data, cuts) for line in cut.feed(piece)]
    assert lines == whole.feed(data)
    assert (cut.rest, cut.discarding) == (whole.rest, whole.discarding)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_line_is_longer_than_the_limit_and_none_has_a_line_feed(pieces: list[bytes]) -> None:
    splitter = Splitter(LIMIT)
    for piece in pieces:
        for line in splitter.feed(piece):
            assert line is None or (len(line) <= LIMIT and b"\n" not in line)
        assert len(splitter.rest) <= LIMIT + 1
