"""A user: an identity known here, present or away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.events import Place, Source

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.chat.sessions import Pending, Session


class User:
    """Who somebody is: found by `id`, called by `source.nick`.

    `last` is the last thing that any of its sessions did, `changing` the last that was not talk: what follows waits for
    them (two sessions of one user that waited only for themselves lost an event).
    """

    __slots__ = ("away", "changing", "last", "realname", "rooms", "sessions", "source")

    def __init__(self, source: Source, realname: str) -> None:
        self.source = source
        self.realname = realname
        self.away: str | None = None
        self.rooms: dict[Room, None] = {}
        self.sessions: tuple[Session, ...] = ()
        self.last: Pending | None = None
        self.changing: Pending | None = None

    @property
    def id(self) -> str:
        return self.source.user

    @property
    def nick(self) -> str:
        return self.source.nick

    @property
    def inbox(self) -> Place:
        """Where what is said to this user alone belongs."""
        return f"@{self.source.user}"
