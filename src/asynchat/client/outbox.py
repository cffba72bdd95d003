"""What was said and is not stored yet, for all that is known."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator

from asynchat.client.connection import Answer, Connection
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.multiline import Limits, batch, parts
from asynchat.wire.irc.message import BODY_LIMIT, Message, split_text

KEY_TAG = "+asynchat/key"
REPLY_TAG = "+draft/reply"
OVERHEAD = 100
"""Bytes of a line for prefix and command, which the server adds when it relays."""
LEAST = 40
"""Bytes of text in a line to somebody whose name is so long that there would be no room."""
OURS = 256
"""Lines that are on their way to a server of ours at once. Who talks fast is read more slowly there: what is far ahead
of that would only lie in buffers, with the answers to the server's PINGs behind it."""
OTHERS = 8
"""The same for other servers, many of which put out whoever sends some twenty lines that they have not taken yet."""


class Saying:
    """One message. `stored` is done with the server's acknowledgement, whose tag `msgid` is the id of what was stored.

    `message` may have line breaks in its text; `asked` is the answer that is waited for, if it is on its way, for which
    it takes so many `lines`.
    """

    __slots__ = ("asked", "lines", "message", "stored")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.asked: Answer | None = None
        self.lines = 0
        self.stored: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    @property
    def to(self) -> str:
        """The room or the person it is for."""
        return self.message.params[0]

    @property
    def text(self) -> str:
        """What is said, without what marks an action."""
        text = self.message.params[1]
        return text[8:-1] if self.action else text

    @property
    def action(self) -> bool:
        """Whether it says what somebody does."""
        return self.message.params[1].startswith("\x01ACTION ")

    def on_the_wire(self, limits: Limits | None) -> list[Message]:
        """The messages it is sent as; with limits, several are one batch, else each stands for itself."""
        room = room_for(self.to)
        lines = split_text(self.message.params[1], room)
        if len(lines) == 1:
            return [self.message]
        if limits is not None:
            return list(batch(self.message, room))
        key = self.message.tags[KEY_TAG]
        spoken = [line for line in lines if line.strip()]
        return [
            Message(self.message.command, [self.to, line], tags={KEY_TAG: f"{key}/{number}"})
            for number, line in enumerate(spoken, 1)
        ]

    def fail(self, error: BaseException) -> None:
        """It was not stored, or nobody knows."""
        if not self.stored.done():
            self.stored.set_exception(error)
            self.stored.exception()  # whoever awaits it is told; nobody need


class Outbox:
    """Messages in the order in which they were said, each until it is acknowledged or refused.

    Each has a key, under which the server stores it once, however often it is sent. Few are on their way at once, and
    the others wait for their turn: `on_turn` is called when it has come. `settled_at` is when something was answered
    last, on the loop's clock.
    """

    def __init__(self, on_turn: Callable[[], None] = lambda: None) -> None:
        self.settled_at = 0.0
        self._on_turn = on_turn
        self._sayings: dict[Saying, None] = {}
        self._waiting: deque[Saying] = deque()
        self._flying = 0  # lines
        self._name = os.urandom(16).hex()
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Saying]:
        return iter(tuple(self._sayings))

    def __len__(self) -> int:
        return len(self._sayings)

    def add(
        self,
        to: str,
        text: str,
        *,
        key: str | None = None,
        action: bool = False,
        command: str = "PRIVMSG",
        limits: Limits | None = None,
        reply_to: str | None = None,
    ) -> list[Saying]:
        """Take a text that is to be said to a room or a person: a saying for each message that it needs.

        The first one is marked as the reply to a message, if the id of that is given. (IRCv3 reply)

        With `limits` that is as few as they allow; without, one for each of its lines, and of their pieces.

        Raises:
            BadMessage: it cannot be written.
        """
        room = room_for(to) - (9 if action else 0)
        text = text.replace("\r", "")
        if limits is None or action:
            pieces = [piece for piece in split_text(text, room) if piece.strip()]
        else:
            pieces = [piece for piece in parts(text, limits, room) if piece.strip()]
        sayings = []
        for number, piece in enumerate(pieces, 1):
            if key is None:
                its_key = f"{self._name}/{next(self._numbers)}"
            else:
                its_key = key if len(pieces) == 1 else f"{key}/{number}"
            words = f"\x01ACTION {piece}\x01" if action else piece
            replies = {REPLY_TAG: reply_to} if reply_to is not None and number == 1 else {}
            saying = Saying(Message(command, [to, words], tags={KEY_TAG: its_key} | replies))
            for message in saying.on_the_wire(limits):
                message.encode()
            sayings.append(saying)
        self._sayings |= dict.fromkeys(sayings)
        self._waiting += sayings
        return sayings

    def send(self, connection: Connection) -> list[Saying]:
        """Put messages on their way that wait, in order, as many as may be at once; returns them.

        Raises:
            Lost
        """
        most, sent = OURS if connection.keeps_keys else OTHERS, []
        while self._waiting and self._flying < most:
            self._send(self._waiting[0], connection)
            sent.append(self._waiting.popleft())
        return sent

    def _send(self, saying: Saying, connection: Connection) -> None:
        limits = connection.multiline
        messages = saying.on_the_wire(limits)
        if limits is not None or len(messages) == 1:
            saying.asked = connection.ask(*messages)
        else:
            saying.asked = _all([connection.ask(message) for message in messages])
        saying.lines = len(messages)
        self._flying += saying.lines
        saying.asked.add_done_callback(lambda _: self._answered(saying))

    @property
    def holds_back(self) -> Saying | None:
        """The message that is answered next, while others wait until it is."""
        return next(iter(self._sayings)) if self._waiting and self._flying else None

    def _answered(self, saying: Saying) -> None:
        self._settle(saying)
        if self._waiting:
            self._on_turn()

    def _settle(self, saying: Saying) -> None:
        """Let go of a line that is answered."""
        asked = saying.asked
        if asked is None or not asked.done() or asked.cancelled():
            return
        error = asked.exception()
        if isinstance(error, Lost):
            return
        self.settled_at = asyncio.get_running_loop().time()
        if error is not None:
            saying.fail(error)
        elif not saying.stored.done():
            lines = asked.result()
            first = next((line for line in lines if "msgid" in line.tags), None)
            saying.stored.set_result(first or (lines[-1] if lines else Message("ACK")))
        if saying in self._sayings:
            del self._sayings[saying]
            self._flying -= saying.lines

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
                words = f"the connection was lost, and it may or may not have been said: {saying.text}"
                saying.fail(NotAcknowledged(words))
        self._waiting, self._flying = deque(self._sayings), 0

    def fail(self, error: Exception) -> None:
        """There will be no other connection."""
        for saying in self:
            self._settle(saying)
            saying.fail(error)
        self._sayings.clear()
        self._waiting.clear()
        self._flying = 0


def room_for(to: str) -> int:
    """Bytes of text that a line to somebody has room for."""
    return max(BODY_LIMIT - OVERHEAD - len(to.encode()), LEAST)


def _all(answers: list[Answer]) -> Answer:
    """The answers to several messages as one."""
    whole: Answer = asyncio.get_running_loop().create_future()
    left = len(answers)

    def answered(answer: Answer) -> None:
        nonlocal left
        left -= 1
        if whole.done():
            return
        if answer.cancelled():
            whole.cancel()
        elif (error := answer.exception()) is not None:
            whole.set_exception(error)
            whole.exception()
        elif not left:
            whole.set_result([line for each in answers for line in each.result()])

    for answer in answers:
        answer.add_done_callback(answered)
    return whole
