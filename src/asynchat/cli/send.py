"""`asynchat send`: post text, and know that it was stored."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import click

from asynchat.chat.errors import Refused
from asynchat.cli import DATA
from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import come_in, login_from, login_options, url_option
from asynchat.client.client import Client
from asynchat.client.keyboard import lines
from asynchat.client.registration import Identity
from asynchat.wire.irc.message import Message

IN_FLIGHT = 64
"""Lines that are on their way before their answers are waited for."""


@click.command("send")
@click.argument("text", nargs=-1)
@url_option
@click.option("-r", "--room", metavar="NAME", envvar="ASYNCHAT_ROOM", help="the room (#lobby)")
@click.option("--to", metavar="NAME", help="a person, instead of a room")
@click.option("--stream", is_flag=True, help="send standard input line by line, as it comes")
@click.option("--key", metavar="KEY", help="sent again under the same key, it is stored once")
@click.option("--timeout", type=float, default=10.0, show_default=True, metavar="SECONDS", help="how long to wait")
@click.option("--json", "as_json", is_flag=True, help="print the id of each message stored, as JSON")
@login_options
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    text: tuple[str, ...],
    url: str | None,
    room: str | None,
    to: str | None,
    stream: bool,
    key: str | None,
    timeout: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Post TEXT, or standard input as one message. Exits with 0 once the server has stored it all.

    75 says that it was not acknowledged, and that trying again under the same --key is safe.
    """
    with exits():
        login = login_from(invocation, options, url=url, rooms=(room,) if room else ())
        target = to or login.rooms[0]

        def make(identity: Identity) -> Client:
            return Client(login.url, identity, trust=login.trust, timeout_s=timeout, hear=False)

        key = wire_key(login.identity.name, target, key)
        sender = Sender(lambda: come_in(make, login.identity, ask=None), target, key=key, as_json=as_json)
        if stream:
            asyncio.run(sender.stream())
        else:
            asyncio.run(sender.post(" ".join(text) if text else _standard_input()))


def wire_key(name: str, target: str, key: str | None) -> str | None:
    """The key on the wire for one on the command line: long enough to be nobody else's."""
    if key is None:
        return None
    return hashlib.sha256(f"{name}\0{target}\0{key}".encode()).hexdigest()[:32]


def _standard_input() -> str:
    data = sys.stdin.buffer.read() if sys.stdin is not None else b""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        click.echo(f"asynchat: standard input is not UTF-8: {error}", err=True)
        sys.exit(DATA)
    if not text.strip():
        click.echo("asynchat: there is nothing to send", err=True)
        sys.exit(DATA)
    return text.rstrip("\n")


class Sender:
    """Sends to one room or person over a client that it opens."""

    def __init__(
        self, come_in: Callable[[], Awaitable[Client]], target: str, *, key: str | None, as_json: bool
    ) -> None:
        self._come_in = come_in
        self._client: Client
        self._target = target
        self._key = key
        self._as_json = as_json
        self._flying: deque[asyncio.Future[Message]] = deque()

    async def post(self, text: str) -> None:
        """Send one text."""
        async with self._inside() as client:
            self._flying += client.start_sending(self._target, text, key=self._key)
            await self._land(0)

    async def stream(self) -> None:
        """Send each line of standard input as it comes; several are on their way at once."""
        async with self._inside() as client:
            number = 0
            async for line in lines():
                number += 1
                try:
                    text = line.decode()
                except UnicodeDecodeError:
                    raise Refused("INVALID_UTF8", f"line {number} is not UTF-8") from None
                if text.strip():
                    key = f"{self._key}/{number}" if self._key is not None else None
                    self._flying += client.start_sending(self._target, text, key=key)
                    await self._land(IN_FLIGHT)
            await self._land(0)

    @asynccontextmanager
    async def _inside(self) -> AsyncIterator[Client]:
        """Be in the room, or at the server if it is for a person."""
        self._client = await self._come_in()
        try:
            if self._target[:1] in (self._client.isupport.get("CHANTYPES", "#") or "#"):
                await self._client.join(self._target)
            yield self._client
        finally:
            await self._client.close()

    async def _land(self, most: int) -> None:
        """Take the answers that are there, and wait for more until no more than that many are on their way."""
        while len(self._flying) > most or (self._flying and self._flying[0].done()):
            stored = await self._client.answer(self._flying.popleft())
            if self._as_json:
                click.echo(json.dumps({"id": stored.tags.get("msgid", ""), "to": self._target}))
