"""A program at one server: it has functions for what is said, or takes it in a loop of its own.

bot = asynchat.Client("asynchat://lab:12345", name="helper", cursor="helper.cur")


@bot.on_mention
async def answer(message):
    await message.reply("yes?")


bot.run()
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, overload

from asynchat.chat.errors import NoText, Refused
from asynchat.client import keys
from asynchat.client.errors import Lost
from asynchat.client.handlers import (
    MESSAGES,
    Handler,
    HappeningHandler,
    HappeningKind,
    MessageHandler,
    MessageKind,
)
from asynchat.client.incoming import REACT, REPLY, Incoming, Sent, incoming
from asynchat.client.life import Life
from asynchat.client.outbox import KEY_TAG
from asynchat.client.past import past
from asynchat.client.room import ClientRoom
from asynchat.wire.irc.message import Message

COMMANDS: Mapping[str, str] = {"message": "PRIVMSG", "action": "PRIVMSG", "notice": "NOTICE"}


class Client(Life):
    """A program that is somebody at a server: ours, or any other that speaks IRC, whose extensions are used if it has
    them (IRCv3).

    `url` is asynchat://host:port#room, ircs://host, wss://host/ or unix:///path. Keywords:

    - `name`: as whom it comes; helper2, if somebody else is helper. See `nick`.
    - `rooms`: which to enter, or the one; by default that of the URL, else #lobby. `()` is none.
    - `password` and `account`: what to log in with; the account is called like the program, unless it is given.
      `certificate`: a file with a certificate and its key, to log in with instead. `gate`: the server's own password.
    - `ca`: a file with the certificates to trust instead of the system's. `pin`: the SHA-256 of the one to trust.
    - `cursor`: a file that keeps what is done with. Who begins again with it is handed everything that was said
      meanwhile, in order, in its rooms and, with an account, by direct message. At first it begins with what is said
      from then on.
    - `reconnect`: a connection that is lost is made again, and what was missed is handed on.
    - `wait_s`: for how long to try until the server is up at first. `timeout_s`: how long the server may take to
      answer, and handlers to finish at the end.

    It is entered by `async with`, or by `run`, and leaves no task behind; who is cancelled while leaving does not wait
    until handlers have finished. What one says is not heard. Handlers run in order in each room and each
    conversation, in up to 16 of these at once; what waits is bounded, and who does not keep up is behind, and misses
    nothing where the server keeps history. An exception in a handler, or that something is cancelled that it waits for,
    is logged (`asynchat.bot`), counted in `failed`, and does not end the program; nor does a slow one, which the log
    names after 5 seconds. What is no `Exception` ends it, and is raised by `run`, `stay` or at the end of the block.

    A message is done with, and its position saved, when its handlers have returned. If the program is killed before
    that (`kill -9`) it comes again: only those do that were being handled. `Incoming.reply` says nothing twice even
    then.

    Raises on making:
        ValueError: the URL is none, or the pin; or nobody can be called so.
    Raises on entering:
        RuntimeError: it is entered already.
        Unreachable, Untrusted
        Refused: the name, the password or a room.
        StoreError: the cursor is in use, or cannot be read or written.
    """

    # Handlers.

    def on_message[F: MessageHandler](self, handler: F) -> F:
        """Have a function be called with each message (`Incoming`) in the rooms that it is in.

        Raises:
            RuntimeError: the client is entered already.
        """
        return self._on("message", handler)

    def on_mention[F: MessageHandler](self, handler: F) -> F:
        """Have a function be called with each message in a room that has its name in it, as a word.

        Raises:
            RuntimeError: the client is entered already.
        """
        return self._on("mention", handler)

    def on_direct[F: MessageHandler](self, handler: F) -> F:
        """Have a function be called with each direct message.

        Raises:
            RuntimeError: the client is entered already.
        """
        return self._on("direct", handler)

    @overload
    def on[F: MessageHandler](self, kind: MessageKind) -> Callable[[F], F]: ...
    @overload
    def on[F: HappeningHandler](self, kind: HappeningKind) -> Callable[[F], F]: ...
    def on[F: Handler](self, kind: str) -> Callable[[F], F]:
        """Have a function be called with whatever is of that kind: message, mention, direct and notice get an
        `Incoming`; join, leave, topic, rename, invite, reaction, unreaction, typing, lost and back a `Happening`.

        Raises:
            ValueError: there is no such kind.
            RuntimeError: the client is entered already.
        """
        self._handlers.check(kind)
        return lambda handler: self._on(kind, handler)

    def _on[F: Handler](self, kind: str, handler: F) -> F:
        if self._entered:
            raise RuntimeError("handlers are added before the client is entered")
        self._handlers.add(kind, handler)
        return handler

    # Rooms.

    async def join(self, room: str, key: str = "") -> ClientRoom:
        """Enter a room, and enter it again after each reconnect. `key` is what the room asks for, if it does.

        With a cursor that knows the room, what was said since then is handed on.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self._join(room, key)
        return ClientRoom(room, self)

    async def leave(self, room: str, reason: str = "") -> None:
        """Leave a room.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self._inside().talker.part(room, reason)

    # Talking.

    async def send(
        self,
        to: str,
        text: str,
        *,
        key: str | None = None,
        kind: Literal["message", "action", "notice"] = "message",
        reply_to: str | None = None,
    ) -> Sent:
        """Say something to a room or a person, and wait until it is stored. While there is no connection it waits.

        What is sent again to the same under the same `key`, by a program of the same name, is stored once, on a server
        of ours; the first id is returned then. `kind` is message, action or notice; `reply_to` the id of the message
        that it is a reply to. A text that is too long for one message becomes several.

        Raises:
            Refused: NO_TEXT, or what the server says.
            Lost: without `reconnect`, or the server does not want us any more.
            NotAcknowledged: the connection was lost and the server knows no keys: it may have been said or not. Without
                `reconnect` also if it does not answer in time.
            BadMessage: it cannot be written.
            ValueError: there is no such kind.
        """
        talker = self._inside().talker
        if kind not in COMMANDS:
            raise ValueError(f"{kind!r} cannot be said: {', '.join(COMMANDS)} can")
        if not text.strip():
            raise NoText
        said = talker.start_sending(
            to,
            text,
            key=keys.wire_key(self.name, to, key) if key is not None else None,
            action=kind == "action",
            command=COMMANDS[kind],
            reply_to=reply_to,
        )
        return Sent(to, tuple([(await talker.answer(each)).tags.get("msgid", "") for each in said]))

    async def react(self, to: str, message: str, emoji: str, *, key: str | None = None) -> None:
        """React to a message, by its id, in a room or a conversation. (IRCv3 react)

        Raises:
            Refused: NO_REACTIONS, the server knows no tags; or what the server says.
            Lost, NotAcknowledged
        """
        talker = self._inside().talker
        if not message or "message-tags" not in talker.capabilities:
            raise Refused("NO_REACTIONS", "one cannot react to messages here")
        tags = {REACT[0]: emoji, REPLY[0]: message, KEY_TAG: keys.wire_key(self.name, to, key or secrets.token_hex(16))}
        while True:
            try:
                await talker.request(Message("TAGMSG", [to], tags=tags))
                return
            except Lost:
                if not self.reconnect or talker.ended_by is not None:
                    raise

    def typing(self, to: str, state: Literal["active", "paused", "done"] = "active") -> None:
        """Tell a room or a person that one types: active, paused or done. Others forget it after 6 seconds.

        Nothing is told while there is no connection, or on a server that knows no tags. (IRCv3 typing)
        """
        talker = self._inside().talker
        if "message-tags" in talker.capabilities:
            with suppress(Lost):
                talker.signal(to, {"+typing": state})

    async def ask(self, command: str, *params: str) -> list[tuple[str, ...]]:
        """Send an IRC command, and wait for the answer, which is handed on nowhere else: of each line its command, or
        numeric, and its parameters. `await bot.ask("KICK", "#lobby", "bob", "enough")`

        Raises:
            Refused, Lost, NotAcknowledged
            BadMessage: it cannot be written.
        """
        lines = await self._inside().talker.request(Message(command, params), quiet=True)
        return [(line.command, *line.params) for line in lines]

    def key_for(self, message: str, what: str) -> str:
        """The key of something that follows from a message, by its id. See `Incoming.key`."""
        return keys.derived_key(self._secret, message or secrets.token_hex(16), what)

    # Hearing.

    def messages(self) -> AsyncIterator[Incoming]:
        """The messages (`Incoming`) of all rooms and people as they come: `async for message in bot.messages()`.

        A message is done with when the next one is asked for, or when the client is left without an error. It ends with
        the connection. It is for programs without handlers; one loop at a time.

        Raises:
            RuntimeError: there are handlers for messages, which get them.
        """
        if self._handlers.has(MESSAGES):
            raise RuntimeError("messages go to the handlers")
        return self._inside().reading

    async def history(
        self,
        place: str,
        *,
        before: str | datetime | Incoming | None = None,
        after: str | datetime | Incoming | None = None,
        limit: int | None = 100,
    ) -> AsyncIterator[Incoming]:
        """What was said in a room that one is in, or with a person, in order: the last `limit` messages, those before a
        message or a time, or the first after one. Ids, times (aware) and messages will do. None is no limit.

        Raises:
            Refused: NO_HISTORY, the server keeps none; or what the server says.
            Lost, NotAcknowledged
            ValueError: `before` or `after` is no id; those of other servers than ours can be any text.
        """
        talker = self._inside().talker
        first, last = _reference(after, numbers=talker.is_ours), _reference(before, numbers=talker.is_ours)
        async for line in past(talker, place, before=last, after=first, limit=limit):
            if (message := self._incoming(line)) is not None:
                yield message

    def _incoming(self, message: Message) -> Incoming | None:
        return incoming(message, self.nick, self)


def _reference(at: str | datetime | Incoming | None, *, numbers: bool) -> str:
    """A message or a time as CHATHISTORY refers to it; ids may be `numbers` only.

    Raises:
        ValueError: it is none.
    """
    if at is None:
        return ""
    if isinstance(at, datetime):
        return f"timestamp={at.astimezone(UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')}"
    known = at.id if isinstance(at, Incoming) else at
    if not known or (numbers and not (known.isascii() and known.isdecimal())):
        raise ValueError(f"{known!r} is no id of a message")
    return f"msgid={known}"
