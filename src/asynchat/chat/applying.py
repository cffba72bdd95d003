"""What each kind of event changes: one function per kind, and the table of them.

Each is total: it never refuses and never raises. What no longer fits returns `NOBODY`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asynchat.chat.bans import Ban
from asynchat.chat.events import (
    FLAGS,
    LISTS,
    ROLES,
    AccountSet,
    Announced,
    AwaySet,
    Banished,
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
    Pardoned,
    RealnameSet,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    Setting,
    TopicSet,
)
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Audience, Entry, Room, Topic
from asynchat.chat.users import SERVER

if TYPE_CHECKING:
    from asynchat.chat.state import State

NOBODY = Audience()


def _said(state: State, event: Said) -> Audience:
    if event.target is None:
        room = state.places.get(event.places[0])
        if room is None:
            return NOBODY
        if event.least:
            fit = (user for user, member in room.members.items() if member.roles >= event.least)
            return Audience((), tuple(user for user in fit if user.id != event.by.user))
        return room.audience
    user = state.people.get(event.target)
    return NOBODY if user is None else Audience((), (user,))


def _entered(state: State, event: Entered) -> Audience:
    state.user_of(event.by, event.realname).since_ms = event.at_ms
    return Audience(watchers=state.watchers.of(event.by.nick))


def _departed(state: State, event: Departed) -> Audience:
    user = state.people.pop(event.by.user, None)
    if user is None:
        return NOBODY
    state.give_up(user)
    rooms = tuple(user.rooms)
    for room in rooms:
        state.leave(room, user, event.seen or event.id)
    state.remember(user, event.at_ms)
    state.count_flags(user, -1)
    return Audience(rooms, goes=user, watchers=state.watchers.of(user.nick))


def _renamed(state: State, event: Renamed) -> Audience:
    user = state.people.get(event.by.user)
    if user is None:
        return NOBODY
    was = user.nick
    state.give_up(user)
    if casefold(was) != casefold(event.nick):
        state.remember(user, event.at_ms)
    user.source = replace(user.source, nick=event.nick)
    state.users[casefold(event.nick)] = user
    return Audience(tuple(user.rooms), watchers=state.watchers.of(was, event.nick))


def _away_set(state: State, event: AwaySet) -> Audience:
    user = state.people.get(event.by.user)
    if user is None:
        return NOBODY
    user.away = event.text
    user.absent = (event.seen or event.id) if event.gone else None
    return Audience(tuple(user.rooms), watchers=state.watchers.of(user.nick))


def _account_set(state: State, event: AccountSet) -> Audience:
    user = state.people.get(event.by.user)
    if user is None:
        return NOBODY
    user.source = replace(user.source, account=event.account)
    return Audience(tuple(user.rooms), watchers=state.watchers.of(user.nick))


def _realname_set(state: State, event: RealnameSet) -> Audience:
    user = state.people.get(event.by.user)
    if user is None:
        return NOBODY
    user.realname = event.realname
    return Audience(tuple(user.rooms), watchers=state.watchers.of(user.nick))


def _flags_set(state: State, event: FlagsSet) -> Audience:
    user = state.people.get(event.by.user)
    if user is None:
        return NOBODY
    state.count_flags(user, -1)
    user.flags = (user.flags | set(event.on)) - set(event.off)
    state.count_flags(user, 1)
    bot = Flag.BOT in user.flags
    if bot is not user.source.bot:
        user.source = replace(user.source, bot=bot)
    return Audience()


def _marker_set(state: State, event: MarkerSet) -> Audience:
    user = state.people.get(event.by.user)
    if user is None:
        return NOBODY
    if user.markers is None:
        user.markers = {}
    user.markers[casefold(event.to)] = max(event.read, user.markers.get(casefold(event.to), ""))
    return Audience()


def _metadata_set(state: State, event: MetadataSet) -> Audience:
    holder = state.people.get(event.by.user) if event.room is None else state.places.get(event.places[0])
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
    return Audience(tuple(holder.rooms), watchers=state.watchers.of(holder.nick))


def _redacted(state: State, event: Redacted) -> Audience:
    if event.target is None:
        room = state.places.get(event.places[0])
        return NOBODY if room is None else room.audience
    parties = (state.people.get(place.removeprefix("@")) for place in event.places if place[:1] == "@")
    return Audience((), tuple(user for user in parties if user is not None and user.id != event.by.user))


def _room_renamed(state: State, event: RoomRenamed) -> Audience:
    room = state.places.get(event.places[0])
    folded = casefold(event.name)
    if room is None or state.rooms.get(folded, room) is not room:
        return NOBODY
    del state.rooms[casefold(room.name)]
    room.name = event.name
    state.rooms[folded] = room
    return room.audience


def _announced(state: State, event: Announced) -> Audience:
    return Audience((), tuple(user for user in state.people.values() if Flag.WALLOPS in user.flags))


def _joined(state: State, event: Joined) -> Audience:
    room = state.places.get(event.places[0]) or state.rooms.get(casefold(event.room))
    if room is None:
        room = Room(event.places[0], event.room, event.at_ms)
        state.restore_room(room)
    user = state.user_of(event.by, event.realname)
    if user.may_have_changed:
        user.away, user.since_ms = event.away, user.since_ms or event.at_ms
    if user in room.members:
        return NOBODY
    state.empty.pop(room, None)
    room.enter(user, event.at_ms)
    return Audience((room,), comes=user)


def _left(state: State, event: Left) -> Audience:
    room, user = state.places.get(event.places[0]), state.people.get(event.by.user)
    if room is None or user is None or user not in room.members:
        return NOBODY
    state.leave(room, user, event.id)
    return Audience((room,), goes=user)


def _kicked(state: State, event: Kicked) -> Audience:
    room, user = state.places.get(event.places[0]), state.people.get(event.target.user)
    if room is None or user is None or user not in room.members:
        return NOBODY
    state.leave(room, user, event.id)
    return Audience((room,), goes=user)


def _invited(state: State, event: Invited) -> Audience:
    room, user = state.places.get(event.places[0]), state.people.get(event.target.user)
    if room is None:
        return NOBODY
    room.invited.add(event.target.user)
    return Audience((room,), (user,) if user is not None else ())


def _topic_set(state: State, event: TopicSet) -> Audience:
    room = state.places.get(event.places[0])
    if room is None:
        return NOBODY
    room.topic = Topic(event.text, event.by.mask, event.at_ms) if event.text else None
    return room.audience


def _changed(state: State, event: Changed) -> Audience:
    room = state.places.get(event.places[0])
    if room is None:
        return NOBODY
    for change in event.changes:
        _change(room, change, event)
    return room.audience


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
            room.put_on_list(setting, Entry.new(value, event.by.mask, event.at_ms, change.until_ms))
        else:
            room.take_off_list(setting, value)
    elif setting is Setting.KEY:
        room.key = value if on else None
    elif setting is Setting.LIMIT:
        room.limit = int(value) if on and value is not None else None


def _banished(state: State, event: Banished) -> Audience:
    state.bans.add(Ban(event.mask, event.by.mask, event.at_ms, event.reason, event.until_ms))
    return _to_server(state)


def _pardoned(state: State, event: Pardoned) -> Audience:
    return _to_server(state) if state.bans.remove(event.mask) else NOBODY


def _to_server(state: State) -> Audience:
    """To the server's consoles, if there are any."""
    server = state.people.get(SERVER.user)
    return Audience((), (server,) if server is not None else ())


APPLIERS: dict[type[Event], Callable[[State, Any], Audience]] = {
    Said: _said,
    Entered: _entered,
    Departed: _departed,
    Renamed: _renamed,
    AwaySet: _away_set,
    AccountSet: _account_set,
    RealnameSet: _realname_set,
    FlagsSet: _flags_set,
    MarkerSet: _marker_set,
    MetadataSet: _metadata_set,
    Redacted: _redacted,
    RoomRenamed: _room_renamed,
    Announced: _announced,
    Joined: _joined,
    Left: _left,
    Kicked: _kicked,
    Invited: _invited,
    TopicSet: _topic_set,
    Changed: _changed,
    Banished: _banished,
    Pardoned: _pardoned,
}
