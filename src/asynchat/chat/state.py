"""What the log adds up to: the users and rooms there are now.

`apply` is the only place where they change. Between the moment an event is decided and the moment it is applied other
events pass, so `apply` is total: it never refuses and never raises, and what no longer fits is void. The same `apply`
serves what was just stored, and the replay of the log after a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asynchat.chat.events import (
    FLAGS,
    LISTS,
    ROLES,
    AwaySet,
    Change,
    Changed,
    Departed,
    Entered,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Place,
    Renamed,
    Said,
    Setting,
    Source,
    TopicSet,
)
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Audience, Entry, Room, Topic
from asynchat.chat.users import User

NOBODY = Audience()


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

    def apply(self, event: Event) -> Audience:
        """Change what the event changes, and name who is to hear of it."""
        audience = _APPLY[type(event)](self, event)
        if audience is NOBODY:
            self.void += 1
        return audience

    def user_of(self, source: Source, realname: str) -> User:
        """The user of that id; made now if unknown, as replay and other nodes have not seen them enter."""
        user = self.people.get(source.user)
        if user is None:
            user = self.people[source.user] = User(source, realname)
            self.users[casefold(source.nick)] = user
        return user

    def restore_room(self, room: Room) -> None:
        """Make a room known."""
        self.rooms[casefold(room.name)] = room
        self.places[room.place] = room
        if not room.members:
            self._empty(room)

    # One function per kind of event.

    def _said(self, event: Said) -> Audience:
        if event.target is None:
            room = self.places.get(event.places[0])
            return NOBODY if room is None else room.audience
        user = self.people.get(event.target)
        return NOBODY if user is None else Audience((), (user,))

    def _entered(self, event: Entered) -> Audience:
        self.user_of(event.by, event.realname)
        return Audience()

    def _departed(self, event: Departed) -> Audience:
        user = self.people.pop(event.by.user, None)
        if user is None:
            return NOBODY
        self.users.pop(casefold(user.nick), None)
        rooms = tuple(user.rooms)
        for room in rooms:
            self._leave(room, user)
        return Audience(rooms, goes=user)

    def _renamed(self, event: Renamed) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        del self.users[casefold(user.nick)]
        was = user.source
        user.source = Source(user=was.user, nick=event.nick, ident=was.ident, host=was.host, account=was.account)
        self.users[casefold(event.nick)] = user
        return Audience(tuple(user.rooms))

    def _away_set(self, event: AwaySet) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        user.away = event.text
        return Audience(tuple(user.rooms))

    def _joined(self, event: Joined) -> Audience:
        room = self.places.get(event.places[0]) or self.rooms.get(casefold(event.room))
        if room is None:
            room = Room(event.places[0], event.room, event.at_ms)
            self.restore_room(room)
        user = self.user_of(event.by, event.realname)
        if user in room.members:
            return NOBODY
        self.empty.pop(room, None)
        room.enter(user, event.at_ms)
        return Audience((room,), comes=user)

    def _left(self, event: Left) -> Audience:
        room, user = self.places.get(event.places[0]), self.people.get(event.by.user)
        if room is None or user is None or user not in room.members:
            return NOBODY
        self._leave(room, user)
        return Audience((room,), goes=user)

    def _kicked(self, event: Kicked) -> Audience:
        room, user = self.places.get(event.places[0]), self.people.get(event.target.user)
        if room is None or user is None or user not in room.members:
            return NOBODY
        self._leave(room, user)
        return Audience((room,), goes=user)

    def _invited(self, event: Invited) -> Audience:
        room, user = self.places.get(event.places[0]), self.people.get(event.target.user)
        if room is None or user is None:
            return NOBODY
        room.invited.add(user.id)
        return Audience((), (user,))

    def _topic_set(self, event: TopicSet) -> Audience:
        room = self.places.get(event.places[0])
        if room is None:
            return NOBODY
        room.topic = Topic(event.text, event.by.mask, event.at_ms) if event.text else None
        return room.audience

    def _changed(self, event: Changed) -> Audience:
        room = self.places.get(event.places[0])
        if room is None:
            return NOBODY
        for change in event.changes:
            _change(room, change, event)
        return room.audience

    def _leave(self, room: Room, user: User) -> None:
        room.leave(user)
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


def _change(room: Room, change: Change, event: Changed) -> None:
    setting, on, value = change.setting, change.on, change.value
    if setting in FLAGS:
        (room.flags.add if on else room.flags.discard)(setting)
    elif setting in ROLES:
        for user, member in room.members.items():
            if user.id == change.user:
                member.roles = member.roles | ROLES[setting] if on else member.roles & ~ROLES[setting]
    elif setting in LISTS and value is not None:
        if on:
            room.put_on_list(setting, Entry.new(value, event.by.mask, event.at_ms))
        else:
            room.take_off_list(setting, value)
    elif setting is Setting.KEY:
        room.key = value if on else None
    elif setting is Setting.LIMIT:
        room.limit = int(value) if on and value is not None else None


_APPLY: dict[type[Event], Callable[[State, Any], Audience]] = {
    Said: State._said,
    Entered: State._entered,
    Departed: State._departed,
    Renamed: State._renamed,
    AwaySet: State._away_set,
    Joined: State._joined,
    Left: State._left,
    Kicked: State._kicked,
    Invited: State._invited,
    TopicSet: State._topic_set,
    Changed: State._changed,
}
