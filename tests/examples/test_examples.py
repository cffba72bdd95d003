"""The examples do what they say."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

import asynchat
from tests.net.conftest import IrcClient, Walk, clients, environment, settings, walk_in

__all__ = ["clients", "walk_in"]

EXAMPLES = Path(__file__).parents[2] / "examples"
KILLS, LINES = 8, 20

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def server() -> AsyncIterator[asynchat.Server]:
    async with asynchat.Server(settings(limits={"flood": False})) as running:
        yield running


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """`await start("echo_bot.py", url, …)`: an example that runs, and is ended with the test."""
    started: list[Process] = []

    async def run(name: str, *arguments: str) -> Process:
        command = [sys.executable, str(EXAMPLES / name), *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=environment(tmp_path), cwd=tmp_path
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def url_of(server: asynchat.Server, room: str = "") -> str:
    return f"asynchat://127.0.0.1:{server.port}{room}"


@pytest.mark.timeout(60)
async def test_the_echo_bot_echoes_each_line_once_however_often_it_is_killed(
    server: asynchat.Server, walk_in: Walk, start: Start
) -> None:
    random, lines = Random(9), [f"line {number}" for number in range(KILLS * LINES)]
    bob = await walk_in(IrcClient, server.port, "bob")
    for kill in range(KILLS):
        bot = await start("echo_bot.py", url_of(server), "echo.cur")
        if kill == 0:
            await bob.until("***", ":echo!")
        these = lines[kill * LINES :][:LINES]
        for line in these:
            await bob.say(line)
        last = random.choice(these) if kill < KILLS - 1 else these[-1]
        await bob.until("echo", last)
        bot.kill()
        await bot.wait()
    await bob.ping()
    assert bob.said_by("echo") == lines


async def test_the_alert_bot_says_what_it_was_given_once(server: asynchat.Server, walk_in: Walk, start: Start) -> None:
    bob = await walk_in(IrcClient, server.port, "bob")
    for text in (b"a-1 one\na-2 two\n", b"a-2 two\na-3 three\n"):
        process = await start("alert_bot.py", url_of(server))
        await process.communicate(text)
        assert process.returncode == 0
    await bob.ping()
    assert bob.said_by("alerts") == ["one", "two", "three"]


async def test_room_to_stdout_prints_the_room(server: asynchat.Server, walk_in: Walk, start: Start) -> None:
    bob = await walk_in(IrcClient, server.port, "bob")
    await bob.say("before")
    process = await start("room_to_stdout.py", url_of(server, "#lobby"))
    assert process.stdout is not None
    assert (await process.stdout.readline()).decode().partition(" ")[2] == "<bob> 'before'\n"
    await bob.say("live \x1b[31m")
    assert (await process.stdout.readline()).decode().partition(" ")[2] == "<bob> 'live \\x1b[31m'\n"
