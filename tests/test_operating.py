"""What docs/operating.md says is so: its transcripts are played on a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import asynchat
from asynchat.cli.admin import command as admin
from asynchat.wire.talk.operating import OPERATING
from tests.net.conftest import FrameClient, IrcClient, LineClient, Walk, clients, walk_in
from tests.net.test_console import console

__all__ = ["clients", "walk_in"]

PAGE = (Path(__file__).parents[1] / "docs" / "operating.md").read_text()


def transcript(start: str) -> list[str]:
    """The lines of the console block that begins so, without times."""
    (block,) = re.findall(rf"```console\n{re.escape(start)}\n(.*?)```", PAGE, re.DOTALL)
    return [without_time(line) for line in block.splitlines()]


def without_time(line: str) -> str:
    return re.sub(r"\b\d+ s\b", "0 s", re.sub(r"^\d\d:\d\d:\d\d ", "", line))


async def test_the_console_is_as_the_page_shows_it(walk_in: Walk) -> None:
    kinds = {"irc": IrcClient, "line": LineClient}
    people = {}
    async with asynchat.Server(port=0) as server, console(server) as (operator, shown):
        greeting, *script = transcript("$ asynchat admin console")
        assert greeting == "*** you are the server, in #lobby. /help, /quit"
        for line in script:
            if match := re.fullmatch(r"\+ (\w+)  127.0.0.1  (\w+)", line):
                people[match[1]] = await walk_in(kinds[match[2]], server.port, match[1])
            elif (match := re.fullmatch(r"<(\w+)> (.*)", line)) and match[1] in people:
                await people[match[1]].say(match[2])
            elif line[:1] not in ("*", "<", "-"):
                await operator.feed(line)
                continue
            assert without_time(await shown.next()) == line


async def test_the_trace_is_as_the_page_shows_it(walk_in: Walk) -> None:
    told: list[str] = []
    async with asynchat.Server(port=0, trace=told.append) as server:
        irene = await walk_in(IrcClient, server.port, "irene")
        await walk_in(LineClient, server.port, "nat")
        fred = await walk_in(FrameClient, server.port, "fred")
        told.clear()
        await irene.say("hello")
        await fred.until("irene", "hello")
        assert [re.sub(r"#\d+ Said", "#9 Said", line) for line in told] == transcript("$ asynchat serve --trace")


def named(pattern: str) -> Iterator[str]:
    for row in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE):
        yield from re.findall(pattern, row)


@pytest.mark.parametrize("name", sorted(set(named(r"`/(\w+)"))))
def test_every_command_that_the_page_names_is_one_of_the_console(name: str) -> None:
    assert name in OPERATING


def test_every_verb_that_the_page_names_is_one_of_admin_and_no_other_is_missing() -> None:
    words = set(named(r"`([a-z]+(?: [a-z]+)?)(?=[ `])"))
    verbs = {name for name, each in admin.commands.items() if not hasattr(each, "commands")}
    verbs |= {f"{name} {sub}" for name in ("room", "ban") for sub in admin.commands[name].commands}
    elsewhere = {"backup", "export", "import", "console"}
    assert verbs - elsewhere <= words
