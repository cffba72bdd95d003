"""`join` in a pipe: lines that people say go to standard output, the rest to standard error.

Each line of standard input is said, and is stored before the next one is read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TextIO

from asynchat.chat.errors import Refused
from asynchat.client.errors import Lost
from asynchat.client.notices import Back
from asynchat.client.record import record
from asynchat.client.show import NEWS, NO, Line, show, show_notice, talk
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain


class Pipe:
    """One person at one server. What comes in is said in `room`; with `as_json` what goes out are objects."""

    def __init__(
        self,
        client: Talker,
        room: str,
        *,
        typed: AsyncIterator[bytes],
        out: TextIO,
        err: TextIO,
        as_json: bool = False,
    ) -> None:
        self.client = client
        self.room = room
        self._nick = client.nick
        self._typed = typed
        self._out = out
        self._err = err
        self._as_json = as_json

    async def run(self) -> None:
        """Talk until standard input ends, or the connection.

        Raises:
            Lost: the connection ended by itself.
            Refused: it did, and the server does not want us any more; or something was refused.
            NotAcknowledged: something was not acknowledged.
            ExceptionGroup: of these.
        """
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(self._hear())
            await self._type()
            for words in self.client.unsent:
                self._tell(f"{NO} not sent: {plain(words)}")
            hearing.cancel()

    async def _hear(self) -> None:
        async for heard in self.client:
            if isinstance(heard, Message):
                self._take(heard)
                continue
            self._tell(str(show_notice(heard)))
            before, self._nick = self._nick, self.client.nick
            if isinstance(heard, Back) and before != self._nick:
                self._tell(plain(f"{NEWS} {before} is in use; you are {self._nick}"))
        raise self.client.ended_by or Lost("the connection was closed")

    def _take(self, message: Message) -> None:
        lines = show(message, self.client.nick)
        if not lines or self._said_here(message):
            return
        if self._as_json and talk(message) is not None:
            self._out.write(f"{json.dumps(record(message, self.client.nick))}\n")
            self._out.flush()
            return
        for line in lines:
            self._show(line)

    def _show(self, line: Line) -> None:
        stream = self._out if line.talk else self._err
        stream.write(f"{line}\n")
        stream.flush()

    def _said_here(self, message: Message) -> bool:
        """Whether it is one's own line; those of the past are shown."""
        mine = message.source.partition("!")[0] == self.client.nick
        return mine and talk(message) is not None and "batch" not in message.tags

    async def _type(self) -> None:
        async for data in self._typed:
            text = data.decode(errors="replace")
            if text.strip() in ("quit", "/quit") or text.startswith("/quit "):
                break
            if text[:1] == "/" and text[:2] != "//":
                await self._command(text)
            elif text.strip():
                await self._say(self.room, text[1:] if text[:2] == "//" else text)

    async def _say(self, to: str, text: str, *, action: bool = False) -> None:
        """Say something, and wait until it is stored."""
        for each in self.client.start_sending(to, text, action=action):
            await self.client.answer(each)

    async def _command(self, text: str) -> None:
        """What a program may say besides talk.

        Raises:
            Refused
        """
        name, _, argument = text[1:].partition(" ")
        first, _, rest = argument.strip().partition(" ")
        match name.lower():
            case "join":
                await self.client.join(first, rest.strip())
                self.room = first
            case "part":
                await self.client.part(first or self.room)
            case "msg":
                await self._say(first, rest)
            case "me":
                await self._say(self.room, argument, action=True)
            case "say":
                await self._say(self.room, argument)
            case "topic":
                await self.client.request(Message("TOPIC", [self.room, argument] if argument else [self.room]))
            case "names":
                await self.client.request(Message("NAMES", [first or self.room]))
            case "nick" | "name":
                await self.client.request(Message("NICK", [first]))
            case _:
                raise Refused("UNKNOWN", f"/{plain(name)}; a pipe knows /join /part /msg /me /say /topic /names /nick")

    def _tell(self, line: str) -> None:
        self._err.write(f"{line}\n")
        self._err.flush()
