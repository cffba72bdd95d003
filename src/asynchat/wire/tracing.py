"""Sessions that tell what comes in and what it means: see `net.tracing`, which puts them in the place of the others.

No password is shown, nor what may be one: what stands behind a command that takes one; what is no command, since it may
be one that was mistyped; and where a name is asked for, all but the first line. Of HTTP a path is
shown, and the origin of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

import h11

from asynchat.chat.errors import BadMessage, BadName
from asynchat.chat.names import casefold, check_person
from asynchat.wire.frame import HEADER, FrameSession, Unpacker
from asynchat.wire.house import House
from asynchat.wire.http import HttpSession, asks_for_websocket
from asynchat.wire.irc.commands import COMMANDS
from asynchat.wire.irc.message import Message
from asynchat.wire.irc.session import IrcSession
from asynchat.wire.line import LineSession
from asynchat.wire.session import Link, Session
from asynchat.wire.talk.session import Stage, TalkSession

SECRET_IRC = frozenset({"PASS", "AUTHENTICATE", "OPER", "REGISTER", "VERIFY"})
SECRET_TALK = frozenset({"key", "login", "register", "resume"})
"""Commands behind which something is secret."""
NICKSERV = "nickserv"
HIDDEN = "***"
LONGEST = 60
"""Characters of what came that are shown."""


class Told(Protocol):
    """Who is told of the steps."""

    def came(self, session: object) -> None: ...

    def went(self, session: object) -> None: ...

    def step(self, session: object, wire: str, step: str, text: str) -> None: ...


def shown(text: str) -> str:
    """A text with everything escaped that does not show, and cut."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: LONGEST + 1])
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


class Traced(Session):
    """The part of a traced session that is the same on every wire. There is no short way for a line here."""

    trace: Told
    unit = "line"
    """What the wire is cut into."""

    def _begin(self, trace: Told) -> None:
        self.trace = trace
        trace.came(self)

    def at_once(self, data: bytes) -> bool:
        return False

    def quick(self, line: bytes) -> bool:
        return False

    async def receive(self, data: bytes) -> None:
        told = self.told_of(data)
        self._step("bytes", f"{len(data)} B" + (f'  "{shown(told)}"' if told is not None else ""))
        await super().receive(data)

    async def line(self, line: bytes | None) -> None:
        if line is None:
            self._step(self.unit, "(too long)")
        else:
            safe, verb = self.meaning_of(line.decode(errors="backslashreplace"))
            self._step(self.unit, shown(safe))
            self._step("verb", verb)
        await super().line(line)

    async def gone(self, reason: str) -> None:
        try:
            await super().gone(reason)
        finally:
            self._step("end", shown(reason))
            self.trace.went(self)

    def told_of(self, data: bytes) -> str | None:
        """What may be shown of what came; None if nobody knows yet what it is part of."""
        raise NotImplementedError

    def meaning_of(self, text: str) -> tuple[str, str]:
        """What may be shown of a line, and what it asks for."""
        raise NotImplementedError

    def _safe_lines(self, data: bytes) -> str | None:
        """What may be shown of lines that are whole."""
        if not data.endswith(b"\n"):
            return None
        told = []
        for line in data.decode(errors="backslashreplace").split("\n")[:-1]:
            end = "\r\n" if line.endswith("\r") else "\n"
            told.append(self.meaning_of(line.removesuffix("\r"))[0] + end)
        return "".join(told)

    def _step(self, step: str, text: str) -> None:
        self.trace.step(self, self.wire, step, text)


class TracedIrc(Traced, IrcSession):
    """IRC, traced."""

    def __init__(self, trace: Told, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._begin(trace)

    def told_of(self, data: bytes) -> str | None:
        return None if self._splitter.rest or self._splitter.discarding else self._safe_lines(data)

    def meaning_of(self, text: str) -> tuple[str, str]:
        try:
            message = Message.parse(text)
        except BadMessage:
            return HIDDEN, "no message"
        command = message.command
        if command in SECRET_IRC:
            return f"{command} {HIDDEN}", f"{command}  {HIDDEN}"
        if command not in COMMANDS:
            return HIDDEN, "no command"
        if message.params and casefold(message.params[0]) == NICKSERV:  # whom clients tell the password by themselves
            return f"{command} {NICKSERV} {HIDDEN}", f"{command}  {NICKSERV}  {HIDDEN}"
        if _has_key(message):
            return f"{command} {message.params[0]} {HIDDEN}", f"{command}  {shown(message.params[0])}  {HIDDEN}"
        return text, "  ".join((command, *map(shown, message.params)))


def _has_key(message: Message) -> bool:
    """Whether the word that opens a room may be in it."""
    params = message.params
    return (message.command == "JOIN" and len(params) > 1) or (
        message.command == "MODE" and "k" in "".join(params[1:2])
    )


class TracedTalk(Traced, TalkSession):
    """What line and frame share, traced. `asked`: it has said something that was to be its name."""

    asked = False

    def meaning_of(self, text: str) -> tuple[str, str]:
        if self._stage is Stage.NAME:
            first, self.asked = not self.asked, True
            return (text if first and self._may_be_a_name(text) else HIDDEN), "name"
        if self._stage is not Stage.TALK:
            return HIDDEN, "password"
        if text[:1] == "/" and text[:2] != "//":
            name = casefold(text[1:].partition(" ")[0])
            if name not in self.commands:
                return HIDDEN, "no command"
            if name == "join":
                words = text.split(maxsplit=2)
                return " ".join([*words[:2], HIDDEN][: len(words)]), f"/{name}"
            return f"/{name} {HIDDEN}" if name in SECRET_TALK else text, f"/{name}"
        return text, f"say  {shown(self.room or '(nowhere)')}"

    def _may_be_a_name(self, text: str) -> bool:
        try:
            check_person(text.partition(": ")[0].strip(), self.hub.limits.name)
        except BadName:
            return False
        return True


class TracedLine(TracedTalk, LineSession):
    """The line wire, traced."""

    def __init__(self, trace: Told, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._begin(trace)

    def told_of(self, data: bytes) -> str | None:
        pending = self._splitter.rest or self._splitter.discarding or self._telnet
        return None if pending or self._stage is not Stage.TALK else self._safe_lines(data)


class TracedFrame(TracedTalk, FrameSession):
    """The frame wire, traced."""

    unit = "frame"

    def __init__(self, trace: Told, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._begin(trace)

    def told_of(self, data: bytes) -> str | None:
        if self._unpacker.pending or self._stage is not Stage.TALK:
            return None
        whole = Unpacker(self.house.max_line)
        packets = whole.feed(data) if data[:1].isdigit() else []
        if whole.pending or not packets:
            return None
        texts = (packet.decode(errors="backslashreplace") for packet in packets)
        return "".join(
            f"{len(each):<{HEADER}}{self.meaning_of(text)[0]}" for each, text in zip(packets, texts, strict=True)
        )


class TracedHttp(Traced, HttpSession):
    """HTTP, traced: what is asked for, and how it is answered. What is said in a WebSocket is traced as IRC."""

    def __init__(self, trace: Told, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._begin(trace)

    def told_of(self, data: bytes) -> None:
        return None

    async def take(self, request: h11.Request) -> None:
        path, question, _ = request.target.decode("ascii", "backslashreplace").partition("?")
        asked = [path + (question and f"?{HIDDEN}") if path[:1] == "/" else HIDDEN]
        if asks_for_websocket(request):
            origins = [value.decode("latin-1") for name, value in request.headers if name == b"origin"]
            asked += ["WebSocket", *(f"from {origin}" for origin in origins)]
        self._step("verb", "  ".join(map(shown, (request.method.decode("ascii"), *asked))))
        await super().take(request)

    async def switch(self, session: Session, headers: list[tuple[str, str]]) -> None:
        self._step("answer", "101  WebSocket")
        await super().switch(session, headers)

    def answer(self, status: int, text: str, kind: str = "text/plain", *, more: Sequence[tuple[str, str]] = ()) -> None:
        self._step("answer", f"{status}  {shown(text.strip())}" if status != HTTPStatus.OK else f"{status}")
        super().answer(status, text, kind, more=more)
