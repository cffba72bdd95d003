"""A user: an identity known here, present or away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.events import Flag, Place, Source
from asynchat.chat.names import casefold

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.chat.sessions import Pending, Session

NO_FLAGS: frozenset[Flag] = frozenset()


SERVER = Source(user="s", nick="server", ident="server", host="localhost")
"""Who the server itself is, through whoever sits at its console. Nobody else can have its name or its id."""
LASTING = "a"
"""Begins the ids of users who are here as their account, and stay when their sessions go."""


def lasting_id(account: str) -> str:
    """The id of the user that an account is."""
    return f"{LASTING}:{casefold(account)}"


def inbox(user_id: str) -> Place:
    """Where what is said to a user alone, and by them to others alone, belongs."""
    return f"@{user_id}"


def conversation(one_id: str, other_id: str) -> Place:
    """Where what two users say to each other alone belongs, whichever of them says it."""
    return f"&{min(one_id, other_id)}&{max(one_id, other_id)}"


class User:
    """Who somebody is: found by `id`, called by `source.nick`.

    `last` is the last thing that any of its sessions did, `changing` the last that was not talk: what follows waits for
    them (two sessions of one user that waited only for themselves lost an event).
    """

    __slots__ = (
        "absent",
        "away",
        "changing",
        "flags",
        "last",
        "markers",
        "metadata",
        "realname",
        "rooms",
        "sessions",
        "since_ms",
        "source",
    )

    def __init__(self, source: Source, realname: str) -> None:
        self.source = source
        self.realname = realname
        self.since_ms = 0
        self.away: str | None = None
        self.absent: str | None = None  # the id of the event with which its last session went
        self.flags: frozenset[Flag] = NO_FLAGS
        self.markers: dict[str, str] | None = None  # casefolded target to the time up to which it was read
        self.metadata: dict[str, str] | None = None
        self.rooms: dict[Room, None] = {}
        self.sessions: tuple[Session, ...] = ()
        self.last: Pending | None = None
        self.changing: Pending | None = None

    @property
    def may_have_changed(self) -> bool:
        """Whether a replay may have missed something: what is told of somebody in no room is not kept."""
        return not self.rooms and not self.sessions

    @property
    def id(self) -> str:
        return self.source.user

    @property
    def nick(self) -> str:
        return self.source.nick

    @property
    def lasting(self) -> bool:
        """Whether it stays when its last session goes."""
        return self.source.user[:1] == LASTING

    @property
    def is_server(self) -> bool:
        """Whether it is the server itself, which runs every room."""
        return self.source.user == SERVER.user

    @property
    def inbox(self) -> Place:
        """Where what is said to this user alone belongs."""
        return inbox(self.source.user)
