"""A client that is cancelled, whenever and however often, leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import asynchat
from asynchat.client.ending import outlive
from tests.net.conftest import on_both_loops, settings

TURNS = 100
"""Turns of the loop in which a program has come, spoken and gone."""


def cancel_once(task: asyncio.Task[None]) -> None:
    task.cancel()


def cancel_at_each_turn(task: asyncio.Task[None]) -> None:
    """As a scope of anyio does until it is left."""
    if not task.done():
        task.cancel()
        asyncio.get_running_loop().call_soon(cancel_at_each_turn, task)


def tasks_of_clients() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() in ("asynchat client", "asynchat bot")]


@pytest.mark.parametrize("cancel", [cancel_once, cancel_at_each_turn])
@on_both_loops
async def test_who_is_cancelled_at_any_time_leaves_no_task_behind(
    tmp_path: Path, cancel: Callable[[asyncio.Task[None]], None]
) -> None:
    async with asynchat.Server(settings(limits={"flood": False})) as server:
        url = f"asynchat://127.0.0.1:{server.port}"

        async def live(turns: int) -> None:
            bot = asynchat.Client(url, name=f"helper{turns}", cursor=tmp_path / "cursor")
            bot.on_message(lambda message: message.reply("and I say no"))
            async with bot, asynchat.Client(url, name=f"bob{turns}") as bob:
                await bob.send("#lobby", "I say yes")

        for turns in range(TURNS):
            task = asyncio.create_task(live(turns))
            for _ in range(turns):
                await asyncio.sleep(0)
            cancel(task)
            await asyncio.wait([task])
            assert tasks_of_clients() == []


async def test_who_is_cancelled_while_handlers_finish_waits_no_longer_for_them() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    async with asynchat.Server(settings()) as server:
        bot = asynchat.Client(f"asynchat://127.0.0.1:{server.port}", name="helper", timeout_s=15)

        @bot.on_message
        async def handle(message: asynchat.Incoming) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async def live() -> None:
            async with bot:
                await server.room("#lobby").send("hello", by="ci")
                await begun.wait()

        task = asyncio.create_task(live())
        await begun.wait()
        for _ in range(20):  # until it is leaving
            await asyncio.sleep(0)
        assert not bot.connected
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()
        assert tasks_of_clients() == []


async def test_a_handler_cannot_leave_the_client_that_waits_for_it() -> None:
    async with asynchat.Server(settings()) as server:
        bot = asynchat.Client(f"asynchat://127.0.0.1:{server.port}", name="helper", timeout_s=0.1)
        refused: asyncio.Queue[RuntimeError] = asyncio.Queue()

        @bot.on_message
        async def leave(_: asynchat.Incoming) -> None:
            try:
                await bot.__aexit__(None, None, None)
            except RuntimeError as error:
                refused.put_nowait(error)

        async with bot:
            await server.room("#lobby").send("hello", by="ci")
            assert "cannot leave" in str(await refused.get())
            assert bot.connected


@on_both_loops
async def test_who_is_interrupted_again_does_not_wait_until_handlers_have_finished() -> None:
    there, begun, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Told(asynchat.Client):
        async def stopped(self) -> None:
            there.set()
            await super().stopped()

    async with asynchat.Server(settings()) as server:
        bot = Told(f"asynchat://127.0.0.1:{server.port}", name="helper", timeout_s=15)

        @bot.on_message
        async def handle(message: asynchat.Incoming) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async def live() -> tuple[signal.Signals | None, int]:
            ended_by = await bot.stay()
            task = asyncio.current_task()
            assert task is not None
            return ended_by, task.cancelling()

        staying = asyncio.create_task(live())
        await there.wait()
        await server.room("#lobby").send("hello", by="ci")
        await begun.wait()
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
            await bot._stopping.wait()
        assert await staying == (signal.SIGINT, 0)
        assert ended.is_set()


async def test_what_a_task_has_raised_is_told_to_who_ends_it() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await outlive(asyncio.create_task(fail()), grace_s=3600)
