"""The state as JSON values and back: what a restart begins with, before the log is replayed."""

from __future__ import annotations

from typing import Any

from asynchat.chat.events import Role, Setting, Source
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Entry, Room, Topic
from asynchat.chat.state import State
from asynchat.chat.users import User


def dump(state: State) -> dict[str, Any]:
    """All of it: people in the order in which they came, rooms with their members in order."""
    return {
        "people": [_user(user) for user in state.people.values() if user.rooms],
        "rooms": [_room(room) for room in state.rooms.values()],
    }


def load(values: dict[str, Any], state: State) -> None:
    """Make a state, which is empty, what it was."""
    for user, nick, ident, host, account, realname, away in values["people"]:
        person = User(Source(user=user, nick=nick, ident=ident, host=host, account=account), realname)
        person.away = away
        state.people[user] = state.users[casefold(nick)] = person
    for each in values["rooms"]:
        state.restore_room(_load_room(each, state))


def _user(user: User) -> list[Any]:
    source = user.source
    return [source.user, source.nick, source.ident, source.host, source.account, user.realname, user.away]


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
            setting.value: [[entry.mask, entry.by, entry.at_ms] for entry in listed.values()]
            for setting, listed in room.lists.items()
        },
        "invited": sorted(room.invited),
        "members": [[user.id, int(member.roles), member.since_ms] for user, member in room.members.items()],
    }


def _load_room(values: dict[str, Any], state: State) -> Room:
    room = Room(values["place"], values["name"], values["created_ms"])
    room.topic = Topic(*values["topic"]) if values["topic"] is not None else None
    room.flags = {Setting(flag) for flag in values["flags"]}
    room.key, room.limit = values["key"], values["limit"]
    for setting, entries in values["lists"].items():
        for mask, by, at_ms in entries:
            room.put_on_list(Setting(setting), Entry.new(mask, by, at_ms))
    for user, roles, since_ms in values["members"]:
        room.enter(state.people[user], since_ms).roles = Role(roles)
    room.invited = set(values["invited"])
    return room
