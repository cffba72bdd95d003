"""A chat inside a web application: what an ASGI server would call, by hand and with a real one."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, Self

import pytest

import asynchat
from tests.net.conftest import PATIENCE_S, IrcClient, Walk

Sent = MutableMapping[str, Any]


class Browser:
    """The other end of an application: what an ASGI server stands between."""

    def __init__(self, app: Any, *, headers: dict[str, str] | None = None, **scope: Any) -> None:
        told = {"host": "chat.example"} | (headers or {})
        self._app = app
        self._scope = {
            "type": "websocket",
            "scheme": "ws",
            "client": ("192.0.2.7", 1234),
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
            "subprotocols": ["text.ircv3.net"],
        } | scope
        self._in: asyncio.Queue[Sent] = asyncio.Queue()
        self._out: asyncio.Queue[Sent] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._in.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._app(self._scope, self._in.get, self._out.put))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(PATIENCE_S):
            await self._task

    def say(self, *lines: str) -> None:
        for line in lines:
            self._in.put_nowait({"type": "websocket.receive", "text": line})

    async def next(self) -> Sent:
        async with asyncio.timeout(PATIENCE_S):
            return await self._out.get()

    async def until(self, text: str) -> str:
        while text not in (said := str((await self.next()).get("text", ""))):
            continue
        return said

    async def enter(self, name: str) -> None:
        assert (await self.next())["type"] == "websocket.accept"
        self.say(f"NICK {name}", f"USER {name} 0 * {name}", "JOIN #lobby")
        await self.until(" 366 ")


async def test_people_of_a_page_and_of_a_port_meet(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        alice = await walk_in(IrcClient, server.port, "alice")
        async with Browser(asynchat.asgi(server)) as bob:
            await bob.enter("bob")
            bob.say("PRIVMSG #lobby :hello from the page")
            await alice.until("bob", "hello from the page")
            await alice.say("hello from the port")
            assert (
                await bob.until("hello from the port") == ":alice!~alice@localhost PRIVMSG #lobby :hello from the port"
            )
        await alice.until("***", ":bob!")


async def test_lines_are_lines_and_nothing_else(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server, Browser(asynchat.asgi(server)) as bob:
        await bob.enter("bob")
        bob.say("PRIVMSG #lobby :one\r\nQUIT")
        await bob.until("a message is one line")
        bob.say("PING still")
        await bob.until("PONG asynchat :still")


async def test_what_is_too_long_ends_it() -> None:
    async with asynchat.Server(port=0) as server, Browser(asynchat.asgi(server)) as bob:
        await bob.enter("bob")
        bob.say("x" * 20_000)
        while (closed := await bob.next())["type"] != "websocket.close":
            continue
        assert closed["code"] == 1009


async def test_the_server_ends_it_too() -> None:
    async with asynchat.Server(port=0) as server, Browser(asynchat.asgi(server)) as bob:
        await bob.enter("bob")
        await server.close("good night")
        await bob.until("good night")
        assert (await bob.next())["type"] == "websocket.close"


@pytest.mark.parametrize(
    ("headers", "allowed", "may"),
    [
        ({}, (), True),
        ({"origin": "https://chat.example"}, (), True),
        ({"origin": "https://evil.example"}, (), False),
        ({"origin": "null"}, (), False),
        ({"origin": "https://other.example"}, ("https://other.example",), True),
        ({"origin": "https://evil.example"}, ("*",), True),
    ],
)
async def test_pages_of_others_may_not(headers: dict[str, str], allowed: tuple[str, ...], *, may: bool) -> None:
    async with asynchat.Server(port=0) as server:
        app = asynchat.asgi(server, allowed_origins=allowed)
        async with Browser(app, headers=headers) as page:
            assert (await page.next())["type"] == ("websocket.accept" if may else "websocket.close")


async def test_addresses_and_tls_are_those_of_the_page(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server, Browser(asynchat.asgi(server), scheme="wss") as bob:
        await bob.enter("bob")
        bob.say("WHOIS bob")
        assert ".cloak" in await bob.until(" 311 ")
        await bob.until(" 671 ")  # is using a secure connection


async def test_a_request_gets_a_page_and_nothing_of_it_is_talk() -> None:
    for method, status in (("GET", 200), ("POST", 405)):
        sent: list[Sent] = []

        async def receive() -> Sent:
            raise AssertionError("nobody reads a body")

        async def send(message: Sent) -> None:
            sent.append(message)  # noqa: B023  (it is called before the next one)

        await asynchat.asgi(asynchat.Server(port=0))({"type": "http", "method": method, "headers": []}, receive, send)
        assert sent[0]["status"] == status


async def test_by_itself_it_enters_and_leaves_the_server() -> None:
    server = asynchat.Server(port=0)
    asked: asyncio.Queue[Sent] = asyncio.Queue()
    told: asyncio.Queue[Sent] = asyncio.Queue()
    task = asyncio.create_task(asynchat.asgi(server)({"type": "lifespan"}, asked.get, told.put))
    asked.put_nowait({"type": "lifespan.startup"})
    assert await told.get() == {"type": "lifespan.startup.complete"}
    assert server.running
    asked.put_nowait({"type": "lifespan.shutdown"})
    assert await told.get() == {"type": "lifespan.shutdown.complete"}
    assert not server.running
    await task
