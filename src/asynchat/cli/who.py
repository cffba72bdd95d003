"""`asynchat who`: list people."""

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


@click.command("who")
@click.argument("room", required=False)
@url_option
@login_options
@click.option("--json", "as_json", is_flag=True, help="print each person as JSON")
@click.pass_obj
def command(invocation: Invocation, /, *, room: str | None, url: str | None, as_json: bool, **options: Any) -> None:
    """List the people in a ROOM, one on a line, without entering it; @ stands before those who run it."""
    with exits():
        login = login_from(invocation, options, url=url, rooms=(room,) if room else ())

        def make(identity: Identity) -> Talker:
            return Talker(login.url, identity, trust=login.trust, hear=False)

        async def ask() -> list[Message]:
            async with AsyncExitStack() as stack:
                client = await come_in(make, login.identity, ask=None)
                stack.push_async_exit(client)
                return await client.request(Message("WHO", [login.rooms[0]]), quiet=True)

        for line in asyncio.run(ask()):
            if line.command == "352" and len(line.params) > 6:
                _print(line, as_json=as_json)


def _print(line: Message, *, as_json: bool) -> None:
    """One person. (Modern IRC, RPL_WHOREPLY)"""
    _, room, user, host, _, nick, flags, *rest = line.params
    operator, away = any(sign in flags for sign in "@&~"), flags[:1] == "G"
    if as_json:
        person = {"name": nick, "room": room, "user": user, "host": host, "away": away, "operator": operator}
        click.echo(json.dumps(person | {"real_name": rest[0].partition(" ")[2] if rest else ""}))
    else:
        click.echo(f"{'@' if operator else ''}{plain(nick)}{' (away)' if away else ''}")
