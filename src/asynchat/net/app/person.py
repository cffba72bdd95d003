"""A person: somebody who is here, as an application sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asynchat.chat.events import Flag, Role
from asynchat.chat.users import User

ROLES: Mapping[Role, str] = {Role.OPERATOR: "operator", Role.HELPER: "helper", Role.VOICE: "voice"}
"""From the highest to the lowest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody, as they were when they were asked for.

    `name` is what they are called, `account` what they are logged in to, None for a guest; `away` the text with which
    they are away, None if they are not. `connected` is whether they have a connection, or this program speaks as them:
    who has an account stays without. `bot` is whether they say that they are a program. `role` is the highest they
    have in the room that was asked about: `operator`, `helper`, `voice` or None. `rooms` are the names of those they
    are in, secret ones too.
    """

    name: str
    account: str | None
    away: str | None
    connected: bool
    bot: bool
    role: str | None
    rooms: tuple[str, ...]


def person_of(user: User, roles: Role = Role.NONE) -> Person:
    """A user as an application sees them, in a room where they have these roles."""
    return Person(
        name=user.nick,
        account=user.source.account,
        away=user.away,
        connected=bool(user.sessions),
        bot=Flag.BOT in user.flags,
        role=next((word for role, word in ROLES.items() if roles & role), None),
        rooms=tuple(room.name for room in user.rooms),
    )
