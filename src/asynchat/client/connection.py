"""One connection to a server: the socket, being let in, asking and being answered, reading.

It works with any IRC server. Where the server has `labeled-response` a command is answered under its label; elsewhere
by the PONG to a PING sent after it. It ends for good when the socket does.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from asynchat.chat.errors import BadMessage, Refused
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable
from asynchat.client.heard import Run
from asynchat.client.multiline import CAPABILITY, Assembler, Limits
from asynchat.client.patience import Patience
from asynchat.client.registration import Identity, Registration
from asynchat.client.stream import Stream, connect
from asynchat.client.trust import Trust
from asynchat.client.url import Url
from asynchat.wire.irc.message import Message

QUIET_S = 60.0
"""Silence after which the server is asked whether it is there."""
NAMES = 20
"""alice, alice2 … alice20: how many names are asked for."""
MOST_LINES = 10_000
"""Lines of one answer; no server of good will sends more."""
EACH_LINES = 100
"""For so many lines of one message the server gets its time once more: what is said fast may be read slowly."""
MOST_TOKENS = 500
"""Things that a server tells of itself."""
MOST_TOGETHER = 100
"""Lines that are handed on together: who falls behind is to notice that soon."""
if TYPE_CHECKING:
    import ssl

TALK = frozenset({"PRIVMSG", "NOTICE", "TAGMSG"})
UNHEARD = frozenset({"ACK", "BATCH", "CAP", "PING", "PONG"})
KEEPS_KEYS = frozenset({"message-tags", "labeled-response"})
RESUMES = frozenset({"batch", "draft/chathistory", "labeled-response", "message-tags", "server-time"})

Answer = asyncio.Future[list[Message]]
"""The lines with which a server answers: its acknowledgement alone, or all of a batch."""


class Asked:
    """Something that the server has not answered yet. The lines of a `quiet` answer are for who asked only."""

    __slots__ = ("answer", "lines", "quiet", "refused")

    def __init__(self, *, quiet: bool) -> None:
        self.answer: Answer = asyncio.get_running_loop().create_future()
        self.lines: list[Message] = []
        self.quiet = quiet
        self.refused: Refused | None = None

    def take(self, line: Message) -> None:
        """A line of the answer."""
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)
        self.refused = self.refused or _refusal(line)

    def finish(self) -> None:
        """That was all."""
        if self.refused is not None:
            self.fail(self.refused)
        elif not self.answer.done():
            self.answer.set_result(self.lines)

    def fail(self, error: Exception) -> None:
        """It will not be answered."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # whoever awaits it is told; nobody need


class Connection:
    """A connection under one name.

    `nick` is the name that it has, `capabilities` what was agreed on, `isupport` what the server tells of itself (005),
    `ended` why it is over. `wanted` are the capabilities to ask for; `timeout_s` is how long the server may take for
    anything.
    """

    def __init__(
        self,
        url: Url,
        identity: Identity,
        *,
        wanted: Collection[str],
        timeout_s: float,
        trust: Trust | None = None,
    ) -> None:
        self.url = url
        self.isupport: dict[str, str] = {}
        self.server = ""
        self.welcomed_at = ""
        """The server's time when it let us in, as its tag has it; "" if it does not tell."""
        self.ended: str | None = None
        self.on_ask: Callable[[], None] = lambda: None
        """Called when something is asked."""
        self._identity = identity
        self._trust = trust or Trust()
        private = (url.secure and not self._trust.anybody) or url.local
        self._registration = Registration(identity, wanted, self._say, private=private)
        self._assembler = Assembler()
        self._software = ""
        self._timeout_s = timeout_s
        self._stream: Stream
        self._aborted = False
        self._farewell = "the connection was closed"
        self._labels = itertools.count(1)
        self._asked: dict[str, Asked] = {}  # by label, or by the PING's token
        self._pinged: list[str] = []  # tokens, in order
        self._batches: dict[str, Asked] = {}  # those that belong to an answer, by name
        self._silence: asyncio.Timeout | None = None
        self._longest = 1  # lines of one message, among those that are asked

    # Beginning and ending.

    async def open(self) -> None:
        """Connect.

        Raises:
            Unreachable, Untrusted
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                self._stream = await connect(self.url, self._trust)
        except TimeoutError:
            raise Unreachable(f"{self.url} does not answer") from None

    async def register(self, *, patience: Patience, asks: int) -> None:
        """Be let in under the name of the identity, or as name2, name3 … if it is taken.

        The name is asked for `asks` times more before another is taken. It needs `read` to run.

        Raises:
            Unreachable, Refused, Lost
        """
        registration, name, number = self._registration, self._identity.name, 1
        registration.begin()
        while (no := await self._verdict()) is not None:
            if no.code != "NAME_TAKEN":
                raise no
            if asks > 0:
                asks -= 1
                await patience.sleep(patience.ask_s)
            elif number < NAMES:
                number += 1
            else:
                raise no
            registration.ask_for(name if number == 1 else f"{name}{number}")

    async def _verdict(self) -> Refused | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._registration.answer
        except TimeoutError:
            raise Unreachable(f"{self.url} does not answer") from None

    async def read(self, take: Callable[[Run], None], room: Callable[[], Awaitable[None]]) -> None:
        """Hand on what the server says, in runs, until the connection ends; what is open then fails with `Lost`.

        `take` may raise it too, to end the connection; `room` waits until more may be taken.
        """
        reason = ""
        try:
            while (lines := await self._lines()) and not self._aborted:
                for run in self._runs(lines):
                    take(run)
                await room()
        except Lost as lost:
            reason = str(lost)
            self._stream.abort()
        except TimeoutError:
            reason = "the server does not answer"
        except OSError as error:
            reason = str(error.strerror or error)
        finally:
            self._end(reason or self._farewell)

    def _runs(self, lines: list[bytes]) -> Iterator[Run]:
        """What of these lines is for others. What a message means for the connection is noted when its turn comes; a
        line of talk while nothing is expected means nothing for it, so those that follow each other stay together.
        """
        run: Run = []
        room = ""  # where that is said
        for line in lines:
            try:
                message = Message.parse(line.decode(errors="replace"))
            except BadMessage:
                continue
            if room and len(run) < MOST_TOGETHER and _room_of(message) == room:
                run.append(message)
                continue
            if run:
                yield run
            run, room = [], ""
            whole = self._assembler.take(message)
            if whole is not None and not self._note(whole) and whole.command not in UNHEARD:
                run, room = [whole], "" if self._expects else _room_of(whole)
        if run:
            yield run

    async def _lines(self) -> list[bytes]:
        """The next lines, none at the end. A server that says nothing is asked whether it is there.

        Raises:
            TimeoutError, OSError
        """
        if not self.asks:
            self._longest = 1
        try:
            async with asyncio.timeout(self.patience_s if self._asked else QUIET_S) as self._silence:
                return await self._stream.lines()
        except TimeoutError as error:
            if error.errno is not None:  # the kernel's
                raise
        finally:
            self._silence = None
        self._say("PING", "there")
        async with asyncio.timeout(self.patience_s):
            return await self._stream.lines()

    def _end(self, reason: str) -> None:
        self.ended = reason
        self._stream.close()
        answer: asyncio.Future[Refused | None] | None = getattr(self._registration, "answer", None)
        if answer is not None and not answer.done():
            answer.set_exception(Unreachable(f"{self.url}: {reason}"))
            answer.exception()
        for asked in (*self._asked.values(), *self._batches.values()):
            asked.fail(Lost(reason))

    def abort(self) -> None:
        """Drop the connection now; nothing more is read from it."""
        self._aborted = True
        self._stream.abort()

    async def close(self) -> None:
        """Let go of the socket."""
        self._stream.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._stream.closed()

    # What the server can do.

    @property
    def nick(self) -> str:
        """The name that it has."""
        return self._registration.nick

    @property
    def capabilities(self) -> frozenset[str]:
        """What was agreed on. (IRCv3 capability-negotiation)"""
        return self._registration.capabilities

    @property
    def multiline(self) -> Limits | None:
        """What one message of several lines may be; None if there are none."""
        if CAPABILITY not in self.capabilities or "batch" not in self.capabilities:
            return None
        return Limits.parse(self._registration.offered.get(CAPABILITY, ""))

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS that is spoken, if it is."""
        return self._stream.tls

    @property
    def is_ours(self) -> bool:
        """Whether the server is an asynchat."""
        return self._software.startswith("asynchat")

    @property
    def keeps_keys(self) -> bool:
        """Whether the same line under the same key is stored once: another server may know tags, but not ours."""
        return self.is_ours and self.capabilities >= KEEPS_KEYS

    @property
    def resumes(self) -> bool:
        """Whether what was missed can be fetched. (IRCv3 chathistory)"""
        return self.capabilities >= RESUMES

    @property
    def page(self) -> int:
        """How many messages one request for history gets."""
        limit = self.isupport.get("CHATHISTORY", "")[:9]
        return min(int(limit), 1000) if limit.isdecimal() and int(limit) else 100

    # Asking.

    @property
    def asks(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._asked or self._batches)

    @property
    def patience_s(self) -> float:
        """How long the server may take for the next thing that was asked: no line of a long message is answered."""
        return self._timeout_s * (1 + self._longest // EACH_LINES)

    @property
    def _expects(self) -> bool:
        """Whether a line may be part of something: of an answer, or of a longer message."""
        return bool(self._asked or self._batches or self._assembler.is_open)

    def write(self, command: str, *params: str) -> None:
        """Send a command and wait for nothing.

        Raises:
            BadMessage: a parameter cannot be written.
            Lost
        """
        self._write(Message(command, params))

    def signal(self, to: str, tags: Mapping[str, str]) -> None:
        """Send tags alone; nobody answers.

        Raises:
            BadMessage, Lost
        """
        self._write(Message("TAGMSG", [to], tags=tags))

    def ask(self, message: Message, *rest: Message, quiet: bool = False) -> Answer:
        """Send a command, or a batch of which that is the beginning; the answer is there when the server has done it,
        or has refused it.

        Raises:
            BadMessage, Lost
        """
        asked, number = Asked(quiet=quiet), str(next(self._labels))
        labels = "labeled-response" in self.capabilities
        tags = self._tags(message) | ({"label": number} if labels else {})
        self._write(Message(message.command, message.params, tags=tags))
        for each in rest:
            self._write(each)
        if not labels:
            self._pinged.append(number)
            self.write("PING", number)
        self._asked[number] = asked
        self._longest = max(self._longest, 1 + len(rest))
        self.on_ask()
        if self._silence is not None and not self._silence.expired():
            soon = asyncio.get_running_loop().time() + self.patience_s
            self._silence.reschedule(min(self._silence.when() or soon, soon))
        return asked.answer

    async def answered(self, answer: Answer) -> list[Message]:
        """Wait for an answer.

        Raises:
            Refused, Lost
            NotAcknowledged: it does not come in time.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.drained()
                return await answer
        except TimeoutError:
            raise NotAcknowledged(f"{self.url} did not say in time that it was done") from None

    async def drained(self) -> None:
        """Wait until most of what was written is sent.

        Raises:
            Lost
        """
        try:
            await self._stream.drain()
        except OSError:
            raise Lost("the connection was lost") from None

    def _tags(self, message: Message) -> dict[str, str]:
        return dict(message.tags) if "message-tags" in self.capabilities else {}

    def _write(self, message: Message) -> None:
        if self.ended is not None or self._stream.closing:
            raise Lost("the connection is closed")
        self._stream.write(message.encode())

    # Being answered.

    def _note(self, message: Message) -> bool:
        """Note what a message means for the connection; returns whether it is for who asked only."""
        handler = getattr(self, f"_on_{message.command.lower()}", None)
        if handler is not None:
            handler(message)
        if message.command not in TALK:
            self._registration.note(message)
        return self._note_answer(message)

    def _note_answer(self, message: Message) -> bool:
        """Note if this is, or is part of, the answer to something asked. (IRCv3 batch, labeled-response)"""
        label = message.tags.get("label")
        if message.command == "BATCH":
            self._note_batch(message, label)
        elif label is not None and (asked := self._asked.pop(label, None)) is not None:
            asked.take(message)
            asked.finish()
            return asked.quiet
        elif (asked := self._batches.get(message.tags.get("batch", ""))) is not None:
            asked.take(message)
            return asked.quiet
        elif self._pinged and (message.command.isdecimal() or message.command == "FAIL"):
            asked = self._asked[self._pinged[0]]
            asked.take(message)
            return asked.quiet
        return False

    def _note_batch(self, message: Message, label: str | None) -> None:
        sign, name = message.params[0][:1] if message.params else "", message.params[0][1:] if message.params else ""
        if sign == "+":
            asked = self._asked.get(label or "") or self._batches.get(message.tags.get("batch", ""))
            if asked is not None:
                self._batches[name] = asked
                self._asked.pop(label or "", None)
        elif (
            sign == "-" and (asked := self._batches.pop(name, None)) is not None and asked not in self._batches.values()
        ):
            asked.finish()

    def _on_ping(self, message: Message) -> None:
        with suppress(Lost):
            self.write("PONG", *message.params[:1])

    def _on_pong(self, message: Message) -> None:
        token = message.params[-1] if message.params else ""
        if token in self._pinged:
            self._pinged.remove(token)
            self._asked.pop(token).finish()

    def _on_error(self, message: Message) -> None:
        self._farewell = " ".join(message.params)

    def _say(self, command: str, *params: str) -> None:
        with suppress(Lost):  # the reading will find out
            self.write(command, *params)

    def _on_001(self, message: Message) -> None:
        self.server = message.source
        self.welcomed_at = message.tags.get("time", "")

    def _on_004(self, message: Message) -> None:
        self._software = message.params[2] if len(message.params) > 2 else ""

    def _on_005(self, message: Message) -> None:
        for token in message.params[1:-1] if len(self.isupport) < MOST_TOKENS else []:
            name, _, value = token.partition("=")
            self.isupport[name] = value

    def _on_nick(self, message: Message) -> None:
        if message.source.partition("!")[0] == self.nick and message.params:
            self._registration.nick = message.params[0]


def _room_of(message: Message) -> str:
    """The room in which a line was said; "" if it was not."""
    params = message.params
    return params[0] if message.command == "PRIVMSG" and len(params) == 2 and params[0][:1] == "#" else ""


def _refusal(message: Message) -> Refused | None:
    """The no that a message is, if it is one: `FAIL command CODE …` or a numeric from 400 on."""
    if message.command == "FAIL" and len(message.params) > 2:
        return Refused(message.params[1], message.params[-1], tuple(message.params[2:-1]))
    if len(message.command) == 3 and message.command.isdigit() and message.command[0] in "45" and message.params:
        if message.command in ("422", "433", "432"):  # no MOTD; names are another matter
            return None
        return Refused(message.command, message.params[-1], tuple(message.params[1:-1]))
    return None
