"""What the log adds up to: the users and rooms there are now.

`apply` is the only place where they change. Between the moment an event is decided and the moment it is applied other
events pass, so `apply` is total: it never refuses and never raises, and what no longer fits is void. The same `apply`
serves what was just stored, and the replay of the log after a restart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from asynchat.chat.events import (
    FLAGS,
    LISTS,
    ROLES,
    AccountSet,
    Announced,
    AwaySet,
    Change,
    Changed,
    Departed,
    Entered,
    Event,
    Flag,
    FlagsSet,
    Invited,
    Joined,
    Kicked,
    Left,
    MarkerSet,
    MetadataSet,
    Place,
    RealnameSet,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    Setting,
    Source,
    TopicSet,
)
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Audience, Entry, Room, Topic
from asynchat.chat.users import User

if TYPE_CHECKING:
    from asynchat.chat.sessions import Session

NOBODY = Audience()
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
        self._watchers: dict[str, dict[Session, None]] = {}  # by casefolded name

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
        elif _may_have_changed(user):
            self._give_up(user)
            user.source, user.realname = source, realname
        self.users[casefold(user.nick)] = user
        return user

    def _give_up(self, user: User) -> None:
        """Free a user's name, unless it is somebody else's by now."""
        if self.users.get(casefold(user.nick)) is user:
            del self.users[casefold(user.nick)]

    def count_flags(self, user: User, by: int) -> None:
        """Count what a user is, or with -1 count it no more."""
        self.invisible += by * (Flag.INVISIBLE in user.flags)
        self.operators += by * (Flag.OPERATOR in user.flags)

    # Watching names.

    def watch(self, session: Session, name: str) -> None:
        """Have the session told when somebody of that name comes, goes or changes."""
        self._watchers.setdefault(casefold(name), {})[session] = None

    def unwatch(self, session: Session, name: str | None = None) -> None:
        """Have it told no more; of nobody if no name is given."""
        for folded in list(self._watchers) if name is None else [casefold(name)]:
            watching = self._watchers.get(folded)
            if watching is not None and watching.pop(session, NOBODY) is None and not watching:
                del self._watchers[folded]

    def watches(self, session: Session, name: str) -> bool:
        """Whether the session watches that name."""
        return session in self._watchers.get(casefold(name), ())

    def watched_by(self, session: Session) -> list[str]:
        """The names that the session watches."""
        return [name for name, watching in self._watchers.items() if session in watching]

    def _watching(self, *nicks: str) -> tuple[Session, ...]:
        if not self._watchers:
            return ()
        return tuple({session: None for nick in nicks for session in self._watchers.get(casefold(nick), ())})

    def _remember(self, user: User, at_ms: int) -> None:
        folded = casefold(user.nick)
        bearers = self.former.pop(folded, None) or deque(maxlen=FORMER_EACH)
        bearers.appendleft(Former(user.source, user.realname, at_ms))
        self.former[folded] = bearers
        if len(self.former) > FORMER_NAMES:
            del self.former[next(iter(self.former))]

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
            if room is None:
                return NOBODY
            if event.least:
                fit = (user for user, member in room.members.items() if member.roles >= event.least)
                return Audience((), tuple(user for user in fit if user.id != event.by.user))
            return room.audience
        user = self.people.get(event.target)
        return NOBODY if user is None else Audience((), (user,))

    def _entered(self, event: Entered) -> Audience:
        self.user_of(event.by, event.realname).since_ms = event.at_ms
        return Audience(watchers=self._watching(event.by.nick))

    def _departed(self, event: Departed) -> Audience:
        user = self.people.pop(event.by.user, None)
        if user is None:
            return NOBODY
        self._give_up(user)
        rooms = tuple(user.rooms)
        for room in rooms:
            self._leave(room, user)
        self._remember(user, event.at_ms)
        self.count_flags(user, -1)
        return Audience(rooms, goes=user, watchers=self._watching(user.nick))

    def _renamed(self, event: Renamed) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        was = user.nick
        self._give_up(user)
        if casefold(was) != casefold(event.nick):
            self._remember(user, event.at_ms)
        user.source = replace(user.source, nick=event.nick)
        self.users[casefold(event.nick)] = user
        return Audience(tuple(user.rooms), watchers=self._watching(was, event.nick))

    def _away_set(self, event: AwaySet) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        user.away = event.text
        return Audience(tuple(user.rooms), watchers=self._watching(user.nick))

    def _account_set(self, event: AccountSet) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        user.source = replace(user.source, account=event.account)
        return Audience(tuple(user.rooms), watchers=self._watching(user.nick))

    def _realname_set(self, event: RealnameSet) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        user.realname = event.realname
        return Audience(tuple(user.rooms), watchers=self._watching(user.nick))

    def _flags_set(self, event: FlagsSet) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        self.count_flags(user, -1)
        user.flags = (user.flags | set(event.on)) - set(event.off)
        self.count_flags(user, 1)
        bot = Flag.BOT in user.flags
        if bot is not user.source.bot:
            user.source = replace(user.source, bot=bot)
        return Audience()

    def _marker_set(self, event: MarkerSet) -> Audience:
        user = self.people.get(event.by.user)
        if user is None:
            return NOBODY
        if user.markers is None:
            user.markers = {}
        user.markers[casefold(event.to)] = max(event.read, user.markers.get(casefold(event.to), ""))
        return Audience()

    def _metadata_set(self, event: MetadataSet) -> Audience:
        holder = self.people.get(event.by.user) if event.room is None else self.places.get(event.places[0])
        if holder is None:
            return NOBODY
        words = holder.metadata if holder.metadata is not None else {}
        if event.value is None:
            words.pop(event.name, None)
        else:
            words[event.name] = event.value
        holder.metadata = words or None
        if isinstance(holder, Room):
            return holder.audience
        return Audience(tuple(holder.rooms), watchers=self._watching(holder.nick))

    def _redacted(self, event: Redacted) -> Audience:
        if event.target is None:
            room = self.places.get(event.places[0])
            return NOBODY if room is None else room.audience
        parties = (self.people.get(place.removeprefix("@")) for place in event.places if place[:1] == "@")
        return Audience((), tuple(user for user in parties if user is not None and user.id != event.by.user))

    def _room_renamed(self, event: RoomRenamed) -> Audience:
        room = self.places.get(event.places[0])
        folded = casefold(event.name)
        if room is None or self.rooms.get(folded, room) is not room:
            return NOBODY
        del self.rooms[casefold(room.name)]
        room.name = event.name
        self.rooms[folded] = room
        return room.audience

    def _announced(self, event: Announced) -> Audience:
        return Audience((), tuple(user for user in self.people.values() if Flag.WALLOPS in user.flags))

    def _joined(self, event: Joined) -> Audience:
        room = self.places.get(event.places[0]) or self.rooms.get(casefold(event.room))
        if room is None:
            room = Room(event.places[0], event.room, event.at_ms)
            self.restore_room(room)
        user = self.user_of(event.by, event.realname)
        if _may_have_changed(user):
            user.away, user.since_ms = event.away, user.since_ms or event.at_ms
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
        if room is None:
            return NOBODY
        room.invited.add(event.target.user)
        return Audience((room,), (user,) if user is not None else ())

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


def _may_have_changed(user: User) -> bool:
    """Whether a replay may have missed something: what is told of somebody in no room is not kept."""
    return not user.rooms and not user.sessions


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
    AccountSet: State._account_set,
    RealnameSet: State._realname_set,
    FlagsSet: State._flags_set,
    MarkerSet: State._marker_set,
    MetadataSet: State._metadata_set,
    Redacted: State._redacted,
    RoomRenamed: State._room_renamed,
    Announced: State._announced,
    Joined: State._joined,
    Left: State._left,
    Kicked: State._kicked,
    Invited: State._invited,
    TopicSet: State._topic_set,
    Changed: State._changed,
}
