"""The hub: all rooms and users; every change is one verb.

A verb looks things up, asks policy, builds the event with the places it belongs to and hands it to the journal. It
changes nothing: `State.apply` does, once the event is stored. What must be unique, a person's name and the place of a
new room, is claimed when the verb decides, so that two sessions cannot both pass; a claim ends when the event is
applied or could not be stored.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asynchat.chat import policy
from asynchat.chat.errors import (
    AlreadyInRoom,
    BadSetting,
    BadText,
    ListFull,
    NameTaken,
    NoSuchName,
    NoSuchRoom,
    NoText,
    TooLong,
    TooManyRooms,
)
from asynchat.chat.events import (
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
    Kind,
    Left,
    Place,
    Renamed,
    Said,
    Setting,
    Source,
    TopicSet,
)
from asynchat.chat.names import casefold, check_person, check_room, suggest
from asynchat.chat.rooms import Audience, Room
from asynchat.chat.sessions import Journal, Pending, Session
from asynchat.chat.state import State
from asynchat.chat.users import User


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


class Hub:
    """The verbs. `journal` is set once, before the first of them; `clock_ms` tells milliseconds of UTC since 1970."""

    journal: Journal

    def __init__(self, clock_ms: Callable[[], int], limits: Limits | None = None, state: State | None = None) -> None:
        self.clock_ms = clock_ms
        self.limits = limits or Limits()
        self.state = state or State()
        self.claims: dict[str, str] = {}
        """Names that are being taken: casefolded name to user id."""
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

    def is_taken(self, name: str) -> bool:
        """Whether somebody has that name or is taking it."""
        folded = casefold(name)
        return folded in self.state.users or folded in self.claims

    def free_name(self, name: str) -> str:
        """A free name like this one."""
        return suggest(name, self.is_taken, self.limits.name)

    # Being here.

    def enter(self, nick: str, ident: str, host: str, realname: str, via: Session | None = None) -> Pending:
        """Come in under a name, into no room yet. When it is done, `attach` gives the user.

        Raises:
            BadName, NameTaken
        """
        check_person(nick, self.limits.name)
        if self.is_taken(nick):
            raise NameTaken(nick)
        realname, event_id = _line(realname, self.limits.reason), self._id()
        source = Source(user=f"g{event_id}", nick=nick, ident=ident, host=host)
        self.claims[casefold(nick)] = source.user
        event = Entered(by=source, at_ms=self._at_ms(), id=event_id, kept=False, realname=realname)
        return self.journal.put(event, via)

    def attach(self, session: Session, user_id: str) -> User:
        """Make the session one of the user's: it hears what the user hears."""
        user = self.state.people[user_id]
        user.sessions = (*user.sessions, session)
        for room in user.rooms:
            room.hear(session)
        return user

    def detach(self, session: Session, user: User) -> None:
        """The session is the user's no more."""
        user.sessions = tuple(s for s in user.sessions if s is not session)
        for room in user.rooms:
            room.deafen(session)

    def depart(self, user: User, reason: str, *, via: Session | None = None) -> Pending:
        """Go, from all rooms."""
        rooms = tuple(user.rooms)
        event = Departed(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=tuple(room.place for room in rooms),
            kept=bool(rooms),
            rooms=tuple(room.name for room in rooms),
            reason=_line(reason, self.limits.reason),
        )
        return self._change(event, user, via)

    def rename(self, user: User, nick: str, *, via: Session | None = None) -> Pending:
        """Take another name.

        Raises:
            BadName, NameTaken
        """
        check_person(nick, self.limits.name)
        if casefold(nick) != casefold(user.nick) and self.is_taken(nick):
            raise NameTaken(nick)
        self.claims[casefold(nick)] = user.id
        rooms = tuple(user.rooms)
        event = Renamed(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=tuple(room.place for room in rooms),
            kept=bool(rooms),
            nick=nick,
        )
        return self._change(event, user, via)

    def set_away(self, user: User, text: str | None, *, via: Session | None = None) -> Pending:
        """Be away with a text, or back with None."""
        rooms = tuple(user.rooms)
        event = AwaySet(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=tuple(room.place for room in rooms),
            kept=bool(rooms),
            text=_line(text, self.limits.away) if text else None,
        )
        return self._change(event, user, via)

    # Rooms.

    def join(self, user: User, name: str, key: str | None = None, *, via: Session | None = None) -> Pending | None:
        """Enter a room, which is made if there is none. None if the user is in it.

        Raises:
            BadRoomName, TooManyRooms, Banned, MembersOnly, InviteOnly, BadKey, RoomFull
        """
        check_room(name, self.limits.room)
        folded = casefold(name)
        room = self.state.rooms.get(folded)
        if room is not None and user in room.members:
            return None
        if len(user.rooms) >= self.limits.rooms:
            raise TooManyRooms(name)
        if room is None:
            place = self._opening.setdefault(folded, f"#{self._id()}")
        else:
            place, name = room.place, room.name
            policy.enter(user, room, key, self._coming.get(place, 0))
        self._coming[place] = self._coming.get(place, 0) + 1
        event = Joined(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=(place,),
            room=name,
            realname=user.realname,
            away=user.away,
        )
        return self._change(event, user, via)

    def leave(self, user: User, name: str, reason: str = "", *, via: Session | None = None) -> Pending:
        """Leave a room.

        Raises:
            NoSuchRoom, NotInRoom
        """
        room = self.room(name)
        policy.member(user, room)
        event = Left(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=(room.place,),
            room=room.name,
            reason=_line(reason, self.limits.reason),
        )
        return self._change(event, user, via)

    def kick(self, user: User, name: str, nick: str, reason: str, *, via: Session | None = None) -> Pending:
        """Put somebody out of a room.

        Raises:
            NoSuchRoom, NotInRoom, NeedOperator, NoSuchName, NotTheirRoom
        """
        room = self.room(name)
        policy.help_run(user, room)
        target = self.user(nick)
        policy.kick(user, room, policy.their_membership(target, room))
        event = Kicked(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=(room.place,),
            room=room.name,
            target=target.source,
            reason=_line(reason, self.limits.reason),
        )
        return self._change(event, user, via)

    def invite(self, user: User, name: str, nick: str, *, via: Session | None = None) -> Pending:
        """Let somebody into a room, and tell them.

        Raises:
            NoSuchName, NoSuchRoom, NotInRoom, NeedOperator, AlreadyInRoom
        """
        target, room = self.user(nick), self.room(name)
        policy.invite(user, room)
        if target in room.members:
            raise AlreadyInRoom(target.nick, room.name)
        event = Invited(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=(room.place, target.inbox),
            room=room.name,
            target=target.source,
        )
        return self._change(event, user, via)

    def set_topic(self, user: User, name: str, text: str, *, via: Session | None = None) -> Pending:
        """Give a room a topic; an empty one takes it away. It is cut to the limit.

        Raises:
            NoSuchRoom, NotInRoom, NeedOperator, BadText
        """
        room = self.room(name)
        policy.set_topic(user, room)
        event = TopicSet(
            by=user.source,
            at_ms=self._at_ms(),
            id=self._id(),
            places=(room.place,),
            room=room.name,
            text=_line(text, self.limits.topic),
        )
        return self._change(event, user, via)

    def change(self, user: User, name: str, changes: Sequence[Change], *, via: Session | None = None) -> Pending | None:
        """Change settings of a room, all at once. None if they are so already.

        Raises:
            NoSuchRoom, NotInRoom, NeedOperator, NotTheirRoom, BadSetting, ListFull
        """
        room = self.room(name)
        policy.change(user, room, changes)
        wanted = tuple(change for change in changes if self._changes(room, change))
        if not wanted:
            return None
        event = Changed(
            by=user.source, at_ms=self._at_ms(), id=self._id(), places=(room.place,), room=room.name, changes=wanted
        )
        return self._change(event, user, via)

    # Talk.

    def say(
        self,
        user: User,
        to: str,
        text: str,
        *,
        kind: Kind = Kind.MESSAGE,
        tags: tuple[tuple[str, str], ...] = (),
        key: str | None = None,
        kept: bool = True,
        via: Session | None = None,
    ) -> Pending:
        """Say something in a room or to a person. `text` may have several lines.

        Raises:
            NoText, BadText, TooLong, NoSuchRoom, CannotSpeak, NoSuchName
        """
        if not text and kind is not Kind.SIGNAL:
            raise NoText
        if "\r" in text or "\0" in text:
            raise BadText
        if len(text) > self.limits.text >> 2 and len(text.encode()) > self.limits.text:
            raise TooLong(str(self.limits.text))
        target: str | None = None
        if to[:1] == "#":
            room = self.state.rooms.get(to.lower() if to.isascii() else casefold(to))
            if room is None or not room.members:
                raise NoSuchRoom(to)
            policy.speak(user, room)
            to = room.name
            places: tuple[Place, ...] = (room.place,)
        else:
            person = self.user(to)
            to, target = person.nick, person.id
            places = (person.inbox,) if person is user else (person.inbox, user.inbox)
        event = Said(
            by=user.source,
            at_ms=self._at_ms(),
            id=str(next(self._ids)),
            places=places,
            kept=kept,
            to=to,
            text=text,
            kind=kind,
            target=target,
            tags=tags,
            key=key,
        )
        pending = user.last = self.journal.put(event, via)
        return pending

    # What the journal calls.

    def apply(self, event: Event) -> Audience:
        """Change the state as the stored event says, and name who is to hear of it. Total."""
        audience = self.state.apply(event)
        if not event.talk:
            self.withdraw(event)
        return audience

    def withdraw(self, event: Event) -> None:
        """End the claims that were made for an event: it is applied, or it could not be stored."""
        if isinstance(event, Entered | Renamed):
            nick = event.nick if isinstance(event, Renamed) else event.by.nick
            if self.claims.get(casefold(nick)) == event.by.user:
                del self.claims[casefold(nick)]
        elif isinstance(event, Joined):
            place = event.places[0]
            coming = self._coming.pop(place, 1) - 1
            if coming:
                self._coming[place] = coming
            elif self._opening.get(casefold(event.room)) == place:
                del self._opening[casefold(event.room)]

    # Parts of the verbs.

    def _id(self) -> str:
        return str(next(self._ids))

    def _at_ms(self) -> int:
        now = self.clock_ms()
        if now > self._now_ms:
            self._now_ms = now
        return self._now_ms

    def _change(self, event: Event, user: User, via: Session | None) -> Pending:
        pending = self.journal.put(event, via)
        user.last = user.changing = pending
        return pending

    def _changes(self, room: Room, change: Change) -> bool:
        """Whether the change would change anything; its value is checked."""
        setting, on, value = change.setting, change.on, change.value
        if setting in ROLES:
            user = self.state.people.get(change.user or "")
            if user is None:
                raise NoSuchName(value or "*")
            return bool(policy.their_membership(user, room).roles & ROLES[setting]) is not on
        if setting in LISTS:
            assert value is not None
            listed = room.lists.get(setting, {})
            if on and len(listed) >= self.limits.entries:
                raise ListFull(room.name, value)
            return (casefold(value) in listed) is not on
        if setting is Setting.KEY:
            if on and (not value or len(value) > self.limits.key or not value.isprintable() or set(value) & set(" ,")):
                raise BadSetting(room.name, setting.value, value or "")
            return on or room.key is not None
        if setting is Setting.LIMIT:
            if on and not (value and value.isascii() and value.isdigit() and 0 < int(value) < 2**31):
                raise BadSetting(room.name, setting.value, value or "")
            return on or room.limit is not None
        return (setting in room.flags) is not on


def _line(text: str, limit: int) -> str:
    """A text on one line, cut to a number of bytes at a character.

    Raises:
        BadText: NUL or CR are inside.
    """
    if "\r" in text or "\0" in text:
        raise BadText
    text = text.replace("\n", " ")
    return text if len(text) * 4 <= limit else text.encode()[:limit].decode(errors="ignore")
