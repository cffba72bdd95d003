"""What the log adds up to: the users and rooms there are now.

`apply` is the only place where they change. Between the moment an event is decided and the moment it is applied other
events pass, so `apply` is total: it never refuses and never raises, and what no longer fits is void. The same `apply`
serves what was just stored, and the replay of the log after a restart.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from asynchat.chat.applying import APPLIERS, NOBODY
from asynchat.chat.bans import Bans
from asynchat.chat.events import Event, Flag, Place, Setting, Source
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Audience, Room
from asynchat.chat.users import User
from asynchat.chat.watching import Watchers

FORMER_NAMES, FORMER_EACH = 1000, 10
"""How many names are remembered, and how many bearers of each."""


class Former(NamedTuple):
    """Somebody who bore a name, and when it was given up."""

    source: Source
    realname: str
    at_ms: int


class State:
    """All rooms and users.

    `users` and `rooms` are keyed by casefolded name, `people` by user id, `places` by a room's place. `void` counts the
    events that no longer fitted.
    """

    def __init__(self, *, empty_rooms: int = 10_000) -> None:
        self.users: dict[str, User] = {}
        self.people: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self.places: dict[Place, Room] = {}
        self.empty: dict[Room, None] = {}  # longest empty first
        self.empty_rooms = empty_rooms
        self.void = 0
        self.invisible = self.operators = 0
        """How many users are."""
        self.former: dict[str, deque[Former]] = {}
        """Who bore a name and does not any more, latest first; casefolded."""
        self.watchers = Watchers()
        self.bans = Bans()

    def apply(self, event: Event) -> Audience:
        """Change what the event changes, and name who is to hear of it."""
        audience = APPLIERS[type(event)](self, event)
        if audience is NOBODY:
            self.void += 1
        return audience

    def user_of(self, source: Source, realname: str) -> User:
        """The user of that id; made now if unknown, as replay and other nodes have not seen them enter."""
        user = self.people.get(source.user)
        if user is None:
            user = self.people[source.user] = User(source, realname)
        elif user.may_have_changed:
            self.give_up(user)
            user.source, user.realname = source, realname
        self.users[casefold(user.nick)] = user
        return user

    def give_up(self, user: User) -> None:
        """Free a user's name, unless it is somebody else's by now."""
        if self.users.get(casefold(user.nick)) is user:
            del self.users[casefold(user.nick)]

    def count_flags(self, user: User, by: int) -> None:
        """Count what a user is, or with -1 count it no more."""
        self.invisible += by * (Flag.INVISIBLE in user.flags)
        self.operators += by * (Flag.OPERATOR in user.flags)

    def remember(self, user: User, at_ms: int) -> None:
        """Remember that a user bore their name until then."""
        folded = casefold(user.nick)
        bearers = self.former.pop(folded, None) or deque(maxlen=FORMER_EACH)
        bearers.appendleft(Former(user.source, user.realname, at_ms))
        self.former[folded] = bearers
        if len(self.former) > FORMER_NAMES:
            del self.former[next(iter(self.former))]

    def forget_bearer(self, account: str) -> None:
        """Do not remember that somebody of that account bore a name."""
        for name, bearers in tuple(self.former.items()):
            kept = [each for each in bearers if casefold(each.source.account or "") != casefold(account)]
            if not kept:
                del self.former[name]
            elif len(kept) < len(bearers):
                self.former[name] = deque(kept, maxlen=FORMER_EACH)

    def restore_room(self, room: Room) -> None:
        """Make a room known."""
        self.rooms[casefold(room.name)] = room
        self.places[room.place] = room
        if not room.members:
            self._empty(room)

    def leave(self, room: Room, user: User, event_id: str) -> None:
        """Take a member out of a room, by that event."""
        room.leave(user, event_id)
        if not room.members:
            self._empty(room)

    def _empty(self, room: Room) -> None:
        """Remember an empty room, but an invite-only one, into which nobody could invite, and not without bound."""
        self.empty[room] = None
        if Setting.INVITE_ONLY in room.flags:
            self._forget(room)
        elif len(self.empty) > self.empty_rooms:
            self._forget(next(iter(self.empty)))

    def _forget(self, room: Room) -> None:
        """Let a room end. Its log stays, out of the reach of the next room of that name."""
        self.empty.pop(room, None)
        self.rooms.pop(casefold(room.name), None)
        self.places.pop(room.place, None)
