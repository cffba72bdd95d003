"""The server: the welcome, MOTD LUSERS VERSION TIME INFO ADMIN LINKS STATS HELP ISUPPORT."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from asynchat.chat.hub import Limits
from asynchat.wire.house import House
from asynchat.wire.irc import modes, numerics
from asynchat.wire.irc.answers import numeric_lines
from asynchat.wire.irc.commands import COMMANDS, command
from asynchat.wire.irc.commands.talk import TARGETS

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

TOKENS_ON_A_LINE = 13
"""(Modern IRC, "RPL_ISUPPORT")"""


class About(NamedTuple):
    """What the welcome says of a server, besides who is here."""

    name: str
    network: str
    version: str
    started_ms: int
    limits: Limits
    most_history: int

    @classmethod
    def of(cls, house: House) -> About:
        return cls(house.name, house.network, house.version, house.started_ms, house.hub.limits, house.most_history)


@lru_cache(maxsize=8)
def isupport(server: About) -> list[str]:
    """The tokens of 005, from the limits in force."""
    limits = server.limits
    return [
        "ACCOUNTEXTBAN=a",
        f"AWAYLEN={limits.away}",
        "BOT=B",
        "CASEMAPPING=ascii",
        f"CHANLIMIT=#:{limits.rooms}",
        f"CHANMODES={modes.CHANMODES}",
        f"CHANNELLEN={limits.room}",
        "CHANTYPES=#",
        f"CHATHISTORY={server.most_history}",
        "ELIST=CMNTU",
        "EXCEPTS",
        "EXTBAN=,am",
        "INVEX",
        f"KEYLEN={limits.key}",
        f"KICKLEN={limits.reason}",
        f"MAXLIST=beI:{limits.entries}",
        "MODES=20",
        f"MONITOR={limits.watched}",
        "MSGREFTYPES=msgid,timestamp",
        f"NAMELEN={limits.reason}",
        f"NETWORK={_value(server.network)}",
        f"NICKLEN={limits.name}",
        f"PREFIX={modes.PREFIX}",
        "SAFELIST",
        "STATUSMSG=@%+",
        f"TARGMAX=PRIVMSG:{TARGETS},NOTICE:{TARGETS},TAGMSG:{TARGETS},JOIN:,PART:,KICK:,NAMES:,WHOIS:1,MONITOR:",
        f"TOPICLEN={limits.topic}",
        "USERLEN=19",
        "UTF8ONLY",
        "WHOX",
    ]


def _value(text: str) -> str:
    """A text as the value of a token. (Modern IRC, "RPL_ISUPPORT")"""
    return "".join(rf"\x{ord(each):02X}" if each in " =\\" else each for each in text)


def welcome(session: IrcSession) -> None:
    """What a client hears first."""
    user = session.user
    assert user is not None
    about, stand_in = About.of(session.house), "\0" * len(user.nick)
    session.reply(numerics.RPL_WELCOME, text=f"Welcome to the {about.network} Network, {user.nick}")
    session.send_lines(_introduction(about, stand_in).replace(stand_in, user.nick))
    send_lusers(session)
    send_motd(session)


@lru_cache(maxsize=64)
def _introduction(server: About, nick: str) -> str:
    """The numerics 002 to 005 to somebody of that name: made once for all whose names are as long."""
    version = f"asynchat-{server.version}"
    created = datetime.fromtimestamp(server.started_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    flags = "".join(sorted(modes.USER_MODES.values()))
    return numeric_lines(
        server.name,
        nick,
        (numerics.RPL_YOURHOST, (), f"Your host is {server.name}, running version {version}"),
        (numerics.RPL_CREATED, (), f"This server was created {created}"),
        (numerics.RPL_MYINFO, (server.name, version, flags, modes.LETTERS, modes.WITH_PARAMETER), None),
        *((numerics.RPL_ISUPPORT, tokens, None) for tokens in _supported(server)),
    )


def _supported(server: About) -> list[list[str]]:
    tokens = isupport(server)
    return [tokens[start : start + TOKENS_ON_A_LINE] for start in range(0, len(tokens), TOKENS_ON_A_LINE)]


def _version(session: IrcSession) -> str:
    return f"asynchat-{session.house.version}"


def send_isupport(session: IrcSession) -> None:
    """Reply with the tokens of 005."""
    for tokens in _supported(About.of(session.house)):
        session.reply(numerics.RPL_ISUPPORT, *tokens)


@command("ISUPPORT", before=True)
async def isupport_(session: IrcSession, message: Message) -> None:
    """Show what the server supports. (IRCv3 extended-isupport)"""
    chunks = _supported(About.of(session.house))
    lines = [session.numeric_line(numerics.RPL_ISUPPORT, chunk, None) for chunk in chunks]
    session.send_batch("draft/isupport", lines)


@command("MOTD")
async def motd(session: IrcSession, message: Message) -> None:
    """Show the message of the day."""
    if _is_elsewhere(session, message):
        return
    send_motd(session)


def _is_elsewhere(session: IrcSession, message: Message) -> bool:
    """Whether another server is asked, which there is not; that is told."""
    if message.params and message.params[0].lower() not in (session.house.name.lower(), "*", "localhost"):
        known = session.user is not None and session.hub.state.users.get(message.params[0].lower()) is not None
        if not known:
            session.reply(numerics.ERR_NOSUCHSERVER, message.params[0])
            return True
    return False


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
    users = len(state.users)
    house.most_users = most = max(house.most_users, users)
    counts = {
        "nick": session.called,
        "users": users,
        "most": most,
        "invisible": state.invisible,
        "shown": users - state.invisible,
        "operators": state.operators,
        "unknown": house.unknown(),
        "rooms": len(state.rooms) - len(state.empty),
    }
    session.send_lines(_counts(house.name) % counts)


@lru_cache(maxsize=8)
def _counts(server: str) -> str:
    """The numerics of LUSERS, with the counts' names where the counts belong: everybody who comes hears them."""
    return numeric_lines(
        server.replace("%", "%%"),
        "%(nick)s",
        (numerics.RPL_LUSERCLIENT, (), "There are %(shown)d users and %(invisible)d invisible on 1 servers"),
        (numerics.RPL_LUSEROP, ("%(operators)d",), None),
        (numerics.RPL_LUSERUNKNOWN, ("%(unknown)d",), None),
        (numerics.RPL_LUSERCHANNELS, ("%(rooms)d",), None),
        (numerics.RPL_LUSERME, (), "I have %(users)d clients and 0 servers"),
        (numerics.RPL_LOCALUSERS, ("%(users)d", "%(most)d"), "Current local users %(users)d, max %(most)d"),
        (numerics.RPL_GLOBALUSERS, ("%(users)d", "%(most)d"), "Current global users %(users)d, max %(most)d"),
    )


@command("VERSION")
async def version(session: IrcSession, message: Message) -> None:
    """Show the version."""
    if not _is_elsewhere(session, message):
        session.reply(numerics.RPL_VERSION, _version(session), session.house.name, text="")
        send_isupport(session)


@command("TIME")
async def time(session: IrcSession, message: Message) -> None:
    """Show the server's time."""
    if not _is_elsewhere(session, message):
        now = datetime.fromtimestamp(session.hub.clock_ms() / 1000, UTC)
        session.reply(numerics.RPL_TIME, session.house.name, text=now.strftime("%A, %d %B %Y %H:%M:%S UTC"))


@command("INFO")
async def info(session: IrcSession, message: Message) -> None:
    """Show what this is."""
    if not _is_elsewhere(session, message):
        session.reply(numerics.RPL_INFO, text=f"This is {_version(session)}, a chat room that anything can walk into.")
        session.reply(numerics.RPL_ENDOFINFO)


@command("ADMIN")
async def admin(session: IrcSession, message: Message) -> None:
    """Show who runs it."""
    if not _is_elsewhere(session, message):
        session.reply(numerics.RPL_ADMINME, session.house.name)
        session.reply(numerics.RPL_ADMINLOC1, text=session.house.network)


@command("LINKS")
async def links(session: IrcSession, message: Message) -> None:
    """Show the servers: there is one."""
    name = session.house.name
    session.reply(numerics.RPL_LINKS, name, name, text=f"0 {session.house.network}")
    session.reply(numerics.RPL_ENDOFLINKS, "*")


@command("STATS")
async def stats(session: IrcSession, message: Message) -> None:
    """Show for how long it runs (`u`)."""
    letter = message.params[0][:1] if message.params else "*"
    if letter == "u":
        seconds = (session.hub.clock_ms() - session.house.started_ms) // 1000
        days, rest = divmod(seconds, 86_400)
        shown = f"{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"
        session.reply(numerics.RPL_STATSUPTIME, text=f"Server Up {days} days {shown}")
    session.reply(numerics.RPL_ENDOFSTATS, letter or "*")


@command("HELP")
async def help_(session: IrcSession, message: Message) -> None:
    """Tell what a command does."""
    subject = message.params[0] if message.params else "*"
    lines = [
        f"{name}: {(row.function.__doc__ or '').partition(chr(10))[0]}"
        for name, row in sorted(COMMANDS.items())
        if subject in ("*", "index") or name == subject.upper()
    ]
    if not lines:
        session.reply(numerics.ERR_HELPNOTFOUND, subject.replace(" ", "_"))
        return
    session.reply(numerics.RPL_HELPSTART, subject, text=lines[0])
    for line in lines[1:] or [""]:
        session.reply(numerics.RPL_HELPTXT, subject, text=line)
    session.reply(numerics.RPL_ENDOFHELP, subject)


COMMANDS["HELPOP"] = COMMANDS["HELP"]._replace(name="HELPOP")
