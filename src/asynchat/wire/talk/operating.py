"""The /commands of a console: those of everybody, as far as they make sense there, and those of the operator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asynchat.chat.bans import network_of
from asynchat.chat.events import Setting
from asynchat.chat.names import casefold
from asynchat.wire import durations
from asynchat.wire.banishing import banish as keep_off
from asynchat.wire.banishing import drop as put_out
from asynchat.wire.talk.commands import COMMANDS, Row, command, here, put_on_list, so_long
from asynchat.wire.talk.commands import unban as unban_in_room
from asynchat.wire.talk.commands import who as who_is_in

if TYPE_CHECKING:
    from asynchat.chat.users import User
    from asynchat.wire.talk.session import TalkSession

_NOT_HERE = {"acks", "ids", "login", "logout", "name", "register", "resume", "time", "voice"}
"""What is about a guest, or shows what is shown anyway."""

OPERATING: dict[str, Row] = {name: row for name, row in COMMANDS.items() if row.name not in _NOT_HERE}

operating = partial(command, table=OPERATING)


@operating("who", "[#room]")
async def who(session: TalkSession, argument: str) -> None:
    """Who is here: wire, address, seconds of silence, bytes unsent, rooms."""
    if argument:
        await who_is_in(session, argument)
        return
    rows = [_row(session, user) for user in session.hub.state.people.values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        session.news("  ".join(map(str.ljust, row, widths)).rstrip())
    session.news("end")


def _row(session: TalkSession, user: User) -> tuple[str, ...]:
    sessions = user.sessions
    idle = max(0, int(session.heard_at - max((each.talked_at for each in sessions), default=session.heard_at)))
    unsent = sum(each.peer.unsent() for each in sessions)
    return (
        f"@{user.nick}" if user.is_server else user.nick,
        ",".join(dict.fromkeys(each.wire for each in sessions)) or "away",
        ",".join(dict.fromkeys(each.address for each in sessions)) or "-",
        f"{idle} s" if sessions else "-",
        f"{unsent} B" + (" lags" if any(each.lagging for each in sessions) else ""),
        " ".join(room.name for room in user.rooms),
    )


@operating("kick", "name [why]")
async def kick(session: TalkSession, argument: str) -> None:
    """Put somebody out of the room."""
    assert session.user is not None
    nick, _, why = argument.partition(" ")
    await session.done(session.hub.kick(session.user, here(session), nick, why.strip(), via=session))


@operating("ban", "name|mask|address [1h] [why]")
async def ban(session: TalkSession, argument: str) -> None:
    """Keep somebody out of the room, an address off the server."""
    who, _, rest = argument.partition(" ")
    if network_of(who) is not None:
        await banish(session, argument)
        return
    how_long, why = durations.take(rest)
    room = session.hub.room(here(session))
    await put_on_list(session, who, how_long)
    session.news(f"{who} banned from {room.name}{so_long(how_long)}")
    user = session.hub.state.users.get(casefold(who))
    if user is not None and user in room.members:
        await kick(session, f"{who} {why or 'banned'}")


@operating("unban", "name|mask|address")
async def unban(session: TalkSession, argument: str) -> None:
    """Take a ban back."""
    if network_of(argument) is not None:
        await pardon(session, argument)
    else:
        await unban_in_room(session, argument)


@operating("banish", "name|mask|a:account|address [1h] [why]")
async def banish(session: TalkSession, argument: str) -> None:
    """Keep somebody off the server, for ever or so long."""
    who, _, rest = argument.partition(" ")
    how_long, why = durations.take(rest)
    await keep_off(session.hub, who, why, how_long, via=session)


@operating("pardon", "name|mask|a:account|address")
async def pardon(session: TalkSession, argument: str) -> None:
    """Let somebody come to the server again."""
    assert session.user is not None
    await session.done(session.hub.pardon(session.user, argument, via=session))


@operating("bans", "")
async def bans(session: TalkSession, argument: str) -> None:
    """Who is kept out of the room, and off the server."""
    now_ms = session.hub.clock_ms()
    room = session.hub.state.rooms.get(casefold(here(session)))
    for entry in room.entries(Setting.BAN) if room is not None else ():
        session.news(f"{here(session)} banned: {entry.mask}{_left(entry.until_ms, now_ms)}, by {entry.by}")
    for each in session.hub.state.bans.all.values():
        why = f" ({each.reason})" if each.reason else ""
        session.news(f"server banned: {each.mask}{_left(each.until_ms, now_ms)}{why}")
    session.news("end")


def _left(until_ms: int | None, now_ms: int) -> str:
    return "" if until_ms is None else f" for {durations.roughly(until_ms - now_ms)}"


@operating("drop", "name [why]")
async def drop(session: TalkSession, argument: str) -> None:
    """End the connections of somebody."""
    nick, _, why = argument.partition(" ")
    user = session.hub.user(nick)
    if user.is_server:
        session.no("NOT_ALLOWED", "/stop ends the server, /quit leaves its console")
        return
    reason = f"dropped: {why.strip()}" if why.strip() else "dropped"
    await put_out(session.hub, user, reason)
    session.news(f"{user.nick} dropped")


@operating("stats", "")
async def stats(session: TalkSession, argument: str) -> None:
    """Figures of the server."""
    for name, value in session.house.stats().items():
        shown = ", ".join(f"{each} {many}" for each, many in value.items()) if isinstance(value, dict) else value
        session.news(f"{name.replace('_', ' ')}: {shown}")
    session.news("end")


@operating("stop", "[why]")
async def stop(session: TalkSession, argument: str) -> None:
    """End the server: tell everybody, send and store what is left."""
    session.house.stop(argument or "the server is stopping")
    session.news("the server is stopping")
