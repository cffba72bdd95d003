"""A room: who is in it, what is set, and who hears it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from asynchat.chat.events import LISTS, Place, Role, Setting, Source
from asynchat.chat.names import casefold, mask_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asynchat.chat.sessions import Dialect, Peer, Session
    from asynchat.chat.users import User


LEFT = 1000
"""Of how many who left a room it is remembered when."""


@dataclass(slots=True)
class Topic:
    """A room's topic; `by` is the mask of who set it."""

    text: str
    by: str
    at_ms: int


@dataclass(slots=True)
class Entry:
    """A mask on one of a room's lists; `by` is the mask of who put it there, `until_ms` when it is to be taken off.

    `m:` before a mask makes a ban one on speaking only, `a:` makes it a mask of accounts.
    """

    mask: str
    by: str
    at_ms: int
    pattern: re.Pattern[str]
    mute: bool
    account: bool
    until_ms: int | None = None

    @classmethod
    def new(cls, mask: str, by: str, at_ms: int, until_ms: int | None = None) -> Entry:
        mute = mask.startswith("m:")
        rest = mask[2:] if mute else mask
        account = rest.startswith("a:")
        return cls(mask, by, at_ms, mask_pattern(rest[2:] if account else rest), mute, account, until_ms)

    def fits(self, source: Source) -> bool:
        """Whether it means this one."""
        if self.account:
            return source.account is not None and self.pattern.fullmatch(casefold(source.account)) is not None
        return self.pattern.fullmatch(casefold(source.mask)) is not None


class Audience(NamedTuple):
    """Who is to hear an event: the hearers of `rooms`, and the sessions of `also`. Its author hears it besides.

    In a room, `comes` hears it and what follows, `goes` it and what came before. `watchers` have asked to be told of
    its author, wherever that is.
    """

    rooms: tuple[Room, ...] = ()
    also: tuple[User, ...] = ()
    comes: User | None = None
    goes: User | None = None
    watchers: tuple[Session, ...] = ()


class Member:
    """A user in a room: its roles, and when it came."""

    __slots__ = ("roles", "since_ms", "user")

    def __init__(self, user: User, roles: Role, since_ms: int) -> None:
        self.user = user
        self.roles = roles
        self.since_ms = since_ms


class Room:
    """A named place with members and a log.

    It is remembered with all that is set in it when the last member leaves. `hearers` is the push list, grouped by
    dialect, so that a line is rendered once for each: it changes when apply says so, when a session lags or is level
    again, and when a session's dialect changes, never elsewhere.
    """

    __slots__ = (
        "audience",
        "created_ms",
        "flags",
        "hearers",
        "invited",
        "key",
        "left",
        "limit",
        "lists",
        "members",
        "metadata",
        "name",
        "place",
        "places",
        "topic",
    )

    def __init__(self, place: Place, name: str, created_ms: int) -> None:
        self.place = place
        self.places = (place,)  # of an event that belongs here alone
        self.name = name
        self.created_ms = created_ms
        self.topic: Topic | None = None
        self.flags: set[Setting] = {Setting.TOPIC_LOCKED, Setting.NO_OUTSIDERS}
        self.key: str | None = None
        self.limit: int | None = None
        self.lists: dict[Setting, dict[str, Entry]] = {}
        self.invited: set[str] = set()  # user ids
        self.members: dict[User, Member] = {}
        self.hearers: dict[Dialect, dict[Session, Peer]] = {}
        self.metadata: dict[str, str] | None = None
        self.left: dict[str, str] = {}  # casefolded name to the id of the event with which its bearer left last
        self.audience = Audience((self,))

    def hear(self, session: Session) -> None:
        """Push to this session from now on; to one that lags, once it is level again."""
        if session.lagging:
            return
        self.hearers.setdefault(session.dialect, {})[session] = session.peer

    def deafen(self, session: Session) -> None:
        """Push to this session no more."""
        group = self.hearers.get(session.dialect)
        if group is not None and group.pop(session, None) is not None and not group:
            del self.hearers[session.dialect]

    def hears(self, session: Session) -> bool:
        """Whether this session is pushed to."""
        return session in self.hearers.get(session.dialect, ())

    def enter(self, user: User, at_ms: int) -> Member:
        """Make the user a member: an operator if it is the server, or the first besides the server."""
        first = len(self.members) < 2 and all(other.is_server for other in self.members)
        member = Member(user, Role.OPERATOR if first or user.is_server else Role.NONE, at_ms)
        self.members[user] = member
        user.rooms[self] = None
        self.invited.discard(user.id)
        for session in user.sessions:
            self.hear(session)
        return member

    def leave(self, user: User, event_id: str) -> None:
        """Make the user a member no more, by that event."""
        del self.members[user]
        name = casefold(user.nick)
        self.left.pop(name, None)
        self.left[name] = event_id
        if len(self.left) > LEFT:
            del self.left[next(iter(self.left))]
        user.rooms.pop(self, None)
        for session in user.sessions:
            self.deafen(session)

    def entries(self, setting: Setting) -> Iterable[Entry]:
        """The masks on one of the lists, oldest first."""
        listed = self.lists.get(setting)
        return listed.values() if listed else ()

    def listed(self, setting: Setting, source: Source, *, mute: bool = False) -> bool:
        """Whether an entry of that list, one on speaking only or any other, means this one."""
        return any(entry.mute is mute and entry.fits(source) for entry in self.entries(setting))

    def put_on_list(self, setting: Setting, entry: Entry) -> None:
        """Add a mask to one of the lists, once; the later of two may end at another time."""
        assert setting in LISTS
        listed = self.lists.setdefault(setting, {})
        before = listed.setdefault(casefold(entry.mask), entry)
        if before.until_ms != entry.until_ms:
            listed[casefold(entry.mask)] = entry

    def take_off_list(self, setting: Setting, mask: str) -> None:
        """Take a mask off one of the lists, if it is there."""
        listed = self.lists.get(setting)
        if listed is not None:
            listed.pop(casefold(mask), None)
            if not listed:
                del self.lists[setting]
