"""Where an application's functions join a server: its settings, its logins, its sessions, what is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.net.app.hooks import Hooks
from asynchat.net.journal import Entry
from asynchat.wire.app import AppSession
from asynchat.wire.session import Session

if TYPE_CHECKING:
    from asynchat.net.app.authenticator import AppLogins
    from asynchat.net.tracing import Trace

Told = Callable[[Sequence[Entry]], None]


def fitted(settings: Settings, hooks: Hooks, accounts: str | None) -> Settings:
    """The settings as they are where an application judges passwords: without `accounts` it said, all are required.

    Raises:
        BadConfig: there would be nothing to judge.
    """
    if hooks.authenticator is None:
        return settings
    if accounts == "off":
        raise BadConfig('Server: with accounts="off" nobody logs in, so that an authenticator would never be asked')
    table = {"mode": accounts or "required", "register": False, "mechanisms": ["PLAIN"]}
    return settings.with_values({"accounts": table}, "Server")


def judge_of(settings: Settings, hooks: Hooks) -> AppLogins | None:
    """Who judges passwords, if that is the application."""
    if hooks.authenticator is None or settings.accounts.mode == "off":
        return None
    from asynchat.net.app.authenticator import AppLogins

    limits = settings.limits
    return AppLogins(hooks.authenticator, hooks.calls, name_limit=limits.nick, limited=limits.flood)


def sessions_of(hooks: Hooks, trace: Trace | None) -> Mapping[str, Callable[..., Any]]:
    """What speaks each wire instead of its own session: one that is traced, or asks the application, or both."""
    if not hooks.asks and not hooks.slashes:
        return trace.sessions() if trace is not None else {}
    from asynchat.wire.asked import joined
    from asynchat.wire.frame import FrameSession
    from asynchat.wire.irc.session import IrcSession
    from asynchat.wire.line import LineSession
    from asynchat.wire.talk.console import ConsoleSession

    kinds: list[type[Session]] = [IrcSession, LineSession, FrameSession, ConsoleSession, AppSession]
    sessions: dict[str, Callable[..., Any]] = {kind.wire: joined(kind, hooks) for kind in kinds}
    if trace is not None:
        sessions |= trace.sessions(partial(joined, application=hooks))
    return sessions


def both(one: Told, other: Told) -> Told:
    """Tell one, then the other."""

    def told(entries: Sequence[Entry]) -> None:
        one(entries)
        other(entries)

    return told
