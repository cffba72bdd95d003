"""An IRCv3 client: registers, joins, sends with acknowledgement, and hands on what it hears.

It works with any IRC server. Where the server has `labeled-response` a line is acknowledged by its labelled echo, which
asynchat sends once the line is stored; elsewhere by the PONG to a PING sent after it.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Self

from asynchat.chat.errors import BadMessage, Refused
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable
from asynchat.client.url import Url
from asynchat.wire.irc.message import BODY_LIMIT, Message, split_text

WANTED = ("message-tags", "server-time", "batch", "echo-message", "labeled-response", "multi-prefix")
KEY_TAG = "+asynchat/key"
READ_LIMIT = 64 * 1024
"""The longest line that a server may send."""
HEARD = 1000
"""How many messages wait to be taken; past that, nothing more is read."""
UNHEARD = frozenset({"PING", "PONG", "CAP", "BATCH"})
OVERHEAD = 100
"""Bytes of a line for prefix and command, which the server adds when it relays."""


class Client:
    """A connection to one server under one name.

        async with Client(Url.parse("asynchat://localhost"), name="alice") as client:
            await client.join("#lobby")
            await client.send("#lobby", "hello")

    `nick` is the name that it got: alice2, if somebody else is alice. Iterating gives every message that the server
    sends, until the connection ends; a client that is not to `hear` keeps none.

    Raises on entering:
        Unreachable, Refused
    """

    def __init__(
        self, url: Url, *, name: str, password: str | None = None, timeout_s: float = 10.0, hear: bool = True
    ) -> None:
        self.url = url
        self.nick = name
        self.capabilities: frozenset[str] = frozenset()
        self.server = ""
        self._password = password
        self._timeout_s = timeout_s
        self._hear = hear
        self._ended = False
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._reading: asyncio.Task[None]
        self._heard: asyncio.Queue[Message | None] = asyncio.Queue(HEARD)
        self._labels = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Message]] = {}  # by label, or by the PING's token
        self._pinged: list[str] = []  # tokens, in order
        self._batches: dict[str, asyncio.Future[Message]] = {}  # answers of several lines
        self._welcomed: asyncio.Future[None]
        self._name = name
        self._taken = 0

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connect()
                await self._welcomed
        except TimeoutError:
            await self._abandon()
            raise Unreachable(f"{self.url} does not answer") from None
        except BaseException:
            await self._abandon()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Message]:
        while not (self._ended and self._heard.empty()):
            message = await self._heard.get()
            if message is not None:
                yield message

    # What one can do.

    async def join(self, room: str, key: str = "") -> None:
        """Enter a room.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self.answer(self._ask(Message("JOIN", [room, key] if key else [room])))

    async def send(self, to: str, text: str, *, key: str | None = None, action: bool = False) -> list[str]:
        """Say something to a room or a person, and wait until it is stored.

        A text longer than a line, or of several lines, is sent in several messages, with the keys `key/1`, `key/2` …;
        their ids are returned, "" where the server has none. Without a key each gets one of its own, so that sending
        it again is always safe.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        sent = self.start_sending(to, text, key=key, action=action)
        return [(await self.answer(each)).tags.get("msgid", "") for each in sent]

    def start_sending(
        self, to: str, text: str, *, key: str | None = None, action: bool = False
    ) -> list[asyncio.Future[Message]]:
        """Like `send`, but waits for nothing: each of what it returns is to be given to `answer`.

        Raises:
            Lost
        """
        room = BODY_LIMIT - OVERHEAD - len(to.encode()) - (9 if action else 0)
        pieces = [piece for piece in split_text(text.replace("\r", ""), room) if piece.strip()]
        key = key or secrets.token_hex(16)
        sent = []
        for number, piece in enumerate(pieces, 1):
            tags = {KEY_TAG: key if len(pieces) == 1 else f"{key}/{number}"}
            words = f"\x01ACTION {piece}\x01" if action else piece
            tagged = "message-tags" in self.capabilities
            sent.append(self._ask(Message("PRIVMSG", [to, words], tags=tags if tagged else {})))
        return sent

    async def answer(self, asked: asyncio.Future[Message]) -> Message:
        """The server's answer to something.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._writer.drain()
                return await asked
        except TimeoutError:
            raise NotAcknowledged(f"{self.url} did not say in time that it was done") from None
        except OSError:
            raise Lost("the connection was lost") from None

    def write(self, command: str, *params: str) -> None:
        """Send a command and wait for nothing.

        Raises:
            BadMessage: a parameter cannot be written.
        """
        self._write(Message(command, params))

    async def close(self, reason: str = "") -> None:
        """Say goodbye."""
        with suppress(OSError, TimeoutError):
            if not self._writer.is_closing():
                self._write(Message("QUIT", [reason] if reason else []))
                async with asyncio.timeout(2):
                    await self._reading
        await self._abandon()

    # Connecting.

    async def _connect(self) -> None:
        try:
            if self.url.path:
                self._reader, self._writer = await asyncio.open_unix_connection(self.url.path, limit=READ_LIMIT)
            else:
                self._reader, self._writer = await asyncio.open_connection(
                    self.url.host, self.url.port, limit=READ_LIMIT
                )
        except OSError as error:
            raise Unreachable(f"{self.url}: {error.strerror or error}") from None
        self._welcomed = asyncio.get_running_loop().create_future()
        # It ends with the connection, which `close` awaits; it is no child of whoever happened to connect.
        self._reading = asyncio.get_running_loop().create_task(self._read())
        if self._password:
            self._write(Message("PASS", [self._password]))
        self._write(Message("CAP", ["LS", "302"]))
        self._write(Message("NICK", [self.nick]))
        self._write(Message("USER", [self._name, "0", "*", self._name]))

    async def _abandon(self) -> None:
        if not hasattr(self, "_writer"):
            return
        self._writer.close()
        if hasattr(self, "_reading"):
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
            if self._welcomed.done() and not self._welcomed.cancelled():
                self._welcomed.exception()  # seen
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    def _write(self, message: Message) -> None:
        if self._writer.is_closing():
            raise Lost("the connection is closed")
        self._writer.write(f"{message.encode()}\r\n".encode())

    # Asking, and the answers.

    def _ask(self, message: Message) -> asyncio.Future[Message]:
        """Send a command; the future is done when the server has done it, or refused."""
        number = str(next(self._labels))
        if "labeled-response" in self.capabilities:
            message.tags = {**message.tags, "label": number}
            self._write(message)
        else:
            self._write(message)
            self._pinged.append(number)
            self._write(Message("PING", [number]))
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        return future

    async def _read(self) -> None:
        reason = "the connection was closed"
        try:
            while line := await self._reader.readline():
                try:
                    message = Message.parse(line.rstrip(b"\r\n").decode(errors="replace"))
                except BadMessage:
                    continue
                if message.command == "ERROR":
                    reason = " ".join(message.params)
                await self._take(message)
        except (OSError, ValueError) as error:  # ValueError: a line beyond all limits
            reason = str(error)
        finally:
            self._end(reason)

    def _end(self, reason: str) -> None:
        self._ended = True
        if not self._welcomed.done():
            self._welcomed.set_exception(Unreachable(f"{self.url}: {reason}"))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Lost(reason))
                future.exception()  # whoever awaits it is told; nobody need
        if not self._heard.full():
            self._heard.put_nowait(None)

    async def _take(self, message: Message) -> None:
        handler = getattr(self, f"_on_{message.command.lower()}", None)
        if handler is not None:
            handler(message)
        else:
            self._note_answer(message)
        if self._hear and message.command not in UNHEARD:
            await self._heard.put(message)

    def _note_answer(self, message: Message) -> None:
        """Note if this is, or is part of, the answer to something asked."""
        label = message.tags.get("label")
        refused = _refusal(message)
        if label is not None:
            self._resolve(self._waiting.pop(label, None), refused or message)
        elif (batch := message.tags.get("batch")) in self._batches:
            if refused is not None or "msgid" in message.tags:
                self._resolve(self._batches[batch], refused or message)
        elif refused is not None and self._pinged:
            self._resolve(self._waiting.get(self._pinged[0]), refused)

    @staticmethod
    def _resolve(future: asyncio.Future[Message] | None, answer: Message | Refused) -> None:
        if future is None or future.done():
            return
        if isinstance(answer, Refused):
            future.set_exception(answer)
            future.exception()  # whoever awaits it is told; nobody need
        else:
            future.set_result(answer)

    def _on_batch(self, message: Message) -> None:
        """The answer to something begins, which has several lines; or it ends. (IRCv3 batch, labeled-response)"""
        sign, name = message.params[0][:1] if message.params else "", message.params[0][1:] if message.params else ""
        if sign == "+" and (future := self._waiting.pop(message.tags.get("label", ""), None)) is not None:
            self._batches[name] = future
        elif sign == "-":
            self._resolve(self._batches.pop(name, None), message)

    def _on_ping(self, message: Message) -> None:
        self.write("PONG", *message.params[:1])

    def _on_pong(self, message: Message) -> None:
        token = message.params[-1] if message.params else ""
        if token in self._pinged:
            self._pinged.remove(token)
            self._resolve(self._waiting.pop(token, None), message)

    def _on_cap(self, message: Message) -> None:
        if len(message.params) < 3:
            return
        subcommand, names = message.params[1].upper(), message.params[-1].split()
        if subcommand == "LS":
            offered = {name.partition("=")[0] for name in names}
            self.capabilities |= offered & set(WANTED)
            if message.params[2] != "*":
                wanted = " ".join(sorted(self.capabilities))
                self.capabilities = frozenset()
                self.write(*(("CAP", "REQ", wanted) if wanted else ("CAP", "END")))
        elif subcommand in ("ACK", "NAK"):
            if subcommand == "ACK":
                self.capabilities = frozenset(names)
            self.write("CAP", "END")

    def _on_001(self, message: Message) -> None:
        self.nick, self.server = message.params[0], message.source
        if not self._welcomed.done():
            self._welcomed.set_result(None)

    def _on_nick(self, message: Message) -> None:
        if message.source.partition("!")[0] == self.nick and message.params:
            self.nick = message.params[0]

    def _on_433(self, message: Message) -> None:
        """The name is taken: alice2 instead, and so on."""
        if not self._welcomed.done():
            self._taken += 1
            if self._taken > 20:
                self._welcomed.set_exception(Refused("NAME_TAKEN", f"{self._name} is in use", (self._name,)))
            else:
                self.nick = f"{self._name}{self._taken + 1}"
                self.write("NICK", self.nick)

    def _on_432(self, message: Message) -> None:
        if not self._welcomed.done():
            self._welcomed.set_exception(Refused("BAD_NAME", f"{self._name} cannot be a name here", (self._name,)))

    def _on_464(self, message: Message) -> None:
        if not self._welcomed.done():
            self._welcomed.set_exception(Refused("BAD_PASSWORD", "the server's password is another"))


def _refusal(message: Message) -> Refused | None:
    """The no that a message is, if it is one: `FAIL command CODE …` or a numeric from 400 on."""
    if message.command == "FAIL" and len(message.params) > 2:
        return Refused(message.params[1], message.params[-1], tuple(message.params[2:-1]))
    if len(message.command) == 3 and message.command.isdigit() and message.command[0] in "45" and message.params:
        if message.command in ("422", "433", "432"):  # no MOTD; names are another matter
            return None
        return Refused(message.command, message.params[-1], tuple(message.params[1:-1]))
    return None
