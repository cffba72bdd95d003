"""The frame wire: a header of ten bytes, a length in ASCII, left-justified; then so many bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynchat.wire.frame import BadFrame, Unpacker
from asynchat.wire.frame import packet as our_packet
from tests.conversation import CLOSED, Town, packet, unpacked


@pytest.mark.parametrize(
    ("data", "framed"),
    [
        (b"", b"0         "),
        (b"alice", b"5         alice"),
        ("größer".encode(), b"8         gr\xc3\xb6\xc3\x9fer"),
        (b"x" * 1234567, b"1234567   " + b"x" * 1234567),
    ],
)
def test_a_packet_is_a_length_in_bytes_and_the_bytes(data: bytes, framed: bytes) -> None:
    assert our_packet(data) == framed


async def test_a_conversation_byte_for_byte(town: Town) -> None:
    """What the socket tutorial's own client sends and reads."""
    nat, fred = await town.person("nat"), town.connect("frame")
    await fred.says(b"4         fred")
    head, told, key = fred.hears_bytes().partition(b" resume key ")
    assert head == b"3         ***79        hello fred, you are in #lobby with nat. /help, /quit."
    assert (told, len(key)) == (b" resume key ", 14)
    await nat.says("hi über")
    assert fred.hears_bytes() == b"3         nat8         hi \xc3\xbcber"
    await fred.says(b"2         ho5         \xc3\xa9\xc3\xa9!")
    assert nat.hears() == ["*** fred joined", "<fred> ho", "<fred> éé!"]
    await fred.says(b"4         /foo")
    assert fred.hears_bytes() == b"3         !!!19        UNKNOWN /foo; /help"
    await nat.says("/me waves", "/msg fred psst")
    assert fred.hears_bytes() == b"1         *9         nat waves8         [dm nat]4         psst"


@pytest.mark.parametrize("cut", [1, 2, 9, 10, 11])
async def test_packets_may_be_cut_anywhere(town: Town, cut: int) -> None:
    nat, fred = await town.person("nat"), town.connect("frame")
    await fred.says("fred", "größer", "", "漢字", cut=cut)
    assert nat.hears() == ["*** fred joined", "<fred> größer", "<fred> 漢字"]


@pytest.mark.parametrize(
    "header",
    [
        b"16385     ", b"999999999 ", b"1234567890", b"-5        ", b"5 5       ", b"          ", b"0x10      ",
        b" 5        ", b"5\t        ", b"5.0       ", b"+5        ", b"\xb25        ", b"hello worl",
    ],
)  # fmt: skip
async def test_an_absurd_header_ends_the_connection_after_what_came_before_it(town: Town, header: bytes) -> None:
    nat, fred = await town.person("nat"), await town.framed("fred")
    nat.hears()
    await fred.says(packet("before") + header + packet("after"))
    assert [line[:16] for line in fred.hears()] == ["!!! | BAD_FRAME ", CLOSED]
    assert [line[:13] for line in nat.hears()] == ["<fred> before", "*** fred left"]


async def test_the_others_are_told_why_a_broken_client_left(town: Town) -> None:
    """CONVENTIONS.md, Errors: protocol errors end that session with a reason."""
    nat, fred = await town.person("nat"), await town.framed("fred")
    nat.hears()
    await fred.says(b"hello world")
    (line,) = nat.hears()
    assert line.startswith("*** fred left (")


async def test_a_packet_as_long_as_may_be_is_said(town: Town) -> None:
    nat, fred = await town.person("nat"), await town.framed("fred")
    nat.hears()
    await fred.says("x" * 16384)
    assert nat.hears() == ["<fred> " + "x" * 16384]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
async def test_a_client_may_send_its_input_with_the_newline(town: Town, end: bytes) -> None:
    nat, fred = await town.person("nat"), town.connect("frame")
    await fred.says(packet(b"fred" + end), packet(b"hi" + end), packet(b"quit" + end))
    assert nat.hears() == ["*** fred joined", "<fred> hi", "*** fred left (quit)"]
    assert fred.hears()[1:] == ["*** | bye", CLOSED]


async def test_a_packet_of_several_lines_is_one_message_shown_line_by_line(town: Town) -> None:
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby", caps="message-tags")
    fred, other = await town.framed("fred"), await town.framed("other")
    await fred.says("one\n\ntwo")
    assert nat.hears() == ["<fred> one", "<fred> ", "<fred> two"]
    assert other.hears() == ["fred | one", "fred | ", "fred | two"]
    assert ["msgid=" in line for line in alice.hears() if " PRIVMSG " in line] == [True, False]


@pytest.mark.parametrize(
    ("name", "code"), [("", "*** |"), ("two words", "BAD_NAME"), ("nat", "NAME_TAKEN"), ("a\nb", "BAD_NAME")]
)
async def test_a_name_that_cannot_be_is_refused(town: Town, name: str, code: str) -> None:
    await town.person("nat")
    fred = town.connect("frame")
    await fred.says(name, "fred")
    heard = fred.hears()
    assert code in heard[0]
    assert heard[1].startswith("*** | hello fred")


async def test_bytes_that_are_no_text_are_refused(town: Town) -> None:
    nat, fred = await town.person("nat"), await town.framed("fred")
    nat.hears()
    await fred.says(packet(b"caf\xe9"), packet(b"a\0b"), packet(b"a\rb"), "fine")
    assert [line.split()[2] for line in fred.hears()] == ["INVALID_UTF8", "BAD_TEXT", "BAD_TEXT"]
    assert nat.hears() == ["<fred> fine"]


async def test_half_a_packet_at_the_end_is_not_said(town: Town) -> None:
    nat, fred = await town.person("nat"), await town.framed("fred")
    nat.hears()
    await fred.sends(b"5         hel")
    await fred.ends()
    assert nat.hears() == ["*** fred left (connection closed)"]


@given(st.lists(st.binary(max_size=20), max_size=8), st.lists(st.integers(0, 12), max_size=12))
def test_what_was_packed_is_unpacked_whatever_the_cuts(texts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(our_packet, texts))
    assert unpacked(data) == texts
    unpacker, got = Unpacker(20), []
    for cut in [*cuts, len(data)]:
        got += unpacker.feed(data[:cut])
        data = data[cut:]
    assert got == texts


@given(st.lists(st.binary(max_size=15) | st.sampled_from([b"5         ", b"10", b"  "]), max_size=10))
def test_any_bytes_are_packets_or_no_frame(pieces: list[bytes]) -> None:
    unpacker = Unpacker(20)
    for piece in pieces:
        try:
            for each in unpacker.feed(piece):
                assert len(each) <= 20
        except BadFrame:
            return


@given(st.lists(st.binary(max_size=30), max_size=6))
@settings(deadline=None, max_examples=50)
async def test_any_bytes_after_the_name_raise_nothing(pieces: list[bytes]) -> None:
    async with Town() as town:
        fred = await town.framed("fred")
        await fred.says(*pieces)
        fred.hears()
