"""Rooms: JOIN PART TOPIC NAMES LIST KICK INVITE RENAME."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from asynchat.chat import policy
from asynchat.chat.errors import NameTaken, Refused
from asynchat.chat.events import Event, Flag, Said, Setting
from asynchat.chat.names import casefold, mask_pattern
from asynchat.wire.irc import modes, numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.commands.history import send_marker
from asynchat.wire.irc.commands.metadata import send_words
from asynchat.wire.irc.replies import joined
from asynchat.wire.moving import tell_moved
from asynchat.wire.session import Gap

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession


@command("JOIN", 1, holds=True)
async def join(session: IrcSession, message: Message) -> None:
    """Enter rooms, one after the other. (`JOIN 0` leaves them all)"""
    assert session.user is not None
    if message.params[0] == "0":
        for room in tuple(session.user.rooms):
            await session.done(session.hub.leave(session.user, room.name, via=session))
        return
    if not message.params[0].strip(","):
        session.reply(numerics.ERR_NEEDMOREPARAMS, "JOIN")
    keys = message.params[1].split(",") if len(message.params) > 1 else []
    for name, key in zip_longest(message.params[0].split(","), keys):
        if not name:
            continue
        try:
            pending = session.hub.join(session.user, name, key, via=session)
            if pending is not None:
                await session.done(pending)
                await _show_room(session, name, pending.event)
        except Refused as refused:
            session.refuse(refused, message.command)


async def _show_room(session: IrcSession, name: str, joined: Event) -> None:
    """What a newcomer is told: topic, names, and what was said last."""
    room = session.hub.room(name)
    show_room(session, room)
    if not session.asks_for_history:
        since = room.left.get(casefold(joined.by.nick))  # what was said before that, they have seen
        play(session, room.name, await session.missed(room.place, Gap(since, joined.id)))


def show_room(session: IrcSession, room: Room) -> None:
    """Tell the topic, where one has read, who is in it, and what is known of them."""
    if room.topic is not None:
        _send_topic(session, room)
    if session.marks_read:
        send_marker(session, room.name)
    if session.wants_names:
        _send_names(session, room)
        session.reply(numerics.RPL_ENDOFNAMES, room.name)
    if session.subscribed:
        send_words(session, [room, *(user for user in room.members if user is not session.user)])


def play(session: IrcSession, target: str, lines: Sequence[Event]) -> None:
    """Show lines of the past; whoever cannot read their times has them in the text."""
    if not session.dialect.time:
        lines = [
            replace(line, text=f"[{line.at:%H:%M}] {line.text}") if isinstance(line, Said) else line for line in lines
        ]
    rendered = [line for event in lines if (line := session.dialect.render(event))]
    if rendered:
        session.send_batch("chathistory", rendered, target)


@command("PART", 1)
async def part(session: IrcSession, message: Message) -> None:
    """Leave rooms."""
    assert session.user is not None
    reason = message.params[1] if len(message.params) > 1 else ""
    if not message.params[0].strip(","):
        session.reply(numerics.ERR_NEEDMOREPARAMS, "PART")
    for name in filter(None, message.params[0].split(",")):
        try:
            await session.done(session.hub.leave(session.user, name, reason, via=session))
        except Refused as refused:
            session.refuse(refused, message.command)


@command("TOPIC", 1)
async def topic(session: IrcSession, message: Message) -> None:
    """Show or set a room's topic."""
    assert session.user is not None
    name = message.params[0]
    if len(message.params) > 1:
        await session.done(session.hub.set_topic(session.user, name, message.params[1], via=session))
        return
    room = session.hub.room(name)
    policy.see(session.user, room)
    if room.topic is None:
        session.reply(numerics.RPL_NOTOPIC, room.name)
    else:
        _send_topic(session, room)


def _send_topic(session: IrcSession, room: Room) -> None:
    assert room.topic is not None
    session.reply(numerics.RPL_TOPIC, room.name, text=room.topic.text)
    session.reply(numerics.RPL_TOPICWHOTIME, room.name, room.topic.by, str(room.topic.at_ms // 1000))


@command("NAMES")
async def names(session: IrcSession, message: Message) -> None:
    """Show who is in a room."""
    assert session.user is not None
    wanted = message.params[0] if message.params else "*"
    for name in wanted.split(","):
        room = session.hub.state.rooms.get(casefold(name))
        if room is not None and policy.may_see(session.user, room):
            _send_names(session, room)
    session.reply(numerics.RPL_ENDOFNAMES, wanted or "*")


def _send_names(session: IrcSession, room: Room) -> None:
    every, full = session.every_prefix, session.full_names
    sign = "@" if Setting.SECRET in room.flags else "="
    inside = session.user in room.members
    shown = []  # a loop with little in it: there may be ten thousand
    for user, member in room.members.items():
        if inside or Flag.INVISIBLE not in user.flags:
            source = user.source
            name = source.mask if full else source.nick
            shown.append(modes.prefixes(member.roles, every=every) + name if member.roles else name)
    session.reply_all(*[(numerics.RPL_NAMREPLY, (sign, room.name), line) for line in joined(shown, " ")])


@command("LIST")
async def list_rooms(session: IrcSession, message: Message) -> None:
    """List the rooms, all or those that fit. (`ELIST=CMNTU`)"""
    assert session.user is not None
    wanted = [_condition(session, word) for param in message.params[:1] for word in param.split(",") if word]
    names = [condition for condition in wanted if condition.by_name]
    session.reply(numerics.RPL_LISTSTART, "Channel")
    for room in session.hub.state.rooms.values():
        if not room.members or not policy.may_see(session.user, room):
            continue
        if names and not any(condition.holds(room) for condition in names):
            continue
        if all(condition.holds(room) for condition in wanted if not condition.by_name):
            text = room.topic.text if room.topic else ""
            session.reply(numerics.RPL_LIST, room.name, str(len(room.members)), text=text)
    session.reply(numerics.RPL_LISTEND)


class Condition(NamedTuple):
    """One word of LIST; of those that name rooms one must hold, of the others all."""

    by_name: bool
    holds: Callable[[Room], bool]


def _condition(session: IrcSession, word: str) -> Condition:
    """What a word asks: a mask, `!mask`, `>users`, `<users`, `C>minutes` since it was made, `T>` since the topic."""
    now_ms = session.hub.clock_ms()
    kind = word[0].upper() if word[:1].upper() in ("C", "T") and word[1:2] in ("<", ">") else ""
    sign, number = (word[1:2], word[2:]) if kind else (word[:1], word[1:])
    if sign in ("<", ">") and number.isdecimal():
        amount = int(number)

        def measure(room: Room) -> float:
            if not kind:
                return len(room.members)
            since_ms = room.created_ms if kind == "C" else room.topic.at_ms if room.topic else None
            return (now_ms - since_ms) / 60_000 if since_ms is not None else -math.inf if sign == ">" else math.inf

        return Condition(False, lambda room: measure(room) > amount if sign == ">" else measure(room) < amount)
    negated = word[0] == "!"
    pattern = mask_pattern(word[1:] if negated else word)
    return Condition(not negated, lambda room: (pattern.fullmatch(casefold(room.name)) is not None) is not negated)


@command("KICK", 2)
async def kick(session: IrcSession, message: Message) -> None:
    """Put people out of a room."""
    assert session.user is not None
    reason = message.params[2] if len(message.params) > 2 else ""
    names, nicks = message.params[0].split(","), message.params[1].split(",")
    for name, nick in zip(names * len(nicks) if len(names) == 1 else names, nicks, strict=False):
        try:
            await session.done(session.hub.kick(session.user, name, nick, reason or session.user.nick, via=session))
        except Refused as refused:
            session.refuse(refused, message.command)


@command("INVITE")
async def invite(session: IrcSession, message: Message) -> None:
    """Let somebody in, and tell them; or list where one is invited."""
    assert session.user is not None
    if not message.params:
        for room in session.hub.state.rooms.values():
            if session.user.id in room.invited:
                session.reply(numerics.RPL_INVITELIST, room.name)
        session.reply(numerics.RPL_ENDOFINVITELIST)
        return
    if len(message.params) < 2:
        session.reply(numerics.ERR_NEEDMOREPARAMS, "INVITE")
        return
    nick, name = message.params[:2]
    await session.done(session.hub.invite(session.user, name, nick, via=session))
    session.reply(numerics.RPL_INVITING, nick, name)
    target = session.hub.state.users.get(casefold(nick))
    if target is not None and target.away is not None:
        session.reply(numerics.RPL_AWAY, target.nick, text=target.away)


@command("RENAME", 2)
async def rename(session: IrcSession, message: Message) -> None:
    """Give a room another name. (IRCv3 channel-rename)"""
    assert session.user is not None
    old, new = message.params[:2]
    reason = message.params[2] if len(message.params) > 2 else ""
    if old == new:
        session.fail("RENAME", "CANNOT_RENAME", old, new, text="It is called so already")
        return
    try:
        pending = session.hub.rename_room(session.user, old, new, reason, via=session)
        await session.done(pending)
    except NameTaken:
        session.fail("RENAME", "CHANNEL_NAME_IN_USE", old, new, text="There is such a channel")
    else:
        tell_moved(session.hub, pending.event)


def show_moved(session: IrcSession, room: Room, old: str, reason: str) -> None:
    """Tell a client that knows no renaming: it leaves one room and enters another."""
    assert session.user is not None
    session.send(f":{session.user.source.mask} PART {old} :{reason or f'Renamed to {room.name}'}")
    session.show_entered(room)
