"""A ban, as an application sees it: from a room, from speaking there, or from the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from asynchat.chat.bans import Ban as ServerBan
from asynchat.chat.rooms import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Who is kept out, or from speaking.

    `mask` says who: `nick!ident@host` with the wildcards `*` and `?`, `a:account`, or, off the server, an address or a
    network; with it the ban is taken back. `reason` is for a ban from the server. `by` is the name of who did it, as it
    was then, and `at` when; it holds `until` then, None for ever. Times are aware, in UTC.
    """

    mask: str
    reason: str
    by: str
    at: datetime
    until: datetime | None


def ban_of(entry: Entry | ServerBan) -> Ban:
    """A ban as an application sees it; from a room, one on speaking is like any other."""
    return Ban(
        mask=entry.mask.removeprefix("m:"),
        reason=entry.reason if isinstance(entry, ServerBan) else "",
        by=entry.by.partition("!")[0],
        at=_time(entry.at_ms),
        until=_time(entry.until_ms) if entry.until_ms is not None else None,
    )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
