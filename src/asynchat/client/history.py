"""What was said at a server, page by page. (IRCv3 chathistory, soju.im/search)"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from asynchat.chat.errors import Refused
from asynchat.client.positions import is_talk, reference
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message, encode_tags

log = logging.getLogger("asynchat")

SEARCH = "soju.im/search"
MOST_FOUND = 1000
"""Lines of one page of what is searched for; a server may tell fewer."""
MOMENT = timedelta(milliseconds=1)


async def backwards(client: Talker, place: str, before: str = "") -> AsyncIterator[list[Message]]:
    """Pages of a room or a conversation, the last one first; in each the lines are in order.

    `before` is a message as CHATHISTORY refers to it, which is left out.

    Raises:
        Refused: the server does not tell that.
        Lost, NotAcknowledged
    """
    seen = {before}
    while True:
        request = ["BEFORE", place, before] if before else ["LATEST", place, "*"]
        page = await _page(client, request)
        if not page:
            return
        before = reference(page[0])
        if _repeats(place, before, seen):
            return
        yield page
        if not before:
            return


async def forwards(client: Talker, place: str, after: str) -> AsyncIterator[list[Message]]:
    """Pages of a room or a conversation after a message, in order.

    Raises:
        Refused, Lost, NotAcknowledged
    """
    seen = {after}
    while True:
        page = await _page(client, ["AFTER", place, after])
        if not page:
            return
        after = reference(page[-1]) or _last_id(page)
        if _repeats(place, after, seen):
            return
        yield page
        if not after:
            return


async def find(client: Talker, place: str, reference: str) -> Message | None:
    """The message that a reference with its id names, if the server has it there.

    Raises:
        Refused, Lost, NotAcknowledged
    """
    msgid = reference.removeprefix("msgid=")
    page = await _page(client, ["AROUND", place, reference], 3)  # of one alone servers differ in which that is
    return next((line for line in page if line.tags.get("msgid") == msgid), None)


async def around(client: Talker, place: str, middle: str, number: int) -> list[Message]:
    """Lines before and after a message, which is among them.

    Raises:
        Refused, Lost, NotAcknowledged
    """
    return await _page(client, ["AROUND", place, middle], number)


async def search(client: Talker, place: str, words: str, *, by: str | None = None) -> AsyncIterator[list[Message]]:
    """Pages of lines with these words in them, said by somebody if that is given; the last page first, each in order.

    Raises:
        Refused: NO_SEARCH, the server cannot search.
        Lost, NotAcknowledged
    """
    if SEARCH not in client.capabilities:
        raise Refused("NO_SEARCH", "this server cannot search")
    asked = {"in": place, "text": words, "limit": str(MOST_FOUND)} | ({"from": by} if by is not None else {})
    later = MOMENT
    known: set[tuple[str, ...]] = set()
    while found := _talk(await client.request(Message("SEARCH", [encode_tags(asked)]), quiet=True)):
        page = [line for line in found if _name(line) not in known]
        if page:
            yield page
            known.update(map(_name, page))
            # Pages are parted by time alone, and servers differ in whether that moment belongs to them.
            later = MOMENT
        elif (later := later - MOMENT) < -MOMENT:
            return
        try:
            before = datetime.fromisoformat(found[0].tags.get("time", "")) + later
        except ValueError:
            return
        asked["before"] = before.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _name(line: Message) -> tuple[str, ...]:
    """What tells a line from another one."""
    return (line.tags.get("msgid", ""), line.tags.get("time", ""), line.source, *line.params)


def _repeats(place: str, reference: str, seen: set[str]) -> bool:
    """Whether one was there before; then the server goes round in a circle, which is told."""
    if reference and reference in seen:
        log.warning("the server repeats what was said in %s; what there is beyond %s cannot be had", place, reference)
        return True
    seen.add(reference)
    return False


async def _page(client: Talker, request: list[str], number: int = 1000) -> list[Message]:
    if not client.resumes:
        raise Refused("NO_HISTORY", "this server does not tell what was said before")
    limit = client.isupport.get("CHATHISTORY", "")[:9]
    most = int(limit) if limit.isdecimal() and int(limit) else 100
    return _talk(await client.request(Message("CHATHISTORY", [*request, str(min(number, most))]), quiet=True))


def _talk(lines: list[Message]) -> list[Message]:
    return [line for line in lines if is_talk(line)]


def _last_id(page: list[Message]) -> str:
    """The last message that has an id: of several lines of one message only the first has."""
    return next((reference(line) for line in reversed(page) if reference(line)), "")
