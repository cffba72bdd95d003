"""MONITOR: who is here and who is not. (IRCv3 monitor)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.names import casefold
from asynchat.wire.irc import numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.replies import joined

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.numerics import Numeric
    from asynchat.wire.irc.session import IrcSession


@command("MONITOR", 1)
async def monitor(session: IrcSession, message: Message) -> None:
    """Watch names, and tell who of them is here."""
    state = session.hub.state
    action = message.params[0].upper()
    names = [name for name in message.params[1].split(",") if name] if len(message.params) > 1 else []
    if action == "+":
        _add(session, names)
    elif action == "-":
        for name in names:
            state.watchers.remove(session, name)
    elif action == "C":
        state.watchers.remove(session)
    elif action == "L":
        _send(session, numerics.RPL_MONLIST, state.watchers.names_of(session))
        session.reply(numerics.RPL_ENDOFMONLIST)
    elif action == "S":
        _send_status(session, state.watchers.names_of(session))


def _add(session: IrcSession, names: list[str]) -> None:
    state, most = session.hub.state, session.hub.limits.watched
    watched = len(state.watchers.names_of(session))
    for index, name in enumerate(names):
        if state.watchers.has(session, name):
            continue
        if watched >= most:
            session.reply(numerics.ERR_MONLISTFULL, str(most), ",".join(names[index:]))
            names = names[:index]
            break
        state.watchers.add(session, name)
        watched += 1
    _send_status(session, names)


def _send_status(session: IrcSession, names: list[str]) -> None:
    users = session.hub.state.users
    here = [users[casefold(name)].source.mask for name in names if casefold(name) in users]
    _send(session, numerics.RPL_MONONLINE, here)
    _send(session, numerics.RPL_MONOFFLINE, [name for name in names if casefold(name) not in users])


def _send(session: IrcSession, numeric: Numeric, words: list[str]) -> None:
    for line in joined(words, ","):
        session.reply(numeric, text=line)
