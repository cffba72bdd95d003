"""Who runs the server: OPER KILL WALLOPS REHASH."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from asynchat.chat.events import Flag
from asynchat.wire.banishing import drop
from asynchat.wire.irc import numerics
from asynchat.wire.irc.commands import command

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession


@command("OPER", 2)
async def oper(session: IrcSession, message: Message) -> None:
    """Become an operator of the server."""
    assert session.user is not None
    name, given = message.params[:2]
    password = session.house.operators.get(name)
    right = hmac.compare_digest(given.encode(), (password or "").encode())
    if password is None or not right:
        session.reply(numerics.ERR_PASSWDMISMATCH if password is not None else numerics.ERR_NOOPERHOST)
        return
    await session.done(session.hub.set_flags(session.user, (Flag.OPERATOR, Flag.WALLOPS), via=session))
    session.reply(numerics.RPL_YOUREOPER)


def may(session: IrcSession) -> bool:
    """Whether the session's user runs the server; it is told if not."""
    assert session.user is not None
    if Flag.OPERATOR in session.user.flags:
        return True
    session.reply(numerics.ERR_NOPRIVILEGES)
    return False


@command("KILL", 1)
async def kill(session: IrcSession, message: Message) -> None:
    """Put somebody out of the server."""
    if not may(session):
        return
    assert session.user is not None
    target = session.hub.user(message.params[0])
    if target.is_server:
        session.reply(numerics.ERR_CANTKILLSERVER)
        return
    reason = message.params[1] if len(message.params) > 1 else session.user.nick
    await drop(session.hub, target, f"Killed ({session.user.nick} ({reason}))")


@command("WALLOPS", 1)
async def wallops(session: IrcSession, message: Message) -> None:
    """Tell something to all who want to hear it."""
    if may(session):
        assert session.user is not None
        await session.done(session.hub.announce(session.user, message.params[0], via=session))


@command("REHASH")
async def rehash(session: IrcSession, message: Message) -> None:
    """Read the configuration again."""
    if may(session):
        session.reply(numerics.RPL_REHASHING, session.house.name, text="Rehashing")
        await session.house.reload()
