"""The state as JSON values and back: what a restart begins with, before the log is replayed."""

from __future__ import annotations

from typing import Any

from asynchat.chat.bans import Ban
from asynchat.chat.events import Flag, Role, Setting, Source
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Entry, Room, Topic
from asynchat.chat.state import State
from asynchat.chat.users import User


def dump(state: State) -> dict[str, Any]:
    """All of it: people in the order in which they came, rooms with their members in order, the empty ones last."""
    rooms = state.rooms.values()
    return {
        "people": [_user(user) for user in state.people.values() if user.rooms or user.lasting],
        "rooms": [_room(room) for room in (*(room for room in rooms if room.members), *state.empty)],
        "bans": [[ban.mask, ban.by, ban.at_ms, ban.reason, ban.until_ms] for ban in state.bans.all.values()],
    }


def load(values: dict[str, Any], state: State) -> None:
    """Make a state, which is empty, what it was."""
    for each in values["people"]:
        person = _load_user(each)
        state.people[person.id] = state.users[casefold(person.nick)] = person
        state.count_flags(person, 1)
    for each in values["rooms"]:
        state.restore_room(_load_room(each, state))
    for ban in values.get("bans", ()):
        state.bans.add(Ban(*ban))


def _user(user: User) -> dict[str, Any]:
    source = user.source
    return {
        "source": [source.user, source.nick, source.ident, source.host, source.account, source.bot],
        "realname": user.realname,
        "since_ms": user.since_ms,
        "away": user.away,
        "absent": user.absent,
        "flags": sorted(flag.value for flag in user.flags),
        "markers": dict(user.markers) if user.markers else None,
        "metadata": dict(user.metadata) if user.metadata else None,
    }


def _load_user(values: dict[str, Any]) -> User:
    user, nick, ident, host, account, bot = values["source"]
    person = User(Source(user=user, nick=nick, ident=ident, host=host, account=account, bot=bot), values["realname"])
    person.since_ms, person.away = values["since_ms"], values["away"]
    person.absent = values.get("absent")
    person.flags = frozenset(Flag(flag) for flag in values["flags"])
    person.markers, person.metadata = values["markers"], values["metadata"]
    return person


def _room(room: Room) -> dict[str, Any]:
    topic = room.topic
    return {
        "place": room.place,
        "name": room.name,
        "created_ms": room.created_ms,
        "topic": [topic.text, topic.by, topic.at_ms] if topic is not None else None,
        "flags": sorted(flag.value for flag in room.flags),
        "key": room.key,
        "limit": room.limit,
        "lists": {
            setting.value: [[entry.mask, entry.by, entry.at_ms, entry.until_ms] for entry in listed.values()]
            for setting, listed in room.lists.items()
        },
        "invited": sorted(room.invited),
        "metadata": dict(room.metadata) if room.metadata else None,
        "left": dict(room.left),
        "members": [[user.id, int(member.roles), member.since_ms] for user, member in room.members.items()],
    }


def _load_room(values: dict[str, Any], state: State) -> Room:
    room = Room(values["place"], values["name"], values["created_ms"])
    room.topic = Topic(*values["topic"]) if values["topic"] is not None else None
    room.flags = {Setting(flag) for flag in values["flags"]}
    room.key, room.limit = values["key"], values["limit"]
    for setting, entries in values["lists"].items():
        for mask, by, at_ms, *until_ms in entries:
            room.put_on_list(Setting(setting), Entry.new(mask, by, at_ms, *until_ms))
    for user, roles, since_ms in values["members"]:
        room.enter(state.people[user], since_ms).roles = Role(roles)
    room.invited = set(values["invited"])
    room.metadata = values["metadata"]
    room.left = dict(values.get("left", {}))
    return room
