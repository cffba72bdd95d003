"""Events, as an application is told of them, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from asynchat.chat import events
from asynchat.chat.messages import Message, message_of

Happened = Literal["join", "leave", "kick", "topic", "rename"]
What = Literal["message"] | Happened

KINDS: Mapping[What, tuple[type[events.Event], ...]] = {
    "message": (events.Said,),
    "join": (events.Joined,),
    "leave": (events.Left, events.Departed),
    "kick": (events.Kicked,),
    "topic": (events.TopicSet,),
    "rename": (events.Renamed,),
}
"""What an application may be told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened, besides words.

    `what` is `join`, `leave` (a room, or the server), `kick`, `topic` or `rename`; `by` the name of who did it, as it
    was before, and `account` what they were logged in to. `rooms` are the names of the rooms that it happened in: of
    who leaves the server, all they were in; of a `rename`, none. `text` is the reason, the topic (empty: taken away),
    or the new name; `target` who was kicked. `id` is its name everywhere, a number as text, and `at` its time, aware,
    in UTC.
    """

    id: str
    what: str
    by: str
    account: str | None
    at: datetime
    rooms: tuple[str, ...]
    text: str
    target: str | None


def rooms_of(event: events.Event) -> tuple[str, ...]:
    """The names of the rooms that an event is about."""
    if isinstance(event, events.Said):
        return (event.to,) if event.target is None else ()
    if isinstance(event, events.Departed):
        return event.rooms
    room = getattr(event, "room", None)
    return (room,) if room is not None else ()


def told_as(what: What, event: events.Event) -> Message | Event:
    """An event as an application is told of it."""
    if isinstance(event, events.Said):
        return message_of(event)
    words = next((word for name in ("reason", "text", "nick") if (word := getattr(event, name, None)) is not None), "")
    return Event(
        id=event.id,
        what=what,
        by=event.by.nick,
        account=event.by.account,
        at=event.at,
        rooms=rooms_of(event),
        text=words,
        target=event.target.nick if isinstance(event, events.Kicked) else None,
    )
