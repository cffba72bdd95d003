"""The commands: one function and one row each, by theme.

What a row says is checked before the function runs, so that none of them looks at registration or counts parameters. A
function raises `Refused`, and the session puts it into words.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

Function = Callable[["IrcSession", "Message"], Coroutine[Any, Any, Any]]


class Command(NamedTuple):
    """A row of the table."""

    name: str
    function: Function
    least: int
    """Parameters that it needs."""
    before: bool
    """Whether it may come before registration."""
    after: bool
    """Whether it may come after."""
    talk: bool
    """Whether it is put into the journal and not waited for; it returns what is pending."""
    holds: bool
    """Whether what others say is kept back until its replies are out."""


COMMANDS: dict[str, Command] = {}


def command(
    name: str, least: int = 0, *, before: bool = False, after: bool = True, talk: bool = False, holds: bool = False
) -> Callable[[Function], Function]:
    """Put a function into the table."""

    def enter(function: Function) -> Function:
        COMMANDS[name] = Command(name, function, least, before, after, talk, holds)
        return function

    return enter


for _theme in (
    "accounts",
    "connection",
    "history",
    "metadata",
    "modes",
    "operators",
    "people",
    "rooms",
    "search",
    "server",
    "talk",
    "watching",
):
    import_module(f"asynchat.wire.irc.commands.{_theme}")
