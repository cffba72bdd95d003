"""WebSocket over sockets: the `websockets` client, and hostile frames, on both loops."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

import asynchat
from asynchat.net.certificates import make_certificate
from tests.net.conftest import PATIENCE_S, LineClient, Walk, on_both_loops, settings

TEXT, BINARY = "text.ircv3.net", "binary.ircv3.net"


def opening(port: int, **more: Any) -> connect:
    """A WebSocket to this server, as a browser would open it."""
    return connect(f"ws://localhost:{port}/", subprotocols=more.pop("subprotocols", [TEXT]), proxy=None, **more)


async def hears(browser: ClientConnection, what: str) -> list[str]:
    """What is heard up to a line with this in it."""
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while not heard or what not in heard[-1]:
            message = await browser.recv()
            heard.append(message if isinstance(message, str) else message.decode())
    return heard


async def enters(browser: ClientConnection, name: str) -> None:
    for line in (f"NICK {name}", f"USER {name} 0 * :{name}", "JOIN #lobby"):
        await browser.send(line)
    await hears(browser, f" 366 {name} ")


async def code_of(browser: ClientConnection) -> int:
    """The code that the server closed it with."""
    async with asyncio.timeout(PATIENCE_S):
        await browser.wait_closed()
    assert browser.close_code is not None
    return browser.close_code


@on_both_loops
@pytest.mark.parametrize("subprotocol", [TEXT, BINARY])
async def test_a_browser_and_netcat_meet_on_one_port(server: asynchat.Server, walk_in: Walk, subprotocol: str) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    async with opening(server.port, subprotocols=[subprotocol]) as browser:
        assert browser.subprotocol == subprotocol
        await enters(browser, "alice")
        await browser.send("PRIVMSG #lobby :héllo 👋")
        await nat.until("alice", "héllo 👋")
        await nat.say("hi")
        assert await hears(browser, "hi") == [":nat!~line@localhost PRIVMSG #lobby :hi"]
        await (await browser.ping())
    await nat.until("***", "alice left (connection closed)")


@on_both_loops
async def test_inside_tls_too(walk_in: Walk, tmp_path: Path) -> None:
    make_certificate(tmp_path / "c", tmp_path / "k", ["localhost"])
    tls = {"cert": str(tmp_path / "c"), "key": str(tmp_path / "k")}
    async with asynchat.Server(settings(tls=tls)) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        context = ssl.create_default_context(cafile=tmp_path / "c")
        url = f"wss://localhost:{server.port}/"
        async with connect(
            url, ssl=context, subprotocols=[TEXT], origin=url[:-1].replace("wss", "https"), proxy=None
        ) as alice:
            await enters(alice, "alice")
            await alice.send("PRIVMSG #lobby :hello")
            await nat.until("alice", "hello")
            (user,) = [user for user in server._life.house.hub.state.people.values() if user.nick == "alice"]
            assert user.sessions[0].link.secure
            await alice.send("QUIT :bye")
            assert await hears(alice, "ERROR") == ["ERROR :Closing link: localhost (Quit: bye)"]
            assert await code_of(alice) == 1000


@on_both_loops
async def test_a_stopping_server_goes_away(server: asynchat.Server) -> None:
    async with opening(server.port) as browser:
        await enters(browser, "alice")
        await server.close("good night")
        assert await hears(browser, "ERROR") == ["ERROR :good night"]
        assert await code_of(browser) == 1001
        assert browser.close_reason == "good night"


@on_both_loops
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(b"\x81\x05hello", 1002, id="not masked"),
        pytest.param(b"\x83\x80mask", 1002, id="no such opcode"),
        pytest.param(b"\x81\x81\0\0\0\0\xff", 1007, id="no UTF-8"),
        pytest.param(b"\x81\xff\0\0\0\0\0\1\0\1mask", 1009, id="too long"),
    ],
)
async def test_hostile_frames_are_closed_with_their_code(server: asynchat.Server, frame: bytes, code: int) -> None:
    async with opening(server.port) as browser:
        await enters(browser, "eve")
        browser.transport.write(frame)
        assert await code_of(browser) == code
        assert server.broke == {"websocket": 1}


@on_both_loops
@pytest.mark.parametrize(
    ("origin", "may"),
    [
        ("http://localhost:{}", True),
        (None, True),
        ("https://web.example", True),
        ("http://evil.example:{}", False),
        ("null", False),
    ],
)
async def test_a_page_of_somebody_else_may_not_open_one(origin: str | None, may: bool) -> None:
    async with asynchat.Server(settings(web={"allowed_origins": ["https://web.example"]})) as server:
        named = origin.format(server.port) if origin is not None else None
        if may:
            async with opening(server.port, origin=named) as browser:
                await enters(browser, "alice")
        else:
            with pytest.raises(InvalidStatus) as refused:
                await opening(server.port, origin=named)
            assert refused.value.response.status_code == 403


@on_both_loops
async def test_a_stalled_browser_costs_nobody_else_a_line(server: asynchat.Server, walk_in: Walk) -> None:
    nat, other = await walk_in(LineClient, server.port, "nat"), await walk_in(LineClient, server.port, "other")
    async with opening(server.port, max_queue=1) as browser:
        await enters(browser, "alice")
        browser.transport.pause_reading()
        for number in range(20):
            await nat.say(f"line {number}")
        await other.until("nat", "line 19")
        assert other.said_by("nat") == [f"line {number}" for number in range(20)]
        browser.transport.resume_reading()
        assert len(await hears(browser, "line 19")) == 20
