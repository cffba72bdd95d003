"""Bytes to lines.

A line that is too long is reported once and discarded up to its end: `StreamReader.readline` gives its tail out as a
line of its own, which then runs as a command.
"""

from __future__ import annotations


class Splitter:
    """Cuts a stream at LF. `limit` is the longest line in bytes, without its LF.

    `rest` is what has come of an unfinished line; `discarding` tells that one was too long and has not ended yet.
    """

    __slots__ = ("discarding", "limit", "rest")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.rest = b""
        self.discarding = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """The lines that this data completes, without LF and one CR before it; None for one that is too long."""
        lines: list[bytes | None] = []
        if self.discarding:
            _, newline, data = data.partition(b"\n")
            if not newline:
                return lines
            self.discarding = False
        *whole, rest = (self.rest + data if self.rest else data).split(b"\n")
        limit = self.limit
        for each in whole:
            line = each[:-1] if each[-1:] == b"\r" else each
            lines.append(line if len(line) <= limit else None)
        if len(rest) > limit + 1:  # a CR may yet be its last
            lines.append(None)
            self.discarding = True
            rest = b""
        self.rest = rest
        return lines

    def flush(self) -> bytes:
        """What has come of an unfinished line, which ends here."""
        rest, self.rest = self.rest, b""
        self.discarding = False
        return rest
