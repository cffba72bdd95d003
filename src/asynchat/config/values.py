"""How values are read: from TOML, from options, from the environment; and how a setting is declared."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from asynchat.chat.errors import AsynchatError, BadRoomName
from asynchat.chat.names import check_room

_SIZE = re.compile(r"(\d+)\s*(B|KB|KiB|MB|MiB|GB|GiB)?", re.IGNORECASE)
_SIZES = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2, "gb": 1000**3, "gib": 1024**3}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SERVER = re.compile(r"[A-Za-z0-9._-]{1,63}")
_DURATIONS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class BadConfig(AsynchatError):
    """The configuration cannot be used; the text says where and why."""


def size(value: str | int) -> int:
    """Bytes, from `16KiB`, `1MB` or a number.

    Raises:
        ValueError
    """
    match = _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is no size: a number, or one with KiB, MiB, KB, MB")
    return int(match[1]) * _SIZES[(match[2] or "").lower()]


def duration(value: str | float) -> float:
    """Seconds, from `500ms`, `60s`, `10m`, `1h`, `7d` or a number.

    Raises:
        ValueError
    """
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is no duration: a number, or one with ms, s, m, h, d")
    return float(match[1]) * _DURATIONS[match[2] or ""]


def age(value: str | float) -> float:
    """Seconds, from a duration; 0 from `forever`.

    Raises:
        ValueError
    """
    return 0.0 if str(value).strip() == "forever" else duration(value)


def number(value: str | int) -> int:
    """A whole number, not negative.

    Raises:
        ValueError
    """
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def port_number(value: str | int) -> int:
    """A TCP port; 0 for any.

    Raises:
        ValueError
    """
    port = number(value)
    if port > 65_535:
        raise ValueError(f"{value!r} is no port: they end at 65535")
    return port


def room_name(value: object) -> str:
    """The name of a room.

    Raises:
        ValueError
    """
    name = text(value)
    try:
        check_room(name, 512)
    except BadRoomName as error:
        raise ValueError(error.text) from None
    return name


def server_name(value: object) -> str:
    """What a server is called in the prefix of a line: visible ASCII characters, as in a host name.

    Raises:
        ValueError
    """
    name = text(value)
    if not _SERVER.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a server: 1 to 63 of A-Z a-z 0-9 . _ - and no other")
    return name


def line(value: object) -> str:
    """A text on one line.

    Raises:
        ValueError
    """
    words = text(value)
    if not words.isprintable():
        raise ValueError(f"{words!r} is not a line of printable characters")
    return words


def file_name(value: object) -> str:
    """The name of a file.

    Raises:
        ValueError
    """
    name = text(value)
    if not name or "\0" in name:
        raise ValueError(f"{name!r} names no file")
    return name


def text(value: object) -> str:
    """A text.

    Raises:
        ValueError
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def texts(value: object) -> tuple[str, ...]:
    """Several texts.

    Raises:
        ValueError
    """
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{value!r} is no list of texts")
    return tuple(value)


def switch(value: object) -> bool:
    """Yes or no.

    Raises:
        ValueError
    """
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("1", "true", "yes", "on"):
        return True
    if str(value).lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def one_of(*choices: str) -> Callable[[object], str]:
    """One of these words."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
        return str(value)

    parse.choices = choices  # type: ignore[attr-defined]  # read by the command line
    return parse


def setting(
    default: Any,
    parse: Callable[[Any], Any],
    help_: str,
    *,
    option: str = "",
    metavar: str = "",
    least: float | None = None,
) -> Any:
    """A setting: its default (None: absent), how it is read, what it does, and its option of `serve` if it has one."""
    metadata = {"parse": parse, "help": help_, "option": option, "metavar": metavar, "least": least}
    return field(default=default, metadata=metadata)


def changed[T: Any](section: T, table: Mapping[str, Any], where: str) -> T:
    """A section with other values.

    Raises:
        BadConfig: an unknown name, or a value that does not fit; it tells `where`.
    """
    known = {each.name: each for each in fields(section)}
    parsed = {}
    for name, value in table.items():
        if name not in known:
            raise BadConfig(f"{where} has no {name}{like(name, known)}")
        parsed[name] = _parse(known[name], value, f"{where} {name}")
    return dataclasses.replace(section, **parsed)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The values in a TOML file.

    Raises:
        BadConfig: it cannot be read, or is no TOML.
    """
    import tomllib  # most read none

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None


def _parse(each: dataclasses.Field[Any], value: Any, where: str) -> Any:
    try:
        parsed = each.metadata["parse"](value)
    except ValueError as error:
        raise BadConfig(f"{where}: {error}") from None
    least = each.metadata["least"]
    if least is not None and parsed < least:
        raise BadConfig(f"{where}: {value} is less than {least}")
    return parsed


def like(name: str, known: Mapping[str, object]) -> str:
    """A question whether another name was meant; nothing if there is none like it."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
