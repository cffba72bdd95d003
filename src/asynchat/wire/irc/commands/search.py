"""SEARCH, as soju has it. (soju.im/search)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from asynchat.chat.events import Place
from asynchat.chat.names import is_room
from asynchat.chat.search import Search
from asynchat.wire.irc import caps
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.commands.history import BadRequest, parse_time, place_of
from asynchat.wire.irc.message import parse_tags

if TYPE_CHECKING:
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

ATTRIBUTES = frozenset({"in", "from", "after", "before", "text", "limit"})


@command("SEARCH", 1)
async def search(session: IrcSession, message: Message) -> None:
    """Look for what was said."""
    try:
        asked = await _asked(session, parse_tags(message.params[0]))
    except BadRequest as error:
        session.fail("SEARCH", error.code, *error.about, text=str(error))
        return
    found = session.told_only(await session.house.history.search(asked))
    session.send_batch(caps.SEARCH, [line for said in found if (line := session.dialect.render(said))])


async def _asked(session: IrcSession, attributes: Mapping[str, str]) -> Search:
    """What is looked for.

    Raises:
        BadRequest
    """
    if not attributes:
        raise BadRequest("INVALID_PARAMS", "Say what to look for, such as text=word", "*")
    for name in attributes:
        if name not in ATTRIBUTES:
            raise BadRequest("INVALID_PARAMS", "There is no such attribute", name)
    after, before = _time(attributes, "after"), _time(attributes, "before")
    last_until = session.house.history.last_until
    return Search(
        places=_places(session, attributes.get("in")),
        text=attributes.get("text", ""),
        nick=attributes.get("from"),
        after=None if after is None else await last_until(after - 1),
        before=None if before is None else str(int(await last_until(before)) + 1),
        limit=_limit(attributes, session.house.most_history),
    )


def _places(session: IrcSession, target: str | None) -> frozenset[Place]:
    """Where this user may look: in a room or a conversation, or in all there are."""
    me = session.user
    assert me is not None
    if target is None:
        return frozenset({me.inbox, *(room.place for room in me.rooms)})
    found = place_of(session, target)
    if found is None and is_room(target):  # of somebody who is unknown there is just nothing to be found
        raise BadRequest("INVALID_PARAMS", "You are not in that channel", "in", target)
    return frozenset() if found is None else frozenset({found})


def _time(attributes: Mapping[str, str], name: str) -> int | None:
    if name not in attributes:
        return None
    try:
        return parse_time(attributes[name])
    except ValueError:
        raise BadRequest("INVALID_PARAMS", "That is no time", name, attributes[name] or "*") from None


def _limit(attributes: Mapping[str, str], most: int) -> int:
    limit = attributes.get("limit", str(most))
    if not limit.isdecimal() or len(limit) > 18 or not int(limit):
        raise BadRequest("INVALID_PARAMS", "The limit is a number above 0", "limit", limit or "*")
    return min(int(limit), most)
