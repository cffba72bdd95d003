"""The lives of a server: one after the other, cancelled while they end, and ended from within."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import asynchat
from tests.net.conftest import NEWS, NO, PATIENCE_S, IrcClient, LineClient, Walk, on_both_loops, settings
from tests.net.test_isolation import stall
from tests.net.test_server import left, talk_once


@on_both_loops
@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_a_server_is_entered_again_and_again(store: str, tmp_path: Path) -> None:
    """As the test client of a web framework does it with an application of a module."""
    server = asynchat.Server(port=0, store=store if store == "memory" else tmp_path / store)
    await server.close()  # before it was entered at all
    for life in range(1, 4):
        async with server:
            assert server.running
            assert server.url == f"asynchat://127.0.0.1:{server.port}"
            await talk_once(server)
            await server.room("#ops").send("hello", by="ci")
            assert len(await server.room("#ops").history()) == (1 if store == "memory" else life)
        assert not server.running
        assert server.addresses == ()
        with pytest.raises(RuntimeError, match="does not listen"):
            _ = server.url


async def test_one_that_runs_is_not_entered_a_second_time() -> None:
    async with asynchat.Server(port=0) as server:
        with pytest.raises(RuntimeError, match="runs already"):
            await server.__aenter__()
        await talk_once(server)


async def test_what_needs_one_that_runs_says_so() -> None:
    server = asynchat.Server(port=0)
    for ask in (server.serve_forever, server.reload, lambda: server.drain("", 1)):
        with pytest.raises(RuntimeError, match="does not run"):
            await ask()
    server.stop()


async def again_and_again(task: asyncio.Task[Any]) -> None:
    """Cancel a task in each turn of the loop until it is done, as a cancelled scope of anyio's does."""
    async with asyncio.timeout(PATIENCE_S):
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)


@on_both_loops
@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_who_is_cancelled_while_it_ends_leaves_nothing_behind(store: str, tmp_path: Path, walk_in: Walk) -> None:
    path = store if store == "memory" else tmp_path / store
    before = None

    async def live(reached: asyncio.Event, stuck: bool) -> None:
        server = asynchat.Server(port=0, store=path)

        @server.after("message")
        async def slow(message: asynchat.Message) -> None:
            await asyncio.sleep(PATIENCE_S if stuck else 0)

        async with server:
            await server.room("#ops").send("hello", by="ci")
            reached.set()
            await asyncio.sleep(PATIENCE_S)

    for turns in range(0, 60, 3):
        reached = asyncio.Event()
        task = asyncio.create_task(live(reached, stuck=turns % 2 == 0))
        await reached.wait()
        task.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        await again_and_again(task)
        assert task.cancelled()
        await asyncio.sleep(0.01)  # uvloop closes its handles in the next turn
        before = before or left()  # a loop's first server makes it open things that it keeps
        assert left() == before


async def test_who_is_cancelled_while_it_begins_leaves_nothing_behind(tmp_path: Path) -> None:
    before = left()
    for turns in range(20):
        task = asyncio.create_task(asynchat.Server(port=0, store=tmp_path / "chat.db").__aenter__())
        for _ in range(turns):
            await asyncio.sleep(0)
        if not task.done():
            await again_and_again(task)
            assert left() == before
        else:
            await (await task).close()


async def test_a_close_that_is_cancelled_waits_for_nobody_any_more(walk_in: Walk) -> None:
    stalled: list[socket.socket] = []
    async with asynchat.Server(settings(limits={"flood": False})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await stall(server.port, b"stan", stalled, b"/help\n" * 2000)  # who never reads what is left for them
        await nat.until(NEWS, "stan joined")
        closing = asyncio.create_task(server.close(grace=10 * PATIENCE_S))
        await nat.rest()
        assert not closing.done()
        await again_and_again(closing)
        assert not server.running
    for sock in stalled:
        sock.close()


@on_both_loops
@pytest.mark.parametrize("where", ["before", "after", "command"])
async def test_a_hook_or_a_command_that_closes_the_server_does_not_wait_for_itself(where: str, walk_in: Walk) -> None:
    server = asynchat.Server(port=0)

    async def close(*_: object) -> None:
        await server.close(grace=10 * PATIENCE_S)

    if where == "before":
        server.on("message")(close)
    elif where == "after":
        server.after("message")(close)
    else:
        server.command("shutdown")(lambda ctx: close())
    async with asyncio.timeout(PATIENCE_S), server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/shutdown" if where == "command" else "that is all")
        await server.serve_forever()
        await nat.rest()


def closed() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0))
    made.close()
    return made


@pytest.mark.parametrize(
    "make",
    [closed, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket],
    ids=["closed", "no stream", "not bound"],
)
async def test_a_socket_that_cannot_be_listened_on_is_refused_and_the_others_are_closed(
    make: Callable[[], socket.socket],
) -> None:
    good, bad = socket.create_server(("127.0.0.1", 0)), make()
    with pytest.raises(asynchat.CannotListen):
        async with asyncio.timeout(PATIENCE_S):
            await asynchat.Server(sockets=[good, bad]).__aenter__()
    assert good.fileno() == bad.fileno() == -1


async def test_a_store_that_cannot_be_opened_ends_the_start_and_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "rubbish.db").write_bytes(b"no database at all" * 1000)
    for path in (tmp_path / "rubbish.db", tmp_path, tmp_path / "nowhere" / "chat.db"):
        with pytest.raises(asynchat.AsynchatError):
            async with asyncio.timeout(PATIENCE_S):
                await asynchat.Server(listen=(), store=path).__aenter__()
    for thread in threading.enumerate():
        if thread.name.startswith("asynchat"):
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), thread


# Functions that await what was cancelled.


async def awaits_what_was_cancelled(*_: object) -> None:
    task = asyncio.create_task(asyncio.sleep(PATIENCE_S))
    task.cancel()
    await task


class Odd(BaseException):
    """What is no Exception, as what `pytest.fail` raises."""


async def fails_oddly(*_: object) -> None:
    raise Odd


@pytest.mark.parametrize("function", [awaits_what_was_cancelled, fails_oddly])
@pytest.mark.parametrize("where", ["before", "after", "command", "login"])
async def test_what_is_no_exception_is_a_failure_of_the_function_like_any(
    where: str, function: Callable[..., Awaitable[None]], walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    server = asynchat.Server(settings(limits={"flood": False}), accounts="optional")
    failing, told, told_again = True, asyncio.Event(), asyncio.Event()

    async def asked(*given: Any) -> None:
        if failing:
            told.set()
            await function()
        told_again.set()

    if where == "before":
        server.on("message")(asked)
    elif where == "after":
        server.after("message")(asked)
    elif where == "command":
        server.command("deploy")(asked)
    else:
        server.authenticator(asked)
    async with server:
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(LineClient, server.port, "bob")
        await nat.say({"command": "/deploy", "login": "/login alice secret"}.get(where, "one"))
        if where != "after":
            await nat.until(NO, "HOOK_FAILED")
        else:
            await told.wait()
        failing = False
        await nat.say("two")
        await bob.until("nat", "two")
        if where == "after":
            await told_again.wait()
    name = f"{asked.__module__}.{asked.__qualname__}"
    assert server.hook_errors == {name: 1}
    assert [name in record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [True]


# ASGI.


async def test_nobody_comes_by_asgi_while_the_server_does_not_run(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "headers": [], "subprotocols": []}
    await asynchat.asgi(asynchat.Server(port=0))(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert "does not run" in caplog.text


async def test_a_browser_that_is_gone_while_it_is_told_something_is_no_error(walk_in: Walk) -> None:
    """ASGI, "WebSocket": `send` raises OSError once the client is gone."""
    async with asynchat.Server(port=0) as server:
        irene = await walk_in(IrcClient, server.port, "irene")
        lines = iter(["", "NICK bob", "USER b 0 * :b", "JOIN #lobby"])
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            line = next(lines, None)
            if line is None:
                await asyncio.sleep(PATIENCE_S)
            return {"type": "websocket.receive", "text": line}

        async def send(message: Any) -> None:
            if gone.is_set():
                raise OSError("the client is gone")

        scope = {"type": "websocket", "headers": [], "subprotocols": [], "scheme": "ws"}
        carrying = asyncio.ensure_future(asynchat.asgi(server)(scope, receive, send))
        await irene.until(NEWS, "bob!~b@")
        gone.set()
        await irene.say("are you there?")
        async with asyncio.timeout(PATIENCE_S):
            await carrying
        await irene.until(NEWS, " QUIT ")
