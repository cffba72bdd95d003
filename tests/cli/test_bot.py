"""`asynchat bot`: a program runs, ends in order, and begins anew when its files change."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

import asynchat
from asynchat.cli.program import Program, Watch
from tests.cli.program import asynchat as run
from tests.net.conftest import IrcClient, Walk, clients, environment, settings, walk_in

__all__ = ["clients", "walk_in"]

CLIENT = """
import asynchat

bot = asynchat.Client("asynchat://127.0.0.1:1", name="nobody")

@bot.on_message
async def answer(message):
    await message.reply("{answer}")
"""
FUNCTION = """
def app(bot):
    @bot.on_message
    async def answer(message):
        await message.reply("from a function")
"""

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def server() -> AsyncIterator[asynchat.Server]:
    async with asynchat.Server(settings(limits={"flood": False})) as running:
        yield running


@pytest.fixture
async def start(server: asynchat.Server, tmp_path: Path) -> AsyncIterator[Start]:
    """`await start("module:bot", …)`: a program that runs as helper, and is ended with the test."""
    started: list[Process] = []

    async def begin(*arguments: str) -> Process:
        env = environment(tmp_path) | {"PYTHONDONTWRITEBYTECODE": "1"}  # mtimes in whole seconds would hide a change
        command = [
            sys.executable,
            "-m",
            "asynchat",
            "bot",
            "-n",
            "helper",
            "-u",
            f"127.0.0.1:{server.port}",
            *arguments,
        ]
        process = await asyncio.create_subprocess_exec(*command, stderr=PIPE, env=env, cwd=tmp_path)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_client_of_a_module_runs_with_what_options_say_and_ends_in_order(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path, start: Start
) -> None:
    (tmp_path / "program.py").write_text(CLIENT.format(answer="yes?"))
    bob = await walk_in(IrcClient, server.port, "bob")
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        process = await start("program:bot", "--cursor", str(tmp_path / "cursor"))
        await bob.until("***", "helper!~helper@localhost JOIN")
        await bob.say("hello")
        await bob.until("helper", "yes?")
        process.send_signal(number)
        assert await process.wait() == code
        await bob.until("***", "helper!~helper@localhost QUIT")
    assert (tmp_path / "cursor").stat().st_size


async def test_a_function_gets_a_client(server: asynchat.Server, walk_in: Walk, tmp_path: Path, start: Start) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "bots.py").write_text(FUNCTION)
    bob = await walk_in(IrcClient, server.port, "bob")
    await start("package.bots:app", "-r", "#lobby")
    await bob.until("***", "helper!~helper@localhost JOIN")
    await bob.say("hello")
    await bob.until("helper", "from a function")


async def test_a_change_has_it_begin_anew_and_a_mistake_waits_for_the_next(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path, start: Start
) -> None:
    module = tmp_path / "program.py"
    module.write_text(CLIENT.format(answer="before"))
    bob = await walk_in(IrcClient, server.port, "bob")
    process = await start("program:bot", "--reload", "--cursor", "cursor")
    await bob.until("***", "helper!~helper@localhost JOIN")
    await bob.say("hello")
    await bob.until("helper", "before")
    module.write_text("nonsense = [")
    await bob.until("***", "helper!~helper@localhost QUIT")
    await bob.say("are you there?")
    assert process.stderr is not None
    while b"SyntaxError" not in await process.stderr.readline():
        continue
    module.write_text(CLIENT.format(answer="after"))
    await bob.until("helper", "after")
    await bob.ping()
    assert bob.said_by("helper") == ["before", "after"]
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    "failure",
    [
        ("import asynchat\nbot = asynchat.Client('127.0.0.1', rooms=['nohash'])", b"No such channel"),
        ("import sys\nsys.exit('it is Sunday')", b"it is Sunday"),
        ("import sys\nsys.exit(3)", b"it ended with 3"),
        ("import asynchat", b"there is no bot in program"),
    ],
    ids=["the server refuses", "it exits with words", "it exits with a code", "the name is gone"],
)
async def test_a_start_that_fails_after_a_change_waits_for_the_next(
    walk_in: Walk, server: asynchat.Server, start: Start, tmp_path: Path, failure: tuple[str, bytes]
) -> None:
    mistake, told = failure
    module = tmp_path / "program.py"
    module.write_text(CLIENT.format(answer="before"))
    bob = await walk_in(IrcClient, server.port, "bob")
    process = await start("program:bot", "--reload")
    await bob.until("***", "helper!~helper@localhost JOIN")
    module.write_text(mistake)
    assert process.stderr is not None
    while told not in (line := await process.stderr.readline()):
        assert line, "it has ended"
    module.write_text(CLIENT.format(answer="after"))
    await bob.until("***", "helper!~helper@localhost JOIN")
    await bob.say("hello")
    await bob.until("helper", "after")
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("program", 2, b"no MODULE:NAME"),
        ("nosuch:bot", 2, b"no module nosuch"),
        ("program:nosuch", 2, b"no nosuch in program"),
        ("program:asynchat", 2, b"no asynchat.Client"),
        ("program:bot", 69, b"127.0.0.1:1"),
    ],
)
def test_what_does_not_go_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, code: int, words: bytes
) -> None:
    (tmp_path / "program.py").write_text(CLIENT.format(answer="x"))
    monkeypatch.chdir(tmp_path)
    done = run(tmp_path, "127.0.0.1:1", "bot", program)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_a_watch_sees_files_come_and_go_and_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "watched_program.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    watch = Watch(Program.parse("watched_program:app").files)
    assert not watch.changed
    os.utime(tmp_path / "watched_program.py", (1, 1))
    assert watch.changed
    watch = Watch(Program.parse("watched_program:app").files)
    (tmp_path / "other.py").write_text("")
    assert watch.changed
    watch.wait()
