"""Rooms: entering, leaving, running them."""

from __future__ import annotations

from collections.abc import Sequence

from asynchat.chat import policy
from asynchat.chat.errors import AlreadyInRoom, BadSetting, ListFull, NameTaken, NoSuchName, TooManyRooms
from asynchat.chat.events import (
    LISTS,
    ROLES,
    Change,
    Changed,
    Invited,
    Joined,
    Kicked,
    Left,
    MetadataSet,
    Place,
    RoomRenamed,
    Setting,
    Source,
    TopicSet,
)
from asynchat.chat.names import casefold, check_room
from asynchat.chat.rooms import Room
from asynchat.chat.sessions import Pending, Session
from asynchat.chat.users import User
from asynchat.chat.verbs.deciding import Deciding, one_line

MASK = 300
"""Characters of a mask on a list."""
EMPTY = ("m:", "a:", "m:a:")
"""What stands before a mask that is none then."""


class RoomVerbs(Deciding):
    """The verbs for rooms."""

    def join(self, user: User, name: str, key: str | None = None, *, via: Session | None = None) -> Pending | None:
        """Enter a room, which is made if there is none. None if the user is in it.

        Raises:
            BadRoomName, TooManyRooms, Banned, MembersOnly, InviteOnly, BadKey, RoomFull
        """
        check_room(name, self.limits.room)
        folded = casefold(name)
        room = self.state.rooms.get(folded)
        if room is not None:
            name = room.name
        else:
            room = self.state.places.get(self._opening.get(folded, ""))  # one that is being renamed to this
        if room is not None and user in room.members:
            return None
        if len(user.rooms) >= self.limits.rooms:
            raise TooManyRooms(name)
        if room is None:
            place = self._opening.setdefault(folded, f"#{self._id()}")
        else:
            place = room.place
            policy.enter(user, room, key, self._coming.get(place, 0))
        self._coming[place] = self._coming.get(place, 0) + 1
        event = self._make(
            Joined,
            user,
            (place,),
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
        event = self._make(
            Left,
            user,
            (room.place,),
            room=room.name,
            reason=one_line(reason, self.limits.reason),
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
        event = self._make(
            Kicked,
            user,
            (room.place,),
            room=room.name,
            target=target.source,
            reason=one_line(reason, self.limits.reason),
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
        event = self._make(
            Invited,
            user,
            (room.place, target.inbox),
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
        event = self._make(
            TopicSet,
            user,
            (room.place,),
            room=room.name,
            text=one_line(text, self.limits.topic),
        )
        return self._change(event, user, via)

    def take_word_away(self, place: Place, name: str, by: Source) -> Pending:
        """Take a word away that is kept with a room, whoever may set it: it is to be forgotten."""
        room = self.state.places[place]
        event = MetadataSet(
            by=by, at_ms=self._at_ms(), id=self._id(), places=(place,), room=room.name, name=name, value=None
        )
        return self.journal.put(event, None)

    def take_topic_away(self, place: Place, by: Source) -> Pending:
        """Take a room's topic away, whoever may set it: its words are to be forgotten."""
        room = self.state.places[place]
        event = TopicSet(by=by, at_ms=self._at_ms(), id=self._id(), places=(place,), room=room.name, text="")
        return self.journal.put(event, None)

    def change(self, user: User, name: str, changes: Sequence[Change], *, via: Session | None = None) -> Pending | None:
        """Change settings of a room, all at once. None if they are so already.

        Raises:
            NoSuchRoom, NotInRoom, NeedOperator, NotTheirRoom, BadSetting, ListFull
        """
        room = self.room(name)
        policy.change(user, room, changes)
        wanted: list[Change] = []
        for change in changes:
            adding = sum(each.on and each.setting is change.setting for each in wanted)
            if self._changes(room, change, adding):
                wanted.append(change)
        if not wanted:
            return None
        event = self._make(Changed, user, (room.place,), room=room.name, changes=tuple(wanted))
        return self._change(event, user, via)

    def lift(self, now_ms: int) -> list[Pending]:
        """Take off the lists of all rooms what was to be there until now; it is the server that does."""
        pendings = []
        for room in self.state.places.values():
            over = tuple(
                Change(setting=setting, on=False, value=entry.mask)
                for setting, listed in room.lists.items()
                for entry in listed.values()
                if entry.until_ms is not None and entry.until_ms <= now_ms
            )
            if over:
                event = self._make(Changed, self.server, room.places, room=room.name, changes=over)
                pendings.append(self.journal.put(event, None))
        return pendings

    def rename_room(self, user: User, name: str, to: str, reason: str, *, via: Session | None = None) -> Pending:
        """Give a room another name. Members, settings and log stay.

        Raises:
            NoSuchRoom, NotInRoom, NeedOperator, BadRoomName, NameTaken
        """
        room = self.room(name)
        policy.operate(user, room)
        check_room(to, self.limits.room)
        folded = casefold(to)
        if folded != casefold(room.name) and (folded in self.state.rooms or folded in self._opening):
            raise NameTaken(to)
        reason = one_line(reason, self.limits.reason)
        self._opening[folded] = room.place
        return self._change(
            self._make(RoomRenamed, user, (room.place,), room=room.name, name=to, reason=reason), user, via
        )

    def _changes(self, room: Room, change: Change, adding: int) -> bool:
        """Whether the change would change anything; its value is checked. `adding`: masks that come before it."""
        setting, on, value = change.setting, change.on, change.value
        if setting in ROLES:
            user = self.state.people.get(change.user or "")
            if user is None:
                raise NoSuchName(value or "*")
            return bool(policy.their_membership(user, room).roles & ROLES[setting]) is not on
        if setting in LISTS:
            if not value or value[0] == ":" or not value.isprintable() or " " in value or len(value) > MASK:
                raise BadSetting(room.name, setting.value, value or "")
            if value in EMPTY and on:
                raise BadSetting(room.name, setting.value, value)
            listed = room.lists.get(setting, {})
            entry = listed.get(casefold(value))
            if entry is not None if on else entry is None:
                return entry is not None and entry.until_ms != change.until_ms
            if on and len(listed) + adding >= self.limits.entries:
                raise ListFull(room.name, value)
            return True
        if setting is Setting.KEY:
            if on and (not value or len(value) > self.limits.key or not value.isprintable() or set(value) & set(" ,:")):
                raise BadSetting(room.name, setting.value, value or "")
            return on or room.key is not None
        if setting is Setting.LIMIT:
            if on and not (value and value.isascii() and value.isdigit() and len(value) < 10 and int(value)):
                raise BadSetting(room.name, setting.value, value or "")
            return on or room.limit is not None
        return (setting in room.flags) is not on
