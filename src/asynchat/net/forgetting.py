"""Forgetting somebody: the account, the user, and every word they have said."""

from __future__ import annotations

from asynchat.chat.events import Source, TopicSet
from asynchat.chat.hub import Hub
from asynchat.chat.names import casefold
from asynchat.net.journal import Journal
from asynchat.net.logins import Logins
from asynchat.store import Log

REASON = "the account was removed"


async def forget(account: str, *, hub: Hub, journal: Journal, store: Log, logins: Logins) -> int:
    """Put out who is logged in to an account, remove it, and erase its words; returns how many events had any.

    What others have said stays, also what they said to them, and so do all ids. Backups are not reached.

    Raises:
        Refused: NO_SUCH_ACCOUNT
        StoreError
    """
    await logins.remove(account)
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
    for event in erased:
        room = hub.state.places.get(event.places[0]) if isinstance(event, TopicSet) else None
        if room is not None and room.topic is not None and room.topic.at_ms == event.at_ms:
            by = event.by
            await hub.take_topic_away(room.place, Source(user=by.user, nick=by.nick, ident=by.ident, host=by.host))
    await journal.save_snapshot()  # the last one may have words of theirs
    await store.wipe()
    return len(erased)
