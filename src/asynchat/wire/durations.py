"""Durations as people write them: `90s`, `10m`, `1h`, `7d`, `2w`."""

from __future__ import annotations

import re

_UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_DURATION = re.compile(r"([0-9]{1,6})([wdhms])")


def milliseconds(text: str) -> int | None:
    """How long that is; None if it is no duration."""
    match = _DURATION.fullmatch(text.lower())
    return int(match[1]) * _UNITS_MS[match[2]] if match is not None else None


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
    """The duration that an argument begins with, in milliseconds, if it does; and what follows."""
    first, _, rest = argument.strip().partition(" ")
    ms = milliseconds(first)
    return (None, argument.strip()) if ms is None else (ms, rest.strip())
