"""Beginning again where the last run ended, or was ended."""

from __future__ import annotations

import logging

from asynchat.chat import snapshot
from asynchat.chat.errors import Refused
from asynchat.chat.hub import Hub
from asynchat.chat.names import casefold
from asynchat.store import Log

log = logging.getLogger("asynchat")

RESTARTED = "the server was restarted"


async def restore(hub: Hub, store: Log) -> None:
    """What the log adds up to: the last snapshot, and the changes since, applied with nobody listening."""
    saved = await store.snapshot()
    if saved is not None:
        snapshot.load(saved.state, hub.state)
    async for events in store.replay(saved.last_id if saved is not None else 0):
        for event in events:
            hub.state.apply(event)
    hub.begin_after(store.last_id, store.last_ms)


async def see_off(hub: Hub, *, always_on: bool) -> None:
    """Have those leave who were here when the server ended without telling, and who cannot come back as themselves.

    The others are away. The journal must be running.
    """
    last, departed = None, []
    for user in tuple(hub.state.people.values()):
        if not (always_on and user.lasting):
            last = hub.depart(user, RESTARTED)
            departed.append(user)
        elif user.absent is None:
            last = hub.set_away(user, user.away or RESTARTED, gone=True)
    if last is not None:
        await last
    for user in departed if always_on else ():
        last = hub.stay(user, RESTARTED) or last
    if last is not None:
        await last


async def free_reserved(hub: Hub) -> None:
    """Have those go by another name who bear one that was not reserved yet when they took it."""
    for user in tuple(hub.state.people.values()):
        if casefold(user.nick) in hub.reserved and casefold(user.nick) != casefold(user.source.account or ""):
            try:
                await hub.rename(user, hub.free_name(user.nick))
            except Refused as refused:
                log.warning("%s keeps a name that is reserved: %s", user.nick, refused.text)
