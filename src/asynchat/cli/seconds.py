"""How long something may take, as an option."""

from __future__ import annotations

import math

import click

MOST_S = 10**9
"""Thirty years: for ever, and no clock overflows."""


class Seconds(click.ParamType[float]):
    """A number of seconds, more than none; with `none` that too."""

    name = "seconds"

    def __init__(self, *, none: bool = False) -> None:
        self._none = none

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds) or seconds < 0 or (seconds == 0 and not self._none):
            self.fail(f"{value} is no number of seconds{'' if self._none else ' above 0'}", param, ctx)
        return min(seconds, MOST_S)
