"""What every verb needs to decide: the state, the limits, ids and times, and the journal."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asynchat.chat.errors import BadText, NameReserved, NoSuchName, NoSuchRoom
from asynchat.chat.events import Event, Place
from asynchat.chat.names import casefold, check_person, suggest
from asynchat.chat.rooms import Room
from asynchat.chat.sessions import Journal, Pending, Session
from asynchat.chat.state import State
from asynchat.chat.users import SERVER, User


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how many. Lengths are in bytes of UTF-8, but `name` in characters."""

    name: int = 32
    room: int = 64
    topic: int = 390
    reason: int = 390
    away: int = 200
    text: int = 65_536
    key: int = 32
    rooms: int = 100
    entries: int = 200
    """Masks on one list of a room."""
    bans: int = 10_000
    """Masks that are kept off the server."""
    watched: int = 100
    """Names that one session watches."""
    metadata_keys: int = 1000
    """Words kept with one user or room."""
    metadata_value: int = 300


class Deciding:
    """The part of the hub that all verbs stand on.

    `journal` is set once, before the first verb; `clock_ms` tells milliseconds of UTC since 1970.
    """

    journal: Journal

    def __init__(self, clock_ms: Callable[[], int], limits: Limits | None = None, state: State | None = None) -> None:
        self.clock_ms = clock_ms
        self.limits = limits or Limits()
        self.state = state or State()
        self.claims: dict[str, str] = {}
        """Names that are being taken: casefolded name to user id."""
        self.reserved: frozenset[str] = frozenset()
        """Names that nobody bears but who is the account of that name; casefolded."""
        self._opening: dict[str, Place] = {}  # rooms that are being made: casefolded name to place
        self._coming: dict[Place, int] = {}  # how many are entering each room
        self._ids = itertools.count(1)
        self._now_ms = 0

    def begin_after(self, last_id: int, last_ms: int = 0) -> None:
        """Go on where the log ends: ids are drawn after `last_id`, times are not before `last_ms`."""
        self._ids = itertools.count(last_id + 1)
        self._now_ms = last_ms

    # Looking up.

    def user(self, name: str) -> User:
        """The user called so.

        Raises:
            NoSuchName
        """
        user = self.state.users.get(casefold(name))
        if user is None:
            raise NoSuchName(name)
        return user

    def room(self, name: str) -> Room:
        """The room called so, if anybody is in it.

        Raises:
            NoSuchRoom
        """
        room = self.state.rooms.get(casefold(name))
        if room is None or not room.members:
            raise NoSuchRoom(name)
        return room

    @property
    def server(self) -> User:
        """The user that the server itself is: the one its consoles share, else one that is in no room."""
        return self.state.people.get(SERVER.user) or User(SERVER, "")

    def is_taken(self, name: str) -> bool:
        """Whether somebody has that name or is taking it."""
        folded = casefold(name)
        return folded in self.state.users or folded in self.claims

    def check_name(self, name: str, account: str | None = None) -> None:
        """Let a name pass as that of somebody, who is logged in to an account or not; it may be taken.

        Raises:
            BadName, NameReserved
        """
        check_person(name, self.limits.name)
        if self._is_kept(name) and casefold(name) != casefold(account or ""):
            raise NameReserved(name)

    def _is_kept(self, name: str) -> bool:
        return casefold(name) in self.reserved

    def free_name(self, name: str) -> str:
        """A free name like this one."""
        return suggest(name, lambda like: self.is_taken(like) or self._is_kept(like), self.limits.name)

    # Making events.

    def _id(self) -> str:
        return str(next(self._ids))

    def _at_ms(self) -> int:
        now = self.clock_ms()
        if now > self._now_ms:
            self._now_ms = now
        return self._now_ms

    def _make[E: Event](self, kind: type[E], user: User, places: tuple[Place, ...], **fields: Any) -> E:
        """An event of that kind by that user; it is kept if it belongs anywhere."""
        fields.setdefault("kept", bool(places))
        return kind(by=user.source, at_ms=self._at_ms(), id=self._id(), places=places, **fields)

    def _change(self, event: Event, user: User, via: Session | None) -> Pending:
        """Put an event that is not talk."""
        pending = self.journal.put(event, via)
        user.last = user.changing = pending
        return pending


def everywhere(user: User) -> tuple[Place, ...]:
    """The places of an event about a user as such: its rooms, and its inbox if the account outlives the connection."""
    places = tuple(room.place for room in user.rooms)
    return (*places, user.inbox) if user.lasting else places


def is_unicode(text: str) -> bool:
    """Whether a text can be written down: half a surrogate pair, which only a program can make, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_line(text: str, limit: int) -> str:
    """A text on one line, cut to a number of bytes at a character.

    Raises:
        BadText: NUL or CR are inside.
    """
    if "\r" in text or "\0" in text or not is_unicode(text):
        raise BadText
    text = text.replace("\n", " ")
    return text if len(text) * 4 <= limit else text.encode()[:limit].decode(errors="ignore")
