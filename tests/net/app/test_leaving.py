"""Servers in somebody's program leave nothing behind and touch nothing that is the program's."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

import asynchat
from asynchat.net import fanout
from asynchat.net.turns import Turns
from tests.net.conftest import LOOPS, Client, FrameClient, IrcClient, LineClient, environment, settings
from tests.net.test_server import left

TIMES = 100
KINDS: list[type[Client]] = [LineClient, LineClient, FrameClient, IrcClient]


def hooked(**more: Any) -> asynchat.Server:
    """A server with all that an application can give it."""
    server = asynchat.Server(settings(limits={"flood": False}), **more)

    @server.on("message")
    async def before(message: asynchat.Message) -> None:
        await asyncio.sleep(0)

    @server.after("message")
    async def after(message: asynchat.Message) -> None:
        await asyncio.sleep(0)

    @server.command("deploy", help="deploy ENV")
    async def deploy(ctx: asynchat.Context, env: str) -> None:
        await ctx.reply(env)

    return server


async def read(server: asynchat.Server) -> None:
    async for _ in server.room("#lobby").messages():
        pass


async def speak(server: asynchat.Server) -> None:
    with suppress(asynchat.Refused, RuntimeError):  # it has ended meanwhile
        while True:
            await server.room("#lobby").send("from code", by="ci")


async def live(folder: Path, reached: asyncio.Event) -> None:
    """Two servers, three wires each, code that speaks and reads: for ever."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(hooked(store=folder / "chat.db"))
        other = await stack.enter_async_context(asynchat.Server(settings(limits={"flood": False})))
        clients = [await kind.connect(server.port) for server in (one, other) for kind in KINDS]
        stack.callback(lambda: [client.writer.transport.abort() for client in clients])
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for number, client in enumerate(clients):
            await client.enter(f"u{number}")
        for server in (one, other):
            group.create_task(read(server))
            group.create_task(speak(server))
        reached.set()
        while True:
            for client in clients:
                await client.say("hello")
                await asyncio.sleep(0)


async def cancelled(folder: Path, turns: int) -> None:
    """Cancel a life after so many turns of the loop."""
    reached = asyncio.Event()
    task = asyncio.create_task(live(folder, reached))
    await reached.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def cancelled_at_once(folder: Path) -> None:
    """Cancel all tasks of a life, as `asyncio.run` does, in the very turn in which a crowd begins to be told."""
    before, reached = asyncio.all_tasks(), asyncio.Event()
    task = asyncio.create_task(live(folder, reached))
    await reached.wait()
    told, begin = asyncio.Event(), Turns.begin

    def begin_and_cancel(turns: Turns, last: str) -> None:
        begin(turns, last)
        if not told.is_set():
            told.set()
            for each in asyncio.all_tasks() - before:
                each.cancel()

    Turns.begin = begin_and_cancel  # type: ignore[method-assign]
    await told.wait()
    Turns.begin = begin  # type: ignore[method-assign]
    with suppress(asyncio.CancelledError):
        await task
    await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)


async def many_times(folder: Path) -> None:
    fanout.CROWD = 1  # two with netcat are a crowd, which is told in turns
    chance = random.Random(29)
    await cancelled(folder, 0)
    await asyncio.sleep(0.01)  # uvloop closes its handles in the next turn
    before = left()
    for number in range(TIMES):
        if number % 4:
            await cancelled(folder, chance.randrange(60))
        else:
            await cancelled_at_once(folder)
    await asyncio.sleep(0.01)
    gc.collect()
    after = left()
    assert after == before, (after, before)


def in_development_mode(program: str, folder: Path) -> None:
    """Run a program with every warning an error; it has to say nothing."""
    program = f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[3])!r})\n{textwrap.dedent(program)}"
    command = [sys.executable, "-X", "dev", "-W", "error", "-W", "ignore:::pytest", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment(folder), check=False)
    assert (done.stderr, done.stdout, done.returncode) == ("", "", 0)


@pytest.mark.timeout(260)  # a busy machine takes its time
@pytest.mark.parametrize("loop", LOOPS)
def test_a_hundred_lives_that_are_cancelled_in_the_middle_of_traffic_leave_nothing(loop: str, tmp_path: Path) -> None:
    """Neither task, thread nor descriptor, nor a warning of what was not awaited or closed."""
    in_development_mode(
        f"""
        import asyncio
        from pathlib import Path
        from tests.net.app.test_leaving import LOOPS, many_times

        with asyncio.Runner(loop_factory=LOOPS[{loop!r}]) as runner:
            runner.get_loop().slow_callback_duration = 10
            runner.run(many_times(Path({str(tmp_path)!r})))
        """,
        tmp_path,
    )


def test_who_only_imports_it_or_keeps_everything_in_memory_loads_nothing_else(tmp_path: Path) -> None:
    in_development_mode(
        """
        import sys
        import asynchat
        assert not {"click", "uvloop", "prompt_toolkit", "sqlite3", "asyncio"} & sys.modules.keys()
        asynchat.Server, asynchat.Room, asynchat.Message, asynchat.Context
        import asyncio

        async def main():
            async with asynchat.Server(port=0, accounts="off") as server:
                await server.room("#ops").send("hello", by="ci")

        asyncio.run(main())
        assert not {"click", "uvloop", "prompt_toolkit", "sqlite3"} & sys.modules.keys(), sys.modules.keys()
        """,
        tmp_path,
    )


async def test_signals_policies_and_the_configuration_of_logging_are_the_programs(tmp_path: Path) -> None:
    handlers: Callable[[], Any] = lambda: [signal.getsignal(number) for number in signal.valid_signals()]  # noqa: E731
    factory = asyncio.get_running_loop().get_task_factory()
    before = handlers(), logging.root.handlers[:], logging.root.level, logging.getLogger("asynchat").level
    async with hooked(store=tmp_path / "chat.db") as server:
        await server.room("#ops").send("hello", by="ci")
        assert (handlers(), logging.root.handlers, logging.root.level, logging.getLogger("asynchat").level) == before
    assert (handlers(), logging.root.handlers, logging.root.level, logging.getLogger("asynchat").level) == before
    assert asyncio.get_running_loop().get_task_factory() is factory
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("asynchat").handlers)


def test_without_a_configuration_of_logging_nothing_is_printed(tmp_path: Path) -> None:
    in_development_mode(
        """
        import asyncio
        import asynchat

        server = asynchat.Server(port=0)

        @server.after("message")
        def fail(message):
            raise ZeroDivisionError

        async def main():
            async with server:
                await server.room("#ops").send("hello", by="ci")

        asyncio.run(main())
        assert sum(server.hook_errors.values()) == 1
        """,
        tmp_path,
    )
