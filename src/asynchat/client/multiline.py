"""Messages of several lines: one message here, a batch on the wire. (IRCv3 draft/multiline)"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from asynchat.wire.irc.message import Message, split_text

CAPABILITY = "draft/multiline"
CONCAT = "draft/multiline-concat"
MOST_OPEN = 8
"""Batches that may be open at once; a server that begins more without ending them has those before left out."""
MOST_BYTES = 1024 * 1024
"""Bytes of a message that is being put together; what is longer is cut."""
LEAST_BYTES = 40
"""Less is no limit that one can keep to."""


class Limits(NamedTuple):
    """What one message may be: bytes of its text, and lines."""

    bytes: int
    lines: int

    @classmethod
    def parse(cls, value: str) -> Limits | None:
        """The limits as the capability's value has them; None if a server does not tell."""
        given = dict(item.partition("=")[::2] for item in value.split(","))
        most, lines = given.get("max-bytes", "")[:9], given.get("max-lines", "")[:9]
        if not most.isdecimal() or int(most) < LEAST_BYTES:
            return None
        return cls(int(most), int(lines) if lines.isdecimal() else 1000)


def parts(text: str, limits: Limits, room: int) -> list[str]:
    """A text as texts that each fit into one message, whose lines have at most `room` bytes: cut between lines if
    that goes.
    """
    found: list[str] = []
    lines: list[str] = []
    size = count = 0
    for line in (piece for whole in _lines(text) for piece in split_text(whole, limits.bytes)):
        length, needed = len(line.encode()) + 1, len(split_text(line, room))
        if lines and (size + length - 1 > limits.bytes or count + needed > limits.lines):
            found.append("\n".join(lines))
            lines, size, count = [], 0, 0
        lines.append(line)
        size += length
        count += needed
    return [*found, "\n".join(lines)]


def _lines(text: str) -> Iterator[str]:
    """The lines of a text one by one: all at once they take more memory than itself."""
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        yield text[begin:end]
        begin = end + 1
    yield text[begin:]


_names = itertools.count(1)


def batch(message: Message, room: int) -> Iterator[Message]:
    """A message of several lines as those of its batch; none has more than `room` bytes of its text."""
    name, (to, text) = f"m{next(_names)}", message.params
    yield Message("BATCH", [f"+{name}", CAPABILITY, to], tags=message.tags)
    for line in text.split("\n"):
        for number, piece in enumerate(split_text(line, room)):
            marks = {"batch": name} if number == 0 else {"batch": name, CONCAT: ""}
            yield Message(message.command, [to, piece], tags=marks)
    yield Message("BATCH", [f"-{name}"])


class Assembler:
    """Puts the messages of such batches together as they come."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Message, list[str], int]] = {}
        self._command: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is a batch that has not ended."""
        return bool(self._open)

    def take(self, message: Message) -> Message | None:
        """The message itself if it has nothing to do with that; a whole text at the end of its batch; else None."""
        if message.command == "BATCH":
            return self._batch(message)
        if not self._open:  # mostly
            return message
        name = message.tags.get("batch", "")
        if not name or name not in self._open or len(message.params) < 2:
            return message
        first, pieces, size = self._open[name]
        text = message.params[1]
        if size < MOST_BYTES:
            if pieces and CONCAT not in message.tags:
                pieces.append("\n")
            pieces.append(text)
            self._open[name] = (first, pieces, size + len(text) + 1)
        self._command[name] = message.command
        return None

    def _batch(self, message: Message) -> Message | None:
        sign, name = message.params[0][:1] if message.params else "", message.params[0][1:] if message.params else ""
        if sign == "+" and len(message.params) > 2 and message.params[1] == CAPABILITY:
            while len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[name] = (message, [], 0)
            return None
        if sign == "-" and name in self._open:
            first, pieces, _ = self._open.pop(name)
            command = self._command.pop(name, "PRIVMSG")
            if not pieces:
                return None
            return Message(command, [first.params[2], "".join(pieces)], source=first.source, tags=first.tags)
        return message
