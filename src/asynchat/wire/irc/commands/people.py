"""People: WHO WHOIS WHOWAS USERHOST ISON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asynchat.chat import policy
from asynchat.chat.errors import NoSuchName
from asynchat.chat.events import Flag
from asynchat.chat.names import casefold, is_room, mask_pattern
from asynchat.wire.irc import modes, numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.replies import joined

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.chat.users import User
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession


# WHO, with the fields of one's choice. (IRCv3 whox)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of WHO: who, and in which room they are shown."""

    session: IrcSession
    user: User
    room: Room | None
    token: str

    @property
    def flags(self) -> str:
        """`H` here or `G` gone, `*` for operators of the server, the signs of the room, `B` for bots."""
        every = self.session.every_prefix
        signs = modes.prefixes(self.room.members[self.user].roles, every=every) if self.room is not None else ""
        operator = "*" if Flag.OPERATOR in self.user.flags else ""
        return ("H" if self.user.away is None else "G") + operator + signs + ("B" if self.user.source.bot else "")

    @property
    def address(self) -> str:
        """The address, for oneself and for operators of the server."""
        me = self.session.user
        if me is not None and (me is self.user or Flag.OPERATOR in me.flags):
            return address_of(self.user)
        return "255.255.255.255"


FIELDS: dict[str, Callable[[Row], str]] = {
    "t": lambda row: row.token,
    "c": lambda row: row.room.name if row.room is not None else "*",
    "u": lambda row: row.user.source.ident,
    "i": lambda row: row.address,
    "h": lambda row: row.user.source.host,
    "s": lambda row: row.session.house.name,
    "n": lambda row: row.user.nick,
    "f": lambda row: row.flags,
    "d": lambda row: "0",
    "l": lambda row: str(idle_s(row.session, row.user)),
    "a": lambda row: row.user.source.account or "0",
    "o": lambda row: "n/a",
    "r": lambda row: row.user.realname,
}
"""In the order in which they are sent."""


def address_of(user: User) -> str:
    """The IP address of a user's first session, for those who may know it."""
    return user.sessions[0].address if user.sessions else "0.0.0.0"


def idle_s(session: IrcSession, user: User) -> int:
    """Seconds since the user last spoke."""
    latest = max((each.talked_at for each in user.sessions), default=session.heard_at)
    return max(0, int(session.heard_at - latest))


@command("WHO", 1)
async def who(session: IrcSession, message: Message) -> None:
    """Show the people of a room, or whose names fit a mask."""
    mask = message.params[0]
    option = message.params[1] if len(message.params) > 1 else ""
    wanted, _, token = option.partition("%")[2].partition(",")
    for user, room in _found(session, mask or "*"):
        if "o" in option.partition("%")[0] and Flag.OPERATOR not in user.flags:
            continue
        row = Row(session, user, room, token or "0")
        if "%" in option:
            *middle, last = [field(row) for letter, field in FIELDS.items() if letter in wanted] or [""]
            if "r" in wanted:
                session.reply(numerics.RPL_WHOSPCRPL, *middle, text=last)
            else:
                session.reply(numerics.RPL_WHOSPCRPL, *middle, last)
        else:
            words = [FIELDS[letter](row) for letter in "cuhsnf"]
            session.reply(numerics.RPL_WHOREPLY, *words, text=f"0 {user.realname}")
    session.reply(numerics.RPL_ENDOFWHO, mask or "*")


def _found(session: IrcSession, mask: str) -> Iterable[tuple[User, Room | None]]:
    """Who is to be shown for a room, a nick or a mask, and in which room."""
    me, state = session.user, session.hub.state
    assert me is not None
    room = state.rooms.get(casefold(mask))
    if room is not None:
        if policy.may_see(me, room):
            inside = me in room.members
            return [(user, room) for user in room.members if inside or Flag.INVISIBLE not in user.flags]
        return []
    if is_room(mask):
        return []
    if casefold(mask) in state.users:
        user = state.users[casefold(mask)]
        return [(user, _common_room(session, user))]
    pattern = mask_pattern(mask)
    users = (user for user in state.users.values() if _fits(user, pattern.fullmatch))
    return [(user, _common_room(session, user)) for user in users if _visible(me, user)]


def _fits(user: User, match: Callable[[str], object]) -> bool:
    source = user.source
    return any(match(casefold(word)) for word in (source.nick, source.ident, source.host, source.mask, user.realname))


def _visible(me: User, user: User) -> bool:
    return Flag.INVISIBLE not in user.flags or user is me or not me.rooms.keys().isdisjoint(user.rooms)


def _common_room(session: IrcSession, user: User) -> Room | None:
    me = session.user
    assert me is not None
    hidden = Flag.INVISIBLE in user.flags
    return next((room for room in user.rooms if me in room.members or (not hidden and policy.may_see(me, room))), None)


# WHOIS and WHOWAS.


@command("WHOIS", 1)
async def whois(session: IrcSession, message: Message) -> None:
    """Show what is known of a person."""
    nick = message.params[-1].split(",")[0]
    if not nick:
        session.reply(numerics.ERR_NONICKNAMEGIVEN)
        return
    try:
        user = session.hub.user(nick)
    except NoSuchName as refused:
        session.refuse(refused, message.command)
    else:
        _send_whois(session, user)
        nick = user.nick
    session.reply(numerics.RPL_ENDOFWHOIS, nick)


def _send_whois(session: IrcSession, user: User) -> None:
    me, source, nick = session.user, user.source, user.nick
    assert me is not None
    session.reply(numerics.RPL_WHOISUSER, nick, source.ident, source.host, "*", text=user.realname)
    rooms = [
        modes.prefixes(room.members[user].roles, every=True) + room.name
        for room in user.rooms
        if me in room.members or (policy.may_see(me, room) and Flag.INVISIBLE not in user.flags)
    ]
    for line in joined(rooms, " "):
        session.reply(numerics.RPL_WHOISCHANNELS, nick, text=line)
    session.reply(numerics.RPL_WHOISSERVER, nick, session.house.name, text=session.house.network)
    if Flag.OPERATOR in user.flags:
        session.reply(numerics.RPL_WHOISOPERATOR, nick)
    if user.source.bot:
        session.reply(numerics.RPL_WHOISBOT, nick)
    if source.account is not None:
        session.reply(numerics.RPL_WHOISACCOUNT, nick, source.account)
    if user.sessions and all(each.secure for each in user.sessions):
        session.reply(numerics.RPL_WHOISSECURE, nick)
    if me is user or Flag.OPERATOR in me.flags:
        mask = f"{source.ident}@{source.host}"
        session.reply(numerics.RPL_WHOISACTUALLY, nick, mask, address_of(user))
        session.reply(numerics.RPL_WHOISMODES, nick, text=f"is using modes +{modes.user_letters(user.flags)}")
    if user.sessions:
        session.reply(numerics.RPL_WHOISIDLE, nick, str(idle_s(session, user)), str(user.since_ms // 1000))
    if user.away is not None:
        session.reply(numerics.RPL_AWAY, nick, text=user.away)
    for key, value in (user.metadata or {}).items():
        if session.metadata:
            session.reply(numerics.RPL_WHOISKEYVALUE, nick, key, "*", text=value)


@command("WHOWAS")
async def whowas(session: IrcSession, message: Message) -> None:
    """Show who bore a name and does not any more."""
    if not message.params or not message.params[0]:
        session.reply(numerics.ERR_NONICKNAMEGIVEN)
        return
    nick = message.params[0]
    count = int(message.params[1]) if len(message.params) > 1 and message.params[1].isdecimal() else 0
    former = list(session.hub.state.former.get(casefold(nick), ()))
    for each in former[:count] if count > 0 else former:
        source = each.source
        session.reply(numerics.RPL_WHOWASUSER, source.nick, source.ident, source.host, "*", text=each.realname)
        when = session.dialect.server_time(each.at_ms)
        session.reply(numerics.RPL_WHOISSERVER, source.nick, session.house.name, text=when)
    if not former:
        session.reply(numerics.ERR_WASNOSUCHNICK, nick)
    session.reply(numerics.RPL_ENDOFWHOWAS, nick)


@command("USERHOST", 1)
async def userhost(session: IrcSession, message: Message) -> None:
    """Show the hosts of some people, and whether they are away."""
    users = session.hub.state.users
    found = [users[casefold(nick)] for nick in message.params[:5] if casefold(nick) in users]
    words = [
        f"{user.nick}{'*' if Flag.OPERATOR in user.flags else ''}="
        f"{'+' if user.away is None else '-'}{user.source.ident}@{user.source.host}"
        for user in found
    ]
    session.reply(numerics.RPL_USERHOST, text=" ".join(words))


@command("ISON", 1)
async def ison(session: IrcSession, message: Message) -> None:
    """Show which of some people are here."""
    users = session.hub.state.users
    nicks = [nick for param in message.params for nick in param.split()]
    here = [users[casefold(nick)].nick for nick in nicks if casefold(nick) in users]
    session.reply(numerics.RPL_ISON, text=" ".join(here))
