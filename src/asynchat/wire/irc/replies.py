"""The reply buffer of one command.

Handlers write here, never to the peer, so that a label is answered in one place: nothing becomes an `ACK`, one line
gets the label, several become a batch. (IRCv3 labeled-response)
"""

from __future__ import annotations


def with_tag(line: bytes, tag: str) -> bytes:
    """A line with one more tag before those it has."""
    if line[:1] == b"@":
        return f"@{tag};".encode() + line[1:]
    return f"@{tag} ".encode() + line


class Replies:
    """Lines, with their ends, in order. `label` is None if the command had none.

    `held`: what others say is kept back until they are out, and what the session's user does stands among them.
    """

    __slots__ = ("held", "label", "lines")

    def __init__(self, label: str | None) -> None:
        self.label = label
        self.held = False
        self.lines: list[bytes] = []

    def take(self) -> bytes:
        """What is to be written now; without a label, whatever has gathered."""
        chunk = b"".join(self.lines)
        self.lines.clear()
        return chunk

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
        nested = b"@batch="
        inside = b"".join(line if line.startswith(nested) else with_tag(line, "batch=1") for line in lines)
        return begin + inside + f":{server} BATCH -1\r\n".encode()
