"""Putting somebody out of the server, or keeping them off."""

from __future__ import annotations

from contextlib import suppress

from asynchat.chat.bans import Ban, Bans, normal
from asynchat.chat.errors import BadDuration
from asynchat.chat.hub import Hub
from asynchat.chat.sessions import Session
from asynchat.chat.users import User
from asynchat.wire.durations import LONGEST_MS


async def banish(
    hub: Hub,
    mask: str,
    reason: str = "",
    how_long_ms: int | None = None,
    *,
    by: User | None = None,
    via: Session | None = None,
) -> int:
    """Ban a mask from the server, for so long, and end the connections of those whom it fits; how many they were.

    Without `by` it is the server that does.

    Raises:
        Refused
    """
    if how_long_ms is not None and not 0 < how_long_ms <= LONGEST_MS:
        raise BadDuration(f"{how_long_ms} ms")
    now_ms = hub.clock_ms()
    until_ms = None if how_long_ms is None else now_ms + how_long_ms
    await hub.banish(by or hub.server, mask, reason, until_ms=until_ms, via=via)
    ban, only = Ban(normal(mask), "", now_ms, reason), Bans()
    only.add(ban)
    gone = 0
    for user in tuple(hub.state.people.values()):
        for session in user.sessions:
            if not user.is_server and only.fitting(user.source, session.address, now_ms) is not None:
                gone += 1
                with suppress(OSError, RuntimeError):  # it is gone already
                    session.keep_out(ban.refusal)
    return gone


async def drop(hub: Hub, user: User, why: str) -> None:
    """End the connections of somebody, and have them go, though they may have an account and usually stay.

    Raises:
        Refused: they had no connection, and that they go could not be stored.
    """
    sessions = user.sessions
    for session in sessions:
        with suppress(OSError, RuntimeError):  # it is gone already
            session.dismiss(why)
    if not sessions:
        await hub.depart(user, why)
