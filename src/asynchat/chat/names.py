"""Names of people and rooms: which are valid, and which are the same."""

from __future__ import annotations

import re
from collections.abc import Callable

from asynchat.chat.errors import BadName, BadRoomName, NameReserved

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_PERSON = re.compile(r"[A-Za-z_\[\]\\`^{}|][A-Za-z0-9_\-\[\]\\`^{}|]*")
_ROOM = re.compile(
    r"#[^\x00-\x20,:\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufeff\ufff9-\uffff]*"
)

RESERVED = frozenset({"server"})
"""Names that only the server itself bears."""


def casefold(name: str) -> str:
    """The form in which names are compared: ASCII letters lowered, nothing else touched.

    The same on every wire, so that no two of them disagree on who is who (IRC: `CASEMAPPING=ascii`).
    """
    return name.lower() if name.isascii() else name.translate(_LOWER)


def is_room(name: str) -> bool:
    """Whether a target is written as a room's name is, valid or not."""
    return name[:1] == "#"


def check_person(name: str, limit: int) -> None:
    """Let a person's name pass: ASCII letters, digits and ``_-[]\\`^{}|``, no digit or ``-`` first.

    `limit` is in characters.

    Raises:
        BadName: it is empty, longer, or has another character. (Modern IRC, "Clients")
        NameReserved
    """
    if len(name) > limit or not _PERSON.fullmatch(name):
        raise BadName(name[:limit] or "*")
    if casefold(name) in RESERVED:
        raise NameReserved(name)


def check_room(name: str, limit: int) -> None:
    """Let a room's name pass: ``#``, then anything but spaces, commas, colons and invisible characters.

    `limit` is in bytes of UTF-8.

    Raises:
        BadRoomName: it is longer, or has such a character. (Modern IRC, on room names)
    """
    if not _ROOM.fullmatch(name) or len(name.encode()) > limit:
        raise BadRoomName(name[:limit] or "*")


def suggest(name: str, is_taken: Callable[[str], bool], limit: int) -> str:
    """A free name like `name`: alice2, alice3 …"""
    stem = name.rstrip("0123456789") or name
    number = 2
    while is_taken(proposal := f"{stem[: limit - len(str(number))]}{number}"):
        number += 1
    return proposal


def mask_pattern(mask: str) -> re.Pattern[str]:
    """The pattern of a mask with the wildcards ``*`` and ``?``, for `fullmatch` on casefolded text.

    Every ``*`` but the last is an atomic group that stops at the first fit, so that a hostile mask costs no more
    than its length times the text's: plain ``.*`` would backtrack for ever.
    """
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in casefold(mask).split("*"))
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    stars = "".join(f"(?>.*?{part})" for part in middle if part)
    return re.compile(f"{first}{stars}.*{last}", re.DOTALL)


def is_reserved(mask: str) -> bool:
    """Whether a mask means a name that only the server itself bears, and no other."""
    return casefold(mask.removeprefix("m:").partition("!")[0]) in RESERVED


def full_mask(mask: str) -> str:
    """A mask completed to `nick!ident@host`: ``bob`` is ``bob!*@*``, ``*@host`` is ``*!*@host``.

    ``m:`` before it stays, and a mask of accounts, ``a:name``, is complete as it is. An empty one means nobody.
    """
    if not mask:
        return ""
    if mask.startswith("m:"):
        return "m:" + full_mask(mask[2:])
    if mask.startswith("a:"):
        return mask
    if "!" not in mask and "@" not in mask:
        return f"{mask}!*@*"
    nick, _, rest = mask.rpartition("!")
    ident, _, host = rest.rpartition("@") if "@" in rest else (rest, "", "*")
    return f"{nick or '*'}!{ident or '*'}@{host or '*'}"
