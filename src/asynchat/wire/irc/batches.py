"""Batches that a client sends: the lines of one long text. (IRCv3 client-batch, multiline)"""

from __future__ import annotations

from asynchat.wire.irc.message import Message, escape


class BadLines(Exception):
    """The batch breaks the rules; `code` is that of the standard reply."""

    def __init__(self, code: str, text: str, *about: str) -> None:
        super().__init__(text)
        self.code = code
        self.about = about


class Lines:
    """The lines of one text, as they come."""

    def __init__(self, opening: Message, *, most_bytes: int, most_lines: int) -> None:
        self.opening = opening
        label = opening.tags.get("label")
        self.label = escape(label) if label is not None else None
        self.refused = False
        self.target = opening.params[2]
        self.command: str | None = None
        self.cuts: list[int] = []
        self._text: list[str] = []
        self._length = 0  # characters so far
        self._bytes = 0
        self._lines = 0
        self._most_bytes = most_bytes
        self._most_lines = most_lines

    @property
    def text(self) -> str:
        return "".join(self._text)

    def add(self, message: Message) -> None:
        """Add a line.

        Raises:
            BadLines
        """
        if message.command not in ("PRIVMSG", "NOTICE") or len(message.params) < 2:
            raise BadLines("MULTILINE_INVALID", "Only PRIVMSG and NOTICE can be in a multiline batch")
        if self.command not in (None, message.command):
            raise BadLines("MULTILINE_INVALID", "A multiline batch has one command")
        if message.params[0] != self.target:
            raise BadLines(
                "MULTILINE_INVALID_TARGET", "A multiline batch has one target", self.target, message.params[0]
            )
        joined, text = "draft/multiline-concat" in message.tags, message.params[1]
        if joined and not text:
            raise BadLines("MULTILINE_INVALID", "A blank line cannot be joined to another")
        if self.command is not None:
            if joined:
                self.cuts.append(self._length)
            else:
                text = "\n" + text
        self.command = message.command
        self._text.append(text)
        self._length += len(text)
        self._bytes += len(text.encode())
        self._lines += 1
        if self._bytes > self._most_bytes:
            raise BadLines("MULTILINE_MAX_BYTES", "Too many bytes in a multiline batch", str(self._most_bytes))
        if self._lines > self._most_lines:
            raise BadLines("MULTILINE_MAX_LINES", "Too many lines in a multiline batch", str(self._most_lines))
