"""What docs/bots.md shows is what happens: each program runs, and each dialogue is played."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import asynchat
from asynchat.client.handlers import HAPPENINGS
from tests.net.conftest import IrcClient, Walk, clients, settings, walk_in

__all__ = ["clients", "walk_in"]

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "bots.md").read_text()
URL = "asynchat://localhost:12345"
PROGRAMS = [
    (part.partition("```")[0], "".join(re.findall(r"```text\n(.*?)```", part, re.DOTALL)))
    for part in PAGE.split("```python\n")[1:]
]
"""Each program, and the dialogue that follows it."""


@pytest.fixture
async def server() -> AsyncIterator[asynchat.Server]:
    async with asynchat.Server(settings(limits={"flood": False})) as running:
        yield running


def run(code: str, url: str, folder: Path) -> dict[str, Any]:
    """What a program has made, without having begun."""
    assert URL in code
    code = re.sub(r"^(?:bot\.run|asyncio\.run)\(.*\)$", "", code.replace(URL, url), flags=re.MULTILINE)
    code = code.replace('cursor="', f'cursor="{folder}/')
    names: dict[str, Any] = {}
    exec(compile(code, "docs/bots.md", "exec"), names)
    return names


HANDLING = [(code, talk) for code, talk in PROGRAMS if "bot = " in code]
LOOPS = [code for code, _ in PROGRAMS if "def main" in code]


def test_all_programs_are_tried() -> None:
    assert len(HANDLING) + len(LOOPS) == len(PROGRAMS)
    assert sum(bool(talk) for _, talk in HANDLING) == PAGE.count("```text")
    assert len(LOOPS) == 3


@pytest.mark.parametrize(("code", "talk"), HANDLING)
async def test_a_bot_says_what_the_page_says(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path, code: str, talk: str
) -> None:
    bot = run(code, f"asynchat://127.0.0.1:{server.port}", tmp_path)["bot"]
    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        for who, text in re.findall(r"<(\w+)> (.*)", talk):
            if who == "bob":
                await bob.say(text)
            else:
                await bob.until(who, text)
        if bot.name == "porter":
            await bob.until("porter", "welcome, bob")
        if "escalate" in code:
            await bob.command("JOIN #ops")
            await bob.say("helper, look")
            await bob.until("helper", "bob asks: helper, look")
    assert bot.failed == 0


@pytest.mark.parametrize("code", LOOPS)
async def test_a_program_with_a_loop_of_its_own_does_what_it_says(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path, code: str
) -> None:
    names = run(code, f"asynchat://127.0.0.1:{server.port}", tmp_path)
    bob = await walk_in(IrcClient, server.port, "bob")
    await bob.say("hello")
    await bob.command("JOIN #dev")
    await bob.until("***", " 366 bob #dev ")
    async with asyncio.TaskGroup() as group:
        group.create_task(names["main"]())
        if "#dev" in code:
            await bob.until("***", " JOIN #dev")
            await bob.command("PRIVMSG #dev :hello")
            await bob.until("loop", "thank you")


def test_the_page_names_all_that_happens_and_links_lead_somewhere() -> None:
    assert [kind for kind in HAPPENINGS if not re.search(rf"\b{kind}\b", PAGE)] == []
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
