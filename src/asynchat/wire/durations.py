"""Durations as people write them: `90s`, `10m`, `1h30m`, `7d`, `2w`."""

from __future__ import annotations

import re

from asynchat.chat.errors import BadDuration

_UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_DURATION = re.compile("".join(f"(?:([0-9]{{1,6}}){unit})?" for unit in _UNITS_MS))
_MEANT = re.compile(r"[-+.]?\d")
"""How a word begins that is meant as one."""
LONGEST_MS = 36_525 * _UNITS_MS["d"]
"""A hundred years. Past that it is a slip, and the year it would end in one that no calendar has."""


def milliseconds(text: str) -> int | None:
    """How long that is; None if it is no duration, or too long."""
    match = _DURATION.fullmatch(text.lower())
    if match is None or not text:
        return None
    ms = sum(int(number) * unit_ms for number, unit_ms in zip(match.groups("0"), _UNITS_MS.values(), strict=True))
    return ms if ms <= LONGEST_MS else None


def words(ms: int) -> str:
    """A duration in the largest unit in which it is a whole number; what is less than a second counts as one."""
    ms = -(-max(ms, 1) // 1000) * 1000
    unit = next(unit for unit, its_ms in _UNITS_MS.items() if ms % its_ms == 0)
    return f"{ms // _UNITS_MS[unit]}{unit}"


def roughly(ms: int) -> str:
    """About how long that is, in one unit, rounded up: `59m`."""
    unit = next((unit for unit, its_ms in _UNITS_MS.items() if ms >= 2 * its_ms), "s")
    return f"{-(-max(ms, 0) // _UNITS_MS[unit])}{unit}"


def take(argument: str) -> tuple[int | None, str]:
    """The duration that an argument begins with, in milliseconds, if it does; and what follows.

    Raises:
        BadDuration: it begins with a number that is none, or with none at all.
    """
    first, _, rest = argument.strip().partition(" ")
    ms = milliseconds(first)
    if ms:
        return ms, rest.strip()
    if _MEANT.match(first):  # it must not be taken for the reason of what holds for ever then
        raise BadDuration(first)
    return None, argument.strip()
