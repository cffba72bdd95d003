"""The server inside somebody's program: it starts, it stops, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import asynchat
from asynchat.config.values import BadConfig
from asynchat.net.listen import CannotListen
from asynchat.net.wheel import Wheel
from tests.net.conftest import (
    NEWS,
    PATIENCE_S,
    FrameClient,
    IrcClient,
    LineClient,
    Walk,
    environment,
    on_both_loops,
    settings,
)


def descriptors() -> dict[str, str]:
    """What this process has open: descriptor to what it is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  (a path per descriptor would need one itself)
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except OSError:  # the descriptor of the listing itself
            continue
    return found


def left() -> tuple[set[str], set[str], dict[str, str]]:
    """Tasks, threads and descriptors there are now."""
    tasks = {task.get_name() for task in asyncio.all_tasks()}
    return tasks, {thread.name for thread in threading.enumerate()}, descriptors()


async def talk_once(server: asynchat.Server) -> None:
    """Three people come in, two speak, and all leave without a word."""
    people = [await kind.connect(server.port) for kind in (LineClient, IrcClient, FrameClient)]
    for name, client in zip(("nat", "irene", "fred"), people, strict=True):
        await client.enter(name)
    await people[0].say("hello")
    await people[1].until("nat", "hello")
    await people[1].say("hi")
    await people[0].until("irene", "hi")
    for client in people:
        await client.close()


@on_both_loops
@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_a_start_and_a_stop_leave_no_task_no_thread_and_no_descriptor(store: str, tmp_path: Path) -> None:
    where = store if store == "memory" else tmp_path / store
    async with asynchat.Server(port=0, store=where) as server:  # whatever is made once in a process is made now
        await talk_once(server)
    await asyncio.sleep(0)
    before = left()
    for _ in range(5):
        async with asynchat.Server(port=0, store=where) as server:
            await talk_once(server)
            lingering = await LineClient.connect(server.port)
        await lingering.rest()
        await lingering.close()
    await asyncio.sleep(0.01)  # uvloop closes its handles in the next turn
    assert left() == before


def test_nothing_is_warned_of_in_development_mode(tmp_path: Path) -> None:
    """`-X dev`: resources that are not closed, coroutines that are not awaited, callbacks that take long."""
    program = textwrap.dedent(f"""
        import asyncio, sys, uvloop
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        import asynchat
        from tests.net.test_server import talk_once

        async def main(store):
            async with asynchat.Server(port=0, store=store) as server:
                await talk_once(server)

        for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
            for store in ("memory", {str(tmp_path / "chat.db")!r}):
                with asyncio.Runner(loop_factory=factory) as runner:
                    runner.get_loop().slow_callback_duration = 10
                    runner.run(main(store))
    """)
    command = [sys.executable, "-X", "dev", "-W", "error", "-W", "ignore:::pytest", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, env=environment(tmp_path), check=False)
    assert done.stderr == ""
    assert done.returncode == 0


@on_both_loops
async def test_twenty_servers_that_are_cancelled_in_the_middle_of_traffic_leave_nothing_behind(tmp_path: Path) -> None:
    chance = random.Random(20)

    async def live(number: int, reached: asyncio.Event) -> None:
        store = tmp_path / "chat.db" if number % 2 else "memory"
        async with asynchat.Server(settings(limits={"flood": False}), store=store) as server:
            clients = [await kind.connect(server.port) for kind in (LineClient, IrcClient, FrameClient)]
            try:
                for name, client in zip(("nat", "irene", "fred"), clients, strict=True):
                    await client.enter(name)
                reached.set()
                for line in range(1_000_000):
                    for client in clients:
                        await client.say(f"line {line}")
                        await asyncio.sleep(0)
            finally:
                for client in clients:
                    client.writer.transport.abort()

    async def once(number: int) -> None:
        reached = asyncio.Event()
        task = asyncio.create_task(live(number, reached))
        await reached.wait()
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await once(0)
    await once(1)
    await asyncio.sleep(0.01)
    before = left()
    for number in range(20):
        await once(number)
    await asyncio.sleep(0.01)
    assert left() == before


@on_both_loops
async def test_a_loop_whose_tasks_are_all_cancelled_is_not_kept_waiting(walk_in: Walk) -> None:
    """So does `asyncio.run` when its main coroutine fails."""
    server = asynchat.Server(port=0)
    before = asyncio.all_tasks()
    await server.__aenter__()
    alice = await walk_in(IrcClient, server.port, "alice")
    await alice.ping()
    tasks = asyncio.all_tasks() - before
    for task in tasks:
        task.cancel()
    _, pending = await asyncio.wait(tasks, timeout=PATIENCE_S)
    assert not pending


async def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    async with asynchat.Server(port=0, store=tmp_path / "chat.db"):
        pass
    await asyncio.sleep(0.01)
    before = left()
    for turns in range(12):
        task = asyncio.create_task(asynchat.Server(port=0, store=tmp_path / "chat.db").__aenter__())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0.01)
    assert left() == before


@on_both_loops
async def test_several_servers_in_one_process_know_nothing_of_each_other(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as one, asynchat.Server(port=0, room="#other") as other:
        assert one.port != other.port
        assert one.url == f"asynchat://127.0.0.1:{one.port}"
        here = await walk_in(LineClient, one.port, "nat")
        there = await walk_in(LineClient, other.port, "nat")
        assert "you are in #lobby." in here.news[0]
        assert "you are in #other." in there.news[0]
        await here.say("in the first")
        await one.close()
        await here.rest()
        witness = await walk_in(LineClient, other.port, "ben")
        await there.until(NEWS, "ben joined")
        assert not there.talk
        assert not witness.talk


@on_both_loops
async def test_port_0_is_the_same_port_on_both_kinds_of_address(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        assert server.addresses == (f"127.0.0.1:{server.port}", f"[::1]:{server.port}")
        four = await walk_in(LineClient, server.port, "nat")
        six = await walk_in(LineClient, server.port, "ben", host="::1")
        await four.say("hello")
        await six.until("nat", "hello")


@on_both_loops
async def test_an_address_in_use_is_refused_with_a_hint_and_leaves_nothing_behind() -> None:
    async with asynchat.Server(port=0) as server:
        before = left()
        with pytest.raises(CannotListen, match=rf"127\.0\.0\.1:{server.port}.*--port"):
            async with asynchat.Server(port=server.port):
                pytest.fail("it listens where another does")
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as holder:
            port = holder.getsockname()[1]
            with pytest.raises(CannotListen, match=rf"\[::1\]:{port}.*--port"):
                async with asynchat.Server(port=port):
                    pytest.fail("it listens where another does")
        assert left() == before


@on_both_loops
async def test_an_address_that_is_none_is_refused_and_leaves_nothing_behind() -> None:
    before = left()
    for listen in (["127.0.0.1:0", "nonsense"], ["127.0.0.1:0", "tcp://127.0.0.1:70000"], ["127.0.0.1:0?greeting=x"]):
        with pytest.raises(BadConfig, match=r"nonsense|70000|Port|greeting"):
            async with asynchat.Server(settings(server={"listen": listen})):
                pytest.fail("it listens nowhere")
    assert left() == before


@on_both_loops
async def test_a_port_past_65535_is_refused_and_is_no_other_port() -> None:
    for where in ({"port": 70_000}, {"listen": ["127.0.0.1:70000"]}):
        with pytest.raises((BadConfig, CannotListen), match=r"70000|Port"):
            async with asynchat.Server(settings(server=where)) as server:
                pytest.fail(f"there is no such port, and it listens on {server.addresses}")


@on_both_loops
async def test_a_unix_socket_is_walked_into_like_any_address_and_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    for _ in range(2):
        async with asynchat.Server(settings(server={"listen": [f"unix://{path}"]})) as server:
            assert server.url == f"unix://{path}"
            nat = LineClient(*await asyncio.open_unix_connection(path))
            irene = IrcClient(*await asyncio.open_unix_connection(path))
            await nat.enter("nat")
            await irene.enter("irene")
            await irene.say("hello")
            await nat.until("irene", "hello")
            with pytest.raises(CannotListen, match=r"chat\.sock"):
                async with asynchat.Server(settings(server={"listen": [f"unix://{path}"]})):
                    pytest.fail("it listens where another does")
            await nat.close()
            await irene.close()
        assert not path.exists()


@on_both_loops
async def test_a_unix_socket_that_a_crash_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    async with asynchat.Server(settings(server={"listen": [f"unix://{path}"]})):
        nat = LineClient(*await asyncio.open_unix_connection(path))
        await nat.enter("nat")
        await nat.close()


@on_both_loops
async def test_neither_signals_nor_the_loops_policy_nor_the_root_logger_are_touched() -> None:
    def touched() -> tuple[object, ...]:
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        policy = asyncio.events._event_loop_policy  # type: ignore[attr-defined]  # the function that tells is deprecated
        loop = asyncio.get_running_loop()
        return handlers, policy, loop.get_exception_handler(), logging.root.handlers[:], logging.root.level

    before = touched()
    async with asynchat.Server(port=0) as server:
        await talk_once(server)
        assert touched() == before
    assert touched() == before


@on_both_loops
async def test_a_reload_renews_how_many_may_connect(walk_in: Walk) -> None:
    now = settings(limits={"max_clients": 1})
    async with asynchat.Server(now, read_settings=lambda: now) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(PATIENCE_S):
            assert b"Server full" in await reader.read()
        writer.close()
        now = settings(limits={"max_clients": 2})
        await server.reload()
        fred = await walk_in(FrameClient, server.port, "fred")
        await nat.say("come in")
        await fred.until("nat", "come in")


@on_both_loops
async def test_who_is_there_when_the_server_stops_is_told_why(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        fred = await walk_in(FrameClient, server.port, "fred")
        irene = await walk_in(IrcClient, server.port, "irene")
        await nat.say("the last line")
        await fred.until("nat", "the last line")
        await server.close("back in a minute")
        for client in (nat, fred):
            assert (NEWS, "back in a minute") in await client.rest()
        await irene.rest()
        assert "ERROR :back in a minute" in irene.raw
        assert fred.said_by("nat") == irene.said_by("nat") == ["the last line"]
        with pytest.raises(ConnectionRefusedError):
            await LineClient.connect(server.port)


@on_both_loops
async def test_it_stops_within_its_grace_with_clients_that_do_not_read(
    walk_in: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of them has not taken yet is dropped with it; who reads gets all of it."""
    monkeypatch.setattr("asynchat.net.connections.GRACE_S", 0.2)
    async with asynchat.Server(settings(limits={"flood": False})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        fred = await walk_in(FrameClient, server.port, "fred")
        stuck = []
        for number in range(5):
            sock = socket.socket()
            stuck.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(b"stan%d\n" % number)
            await nat.until(NEWS, f"stan{number} joined")
        for number in range(20):
            await nat.say(f"{number} " + "x" * 15_000)
            await fred.until("nat", f"{number} ")
        async with asyncio.timeout(PATIENCE_S):
            await server.close()
        await nat.until(NEWS, "the server is stopping")
        await fred.until(NEWS, "the server is stopping")
        for sock in stuck:
            sock.close()


@on_both_loops
async def test_what_was_said_before_the_stop_is_stored(walk_in: Walk, tmp_path: Path) -> None:
    async with asynchat.Server(port=0, store=tmp_path / "chat.db") as server:
        irene = await walk_in(IrcClient, server.port, "irene")
        await irene.command(*(f"PRIVMSG #lobby :line {number}" for number in range(50)), "PING last")
        await irene.until(NEWS, "PONG asynchat :last")
    async with asynchat.Server(port=0, store=tmp_path / "chat.db") as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/history 100")
        await nat.until(NEWS, "end")
        assert [text for who, text in nat.talk if who == "irene"] == [f"line {number}" for number in range(30, 50)]
        history = [text for text in (f"{who} {text}" for who, text in nat.talk) if text.startswith("#")]
        assert len(history) == 50


@on_both_loops
async def test_serve_forever_ends_when_the_server_is_closed_and_closing_twice_is_closing_once() -> None:
    async with asynchat.Server(port=0) as server:
        forever = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0)
        assert not forever.done()
        await asyncio.gather(server.close(), server.close())
        await forever
        await server.close()


def test_a_turn_of_the_wheel_ends_though_something_is_put_back_for_this_very_moment() -> None:
    """uvloop's clock goes in milliseconds, so that `heard_at + 0.1` may be 1e-13 s more than now, and yet be now."""

    class Clock:
        now = 4096.0
        timers: tuple[Callable[[], None], ...] = ()

        def time(self) -> float:
            return self.now

        def call_at(self, when: float, callback: Callable[[], None]) -> SimpleNamespace:
            self.timers = (*self.timers, callback)
            return SimpleNamespace(cancel=lambda: None)

    clock, when = Clock(), 4095.925 + 0.1
    calls: list[float] = []

    def due(item: str, now: float) -> None:
        calls.append(now)
        assert len(calls) < 100, "it never ends"
        if when > now:
            wheel.put(item, when)

    wheel = Wheel[str](clock, due)  # type: ignore[arg-type]
    wheel.put("somebody", when)
    clock.now = 4096.025
    assert when > clock.now
    clock.timers[-1]()
    assert len(calls) == 1
    clock.now += 0.025
    clock.timers[-1]()
    assert len(calls) == 2
