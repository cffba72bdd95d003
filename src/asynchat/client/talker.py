"""A person at one server: what was said is stored, what is said is heard once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from contextlib import suppress

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.client.connection import Connection
from asynchat.client.ear import Gap
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.presence import Presence, join
from asynchat.wire.irc.message import Message


class Talker(Presence):
    """Somebody at one server under one name.

        async with Talker(Url.parse("asynchat://localhost"), Identity(name="alice")) as client:
            await client.join("#lobby")
            await client.send("#lobby", "hello")

    `nick` is the name that it got: alice2, if somebody else is alice. Iterating gives every message that the server
    sends, and notices of what became of the connection, until the end; a client that is not to `hear` keeps none.
    `timeout_s` is how long the server may take for anything, however much waits before it, `past` how many lines from
    before one came are handed on when it enters a room, `history` whether the server will be asked for more of them,
    `wait_s` for how long it is tried to reach it at first.
    `ended_by` is why it is over, if it was not closed.

    With `keeps_name` it waits for its name at first too, which its dead session may have, before it takes another.

    `places` says of rooms and people, by their casefolded names, up to where they are known from before, as CHATHISTORY
    refers to it, and `times` when that was said; of people who spoke to it after `since`, a time of the server, what is
    not known is handed on.

    `trust` says how the server proves who it is; `wanted` are capabilities to ask for besides those that it needs.

    Raises on entering:
        Unreachable, Untrusted
        Refused: NAME_RESERVED, the name is that of an account; BAD_PASSWORD; or what the server says.
    """

    async def join(self, room: str, key: str = "", *, after: str | None = None) -> None:
        """Enter a room, and enter it again after each reconnect.

        With `after`, a message as CHATHISTORY refers to it (`msgid=…`, `timestamp=…`), everything that was said after
        that is handed on, instead of the last lines; they are fetched as they are taken.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        while True:
            gap = await self.enter(room, key, after=after)
            try:
                return await asyncio.shield(gap.level)
            except Lost:
                if not self.reconnects or self._ended:
                    raise

    async def enter(self, room: str, key: str = "", *, after: str | None = None) -> Gap:
        """Like `join`, but what was said after `after` is still being handed on when this returns.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        if after is not None:
            self._ear.positions.place(casefold(room), after)
        while True:
            connection = await self._there()
            try:
                async with self._entering:
                    return await self._enter(connection, room, key, whole=after is not None)
            except Lost:
                if not self.reconnects or self._ended:
                    raise
                if self._connection is connection:  # it is noticed here before the talker's life has noticed
                    self._here.clear()

    async def _enter(self, connection: Connection, room: str, key: str, *, whole: bool) -> Gap:
        """Enter a room, and hand on first that one is in, then what was said there, then what is said now."""
        gap = self._ear.open(room)
        try:
            await connection.answered(connection.ask(join(room, key)))
            self._rooms[casefold(room)] = (room, key)
            if whole and not gap.reference:
                self._ear.read_up(gap)
            elif not gap.reference:
                await self._ear.fill(connection, gap)
        finally:
            if not gap.reference:
                self._ear.close(gap)
        return gap

    async def part(self, room: str, reason: str = "") -> None:
        """Leave a room.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self.request(Message("PART", [room, reason] if reason else [room]))

    async def request(self, message: Message, *, quiet: bool = False) -> list[Message]:
        """Ask for something; returns the lines of the answer, which are not handed on elsewhere if it is `quiet`.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        connection = await self._there()
        return await connection.answered(connection.ask(message, quiet=quiet))

    async def send(self, to: str, text: str, *, key: str | None = None, action: bool = False) -> list[str]:
        """Say something to a room or a person, and wait until it is stored.

        A text of several lines is one message where the server knows such, else one for each line; so is one that is
        too long. Several have the keys `key/1`, `key/2` …; their ids are returned, "" where the server has none.
        Without a key each gets one of its own, so that sending it again is always safe.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        said = self.start_sending(to, text, key=key, action=action)
        return [(await self.answer(each)).tags.get("msgid", "") for each in said]

    def start_sending(
        self,
        to: str,
        text: str,
        *,
        key: str | None = None,
        action: bool = False,
        command: str = "PRIVMSG",
        reply_to: str | None = None,
    ) -> list[asyncio.Future[Message]]:
        """Like `send`, but waits for nothing: each of what it returns is to be given to `answer`.

        Without a connection it waits for the next one. `reply_to` is the id of the message that it is a reply to.

        Raises:
            BadMessage, Lost
        """
        if self._ended or not (self.connected or self.reconnects):
            raise Lost("the connection is closed")
        sayings = self._outbox.add(
            to, text, key=key, action=action, command=command, limits=self._limits, reply_to=reply_to
        )
        if self.connected:
            self._send_more()
        return [saying.stored for saying in sayings]

    async def answer(self, stored: asyncio.Future[Message]) -> Message:
        """The server's acknowledgement of something. Who reconnects waits for it as long as it takes; who does not, as
        long as something is acknowledged within `timeout_s`, or that for each hundred lines of a message.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        if self.reconnects or stored.done():
            return await asyncio.shield(stored)
        loop, since = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        while (due := max(since, self._outbox.settled_at) + self._patience_s) > loop.time():
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    return await asyncio.shield(stored)
        raise NotAcknowledged(f"{self.url} did not say in time that it was done")

    @property
    def _patience_s(self) -> float:
        return self._connection.patience_s if self._connection is not None else self._timeout_s

    async def drained(self) -> None:
        """Wait until most of what was said is sent.

        Raises:
            Lost, NotAcknowledged
        """
        while (saying := self._outbox.holds_back) is not None:
            with suppress(Refused):
                await self.answer(saying.stored)
        if self._connection is not None:
            await self._connection.drained()

    def signal(self, to: str, tags: Mapping[str, str]) -> None:
        """Send tags alone, which nobody keeps: that one types, for example. (IRCv3 message-tags, TAGMSG)

        Raises:
            BadMessage, Lost
        """
        if self._connection is None or not self.connected:
            raise Lost("there is no connection")
        self._connection.signal(to, tags)

    async def register(self, password: str) -> None:
        """Make an account of the name that it has, which is logged in to from then on. (IRCv3 account-registration)

        Raises:
            Refused, Lost, NotAcknowledged, BadMessage
        """
        name = self.nick
        await self.request(Message("REGISTER", [name, "*", password]))
        self.identity = dataclasses.replace(self.identity, name=name, account=name, password=password)

    def write(self, command: str, *params: str) -> None:
        """Send a command and wait for nothing.

        Raises:
            BadMessage: a parameter cannot be written.
            Lost: there is no connection now.
        """
        if self._connection is None or not self.connected:
            raise Lost("there is no connection")
        self._connection.write(command, *params)

    def end_hearing(self) -> None:
        """Hand on what was heard so far, and nothing more."""
        self._ear.hear = False
        self._ear.end()
