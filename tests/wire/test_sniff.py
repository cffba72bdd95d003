"""The first bytes of a connection choose its wire. (DESIGN.md, section 6)"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asynchat.wire.sniff import Opening, sniff

TLS, HTTP, FRAME, IRC, LINE = Opening.TLS, Opening.HTTP, Opening.FRAME, Opening.IRC, Opening.LINE

OPENINGS = [
    (b"\x16\x03\x01\x02\x00\x01", TLS),
    (b"GET / HTTP/1.1\r\n", HTTP),
    (b"POST / HTTP/1.1\r\n", HTTP),
    (b"PUT /x HTTP/1.1\r\n", HTTP),
    (b"HEAD / HTTP/1.1\r\n", HTTP),
    (b"DELETE / HTTP/1.1\r\n", HTTP),
    (b"OPTIONS * HTTP/1.1\r\n", HTTP),
    (b"PATCH / HTTP/1.1\r\n", HTTP),
    (b"TRACE / HTTP/1.1\r\n", HTTP),
    (b"CONNECT host:1 HTTP/1.1\r\n", HTTP),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP),
    (b"get / HTTP/1.1\r\n", LINE),
    (b"GETTY\n", LINE),
    (b"GET\n", LINE),
    (b"5         alice", FRAME),
    (b"123456789 x", FRAME),
    (b"0         ", FRAME),
    (b"1234567890", LINE),
    (b"5        \n", LINE),
    (b"5   5     ", LINE),
    (b"42\n", LINE),
    (b"CAP LS 302\r\n", IRC),
    (b"NICK alice\r\n", IRC),
    (b"nick alice\n", IRC),
    (b"Pass secret\r\n", IRC),
    (b"USER a 0 * :A\r\n", IRC),
    (b"PING x\r\n", IRC),
    (b"AUTHENTICATE PLAIN\r\n", IRC),
    (b"QUIT\r\n", IRC),
    (b"QUIT :bye\r\n", IRC),
    (b"@label=1 NICK alice\r\n", IRC),
    (b"@label=1   NICK alice\r\n", IRC),
    (b"NICK\r\n", LINE),
    (b"nick \n", LINE),
    (b"Nick\n", LINE),
    (b"user\n", LINE),
    (b"nicky mouse\n", LINE),
    (b"JOIN #lobby\r\n", LINE),
    (b"@alice NICK\n", LINE),
    (b"alice\n", LINE),
    (b"alice: hello", LINE),
    (b"\n", LINE),
    (b"\xff\xfd\x03\xff\xfb\x18", LINE),
    ("über\n".encode(), LINE),
    (b"\0\0\0\n", LINE),
]

starts = st.sampled_from([
    b"", b"@a", b"@a=b;c ", b" ", b"\r", b"\t", b"GET", b"POST ", b"NICK", b"nick ", b"USER a", b"QUIT", b"CAP",
    b"PASS x", b"12", b"7         ", b"\x16", b"al", b"\xc3\xa9", b"\xff",
])  # fmt: skip
streams = st.lists(starts | st.sampled_from([b"\n", b"\r\n", b" ", b"x"]) | st.binary(max_size=3), max_size=6)


def in_pieces(data: bytes, cuts: list[int]) -> Opening | None:
    """What is decided first when the data comes cut at these places."""
    for end in [*sorted({min(cut, len(data)) for cut in cuts}), len(data)]:
        opening = sniff(data[:end])
        if opening is not None:
            return opening
    return None


@pytest.mark.parametrize(("data", "opening"), OPENINGS, ids=[repr(data)[1:] for data, _ in OPENINGS])
def test_an_opening_chooses_its_wire(data: bytes, opening: Opening) -> None:
    assert sniff(data, final=True) is opening


@pytest.mark.parametrize(("data", "opening"), OPENINGS, ids=[repr(data)[1:] for data, _ in OPENINGS])
def test_an_opening_chooses_its_wire_when_it_comes_byte_by_byte(data: bytes, opening: Opening) -> None:
    assert in_pieces(data, list(range(len(data)))) is opening


@pytest.mark.parametrize(
    "data", [b"", b"N", b"ni", b"NICK", b"NICK al", b"GE", b"5", b"5    ", b"@a", b"@a N", b"QUIT"]
)
def test_what_may_become_another_wire_is_waited_for(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize("data", [b"N", b"NICK", b"GE", b"5", b"@a"])
def test_what_was_waited_for_in_vain_is_a_line(data: bytes) -> None:
    assert sniff(data, final=True) is LINE


@given(streams, st.lists(st.integers(0, 30), max_size=8))
@example([b" NICK x\n"], [2])
@example([b"\tNICK x\n"], [2])
@example([b"@a \tNICK x\n"], [5])
@example([b"QUIT\t\n"], [5])
@example([b"NICK ", b"x" * 9000, b"\n"], [8800])
def test_the_cuts_do_not_change_the_decision(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    assert in_pieces(data, cuts) is sniff(data)


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_any_bytes_in_any_cuts_are_decided_alike(data: bytes, cuts: list[int]) -> None:
    assert in_pieces(data, cuts) is sniff(data)


@given(st.binary(min_size=1, max_size=40))
def test_in_the_end_something_is_always_decided(data: bytes) -> None:
    assert sniff(data, final=True) is not None
