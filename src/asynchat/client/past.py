"""What was said, line by line in order, between two messages or times. (IRCv3 chathistory)"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

from asynchat.client.history import backwards, forwards
from asynchat.client.positions import reference
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message

BEGINNING = "timestamp=1970-01-01T00:00:00.000Z"


async def past(talker: Talker, place: str, *, before: str, after: str, limit: int | None) -> AsyncIterator[Message]:
    """Lines of a room or a conversation: the first `limit` after a reference, else the last before one, or of all.

    Raises:
        Refused, Lost, NotAcknowledged
    """
    if after or limit is None:
        async for line in _first(talker, place, after or BEGINNING, before, limit):
            yield line
        return
    kept: deque[Message] = deque()
    async for page in backwards(talker, place, before):
        kept.extendleft(reversed(page))
        if len(kept) >= limit:
            break
    for line in list(kept)[-limit:] if limit else []:
        yield line


async def _first(talker: Talker, place: str, after: str, before: str, limit: int | None) -> AsyncIterator[Message]:
    async for page in forwards(talker, place, after):
        for line in page:
            if limit == 0 or _reaches(line, before):
                return
            yield line
            limit = None if limit is None else limit - 1


def _reaches(line: Message, before: str) -> bool:
    kind, _, value = before.partition("=")
    if kind == "timestamp":
        return line.tags.get("time", "") >= value
    return bool(before) and reference(line) == before
