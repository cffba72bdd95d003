"""Bytes to lines."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import accept_key

import asynchat
from asynchat.client.errors import Unreachable
from asynchat.client.stream import LINE_LIMIT, Splitter, connect
from asynchat.client.trust import Trust
from asynchat.client.url import Url
from tests.net.conftest import on_both_loops


@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b"").rstrip(b"\r"))), st.lists(st.integers(0, 200)))
def test_any_cut_gives_the_same_lines(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    splitter, found, at = Splitter(), list[bytes](), 0
    for cut in [*sorted(cuts), len(data)]:
        found += splitter.feed(data[at : max(at, cut)])
        at = max(at, cut)
    assert found == [line for line in lines if line]


@pytest.mark.parametrize("step", [1, 1000, LINE_LIMIT, 10 * LINE_LIMIT])
def test_a_line_that_is_too_long_is_left_out_whole_and_not_kept(step: int) -> None:
    splitter, found = Splitter(), list[bytes]()
    data = b"before\n" + b"x" * (3 * LINE_LIMIT if step == 1 else 20 * LINE_LIMIT) + b" tail\nafter\n"
    for at in range(0, len(data), step):
        found += splitter.feed(data[at : at + step])
        assert len(splitter._rest) <= LINE_LIMIT
    assert found == [b"before", b"after"]


@on_both_loops
async def test_a_web_socket_carries_lines() -> None:
    async with asynchat.Server(port=0) as server:
        stream = await connect(Url("127.0.0.1", server.port, "/", scheme="ws"), Trust())
        stream.write("PING hello")
        stream.write("PING there")
        lines: list[bytes] = []
        while len(lines) < 2:
            lines += await stream.lines()
        assert [line.rpartition(b":")[2] for line in lines] == [b"hello", b"there"]
        stream.write("QUIT")
        while await stream.lines():
            pass
        stream.close()
        await stream.closed()


async def test_what_is_no_web_socket_is_told() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Unreachable, match="no WebSocket"):
            await connect(Url("127.0.0.1", server.sockets[0].getsockname()[1], "/", scheme="ws"), Trust())


async def test_a_web_socket_that_the_server_ends_takes_nothing_more() -> None:
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = accept_key(asked.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0])
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: %b\r\n\r\n\x81\x02hi\x88\x02\x03\xe8" % key.encode())
        await over.wait()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        stream = await connect(Url("127.0.0.1", server.sockets[0].getsockname()[1], "/", scheme="ws"), Trust())
        assert await stream.lines() == [b"hi"]
        assert stream.closing
        over.set()
        stream.close()
