"""Coming and going: CAP PASS NICK USER SETNAME PING PONG QUIT."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asynchat.chat.errors import KeptOut, NameTaken, Refused
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.commands.accounts import RESERVED, admitted, come_in
from asynchat.wire.irc.commands.rooms import play
from asynchat.wire.irc.commands.server import welcome
from asynchat.wire.session import same_name

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession
    from asynchat.wire.session import Gap


@command("CAP", 1, before=True, holds=True)
async def cap(session: IrcSession, message: Message) -> None:
    """Negotiate capabilities. (IRCv3 capability-negotiation)"""
    subcommand = message.params[0].upper()
    wanted = message.params[1] if len(message.params) > 1 else ""
    if subcommand in ("LS", "REQ") and session.user is None:
        session.negotiating = True
    if subcommand == "LS":
        if wanted.isascii() and wanted.isdigit():
            session.cap_version = max(session.cap_version, int(wanted[:9]))
        offered = session.offered
        session.list_capabilities("LS", caps.listing(offered, offered))
    elif subcommand == "LIST":
        session.list_capabilities("LIST", sorted(session.capabilities))
    elif subcommand == "REQ":
        granted = caps.request(wanted, session.capabilities, session.house.capabilities)
        session.cap("NAK" if granted is None else "ACK", wanted)
        if granted is not None:
            session.enable(granted)
    elif subcommand == "END":
        session.negotiating = False
        if session.sasl is not None:
            session.sasl = None
            session.reply(numerics.ERR_SASLABORTED)
        await register(session)
    else:
        session.reply(numerics.ERR_INVALIDCAPCMD, message.params[0])


@command("PASS", 1, before=True, after=False)
async def password(session: IrcSession, message: Message) -> None:
    """Say the server's password."""
    session.password = message.params[0]


@command("NICK", before=True, holds=True)
async def nick(session: IrcSession, message: Message) -> None:
    """Take a name."""
    wanted = message.params[0] if message.params else ""
    if not wanted:
        session.reply(numerics.ERR_NONICKNAMEGIVEN)
    elif session.user is not None:
        if session.house.is_owned_by_another(wanted, session.user.source.account):
            session.reply(numerics.ERR_NICKNAMEINUSE, wanted, text=RESERVED)
        elif wanted != session.user.nick:
            await session.done(session.hub.rename(session.user, wanted, via=session))
    else:
        # who says the name of an account may be about to log in to it
        session.hub.check_name(wanted, wanted if session.house.is_owned(wanted) else session.account)
        session.wanted = wanted
        if session.hub.is_taken(wanted) and not same_name(wanted, session.nick) and not session.may_be_back(wanted):
            if session.house.is_owned_by_another(wanted, session.account):
                session.reply(numerics.ERR_NICKNAMEINUSE, wanted, text=RESERVED)  # it can be had, by who logs in
                return
            session.hub.doubt(wanted)
            raise NameTaken(wanted)
        session.nick = wanted
        await register(session)


@command("USER", 4, before=True, after=False, holds=True)
async def user(session: IrcSession, message: Message) -> None:
    """Say who you are."""
    if not message.params[3]:
        session.reply(numerics.ERR_NEEDMOREPARAMS, "USER")
        return
    session.ident = "~" + (re.sub(r"[^A-Za-z0-9._-]", "", message.params[0])[:18] or "user")
    session.realname = message.params[3]
    await register(session)


async def register(session: IrcSession) -> None:
    """Let the session in, if it has said all that is needed."""
    if session.user is not None or session.negotiating or not session.nick or not session.ident:
        return
    if not session.house.opens(session.password):
        session.reply(numerics.ERR_PASSWDMISMATCH)
        session.error("Password incorrect")
        return
    if not admitted(session):
        return
    try:
        returned, gap = await come_in(session)
    except KeptOut as refused:
        session.keep_out(refused)
        return
    except Refused:
        session.hub.doubt(session.nick)
        session.nick, taken = "", session.nick
        raise NameTaken(taken) from None
    await _greet(session)
    if returned:
        await show_again(session, gap)


async def _greet(session: IrcSession) -> None:
    """What a session hears and does first, once it is in."""
    session.wake_at = session.heard_at + session.house.ping_interval_s
    welcome(session)
    assert session.user is not None
    for name, value in session.words.items():
        await session.done(session.hub.set_metadata(session.user, name, value, via=session))
    if session.words:
        lines = [
            session.numeric_line(numerics.RPL_KEYVALUE, (session.user.nick, name, "*"), value)
            for name, value in session.words.items()
        ]
        session.send_batch("metadata", lines, session.user.nick)
        session.words = {}
    if session.pre_away is not None:
        await session.done(session.hub.set_away(session.user, session.pre_away, via=session))
        session.pre_away = None


async def show_again(session: IrcSession, gap: Gap | None) -> None:
    """Tell a session that joins a user who is here what that user is in, and what was said while it was absent."""
    me = session.user
    assert me is not None
    for room in tuple(me.rooms):
        session.show_entered(room)
        if gap is not None and not session.asks_for_history:
            play(session, room.name, await session.missed(room.place, gap))
    if gap is not None and not session.asks_for_history:
        for line in await session.missed(me.inbox, gap):
            play(session, line.by.nick, [line])


@command("SETNAME", 1)
async def setname(session: IrcSession, message: Message) -> None:
    """Tell another real name. (IRCv3 setname)"""
    assert session.user is not None
    if not message.params[0]:
        session.fail("SETNAME", "INVALID_REALNAME", text="Realname is not valid")
        return
    await session.done(session.hub.set_realname(session.user, message.params[0], via=session))


@command("PING", before=True)
async def ping(session: IrcSession, message: Message) -> None:
    """Answer, after everything said before."""
    if not message.params:
        session.reply(numerics.ERR_NEEDMOREPARAMS, "PING")
    else:
        await session.hub.journal.caught_up(session.user)  # a PONG says that all that came before the PING is out
        session.send(f":{session.house.name} PONG {session.house.name} :{message.params[0]}")


@command("PONG", before=True)
async def pong(session: IrcSession, message: Message) -> None:
    """Having been heard is all."""


@command("QUIT", before=True)
async def leave_server(session: IrcSession, message: Message) -> None:
    """Go."""
    reason = message.params[0] if message.params else ""
    session.leaving = f"Quit: {reason}" if reason else "Quit"
    session.error(f"Closing link: {session.link.host} ({session.leaving})")
