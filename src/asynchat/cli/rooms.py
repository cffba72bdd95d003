"""`asynchat rooms`: list rooms."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import click

from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import come_in, login_from, login_options, url_option
from asynchat.client.registration import Identity
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain


@click.command("rooms")
@url_option
@login_options
@click.option("--json", "as_json", is_flag=True, help="print each room as JSON")
@click.pass_obj
def command(invocation: Invocation, /, *, url: str | None, as_json: bool, **options: Any) -> None:
    """List the rooms that one may know of: the name, how many people are in it, the topic."""
    with exits():
        login = login_from(invocation, options, url=url, rooms=())

        def make(identity: Identity) -> Talker:
            return Talker(login.url, identity, trust=login.trust, hear=False)

        async def ask() -> list[Message]:
            async with AsyncExitStack() as stack:
                client = await come_in(make, login.identity, ask=None)
                stack.push_async_exit(client)
                return await client.request(Message("LIST"), quiet=True)

        for line in asyncio.run(ask()):
            if line.command == "322" and len(line.params) > 2:
                _print(line, as_json=as_json)


def _print(line: Message, *, as_json: bool) -> None:
    """One room. (Modern IRC, RPL_LIST)"""
    name, people = line.params[1:3]
    topic = line.params[3] if len(line.params) > 3 else ""
    count = int(people) if people.isdecimal() else 0
    if as_json:
        click.echo(json.dumps({"name": name, "people": count, "topic": topic}))
    else:
        click.echo(f"{plain(name)} {count}" + (f" {plain(topic)}" if topic else ""))
