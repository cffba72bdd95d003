"""The line wire: netcat, telnet, and the clients of tutorials. (DESIGN.md, section 6)"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynchat.wire.line import unfinished
from tests.conversation import Client, Town

TELNET = b"\xff\xfd\x01\xff\xfb\x03\xff\xfa\x18\x00xterm\xff\xf0"


async def flushed_after(town: Town) -> float:
    """How long it takes until somebody hears something, in seconds; 99 is never."""
    waited = 0.0
    for until in (0.099, 0.101, 0.499, 0.501, 1.999, 2.001, 99.0):
        await town.passes(until - waited)
        waited = until
        if any(each.hears() for each in town.clients):
            break
    return waited


async def guests(town: Town) -> tuple[Client, Client]:
    """Somebody who listens, and a tutorial's client that has never sent a newline."""
    nat, client = await town.person("nat"), town.connect()
    client.name = "tim"
    await client.sends(b"tim")
    await town.passes(0.2)
    town.forget()
    return nat, client


@pytest.mark.parametrize(
    ("pieces", "after_s"),
    [
        pytest.param([b"hello"], 0.101, id="a whole text"),
        pytest.param(["für".encode()], 0.101, id="a whole character at its end"),
        pytest.param(["hellö".encode()[:-1]], 0.501, id="a character is incomplete"),
        pytest.param([b"h", b"i"], 2.001, id="byte by byte: somebody types"),
        pytest.param([b"x" * 1024], 0.501, id="the last read filled the buffer"),
        pytest.param([b"first\n", b"second"], 2.001, id="it has ended a line before"),
        pytest.param([b"\xff\xf1hello"], 99.0, id="telnet has been seen"),
    ],
)
async def test_what_has_no_newline_becomes_a_line_after_a_pause(pieces: list[bytes], after_s: float) -> None:
    async with Town(read_buffer=1024) as town:
        _, client = await guests(town)
        for piece in pieces:
            await client.says(piece)
        town.forget()
        assert await flushed_after(town) == after_s


async def test_the_pause_begins_anew_with_each_read(town: Town) -> None:
    nat, client = await guests(town)
    await client.sends(b"hel")
    await town.passes(0.09)
    await client.sends(b"lo!")
    await town.passes(0.09)
    assert nat.hears() == []
    await town.passes(0.02)
    assert nat.hears() == ["<tim> hello!"]


async def test_a_client_without_newlines_gives_its_name_and_talks(town: Town) -> None:
    nat, client = await guests(town)
    for text in ("hello", "anybody here?", "quit"):
        await client.says(text.encode())
        await town.passes(0.2)
    assert nat.hears() == ["<tim> hello", "<tim> anybody here?", "*** tim left (quit)"]


async def test_the_rest_at_the_end_of_input_is_a_line(town: Town) -> None:
    nat, client = await town.person("nat"), town.connect()
    await client.says(b"ann\nlast words")
    await client.ends()
    assert nat.hears() == ["*** ann joined", "<ann> last words", "*** ann left (connection closed)"]


@pytest.mark.parametrize("size", [1, 5000, 16 * 1024])
async def test_a_line_up_to_the_limit_is_said_whole(town: Town, size: int) -> None:
    nat, ann = await town.person("nat"), await town.person("ann")
    nat.hears()
    for end in (b"\n", b"\r\n"):
        await ann.says(b"x" * size + end, cut=1024)
        assert nat.hears() == [f"<ann> {'x' * size}"]


async def test_an_overlong_line_is_refused_once_and_its_tail_never_runs(town: Town) -> None:
    nat, ann = await town.person("nat"), await town.person("ann")
    nat.hears()
    await ann.says(b"x" * 20_000 + b"\nfine\n", cut=1000)
    await ann.says(b"y" * 16_385, b"/quit\n", b"fine\n")
    await ann.says(b"z" * 50_000)
    await town.passes(5)
    await ann.says(b"/quit\nstill here\n")
    assert ann.hears() == ["!!! TOO_LONG 16384"] * 3
    assert nat.hears() == ["<ann> fine", "<ann> fine", "<ann> still here"]


async def test_an_overlong_chunk_of_a_client_without_newlines_costs_only_itself(town: Town) -> None:
    nat, client = await guests(town)
    await client.says(b"x" * 20_000, b"y" * 20_000)
    await town.passes(2.1)
    await client.says(b"hello")
    await town.passes(2.1)
    assert client.hears() == ["!!! TOO_LONG 16384"]
    assert nat.hears() == ["<tim> hello"]


@given(st.lists(st.integers(0, 12), max_size=12))
@settings(deadline=None, max_examples=40)
async def test_characters_of_several_bytes_may_be_cut_anywhere(cuts: list[int]) -> None:
    async with Town() as town:
        nat, ann = await town.person("nat"), await town.person("ann")
        nat.hears()
        data = "größer 漢字 👩‍🚀\r\nñ\n".encode()
        for cut in cuts:
            await ann.sends(data[:cut])
            data = data[cut:]
        await ann.says(data)
        assert nat.hears() == ["<ann> größer 漢字 👩‍🚀", "<ann> ñ"]


@pytest.mark.parametrize(
    ("data", "is_cut"),
    [
        (b"", False),
        (b"a", False),
        ("é".encode(), False),
        ("é".encode()[:1], True),
        ("漢".encode()[:1], True),
        ("漢".encode()[:2], True),
        ("漢".encode(), False),
        ("👩".encode()[:3], True),
        ("👩".encode(), False),
        (b"\x80\x80\x80\x80", False),
    ],
)
def test_a_cut_character_is_known(data: bytes, is_cut: bool) -> None:
    assert unfinished(data) is is_cut


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"a\0b\n", "!!! BAD_TEXT …"),
        (b"a\rb\n", "!!! BAD_TEXT …"),
        (b"caf\xe9\n", "!!! INVALID_UTF8 …"),
        (b"\xed\xa0\x80\n", "!!! INVALID_UTF8 …"),
        (b"/nonsense\n", "!!! UNKNOWN /nonsense; /help"),
    ],
)
async def test_what_is_no_text_is_refused_and_costs_only_itself(town: Town, line: bytes, answer: str) -> None:
    await town.person("nat")
    await town.person("ann")
    town.forget()
    ann = town.clients[1]
    await ann.says(line)
    await town.plays(f"""
        nat> /time off
        nat< *** time off
        ann< {answer}
        ann> hi
        nat< <ann> hi
    """)


@given(st.lists(st.integers(0, 9), max_size=9))
@settings(deadline=None, max_examples=60)
async def test_telnet_negotiation_is_no_text_wherever_it_is_cut(cuts: list[int]) -> None:
    """RFC 854: IAC and what follows is taken out; CR NUL ends a line."""
    async with Town() as town:
        nat, ann = await town.person("nat"), town.connect()
        data = TELNET + b"ann\r\n" + b"he\xff\xf1llo\r\0" + TELNET + b"two\r\n"
        for cut in cuts:
            await ann.sends(data[:cut])
            data = data[cut:]
        await ann.says(data)
        assert nat.hears() == ["*** ann joined", "<ann> hello", "<ann> two"]


async def test_a_doubled_iac_is_a_byte_that_is_no_utf8_and_holds_nothing_up(town: Town) -> None:
    """RFC 854: IAC IAC stands for the byte 255, which no UTF-8 has."""
    nat, ann = await town.person("nat"), await town.person("ann")
    nat.hears()
    await ann.says(b"a\xff\xffb\nnext\n")
    assert [line.split()[1] for line in ann.hears()] == ["INVALID_UTF8"]
    assert nat.hears() == ["<ann> next"]


async def test_a_silent_stranger_with_telnet_is_let_go(town: Town) -> None:
    client = town.connect()
    await client.says(TELNET)
    await town.passes(61)
    assert client.closed
    assert client.hears()[0].startswith("!!! TIMEOUT ")


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"ann\n", b"/who\n", TELNET, b"\xff", b"\n"]), max_size=12))
@settings(deadline=None, max_examples=60)
async def test_any_bytes_in_any_cuts_raise_nothing(pieces: list[bytes]) -> None:
    async with Town() as town:
        client = town.connect()
        await client.says(b"+\n")  # no name, so the line wire
        for piece in pieces:
            await client.sends(piece)
        await town.passes(3)
        client.hears()
