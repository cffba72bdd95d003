"""The reply buffer of one command.

Handlers write here, never to the peer, so that a label is answered in one place: nothing becomes an `ACK`, one line
gets the label, several become a batch. (IRCv3 labeled-response)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LISTED_BYTES = 360
"""Bytes of a list on one line."""


def with_tag(line: bytes, tag: str) -> bytes:
    """A line with one more tag before those it has."""
    if line[:1] == b"@":
        return f"@{tag};".encode() + line[1:]
    return f"@{tag} ".encode() + line


def joined(words: Iterable[str], separator: str) -> Iterator[str]:
    """Words on as many lines as it takes, none of them empty."""
    line: list[str] = []
    room = LISTED_BYTES
    for word in words:
        length = len(word) if word.isascii() else len(word.encode())
        if length > room and line:
            yield separator.join(line)
            line, room = [], LISTED_BYTES
        line.append(word)
        room -= length + len(separator)
    if line:
        yield separator.join(line)


class Replies:
    """Lines, with their ends, in order. `label` is None if the command had none.

    `held`: what others say is kept back until they are out, and what the session's user does stands among them.
    """

    __slots__ = ("batches", "held", "label", "later", "lines")

    def __init__(self, label: str | None) -> None:
        self.label = label
        self.held = False
        self.later = False  # another command answers
        self.batches = 2  # the next batch's number; the first is that of the label
        self.lines: list[bytes] = []

    def take(self) -> bytes:
        """What is to be written now; without a label, whatever has gathered."""
        chunk = b"".join(self.lines)
        self.lines.clear()
        return chunk

    def final(self, server: str, *, batches: bool) -> bytes:
        """What is to be written now that the command has run."""
        if self.later:
            return b"".join(self.lines)
        return self.take() if self.label is None else self.answer(server, batches=batches)

    def answer(self, server: str, *, batches: bool) -> bytes:
        """Everything under the label, as one answer. Without the capability `batch` the label is on each line."""
        lines = [part for line in self.lines for part in line.splitlines(keepends=True)]
        self.lines.clear()
        tag = f"label={self.label}"
        if not lines:
            return f"@{tag} :{server} ACK\r\n".encode()
        if len(lines) == 1 or not batches:
            return b"".join(with_tag(line, tag) for line in lines)
        begin = f"@{tag} :{server} BATCH +1 labeled-response\r\n".encode()
        nested = (b"@batch=", b"BATCH -")
        inside = b"".join(line if line.startswith(nested) else with_tag(line, "batch=1") for line in lines)
        return begin + inside + f":{server} BATCH -1\r\n".encode()
