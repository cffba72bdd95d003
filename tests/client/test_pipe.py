"""A pipe through a room."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator

import pytest

from asynchat.chat.errors import Refused
from asynchat.client.pipe import Pipe
from tests.client.scripted import Answers, batch, welcome
from tests.client.test_client import alice, line


async def typed(*lines: str) -> AsyncIterator[bytes]:
    for each in lines:
        yield each.encode()


async def piped(*lines: str, answers: Answers, as_json: bool = False) -> tuple[list[str], list[str]]:
    """What comes out for people, and what for whoever runs it."""
    out, err = io.StringIO(), io.StringIO()
    async with alice(answers) as (client, _):
        await client.join("#lobby")
        await Pipe(client, "#lobby", typed=typed(*lines), out=out, err=err, as_json=as_json).run()
    return out.getvalue().splitlines(), err.getvalue().splitlines()


async def test_a_pipe_ends_at_what_is_refused() -> None:
    only = welcome() | {"PRIVMSG": "@label={label} :srv 404 alice #lobby :Cannot send"}
    with pytest.RaisesGroup(Refused):
        await piped("hello", "never", answers=only)


async def test_a_command_that_there_is_not_is_no_talk() -> None:
    with pytest.RaisesGroup(Refused):
        await piped("/frobnicate", answers=welcome())


async def test_talk_comes_out_as_objects_and_the_rest_does_not() -> None:
    past = batch("{label}", line(9, "hello"), line(10, "\x01ACTION waves\x01"))
    only = welcome() | {
        "CHATHISTORY BEFORE #lobby msgid=10 2": past,
        "PRIVMSG": f"@label={{label}} {line(11, 'x', by='alice')}",
    }
    out, err = await piped("x", answers=only, as_json=True)
    found = [json.loads(each) for each in out]
    assert [(each["id"], each["kind"], each["from"], each["place"], each["text"]) for each in found] == [
        ("9", "message", "bob", "#lobby", "hello"),
        ("10", "action", "bob", "#lobby", "waves"),
    ]
    assert err == ["*** joined #lobby"]
