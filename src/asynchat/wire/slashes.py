"""Tables of /commands, as netcat users and those of our terminal have them: what a command takes, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Command[F: Callable[..., Any]](NamedTuple):
    """A row: what it is called and takes, for /help, and what it does."""

    name: str
    takes: str
    does: str
    function: F
    needs: bool
    """Whether it is nothing without its argument."""

    @property
    def usage(self) -> str:
        """How it is written."""
        return f"/{self.name} {self.takes}"


def enter[F: Callable[..., Any]](
    table: dict[str, Command[F]], name: str, takes: str, *aliases: str
) -> Callable[[F], F]:
    """Put a function into a table; a bracket begins what is optional, and /help shows its docstring."""

    def put(function: F) -> F:
        does = (function.__doc__ or "").rstrip(".")
        row = Command(name, takes, does[:1].lower() + does[1:], function, bool(takes) and takes[0] != "[")
        for each in (name, *aliases):
            table[each] = row
        return function

    return put
