"""`join`: two tasks, one for the keyboard and one for what is heard.

On a terminal everything goes to it; in a pipe the lines that people say go to standard output, the rest to standard
error. A pipe waits for each line to be stored; on a terminal one types on, also while there is no connection.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import TextIO

from asynchat.chat.errors import BadMessage, Refused
from asynchat.client.client import Client
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.notices import Back, Notice
from asynchat.client.show import NEWS, show, show_notice, talk, time_of
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

HELP = "/join #room  /part [#room]  /msg name text  /me text  /topic [text]  /names  /nick name  /quit"
LANDING_S = 10.0
"""How long what was typed last may take to be stored."""


class Terminal:
    """One person at one server. What is typed goes to `room`."""

    def __init__(
        self, client: Client, room: str, *, typed: AsyncIterator[bytes], tty: bool, out: TextIO, err: TextIO
    ) -> None:
        self.client = client
        self.room: str | None = room
        self._nick = client.nick
        self._group: asyncio.TaskGroup
        self._landing: set[asyncio.Task[None]] = set()
        self._typed = typed
        self._tty = tty
        self._out = out
        self._err = out if tty else err

    async def run(self) -> None:
        """Talk until the keyboard ends, or the connection.

        Raises:
            Lost: the connection ended by itself.
            Refused: it did, and the server does not want us any more; or, in a pipe, something typed was refused.
            NotAcknowledged: something typed was not acknowledged.
            ExceptionGroup: of these.
        """
        async with asyncio.TaskGroup() as self._group:
            hearing = self._group.create_task(self._hear())
            await self._type()
            await self._finish()
            hearing.cancel()

    async def _finish(self) -> None:
        """Wait for what is on its way; what waits for a connection is told instead."""
        if self._landing and self.client.connected:
            await asyncio.wait(self._landing, timeout=LANDING_S)
        for landing in self._landing:
            landing.cancel()
        for words in self.client.unsent:
            self._print(f"!!! not sent: {plain(words)}", self._err)

    async def _hear(self) -> None:
        async for message in self.client:
            if not isinstance(message, Message):
                self._notice(message)
                continue
            line = show(message, self.client.nick)
            if line is None or self._typed_here(message):
                continue
            when = time_of(message)
            if talk(message) is not None:
                before = f"{when:%H:%M} " if when is not None and self._tty else ""
                self._print("\n".join(before + each for each in line.split("\n")), self._out)
            else:
                self._print(line, self._err)
        raise self.client.ended_by or Lost("the connection was closed")

    def _notice(self, notice: Notice) -> None:
        self._print(show_notice(notice), self._err)
        before, self._nick = self._nick, self.client.nick
        if isinstance(notice, Back) and before != self._nick:
            self._print(f"{NEWS} {before} is in use; you are {self._nick}", self._err)

    async def _type(self) -> None:
        async for data in self._typed:
            text = data.decode(errors="replace")
            if text.strip() in ("quit", "/quit") or text.startswith("/quit "):
                break
            try:
                if text[:1] == "/" and text[:2] != "//":
                    await self._command(text)
                elif text.strip():
                    await self._say(text[1:] if text[:2] == "//" else text)
            except (Refused, NotAcknowledged, BadMessage) as error:
                self._print(f"!!! {error}", self._err)
                if not self._tty:
                    raise
            except Lost as error:
                if not self.client.reconnects or self.client.ended_by is not None:
                    raise
                self._print(f"!!! {error}", self._err)

    def _typed_here(self, message: Message) -> bool:
        """Whether it is one's own line, which stands where it was typed; those of the past are shown."""
        mine = message.source.partition("!")[0] == self.client.nick
        return mine and talk(message) is not None and "batch" not in message.tags

    async def _say(self, text: str) -> None:
        if self.room is None:
            self._print("!!! NOT_IN_ROOM you are in no room; /join #room", self._err)
        else:
            await self._send(self.room, text)

    async def _send(self, to: str, text: str, *, action: bool = False) -> None:
        """Say something; a pipe waits until it is stored."""
        said = self.client.start_sending(to, text, action=action)
        if not self._tty:
            for each in said:
                await self.client.answer(each)
            return
        landing = self._group.create_task(self._land(said))
        self._landing.add(landing)
        landing.add_done_callback(self._landing.discard)

    async def _land(self, said: list[asyncio.Future[Message]]) -> None:
        """Tell if something that was said was not stored."""
        for each in said:
            try:
                await self.client.answer(each)
            except (Refused, NotAcknowledged) as error:
                self._print(f"!!! {error}", self._err)

    async def _command(self, text: str) -> None:
        name, _, argument = text[1:].partition(" ")
        command: Callable[[str], object] | None = getattr(self, f"_do_{name.lower()}", None)
        if command is None:
            self._print(f"!!! UNKNOWN /{name}; /help", self._err)
            return
        result = command(argument.strip())
        if asyncio.iscoroutine(result):
            await result

    def _do_help(self, argument: str) -> None:
        self._print(f"{NEWS} {HELP}", self._err)

    async def _do_join(self, argument: str) -> None:
        room, _, key = argument.partition(" ")
        if not self.client.connected:
            raise Lost("there is no connection")
        await self.client.join(room, key.strip())
        self.room = room

    def _do_part(self, argument: str) -> None:
        room = argument or self.room
        if room is not None:
            self.client.write("PART", room)
            if room == self.room:
                self.room = None

    async def _do_msg(self, argument: str) -> None:
        to, _, text = argument.partition(" ")
        await self._send(to, text)

    async def _do_me(self, argument: str) -> None:
        if self.room is not None:
            await self._send(self.room, argument, action=True)

    def _do_topic(self, argument: str) -> None:
        if self.room is not None:
            self.client.write("TOPIC", self.room, *([argument] if argument else []))

    def _do_names(self, argument: str) -> None:
        if self.room is not None:
            self.client.write("NAMES", argument or self.room)

    def _do_nick(self, argument: str) -> None:
        self.client.write("NICK", argument)

    @staticmethod
    def _print(line: str, stream: TextIO) -> None:
        stream.write(f"{line}\n")
        stream.flush()


def on_a_terminal() -> bool:
    """Whether a person sits at both ends."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
