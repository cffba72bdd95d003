"""A console in the program of the server: what is fed to it, and what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import asynchat
from asynchat.net.console import Console
from tests.net.conftest import PATIENCE_S, IrcClient, LineClient, Walk, on_both_loops

pytestmark = on_both_loops


class Shown:
    """What a console shows, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Condition()

    async def show(self, line: str) -> None:
        async with self._more:
            self.lines.append(line)
            self._more.notify_all()

    async def next(self) -> str:
        """Wait for one more line, and take it away."""
        return await self.until("")

    async def until(self, text: str) -> str:
        """Wait for a line with this in it, take everything up to it away, and return it."""
        async with asyncio.timeout(PATIENCE_S), self._more:
            await self._more.wait_for(lambda: any(text in line for line in self.lines))
            while text not in (line := self.lines.pop(0)):
                pass
            return line


@asynccontextmanager
async def console(server: asynchat.Server) -> AsyncIterator[tuple[Console, Shown]]:
    shown = Shown()
    console = await Console.of(server, shown.show)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(console.run())
        await shown.until("you are the server")
        yield console, shown
        console.finish()
        await running


async def test_the_operator_talks_with_everybody_and_puts_one_out(server: asynchat.Server, walk_in: Walk) -> None:
    async with console(server) as (operator, shown):
        nat = await walk_in(LineClient, server.port, "nat")
        await shown.until("+ nat  127.0.0.1  line")
        irene = await walk_in(IrcClient, server.port, "irene")
        await shown.until("+ irene  127.0.0.1  irc")
        await operator.feed("welcome everybody")
        await nat.until("server", "welcome everybody")
        await irene.until("server", "welcome everybody")
        await shown.until("<@server> welcome everybody")
        await operator.feed("/drop nat spam")
        assert ("***", "dropped: spam") in await nat.rest()
        await shown.until("- nat (dropped: spam)")
    await irene.until("***", "QUIT")


async def test_what_was_typed_is_answered_before_it_ends(server: asynchat.Server) -> None:
    async with console(server) as (operator, shown):
        for number in range(200):
            await operator.feed(f"line {number}")
        await operator.feed("/rooms")
    assert [line.partition("> ")[2] for line in shown.lines[:200]] == [f"line {number}" for number in range(200)]
    assert shown.lines[200:] == ["*** #lobby 1 person", "*** end"]


async def test_a_server_that_stops_tells_and_ends_its_consoles(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        shown = Shown()
        operator = await Console.of(server, shown.show)
        async with asyncio.TaskGroup() as group:
            group.create_task(operator.run())
            await shown.until("you are the server")
            nat = await walk_in(LineClient, server.port, "nat")
            await operator.feed("/stop until tomorrow")
            assert ("***", "until tomorrow") in await nat.rest()
            await shown.until("until tomorrow")
        await server.serve_forever()
        await operator.feed("is anybody there?")


async def test_who_cannot_be_shown_anything_loses_the_console_and_nobody_else_anything(
    server: asynchat.Server, walk_in: Walk
) -> None:
    async def show(line: str) -> None:
        raise BrokenPipeError

    nat = await walk_in(LineClient, server.port, "nat")
    with pytest.raises(BrokenPipeError):
        await (await Console.of(server, show)).run()
    await nat.until("***", "server left")


async def test_a_line_that_has_ends_in_it_is_one_line(server: asynchat.Server) -> None:
    async with console(server) as (operator, shown):
        await operator.feed("one\n/stop\r\ntwo")
        assert (await shown.until("one")).endswith("<@server> one /stop  two")


async def test_a_screen_that_is_slow_falls_behind_alone(server: asynchat.Server, walk_in: Walk) -> None:
    halted = asyncio.Event()
    lines: list[str] = []

    async def show(line: str) -> None:
        await halted.wait()
        lines.append(line)

    operator = await Console.of(server, show)
    async with asyncio.TaskGroup() as group:
        group.create_task(operator.run())
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(LineClient, server.port, "bob")
        for number in range(400):
            await nat.say(f"{number} {'x' * 2000}")
            await bob.until("nat", f"{number} ")
        await nat.say("the end")
        await bob.until("nat", "the end")
        halted.set()
        operator.finish()
    assert sum("<nat> " in line for line in lines) == 401
