"""One IRC message: parse and encode. (Modern IRC, "Message Format"; IRCv3 message-tags)"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from asynchat.chat.errors import BadMessage

TAGS_LIMIT = 8191
"""Bytes of tags, with the `@` and the space after them, that a server may send in all."""
CLIENT_TAGS_LIMIT = 4096
"""Bytes of tags, with the `@` and the space after them, that a client may send."""
BODY_LIMIT = 510
"""Bytes of the rest, without CR LF."""
REACT, REPLY = "+draft/react", "+draft/reply"
"""The tags of a reaction, and of what it is a reaction to. (IRCv3 react, reply)"""

_ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_TO_ESCAPE = str.maketrans({";": r"\:", " ": r"\s", "\\": r"\\", "\r": r"\r", "\n": r"\n"})
_NO_TAGS: Mapping[str, str] = {}


class EmptyMessage(BadMessage):
    """There is nothing on the line."""


class Message:
    """A message.

    `tags` have unescaped values, "" for none; `source` comes without its colon, `command` in capitals.

    Tags are taken apart when somebody asks for them: of most lines that a client hears nobody does.
    """

    __slots__ = ("_tags", "_tags_text", "command", "params", "source")

    def __init__(
        self, command: str, params: Sequence[str] = (), *, source: str = "", tags: Mapping[str, str] = _NO_TAGS
    ) -> None:
        self.command = command
        self.params = list(params)
        self.source = source
        self._tags = tags
        self._tags_text = ""

    @classmethod
    def parse(cls, line: str) -> Message:
        """Parse one message, without its line ending.

        Raises:
            BadMessage: it has no command, or NUL, CR or LF inside.
        """
        if "\0" in line or "\r" in line or "\n" in line:
            raise BadMessage("NUL, CR or LF inside a message")
        message = cls.__new__(cls)
        message.source = message._tags_text = ""
        message._tags = _NO_TAGS
        if line[:1] == "@":
            tags, _, line = line.partition(" ")
            message._tags_text = tags[1:]
            line = line.lstrip(" ")
        if line[:1] == ":":
            source, _, line = line.partition(" ")
            message.source = source[1:]
        head, colon, trailing = line.partition(" :")
        if line[:1] == ":":
            raise BadMessage("a message without a command")
        words = head.split(" ")
        if "" in words:
            words = [word for word in words if word]
        if not words:
            raise BadMessage("a message without a command") if message.tags or message.source else EmptyMessage
        if colon:
            words.append(trailing)
        message.command = words.pop(0).upper()
        message.params = words
        return message

    @property
    def tags(self) -> Mapping[str, str]:
        """All of them."""
        if self._tags_text:
            self._tags, self._tags_text = parse_tags(self._tags_text), ""
        return self._tags

    def tag(self, name: str) -> str:
        """The value of one, "" if it is not there: for half of what it costs to take all apart."""
        if not self._tags_text:
            return self._tags.get(name, "")
        found = ""
        for item in self._tags_text.split(";"):
            key, _, value = item.partition("=")
            if key == name:
                found = value
        return unescape(found) if "\\" in found else found

    def encode(self) -> str:
        """The message as a line, without its line ending; the last parameter gets a colon where it needs one.

        Raises:
            BadMessage: a part cannot be written: a space in a middle parameter, a line break anywhere.
        """
        parts = []
        if self.tags:
            parts.append(f"@{encode_tags(self.tags)}")
        if self.source:
            parts.append(f":{self.source}")
        parts.append(self.command)
        if self.params:
            *middle, last = self.params
            if any(not param or " " in param or param[0] == ":" for param in middle):
                raise BadMessage(f"a middle parameter with a space, a colon or nothing: {middle}")
            parts += middle
            parts.append(f":{last}" if not last or " " in last or last[0] == ":" else last)
        line = " ".join(parts)
        if "\r" in line or "\n" in line or "\0" in line:
            raise BadMessage("NUL, CR or LF inside a message")
        return line

    def __repr__(self) -> str:
        return f"Message({self.command!r}, {self.params!r}, source={self.source!r}, tags={dict(self.tags)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.command, self.params, self.source, dict(self.tags)) == (
            other.command,
            other.params,
            other.source,
            dict(other.tags),
        )

    __hash__ = None  # type: ignore[assignment]  # it is mutable


def parse_tags(text: str) -> dict[str, str]:
    """Tags as they stand after the `@`; of several of one name the last counts."""
    tags: dict[str, str] = {}
    for item in text.split(";"):
        name, _, value = item.partition("=")
        if name:
            tags[name] = unescape(value) if "\\" in value else value
    return tags


def encode_tags(tags: Mapping[str, str]) -> str:
    """Tags as they stand after the `@`."""
    return ";".join(f"{name}={escape(value)}" if value else name for name, value in tags.items())


def escape(value: str) -> str:
    """A tag's value as it is written."""
    return value.translate(_TO_ESCAPE)


def unescape(value: str) -> str:
    """A tag's value as it is meant; a backslash before any other character, or at the end, goes."""
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), value)


def split_text(text: str, room: int) -> list[str]:
    """A text in pieces of at most `room` bytes of UTF-8: at line breaks, then cut at characters."""
    pieces = []
    for line in text.split("\n"):
        data = line.encode()
        while len(data) > room:
            cut = room
            while cut > 0 and data[cut] & 0xC0 == 0x80:  # not inside a character
                cut -= 1
            cut = cut or room
            pieces.append(data[:cut].decode())
            data = data[cut:]
        pieces.append(data.decode())
    return pieces
