"""A room that has another name: whom the event tells nothing, as their wire knows no renaming, is told otherwise."""

from __future__ import annotations

from contextlib import suppress

from asynchat.chat.events import Event, RoomRenamed
from asynchat.chat.hub import Hub


def tell_moved(hub: Hub, renamed: Event) -> None:
    """Tell every session of everybody in the room, once it was renamed."""
    assert isinstance(renamed, RoomRenamed)
    room = hub.state.places.get(renamed.places[0])
    if room is None:
        return
    for user in room.members:
        for session in user.sessions:
            with suppress(OSError, RuntimeError):  # gone: its own conversation finds out
                session.moved(room, renamed.room, renamed.reason)
