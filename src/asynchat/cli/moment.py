"""A place in what was said, as it is typed: an id, a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from asynchat.wire.text import plain

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
_AGO = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)(ms|s|m|h|d|w)")
_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_ID = re.compile(r"\d{1,18}|(?=.*\d)(?!\d+[a-z]+$)[^\s:.,/]{8,}")
"""What ids look like, on this server and on others; what looks otherwise, or like a time, is one after a `#`."""


class Moment(click.ParamType[str]):
    """`1842` or another id, `2026-11-20`, `2026-11-20T18:30`, `18:30` (today), `10m` (ago); as CHATHISTORY has it."""

    name = "moment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`msgid=…` or `timestamp=…`."""
        try:
            return moment(value, datetime.now().astimezone())
        except ValueError as error:
            self.fail(str(error), param, ctx)


def moment(text: str, now: datetime) -> str:
    """The reference that a text means.

    Raises:
        ValueError: it is neither a time, nor how long ago, nor looks like an id.
    """
    text = text.strip()
    if text.startswith(("#", "msgid=")) and text not in ("#", "msgid="):
        return f"msgid={text.removeprefix('#').removeprefix('msgid=')}"
    try:
        if ago := _AGO.fullmatch(text):
            return stamp(now - timedelta(seconds=float(ago[1]) * _UNITS_S[ago[2]]))
        if clock := _CLOCK.fullmatch(text):
            hour, minute, second = (int(each or 0) for each in clock.groups())
            return stamp(now.replace(hour=hour, minute=minute, second=second, microsecond=0))
        if re.match(r"\d{4}-", text):
            return stamp(datetime.fromisoformat(text).astimezone())
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{plain(text)} is no time that there is") from None
    if _ID.fullmatch(text):
        return f"msgid={text}"
    raise ValueError(f"{plain(text)} is neither an id nor a time: 1842, 18:30, 2026-11-20, 2026-11-20T18:30, 10m (ago)")


def stamp(when: datetime) -> str:
    """A time as CHATHISTORY refers to it."""
    return "timestamp=" + when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
