"""What was said and is not stored yet, for all that is known."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator

from asynchat.client.connection import Answer, Connection
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.wire.irc.message import BODY_LIMIT, Message, split_text

KEY_TAG = "+asynchat/key"
OVERHEAD = 100
"""Bytes of a line for prefix and command, which the server adds when it relays."""


class Saying:
    """One line. `stored` is done with the server's acknowledgement, whose tag `msgid` is the id of what was stored.

    `asked` is the answer that is waited for, if the line is on its way.
    """

    __slots__ = ("asked", "message", "stored")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.asked: Answer | None = None
        self.stored: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        """It was not stored, or nobody knows."""
        if not self.stored.done():
            self.stored.set_exception(error)
            self.stored.exception()  # whoever awaits it is told; nobody need


class Outbox:
    """Lines in the order in which they were said, each until it is acknowledged or refused.

    Each has a key, under which the server stores it once, however often it is sent.
    """

    def __init__(self) -> None:
        self._sayings: dict[Saying, None] = {}
        self._name = secrets.token_hex(16)
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Saying]:
        return iter(tuple(self._sayings))

    def __len__(self) -> int:
        return len(self._sayings)

    def add(self, to: str, text: str, *, key: str | None = None, action: bool = False) -> list[Saying]:
        """Take a text that is to be said to a room or a person: a saying for each of its lines, and of their pieces.

        Raises:
            BadMessage: it cannot be written.
        """
        room = BODY_LIMIT - OVERHEAD - len(to.encode()) - (9 if action else 0)
        pieces = [piece for piece in split_text(text.replace("\r", ""), room) if piece.strip()]
        sayings = []
        for number, piece in enumerate(pieces, 1):
            if key is None:
                its_key = f"{self._name}/{next(self._numbers)}"
            else:
                its_key = key if len(pieces) == 1 else f"{key}/{number}"
            message = Message("PRIVMSG", [to, f"\x01ACTION {piece}\x01" if action else piece], tags={KEY_TAG: its_key})
            message.encode()
            sayings.append(Saying(message))
        self._sayings |= dict.fromkeys(sayings)
        return sayings

    def send(self, saying: Saying, connection: Connection) -> None:
        """Put a line on its way.

        Raises:
            Lost
        """
        asked = saying.asked = connection.ask(saying.message)
        asked.add_done_callback(lambda _: self._settle(saying))

    def _settle(self, saying: Saying) -> None:
        """Let go of a line that is answered."""
        asked = saying.asked
        if asked is None or not asked.done() or asked.cancelled():
            return
        error = asked.exception()
        if isinstance(error, Lost):
            return
        if error is not None:
            saying.fail(error)
        elif not saying.stored.done():
            lines = asked.result()
            first = next((line for line in lines if "msgid" in line.tags), None)
            saying.stored.set_result(first or (lines[-1] if lines else Message("ACK")))
        self._sayings.pop(saying, None)

    def lost(self, *, keeps_keys: bool) -> None:
        """The connection is gone. What was on its way waits for the next one if the server knows keys; else it fails.

        Without keys nobody can tell whether it was stored, and sent again it may be there twice.
        """
        for saying in self:
            if saying.asked is None:
                continue
            self._settle(saying)
            saying.asked = None
            if not keeps_keys and saying in self._sayings:
                del self._sayings[saying]
                words = saying.message.params[-1]
                saying.fail(NotAcknowledged(f"the connection was lost, and it may or may not have been said: {words}"))

    def fail(self, error: Exception) -> None:
        """There will be no other connection."""
        for saying in self:
            self._settle(saying)
            saying.fail(error)
        self._sayings.clear()
