"""Forgetting somebody: the account, the user, and every word they have said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.errors import Refused
from asynchat.chat.events import Event, MetadataSet, Source, TopicSet
from asynchat.chat.hub import Hub
from asynchat.chat.names import casefold
from asynchat.net.journal import Journal
from asynchat.store import Log

if TYPE_CHECKING:
    from asynchat.net.logins import Logins

REASON = "the account was removed"


async def forget(account: str, *, hub: Hub, journal: Journal, store: Log, logins: Logins) -> int:
    """Put out who is logged in to an account, remove it, and erase its words; returns how many events had any.

    What others have said stays, also what they said to them, and so do all ids. Backups are not reached, nor what was
    said without being logged in. If it fails, it can be done again: the account is gone then, its words may not be.

    Raises:
        Refused: NO_SUCH_ACCOUNT, and none that has ever said anything.
        StoreError
    """
    unknown: Refused | None = None
    try:
        await logins.remove(account)
    except Refused as refused:
        unknown = refused
    wanted, last = casefold(account), None
    for user in tuple(hub.state.people.values()):
        if casefold(user.source.account or "") == wanted:
            for session in user.sessions:
                session.dismiss(REASON)
            last = hub.depart(user, REASON)
    if last is not None:
        await last
    hub.state.forget_bearer(account)
    erased = await store.forget(account)
    if unknown is not None and not erased:
        raise unknown
    for event in erased:
        await _unsay(hub, event)
    await journal.save_snapshot()  # the last one may have words of theirs
    await store.wipe()
    return len(erased)


async def _unsay(hub: Hub, event: Event) -> None:
    """Take from a room what it still shows of an event that is erased: a topic, or a word kept with it."""
    room = hub.state.places.get(event.places[0]) if isinstance(event, TopicSet | MetadataSet) and event.places else None
    if room is None:
        return
    by = Source(user=event.by.user, nick=event.by.nick, ident=event.by.ident, host=event.by.host)
    if isinstance(event, TopicSet):
        if room.topic is not None and room.topic.at_ms == event.at_ms:
            await hub.take_topic_away(room.place, by)
    elif isinstance(event, MetadataSet) and event.value and (room.metadata or {}).get(event.name) == event.value:
        await hub.take_word_away(room.place, event.name, by)
