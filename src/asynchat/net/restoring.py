"""Beginning again where the last run ended, or was ended."""

from __future__ import annotations

from asynchat.chat import snapshot
from asynchat.chat.hub import Hub
from asynchat.store import Log


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

    The journal must be running.
    """
    gone = [user for user in hub.state.people.values() if not (always_on and user.lasting)]
    leaving = [hub.depart(user, "the server was restarted") for user in gone]
    if leaving:
        await leaving[-1]
