"""Rooms: JOIN PART TOPIC NAMES LIST KICK INVITE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from asynchat.chat import policy
from asynchat.chat.errors import Refused
from asynchat.chat.events import Event, Said, Setting
from asynchat.chat.names import casefold
from asynchat.wire.irc import caps, modes, numerics
from asynchat.wire.irc.commands import command

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

LINE_ROOM = 400
"""Bytes of names on one line of NAMES."""


@command("JOIN", 1, holds=True)
async def join(session: IrcSession, message: Message) -> None:
    """Enter rooms, one after the other. (`JOIN 0` leaves them all)"""
    assert session.user is not None
    if message.params[0] == "0":
        for room in tuple(session.user.rooms):
            await session.done(session.hub.leave(session.user, room.name, via=session))
        return
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
    if room.topic is not None:
        _send_topic(session, room)
    _send_names(session, room)
    session.reply(numerics.RPL_ENDOFNAMES, room.name)
    if session.house.replay:
        lines = await session.house.history.page(room.place, before=joined.id, limit=session.house.replay)
        _play(session, room, lines)


def _play(session: IrcSession, room: Room, lines: Sequence[Event]) -> None:
    """Show lines of the past; whoever cannot read their times has them in the text."""
    if caps.SERVER_TIME not in session.capabilities:
        lines = [
            replace(line, text=f"[{line.at:%H:%M}] {line.text}") if isinstance(line, Said) else line for line in lines
        ]
    rendered = [line for event in lines if (line := session.dialect.render(event))]
    if rendered:
        session.replay(rendered, room.name)


@command("PART", 1)
async def part(session: IrcSession, message: Message) -> None:
    """Leave rooms."""
    assert session.user is not None
    reason = message.params[1] if len(message.params) > 1 else ""
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
    every, full = caps.MULTI_PREFIX in session.capabilities, caps.USERHOST_IN_NAMES in session.capabilities
    sign = "@" if Setting.SECRET in room.flags else "="
    line = ""
    for user, member in room.members.items():
        entry = modes.prefixes(member.roles, every=every) + (user.source.mask if full else user.nick)
        if line and len(line) + len(entry) >= LINE_ROOM:
            session.reply(numerics.RPL_NAMREPLY, sign, room.name, text=line)
            line = entry
        else:
            line = f"{line} {entry}" if line else entry
    if line:
        session.reply(numerics.RPL_NAMREPLY, sign, room.name, text=line)


@command("LIST")
async def list_rooms(session: IrcSession, message: Message) -> None:
    """List the rooms."""
    assert session.user is not None
    state = session.hub.state
    if message.params and message.params[0].startswith("#"):
        named = (state.rooms.get(casefold(name)) for name in message.params[0].split(","))
        rooms = [room for room in named if room is not None]
    else:
        rooms = list(state.rooms.values())
    session.reply(numerics.RPL_LISTSTART, "Channel")
    for room in rooms:
        if room.members and policy.may_see(session.user, room):
            text = room.topic.text if room.topic else ""
            session.reply(numerics.RPL_LIST, room.name, str(len(room.members)), text=text)
    session.reply(numerics.RPL_LISTEND)


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


@command("INVITE", 2)
async def invite(session: IrcSession, message: Message) -> None:
    """Let somebody in, and tell them."""
    assert session.user is not None
    nick, name = message.params[:2]
    pending = session.hub.invite(session.user, name, nick, via=session)
    await session.done(pending)
    session.reply(numerics.RPL_INVITING, nick, name)
    target = session.hub.user(nick)
    if target.away is not None:
        session.reply(numerics.RPL_AWAY, target.nick, text=target.away)
