"""A place in what was said, as it is typed: an id, a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from asynchat.config.values import duration

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")


class Moment(click.ParamType[str]):
    """`1842` or another id, `2026-11-20`, `2026-11-20T18:30`, `18:30` (today), `10m` (ago); as CHATHISTORY has it."""

    name = "moment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`msgid=…` or `timestamp=…`."""
        return moment(value, datetime.now().astimezone())


def moment(text: str, now: datetime) -> str:
    """The reference that a text means.

    What is neither a time nor a duration with its unit is an id.
    """
    text = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?(?:ms|s|m|h|d)", text):
        return stamp(now - timedelta(seconds=duration(text)))
    if _CLOCK.fullmatch(text):
        hour, minute, *second = map(int, text.split(":"))
        if hour < 24 and minute < 60 and not (second and second[0] > 59):
            return stamp(now.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0))
    if re.match(r"\d{4}-\d\d", text):
        try:
            return stamp(datetime.fromisoformat(text).astimezone())
        except ValueError:
            pass
    return f"msgid={text.removeprefix('#')}"


def stamp(when: datetime) -> str:
    """A time as CHATHISTORY refers to it."""
    return "timestamp=" + when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
