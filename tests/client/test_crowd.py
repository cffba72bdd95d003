"""What one member of a load makes of what it hears, without sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.client.crowd import Room, Tally
from asynchat.client.member import Member

BYTES = 100


class Quiet(Member):
    """A member without a connection: what it writes is kept."""

    def __init__(self, room: Room, nick: str) -> None:
        super().__init__(room, nick, None)
        self.written: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.written.append(line)


def crowd(members: int = 2) -> tuple[Room, list[Quiet]]:
    room = Room("#bench-x-0", "bench-x-0", Tally(), BYTES)
    quiet = [Quiet(room, f"b{number}") for number in range(members)]
    for member in quiet:
        member.entered.set_result(None)
    room.open()
    return room, quiet


def heard_by_the_second(room: Room, members: list[Quiet], lines: int) -> list[bytes]:
    """The first says so many lines; this is how the second would hear each of them."""
    members[1].pause_writing()
    for _ in range(lines):
        assert room.say(room.tally.began)
    return [b":b0!~u@h " + line + b"\r\n" for line in members[0].written]


Twist = Callable[[list[bytes]], Iterable[bytes]]


@pytest.mark.parametrize(
    ("twist", "heard", "duplicated", "reordered", "missing"),
    [
        pytest.param(lambda told: told, 6, 0, 0, 0, id="as it was said"),
        pytest.param(lambda told: [line.replace(b"\r", b"") for line in told], 6, 0, 0, 0, id="without CR"),
        pytest.param(lambda told: told[:2] + told[3:], 5, 0, 0, 1, id="one is lost"),
        pytest.param(lambda told: told[3:], 3, 0, 0, 3, id="the first are lost"),
        pytest.param(lambda told: told[:5], 5, 0, 0, 0, id="the last is lost"),
        pytest.param(lambda told: told[:3] + told[2:], 6, 1, 0, 0, id="one comes twice"),
        pytest.param(lambda told: told * 2, 6, 6, 0, 0, id="all come twice"),
        pytest.param(lambda told: [told[1], told[0], *told[2:]], 6, 0, 1, 0, id="one is overtaken"),
        pytest.param(reversed, 6, 0, 5, 0, id="backwards"),
        pytest.param(lambda told: [told[1], told[0], told[0], *told[2:]], 6, 1, 1, 0, id="overtaken, and twice"),
        pytest.param(lambda told: [told[0][:-9] + b"\r\n", *told[1:]], 5, 0, 0, 1, id="one is cut"),
        pytest.param(lambda told: [told[0].replace(b" 0 0 ", b" 0 x "), *told[1:]], 5, 0, 0, 1, id="one is changed"),
        pytest.param(lambda told: [told[0].replace(b" 0 0 ", b" 7 0 "), *told[1:]], 5, 0, 0, 1, id="by nobody"),
        pytest.param(lambda told: [*told, told[0].replace(b" 0 0 ", b" 0 9 ")], 6, 0, 0, 0, id="said by nobody"),
        pytest.param(lambda told: [told[0].replace(b"x-0 ", b"x-1 "), *told[1:]], 5, 1, 0, 1, id="of another room"),
    ],
)
async def test_what_happened_to_lines_is_found_out(
    twist: Twist, heard: int, duplicated: int, reordered: int, missing: int
) -> None:
    room, members = crowd()
    told = heard_by_the_second(room, members, 6)
    members[1].data_received(b"".join(twist(told)))
    tally = room.tally
    found = (tally.delivered, tally.duplicated, tally.reordered, len(members[1].missing))
    assert found == (heard, duplicated, reordered, missing)
    assert room.owed_to(members[1]) == 6
    assert tally.latency_us.count == heard


async def test_who_hears_itself_hears_a_duplicate() -> None:
    room, members = crowd()
    told = heard_by_the_second(room, members, 1)
    members[0].data_received(told[0])
    assert (room.tally.delivered, room.tally.duplicated) == (0, 1)


async def test_latency_counts_from_when_a_line_was_due() -> None:
    room, members = crowd()
    room.tally.began -= 60  # due a minute before it was said
    members[1].data_received(b"".join(heard_by_the_second(room, members, 1)))
    assert room.tally.latency_us.largest >= 60_000_000


@given(cuts=st.lists(st.integers(0, 700), max_size=8))
async def test_it_does_not_matter_how_bytes_are_cut(cuts: list[int]) -> None:
    room, members = crowd()
    data = b"".join(heard_by_the_second(room, members, 5))
    for begin, end in pairwise([0, *sorted(cuts), len(data)]):
        members[1].data_received(data[begin:end])
    assert (room.tally.delivered, len(members[1].missing)) == (5, 0)


@given(st.lists(st.binary() | st.sampled_from([b" :bench-x-0 ", b"0 ", b"-1 ", b"9" * 30, b"\n", b":s 433 b :no\n"])))
async def test_no_bytes_raise(pieces: list[bytes]) -> None:
    room, members = crowd()
    room.say(room.tally.began)
    for piece in pieces:
        members[1].data_received(piece)
    members[1].data_received(b"\n")


async def test_they_speak_in_turn_and_who_is_blocked_is_left_out() -> None:
    room, members = crowd(3)
    members[1].pause_writing()
    assert [room.say(0.0) for _ in range(4)] == [True] * 4
    assert [len(member.written) for member in members] == [2, 0, 2]
    for member in members:
        member.pause_writing()
    assert not room.say(0.0)
    assert (room.sent, sum(room.numbers)) == (4, 4)


async def test_an_eager_room_says_the_next_line_when_one_has_arrived_everywhere() -> None:
    room, members = crowd(3)
    room.eager = True
    room.fill()
    assert room.sent == 16
    first = b":b0!~u@h " + members[0].written[0] + b"\r\n"
    members[1].data_received(first)
    assert room.sent == 16
    members[2].data_received(first)
    assert room.sent == 17


async def test_an_eager_room_does_not_wait_for_what_is_lost_nor_for_who_is_gone() -> None:
    room, members = crowd(3)
    room.eager = True
    room.fill()
    said = [b":b0!~u@h " + line + b"\r\n" for line in members[0].written]
    members[1].data_received(said[1])  # the one before it will not come
    members[2].data_received(said[0] + said[1])
    assert room.sent == 18
    members[2].connection_lost(None)
    assert (members[2].put_out, members[2].owed) == (True, 18 - 6)
    on_the_way = room.owed_to(members[0]) + room.owed_to(members[1]) - 2
    assert room.in_flight == on_the_way
    spoken = len(members[2].written)
    for number in range(3):  # one speaks, and one hears
        assert room.say(0.0)
        assert room.in_flight == on_the_way + number + 1
    assert len(members[2].written) == spoken


async def test_a_line_without_an_end_is_not_kept() -> None:
    _, members = crowd()
    members[1].data_received(b"x" * 65_537)
    assert members[1].ended == "a line beyond all limits"


async def test_a_ping_is_answered() -> None:
    _, members = crowd()
    members[0].data_received(b"PING :abc def\r\n")
    assert members[0].written == [b"PONG :abc def"]
