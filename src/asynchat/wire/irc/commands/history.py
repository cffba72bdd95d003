"""The past: CHATHISTORY MARKREAD REDACT."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.events import Event, Said
from asynchat.chat.names import casefold, is_room
from asynchat.chat.users import conversation, lasting_id
from asynchat.wire.irc.commands import command

if TYPE_CHECKING:
    from asynchat.chat.events import Place
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

log = logging.getLogger("asynchat")

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z")
TARGETS_LOOKED_THROUGH = 1000
"""Messages to oneself that are looked through for the people who wrote them."""


class BadRequest(Exception):
    """The request is wrong; `code` is that of the standard reply."""

    def __init__(self, code: str, text: str, *about: str) -> None:
        super().__init__(text)
        self.code = code
        self.about = about


def parse_time(text: str) -> int:
    """A time as `2019-01-04T14:33:26.123Z`, in milliseconds since 1970.

    Raises:
        ValueError
    """
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    time = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


# CHATHISTORY. (IRCv3 chathistory)


@command("CHATHISTORY")
async def chathistory(session: IrcSession, message: Message) -> None:
    """Fetch what was said."""
    subcommand = message.params[0].upper() if message.params else ""
    reader = _SUBCOMMANDS.get(subcommand)
    about: tuple[str, ...] = (subcommand,) if subcommand else ("*",)
    try:
        if reader is None:
            raise BadRequest("INVALID_PARAMS", "There is no such subcommand", *about)
        least, function = reader
        if len(message.params) < least:
            raise BadRequest("NEED_MORE_PARAMS", "Missing parameters", *about)
        await function(session, message.params)
    except BadRequest as error:
        session.fail("CHATHISTORY", error.code, *error.about, text=str(error))
    except StoreError as error:
        log.error("history could not be read: %s", error)
        session.fail("CHATHISTORY", "MESSAGE_ERROR", *about, text="Messages could not be retrieved")


def _limit(session: IrcSession, params: list[str]) -> int:
    if not params[-1].isdecimal() or not int(params[-1]):
        raise BadRequest("INVALID_PARAMS", "The limit is a number above 0", params[0].upper(), params[-1])
    return min(int(params[-1]), session.house.most_history)


def place_of(session: IrcSession, target: str) -> Place | None:
    """The place that a target names for this user; None if there is none, or none that it may read."""
    assert session.user is not None
    state = session.hub.state
    if is_room(target):
        room = state.rooms.get(casefold(target))
        return room.place if room is not None and session.user in room.members else None
    if (person := state.users.get(casefold(target))) is not None:
        return conversation(session.user.id, person.id)
    if session.house.is_owned(target):  # an account whose user is not here
        return conversation(session.user.id, lasting_id(target))
    return None


async def _place(session: IrcSession, params: list[str]) -> tuple[Place, str]:
    """The place that a target names for this user, and the target as it is written."""
    place, name = place_of(session, params[1]), params[1]
    if place is None and not is_room(name):
        place = await _left(session, name)
    if place is None:
        raise BadRequest("INVALID_TARGET", "Messages could not be retrieved", params[0].upper(), name)
    return place, session.hub.state.places[place].name if is_room(name) else name


async def _left(session: IrcSession, nick: str) -> Place | None:
    """The conversation with a guest who is not here any more: with the last one of that name."""
    assert session.user is not None
    wanted = casefold(nick)
    for line in reversed(await session.house.history.page(session.user.inbox, limit=TARGETS_LOOKED_THROUGH)):
        other = line.by.nick if line.by.user != session.user.id else getattr(line, "to", "")
        if casefold(other) == wanted:
            return next((place for place in line.places if place[:1] == "&"), None)
    return None


async def _edge(session: IrcSession, params: list[str], index: int, *, after: bool) -> str:
    """The id that a reference stands for, as a bound that is not included itself."""
    kind, equals, value = params[index].partition("=")
    history = session.house.history
    try:
        if kind == "timestamp" and equals:
            at_ms = parse_time(value)
            return await history.last_until(at_ms) if after else str(int(await history.last_until(at_ms - 1)) + 1)
        if kind == "msgid" and value.isdecimal() and len(value) < 19:
            return value
        if kind == "msgid" and value:
            return "0" if after else str(2**62)
    except ValueError:
        pass
    raise BadRequest("INVALID_PARAMS", "A reference is timestamp=… or msgid=…", params[0].upper(), params[index])


async def _page(
    session: IrcSession, place: Place, limit: int, *, after: str | None = None, before: str | None = None, newest: bool
) -> Sequence[Event]:
    talk_only = not session.plays_events
    found: list[Event] = []
    while True:
        wanted = limit - len(found)
        events = await session.house.history.page(
            place, after=after, before=before, limit=wanted, newest=newest, talk_only=talk_only
        )
        told = session.told_only(events)
        found = [*told, *found] if newest else [*found, *told]
        if len(told) == wanted or len(events) < wanted:  # else some were not for everybody: a short page says "no more"
            return found
        after, before = (after, events[0].id) if newest else (events[-1].id, before)


def _send(session: IrcSession, target: str, events: Sequence[Event]) -> None:
    rendered = [line for event in events if (line := session.dialect.render(event))]
    session.send_batch("chathistory", rendered, target)


async def _latest(session: IrcSession, params: list[str]) -> None:
    place, target = await _place(session, params)
    after = None if params[2] == "*" else await _edge(session, params, 2, after=True)
    _send(session, target, await _page(session, place, _limit(session, params), after=after, newest=True))


async def _before(session: IrcSession, params: list[str]) -> None:
    place, target = await _place(session, params)
    before = await _edge(session, params, 2, after=False)
    _send(session, target, await _page(session, place, _limit(session, params), before=before, newest=True))


async def _after(session: IrcSession, params: list[str]) -> None:
    place, target = await _place(session, params)
    after = await _edge(session, params, 2, after=True)
    _send(session, target, await _page(session, place, _limit(session, params), after=after, newest=False))


async def _between(session: IrcSession, params: list[str]) -> None:
    """Between two references, from the first one on: the second may be the earlier."""
    place, target = await _place(session, params)
    first, second = await _edge(session, params, 2, after=True), await _edge(session, params, 3, after=True)
    forwards = int(first) <= int(second)
    after = await _edge(session, params, 2 if forwards else 3, after=True)
    before = await _edge(session, params, 3 if forwards else 2, after=False)
    limit = _limit(session, params)
    _send(session, target, await _page(session, place, limit, after=after, before=before, newest=not forwards))


async def _around(session: IrcSession, params: list[str]) -> None:
    place, target = await _place(session, params)
    limit = _limit(session, params)
    before = await _edge(session, params, 2, after=False)
    earlier = await _page(session, place, limit // 2, before=before, newest=True) if limit > 1 else []
    rest = limit - len(earlier)
    later = await _page(session, place, rest, after=str(int(before) - 1), newest=False)
    _send(session, target, [*earlier, *later])


async def _targets(session: IrcSession, params: list[str]) -> None:
    """With whom, and in which rooms, there was talk between two times."""
    assert session.user is not None
    if not all(param.startswith("timestamp=") for param in params[1:3]):
        raise BadRequest("INVALID_PARAMS", "TARGETS are between two times", "TARGETS", *params[1:3])
    edges = [await _edge(session, params, index, after=True) for index in (1, 2)]
    forwards = int(edges[0]) <= int(edges[1])
    after = min(edges, key=int)
    before = await _edge(session, params, 2 if forwards else 1, after=False)
    limit, found = _limit(session, params), await _talked_in(session)
    within = [(target, line) for target, line in found.items() if int(after) < int(line.id) < int(before)]
    within.sort(key=lambda each: int(each[1].id), reverse=not forwards)
    lines = [
        f"CHATHISTORY TARGETS {target} {session.dialect.server_time(line.at_ms)}\r\n".encode()
        for target, line in within[:limit]
    ]
    session.send_batch("draft/chathistory-targets", lines)


async def _talked_in(session: IrcSession) -> dict[str, Event]:
    """The last line in each of the user's rooms, and with each person."""
    me, history = session.user, session.house.history
    assert me is not None
    found: dict[str, Event] = {}
    for room in me.rooms:
        last = await history.page(room.place, limit=1)
        if last:
            found[room.name] = last[0]
    for line in await history.page(me.inbox, limit=TARGETS_LOOKED_THROUGH):
        if isinstance(line, Said):
            other = line.to if line.by.user == me.id else line.by.nick
            found = {name: last for name, last in found.items() if casefold(name) != casefold(other)} | {other: line}
    return found


_SUBCOMMANDS: dict[str, tuple[int, Callable[[IrcSession, list[str]], Coroutine[Any, Any, None]]]] = {
    "LATEST": (4, _latest),
    "BEFORE": (4, _before),
    "AFTER": (4, _after),
    "BETWEEN": (5, _between),
    "AROUND": (4, _around),
    "TARGETS": (4, _targets),
}


# MARKREAD. (IRCv3 read-marker)


@command("MARKREAD")
async def markread(session: IrcSession, message: Message) -> None:
    """Show or set up to where one has read."""
    assert session.user is not None
    if not message.params:
        session.fail("MARKREAD", "NEED_MORE_PARAMS", text="Missing parameters")
        return
    target = message.params[0]
    if not target or " " in target:
        session.fail("MARKREAD", "INVALID_PARAMS", target, text="That is no target")
        return
    if len(message.params) > 1:
        kind, _, value = message.params[1].partition("=")
        try:
            read = session.dialect.server_time(parse_time(value if kind == "timestamp" else ""))
            await session.done(session.hub.set_marker(session.user, target, read, via=session))
        except ValueError:
            session.fail("MARKREAD", "INVALID_PARAMS", target, message.params[1], text="That is no time")
            return
        except Refused as refused:
            session.fail("MARKREAD", "INTERNAL_ERROR", target, text=refused.text)
            return
    send_marker(session, target)


def send_marker(session: IrcSession, target: str) -> None:
    """Tell up to where a target was read; `*` if it never was."""
    assert session.user is not None
    read = (session.user.markers or {}).get(casefold(target))
    session.send(f":{session.house.name} MARKREAD {target} {f'timestamp={read}' if read else '*'}")


# REDACT. (IRCv3 message-redaction)


@command("REDACT", 2)
async def redact(session: IrcSession, message: Message) -> None:
    """Take back what was said."""
    assert session.user is not None
    target, msgid = message.params[:2]
    reason = message.params[2] if len(message.params) > 2 else ""
    try:
        said = await _said_there(session, target, msgid)
        await session.done(session.hub.redact(session.user, said, reason, via=session))
    except BadRequest as error:
        session.fail("REDACT", error.code, *error.about, text=str(error))
    except Refused:
        session.fail("REDACT", "REDACT_FORBIDDEN", target, msgid, text="You may not delete this message")


async def _said_there(session: IrcSession, target: str, msgid: str) -> Said:
    """What was said under that id to that target, as this user names it."""
    try:
        place, _ = await _place(session, ["REDACT", target])
    except BadRequest:
        raise BadRequest("INVALID_TARGET", "You cannot delete messages there", target) from None
    said = await session.house.history.find(msgid)
    if not isinstance(said, Said) or place not in said.places:
        raise BadRequest("UNKNOWN_MSGID", "There is no such message", target, msgid)
    return said
