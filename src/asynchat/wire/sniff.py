"""The first bytes of a connection choose its wire.

| first bytes | wire |
|---|---|
| 0x16 | TLS |
| an HTTP verb and a space | HTTP, and nothing else for ever |
| ten bytes, 1 to 9 digits and then only spaces | frame |
| a line whose first word is an IRC command with a parameter (QUIT needs none), `@tags` before it or not | IRC |
| anything else | line |
"""

from __future__ import annotations

import re
from enum import Enum


class Opening(Enum):
    """What a connection begins with."""

    TLS = "tls"
    HTTP = "http"
    FRAME = "frame"
    IRC = "irc"
    LINE = "line"


LONGEST = 8191 + 512
"""A first line longer than this is no IRC."""

_VERBS = (b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"PRI")
_IRC = (b"CAP", b"NICK", b"PASS", b"USER", b"QUIT", b"PING", b"AUTHENTICATE")
_HTTP = re.compile(rb"(?:%b) " % b"|".join(_VERBS))
_FRAME = re.compile(rb"(?=.{10})[0-9]{1,9} +", re.DOTALL)
_FRAME_BEGUN = re.compile(rb"[0-9]{1,9} *")


def sniff(data: bytes, *, final: bool = False) -> Opening | None:
    """Which wire these first bytes open; None if more are needed, which `final` says will not come.

    `data` is everything that has come.
    """
    if not data:
        return None
    if data[0] == 0x16:
        return Opening.TLS
    if _HTTP.match(data):
        return Opening.HTTP
    if len(data) >= 10 and _FRAME.fullmatch(data[:10]):
        return Opening.FRAME
    line, newline, _ = data.partition(b"\n")
    if newline:
        return Opening.IRC if _is_irc(line) else Opening.LINE
    if final:
        return Opening.IRC if _is_irc(line) else Opening.LINE
    return None if could_be_other(data) else Opening.LINE


def could_be_other(data: bytes) -> bool:
    """Whether these first bytes, with no newline among them, may yet become the opening of another wire than line."""
    if any(verb.startswith(data) for verb in _VERBS):
        return True
    if len(data) < 10 and _FRAME_BEGUN.fullmatch(data):
        return True
    if len(data) > LONGEST:
        return False
    rest = data
    if data[:1] == b"@":
        _, space, rest = data.partition(b" ")
        rest = rest.lstrip(b" ")
        if not space or not rest:
            return True
    word, space, _ = rest.partition(b" ")
    word = word.upper()
    return word in _IRC if space else any(command.startswith(word.rstrip(b"\r")) for command in _IRC)


def _is_irc(line: bytes) -> bool:
    if len(line) > LONGEST:
        return False
    line = line.rstrip(b"\r ")
    if line[:1] == b"@":
        line = line.partition(b" ")[2].lstrip(b" ")
    word, _, parameter = line.partition(b" ")
    word = word.upper()
    return word in _IRC and (word == b"QUIT" or bool(parameter))
