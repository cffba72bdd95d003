"""The server: the welcome, MOTD, LUSERS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from asynchat.wire.irc import modes, numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.commands.talk import TARGETS

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

TOKENS_ON_A_LINE = 13
"""(Modern IRC, "RPL_ISUPPORT")"""


def isupport(session: IrcSession) -> list[str]:
    """The tokens of 005, from the limits in force."""
    limits = session.hub.limits
    return [
        f"AWAYLEN={limits.away}",
        "CASEMAPPING=ascii",
        f"CHANLIMIT=#:{limits.rooms}",
        f"CHANMODES={modes.CHANMODES}",
        f"CHANNELLEN={limits.room}",
        "CHANTYPES=#",
        "EXCEPTS=e",
        "INVEX=I",
        f"KEYLEN={limits.key}",
        f"KICKLEN={limits.reason}",
        f"MAXLIST=beI:{limits.entries}",
        "MODES=20",
        f"NETWORK={session.house.network}",
        f"NICKLEN={limits.name}",
        f"PREFIX={modes.PREFIX}",
        f"TARGMAX=PRIVMSG:{TARGETS},NOTICE:{TARGETS},TAGMSG:{TARGETS},JOIN:,PART:,KICK:,NAMES:",
        f"TOPICLEN={limits.topic}",
        "UTF8ONLY",
    ]


def welcome(session: IrcSession) -> None:
    """What a client hears first."""
    house, user = session.house, session.user
    assert user is not None
    created = datetime.fromtimestamp(house.started_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    version = f"asynchat-{house.version}"
    session.reply(numerics.RPL_WELCOME, text=f"Welcome to the {house.network} Network, {user.nick}")
    session.reply(numerics.RPL_YOURHOST, text=f"Your host is {house.name}, running version {version}")
    session.reply(numerics.RPL_CREATED, text=f"This server was created {created}")
    session.reply(numerics.RPL_MYINFO, house.name, version, "i", modes.LETTERS, modes.WITH_PARAMETER)
    tokens = isupport(session)
    for start in range(0, len(tokens), TOKENS_ON_A_LINE):
        session.reply(numerics.RPL_ISUPPORT, *tokens[start : start + TOKENS_ON_A_LINE])
    send_lusers(session)
    send_motd(session)


@command("MOTD")
async def motd(session: IrcSession, message: Message) -> None:
    """Show the message of the day."""
    send_motd(session)


def send_motd(session: IrcSession) -> None:
    """Reply with the message of the day."""
    house = session.house
    if not house.motd:
        session.reply(numerics.ERR_NOMOTD)
        return
    session.reply(numerics.RPL_MOTDSTART, text=f"- {house.name} Message of the day -")
    for line in house.motd:
        session.reply(numerics.RPL_MOTD, text=f"- {line}")
    session.reply(numerics.RPL_ENDOFMOTD)


@command("LUSERS")
async def lusers(session: IrcSession, message: Message) -> None:
    """Count who is here."""
    send_lusers(session)


def send_lusers(session: IrcSession) -> None:
    """Reply with the counts."""
    state, house = session.hub.state, session.house
    users, most = len(state.users), max(house.most_users, len(state.users))
    house.most_users = most
    session.reply(numerics.RPL_LUSERCLIENT, text=f"There are {users} users and 0 invisible on 1 servers")
    session.reply(numerics.RPL_LUSEROP, "0")
    session.reply(numerics.RPL_LUSERUNKNOWN, str(house.unknown()))
    session.reply(numerics.RPL_LUSERCHANNELS, str(len(state.rooms) - len(state.empty)))
    session.reply(numerics.RPL_LUSERME, text=f"I have {users} clients and 0 servers")
    session.reply(numerics.RPL_LOCALUSERS, str(users), str(most), text=f"Current local users {users}, max {most}")
    session.reply(numerics.RPL_GLOBALUSERS, str(users), str(most), text=f"Current global users {users}, max {most}")
