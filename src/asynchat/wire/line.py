"""The line wire: netcat, telnet, and the clients of tutorials.

Those clients send no newline, so what has come without one becomes a line after a pause; how long depends on what else
is known of the other end. (Two sends within that pause become one line.)
"""

from __future__ import annotations

import re

from asynchat.wire.house import House
from asynchat.wire.lines import Splitter
from asynchat.wire.session import NEVER, Link
from asynchat.wire.talk.render import Phrase
from asynchat.wire.talk.session import TalkSession

FLUSH_S = 0.1
FLUSH_UNFINISHED_S = 0.5
"""When a character is incomplete, or more is surely on its way."""
FLUSH_TYPING_S = 2.0
"""When a person types, or this client has ended lines before."""

_TELNET = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[\xf0-\xf9\xff])|\r\0", re.DOTALL)
_UNFINISHED = re.compile(rb"(?:\xff(?:[\xfb-\xfe]|\xfa(?:(?!\xff\xf0).)*)?|\r)\Z", re.DOTALL)
_LONGEST_COMMAND = 256
_IAC = b"\xff"


def framing(phrase: Phrase) -> bytes:
    """`<name> text`, or `sign text`."""
    who = f"<{phrase.who}>" if phrase.named else phrase.who
    return f"{phrase.before}{who} {phrase.text}\n".encode()


class LineSession(TalkSession):
    """A person with netcat, or a program that sends text."""

    wire = "line"
    framing = staticmethod(framing)

    __slots__ = ("_is_telnet", "_newlines", "_splitter", "_telnet")

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._splitter = Splitter(house.max_line)
        self._newlines = False
        self._telnet = b""  # a telnet command that is not whole yet
        self._is_telnet = False

    async def receive(self, data: bytes) -> None:
        size = len(data)
        if _IAC in data or self._is_telnet:
            data = self._without_telnet(data)
        if not self._newlines and b"\n" in data:
            self._newlines = True
        await self.run(self._splitter.feed(data))
        self._set_wake(size)

    def _set_wake(self, size: int) -> None:
        """Set when what is left becomes a line. `size`: bytes in the last read."""
        rest = self._splitter.rest
        give_up = NEVER if self.user is not None else self.began + self.house.register_timeout_s
        if self._is_telnet or not (rest or self._splitter.discarding):
            self.wake_at = give_up
            return
        if self._newlines or size == 1 or self._splitter.discarding:
            pause = FLUSH_TYPING_S
        elif size >= self.house.read_buffer or unfinished(rest):
            pause = FLUSH_UNFINISHED_S
        else:
            pause = FLUSH_S
        self.wake_at = min(self.heard_at + pause, give_up)

    async def wake(self, now: float) -> None:
        if self.lagging:  # what it says waits, too
            self.wake_at = now + FLUSH_TYPING_S
            return
        rest = self._splitter.rest
        if self._splitter.discarding and not self._newlines:
            self._splitter.flush()  # it never ends a line: what comes next is another
        if rest and not self._is_telnet:
            await self.line(self._splitter.flush())
        self.wake_at = NEVER if self.user is not None else self.began + self.house.register_timeout_s
        if not self.closing:
            await super().wake(now)

    async def eof(self) -> None:
        if self._splitter.rest:
            await self.line(self._splitter.flush())
        await super().eof()

    def _without_telnet(self, data: bytes) -> bytes:
        """What is left without telnet's commands, which are not answered; CR NUL ends a line. (RFC 854)"""
        self._is_telnet = True
        data, self._telnet = self._telnet + data, b""
        whole, cut = [], 0
        for command in _TELNET.finditer(data):
            whole.append(data[cut : command.start()])
            whole.append({b"\xff\xff": b"\xff", b"\r\0": b"\n"}.get(command[0], b""))
            cut = command.end()
        rest = data[cut:]
        unfinished = _UNFINISHED.search(rest)
        if unfinished is not None and len(unfinished[0]) < _LONGEST_COMMAND:
            self._telnet, rest = unfinished[0], rest[: unfinished.start()]
        return b"".join((*whole, rest))


def unfinished(data: bytes) -> bool:
    """Whether the last character of UTF-8 is cut."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            return back < (2 if byte >= 0xC0 else 1) + (byte >= 0xE0) + (byte >= 0xF0)
    return False
