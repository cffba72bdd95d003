"""METADATA: words kept with users and rooms. (IRCv3 metadata)"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from asynchat.chat import policy
from asynchat.chat.errors import ListFull, NoSuchName, NoSuchRoom, Refused
from asynchat.chat.names import is_room
from asynchat.chat.rooms import Room
from asynchat.chat.users import User
from asynchat.wire.irc import numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.session import same_name

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

_KEY = re.compile(r"[a-z0-9_./-]{1,64}")
Holder = User | Room | None
"""Whose words; None is a client that is not let in yet."""


class NotAllowed(Exception):
    """A standard reply: code, what it is about, text."""

    def __init__(self, code: str, *about: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.about = about


@command("METADATA", 2, before=True)
async def metadata(session: IrcSession, message: Message) -> None:
    """Get, set, list and follow words."""
    target, subcommand, *rest = message.params
    function = _SUBCOMMANDS.get(subcommand.upper())
    try:
        if function is None:
            raise NotAllowed("SUBCOMMAND_INVALID", subcommand, text="There is no such subcommand")
        await function(session, target, rest)
    except NotAllowed as no:
        session.fail("METADATA", no.code, *no.about, text=str(no))


def _holder(session: IrcSession, target: str) -> Holder:
    """The user or room that a target names, if this session may see its words."""
    me = session.user
    if target == "*" or (me is None and same_name(target, session.nick or "*")):
        return me
    try:
        if not is_room(target):
            return session.hub.user(target)
        room = session.hub.room(target)
        if me is None:
            raise NoSuchRoom(target)
        policy.look_in(me, room)
    except (NoSuchName, NoSuchRoom):
        raise NotAllowed("INVALID_TARGET", target, text="There is no such target") from None
    else:
        return room


def _name(session: IrcSession, target: str, holder: Holder) -> str:
    if holder is None:
        return session.nick or "*"
    return holder.name if isinstance(holder, Room) else holder.nick


def _words(session: IrcSession, holder: Holder) -> dict[str, str]:
    return session.words if holder is None else holder.metadata or {}


def _key(name: str) -> str:
    if not _KEY.fullmatch(name):
        raise NotAllowed("KEY_INVALID", name, text="That is no valid key")
    return name


async def _get(session: IrcSession, target: str, keys: list[str]) -> None:
    holder = _holder(session, target)
    shown, words = _name(session, target, holder), _words(session, holder)
    lines = [session.numeric_line(*_shown(shown, _key(key), words.get(key))) for key in keys]
    session.send_batch("metadata", lines, shown)


def _shown(target: str, key: str, value: str | None) -> tuple[numerics.Numeric, tuple[str, ...], str | None]:
    if value is None:
        return numerics.RPL_KEYNOTSET, (target, key), None
    return numerics.RPL_KEYVALUE, (target, key, "*"), value


async def _list(session: IrcSession, target: str, rest: list[str]) -> None:
    holder = _holder(session, target)
    shown = _name(session, target, holder)
    lines = [session.numeric_line(*_shown(shown, *word)) for word in _words(session, holder).items()]
    session.send_batch("metadata", lines, shown)


async def _sync(session: IrcSession, target: str, rest: list[str]) -> None:
    holder = _holder(session, target)
    if isinstance(holder, Room):
        send_words(session, [holder, *holder.members])
    elif holder is not None:
        send_words(session, [holder])


def send_words(session: IrcSession, holders: list[User | Room]) -> None:
    """Tell the words that the session follows, of these."""
    for holder in holders:
        if holder.metadata:
            for key, value in holder.metadata.items():
                if key in session.subscribed:
                    shown = holder.name if isinstance(holder, Room) else holder.nick
                    session.reply(numerics.RPL_KEYVALUE, shown, key, "*", text=value)


def _mine(session: IrcSession, target: str, holder: Holder, key: str) -> str | None:
    """Let the session change a word; returns the room it is one of."""
    if isinstance(holder, Room):
        try:
            assert session.user is not None
            policy.operate(session.user, holder)
        except Refused:
            raise NotAllowed("KEY_NO_PERMISSION", target, key, text="You may not change that") from None
        return holder.name
    if holder is not session.user:
        raise NotAllowed("KEY_NO_PERMISSION", target, key, text="You may not change that")
    return None


async def _set(session: IrcSession, target: str, rest: list[str]) -> None:
    if not rest:
        raise NotAllowed("KEY_INVALID", "*", text="A key is missing")
    holder, key = _holder(session, target), _key(rest[0])
    value = rest[1] if len(rest) > 1 else None
    await _change(session, target, holder, key, value)
    session.reply_numeric(*_shown(_name(session, target, holder), key, value))


async def _change(session: IrcSession, target: str, holder: Holder, key: str, value: str | None) -> None:
    room = _mine(session, target, holder, key)
    if value is not None and len(value.encode()) > session.hub.limits.metadata_value:
        raise NotAllowed("INVALID_VALUE", key, text="That value is too long")
    if value is None and key not in _words(session, holder):
        raise NotAllowed("KEY_NOT_SET", _name(session, target, holder), key, text="key not set")
    if session.user is None:
        words = {name: word for name, word in session.words.items() if name != key}
        if value is not None:
            words[key] = value
        if len(words) > session.hub.limits.metadata_keys:
            raise NotAllowed("LIMIT_REACHED", target, text="Too many keys")
        session.words = words
        return
    try:
        await session.done(session.hub.set_metadata(session.user, key, value, room=room, via=session))
    except Refused as refused:
        code, about = ("LIMIT_REACHED", target) if refused.code == ListFull.code_ else ("INVALID_VALUE", key)
        raise NotAllowed(code, about, text="That cannot be kept") from None


async def _clear(session: IrcSession, target: str, rest: list[str]) -> None:
    holder = _holder(session, target)
    _mine(session, target, holder, "*")
    keys = list(_words(session, holder))
    for key in keys:
        await _change(session, target, holder, key, None)
    shown = _name(session, target, holder)
    session.send_batch("metadata", [session.numeric_line(*_shown(shown, key, None)) for key in keys], shown)


async def _sub(session: IrcSession, target: str, keys: list[str]) -> None:
    taken: list[str] = []
    for key in keys:
        followed = session.subscribed | set(taken)
        if key in followed:
            continue
        if len(followed) >= session.house.metadata_subs:
            session.fail("METADATA", "TOO_MANY_SUBS", key, text="Too many subscriptions")
            break
        try:
            taken.append(_key(key))
        except NotAllowed as no:
            session.fail("METADATA", no.code, *no.about, text=str(no))
    session.subscribe(session.subscribed | set(taken))
    _acknowledge(session, numerics.RPL_METADATASUBOK, taken)
    if session.user is not None and taken:
        send_words(session, _around(session.user))


def _around(me: User) -> list[User | Room]:
    """One's rooms, and who is in them."""
    people = {user: None for room in me.rooms for user in room.members if user is not me}
    return [*me.rooms, *people]


async def _unsub(session: IrcSession, target: str, keys: list[str]) -> None:
    session.subscribe(session.subscribed - {_key(key) for key in keys})
    _acknowledge(session, numerics.RPL_METADATAUNSUBOK, keys)


async def _subs(session: IrcSession, target: str, rest: list[str]) -> None:
    lines = [session.numeric_line(numerics.RPL_METADATASUBS, (key,), None) for key in sorted(session.subscribed)]
    session.send_batch("metadata-subs", lines)


def _acknowledge(session: IrcSession, numeric: numerics.Numeric, keys: list[str]) -> None:
    for start in range(0, len(keys), 10):
        session.reply(numeric, *keys[start : start + 10])


_SUBCOMMANDS: dict[str, Callable[[IrcSession, str, list[str]], Coroutine[Any, Any, None]]] = {
    "GET": _get,
    "LIST": _list,
    "SET": _set,
    "CLEAR": _clear,
    "SYNC": _sync,
    "SUB": _sub,
    "UNSUB": _unsub,
    "SUBS": _subs,
}
