"""What `send` does once it knows what to send to whom."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click

from asynchat.chat.errors import BadMessage, Refused
from asynchat.cli.exits import told
from asynchat.cli.send.spool import Spool, Waiting
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable
from asynchat.client.keyboard import lines
from asynchat.client.patience import Backoff, Patience
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

IN_FLIGHT = 64
"""Messages that are on their way before their answers are waited for."""
TOLD_EACH_S = 0.2
"""How often a terminal is told how many were stored."""

ComeIn = Callable[[], Awaitable[Talker]]


class Counter:
    """Tells a terminal how many messages were stored, of how many if that is known; of a single one nothing."""

    def __init__(self, *, shown: bool) -> None:
        self.total = 0
        self._shown = shown
        self._count = 0
        self._told_at = 0.0

    def add(self) -> None:
        """One more."""
        self._count += 1
        now = time.monotonic()
        if now - self._told_at > TOLD_EACH_S:
            self._told_at = now
            self._tell("")

    def end(self) -> None:
        """That was all."""
        if self._count:
            self._tell("\n")

    def _tell(self, end: str) -> None:
        if self._shown and self.total != 1:
            total = f" of {self.total:,}" if self.total else ""
            click.echo(f"\r{self._count:,}{total} stored{end}", nl=False, err=True)


class Sender:
    """Sends to one room or person over a client that it opens. Without `acks` it does not wait until it is stored."""

    def __init__(
        self, come_in: ComeIn, target: str, *, key: str | None, as_json: bool, acks: bool, counter: Counter
    ) -> None:
        self._come_in = come_in
        self._client: Talker
        self._target = target
        self._key = key
        self._as_json = as_json
        self._acks = acks
        self._counter = counter
        self._flying: deque[asyncio.Future[Message]] = deque()

    async def post(self, text: str) -> None:
        """Send one text; if it becomes several messages it is told how many are stored."""
        async with self._inside() as client:
            self._flying += client.start_sending(self._target, text, key=self._key)
            self._counter.total = len(self._flying)
            del text  # which may be a book; what was stored of it is let go of
            await self._land(0)

    async def stream(self) -> None:
        """Send each line of standard input as it comes; several are on their way at once."""
        async with self._inside() as client:
            async for number, text in typed():
                key = f"{self._key}/{number}" if self._key is not None else None
                self._flying += client.start_sending(self._target, text, key=key)
                await self._land(IN_FLIGHT)
            await self._land(0)

    @asynccontextmanager
    async def _inside(self) -> AsyncIterator[Talker]:
        """Be in the room, or at the server if it is for a person."""
        self._client = await self._come_in()
        try:
            await enter(self._client, self._target)
            yield self._client
        finally:
            self._counter.end()
            await self._client.close()

    async def _land(self, most: int) -> None:
        """Take the answers that are there, and wait for more until no more than that many are on their way."""
        if not self._acks:
            await self._client.drained()
            self._flying.clear()
        while len(self._flying) > most or (self._flying and self._flying[0].done()):
            tell(await self._client.answer(self._flying.popleft()), self._target, as_json=self._as_json)
            self._counter.add()


class SpoolSender:
    """Sends what waits in a spool, in order, each message once. `stream` waits for a server that is not there."""

    def __init__(self, come_in: ComeIn, spool: Spool, *, as_json: bool, patience: Patience | None = None) -> None:
        self._come_in = come_in
        self._spool = spool
        self._as_json = as_json
        self._patience = patience or Patience()
        self._refused: Refused | None = None
        self._more = asyncio.Event()

    async def send(self) -> bool:
        """Send all that waits; False if there is no server, or another process sends it, and it waits on.

        Raises:
            Refused: some of it; it was put aside.
        """
        with self._spool.alone() as alone:
            if not alone:
                return False
            try:
                await self._send_all()
            except (Unreachable, Lost, NotAcknowledged) as error:
                click.echo(f"asynchat: {told(error)}; it waits in the spool", err=True)
                return False
        if self._refused is not None:
            raise self._refused
        return True

    async def stream(self, target: str, key: str | None) -> bool:
        """Keep each line of standard input, and send it as soon as that is possible.

        Returns whether all is sent at the end of the input.

        Raises:
            Refused, StoreError
        """
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._keep_sending())
            async for number, text in typed():
                self._spool.put(target, text, f"{key}/{number}" if key else secrets.token_hex(16))
                self._more.set()
            sending.cancel()
        return await self.send()

    async def _keep_sending(self) -> None:
        backoff = Backoff(self._patience)
        while True:
            await self._more.wait()
            self._more.clear()
            while not await self._sent():
                await self._patience.sleep(backoff.next())
            backoff = Backoff(self._patience)

    async def _sent(self) -> bool:
        try:
            return await self.send()
        except Refused as refused:
            click.echo(f"asynchat: {plain(str(refused))}", err=True)
            self._refused = None
            return True

    async def _send_all(self) -> None:
        client: Talker | None = None
        entered: set[str] = set()
        try:
            while waiting := list(self._spool):
                client = client or await self._come_in()
                for each in waiting:
                    await self._send_one(client, each, entered)
        finally:
            if client is not None:
                await client.close()

    async def _send_one(self, client: Talker, waiting: Waiting, entered: set[str]) -> None:
        try:
            if waiting.to not in entered:
                await enter(client, waiting.to)
                entered.add(waiting.to)
            for said in client.start_sending(waiting.to, waiting.text, key=waiting.key):
                tell(await client.answer(said), waiting.to, as_json=self._as_json)
        except Refused as refused:
            if refused.code.startswith("STORAGE"):
                raise NotAcknowledged(str(refused)) from None
            self._spool.refuse(waiting.path)
            self._refused = refused
        except BadMessage as bad:
            self._spool.refuse(waiting.path)
            self._refused = Refused("INVALID_TEXT", str(bad))
        else:
            self._spool.done(waiting.path)


async def enter(client: Talker, target: str) -> None:
    """Be in the room, if it is one."""
    if target[:1] in (client.isupport.get("CHANTYPES", "#") or "#"):
        await client.join(target)


async def typed() -> AsyncIterator[tuple[int, str]]:
    """The lines of standard input that say something, with their numbers.

    Raises:
        Refused: INVALID_UTF8; INVALID_TEXT, there is a NUL in it
    """
    number = 0
    async for line in lines():
        number += 1
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise Refused("INVALID_UTF8", f"line {number} is not UTF-8") from None
        if "\0" in text:
            raise Refused("INVALID_TEXT", f"there is a NUL in line {number}")
        if text.strip():
            yield number, text


def tell(stored: Message, to: str, *, as_json: bool) -> None:
    """Tell that something is stored."""
    if as_json:
        click.echo(json.dumps({"id": stored.tags.get("msgid", ""), "to": to}))
        sys.stdout.flush()
