"""People: WHO WHOIS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from asynchat.chat import policy
from asynchat.chat.errors import NoSuchName
from asynchat.chat.names import casefold, mask_pattern
from asynchat.wire.irc import caps, modes, numerics
from asynchat.wire.irc.commands import command

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.chat.users import User
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession


@command("WHO", 1)
async def who(session: IrcSession, message: Message) -> None:
    """Show the people of a room, or whose name fits a mask."""
    assert session.user is not None
    mask = message.params[0]
    state = session.hub.state
    room = state.rooms.get(casefold(mask))
    if room is not None:
        if policy.may_see(session.user, room):
            _send_who(session, room.members, room)
    elif casefold(mask) in state.users:
        _send_who(session, (state.users[casefold(mask)],), None)
    elif not mask.startswith("#"):
        pattern = mask_pattern(mask)
        found = [user for name, user in state.users.items() if pattern.fullmatch(name)]
        _send_who(session, found, None)
    session.reply(numerics.RPL_ENDOFWHO, mask or "*")


def _send_who(session: IrcSession, users: Iterable[User], room: Room | None) -> None:
    every = caps.MULTI_PREFIX in session.capabilities
    for user in users:
        shown = room or _common_room(session, user)
        flags = "H" if user.away is None else "G"
        if shown is not None:
            flags += modes.prefixes(shown.members[user].roles, every=every)
        source = user.source
        session.reply(
            numerics.RPL_WHOREPLY,
            shown.name if shown else "*",
            source.ident,
            source.host,
            session.house.name,
            source.nick,
            flags,
            text=f"0 {user.realname}",
        )


def _common_room(session: IrcSession, user: User) -> Room | None:
    assert session.user is not None
    return next((room for room in user.rooms if policy.may_see(session.user, room)), None)


@command("WHOIS", 1)
async def whois(session: IrcSession, message: Message) -> None:
    """Show what is known of a person."""
    assert session.user is not None
    nick = message.params[-1].split(",")[0]
    try:
        user = session.hub.user(nick)
    except NoSuchName as refused:
        session.refuse(refused, message.command)
    else:
        source = user.source
        session.reply(numerics.RPL_WHOISUSER, user.nick, source.ident, source.host, "*", text=user.realname)
        rooms = [
            modes.prefixes(room.members[user].roles, every=True) + room.name
            for room in user.rooms
            if policy.may_see(session.user, room)
        ]
        if rooms:
            session.reply(numerics.RPL_WHOISCHANNELS, user.nick, text=" ".join(rooms))
        session.reply(numerics.RPL_WHOISSERVER, user.nick, session.house.name, text=session.house.network)
        if user.away is not None:
            session.reply(numerics.RPL_AWAY, user.nick, text=user.away)
        nick = user.nick
    session.reply(numerics.RPL_ENDOFWHOIS, nick or "*")
