"""`/resume`: who was cut off comes back as who they were, and is shown what they missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.errors import Refused
from asynchat.wire.resumes import Left
from asynchat.wire.talk.commands import command

if TYPE_CHECKING:
    from asynchat.wire.session import Session
    from asynchat.wire.talk.session import TalkSession

COUNTED = 1000
"""Lines that are counted at most before they are shown."""
ID_DIGITS = 18
TURNS = 100
"""Of the loop, in which a session that is ending has left."""


@command("resume", "key [id]")
async def resume(session: TalkSession, argument: str) -> None:
    """Be who you were before you were cut off; the id is of what you saw last."""
    key, _, named = argument.partition(" ")
    named = named.strip().removeprefix("#")
    known = named.isdecimal() and len(named) <= ID_DIGITS and int(named) <= int(session.hub.applied)
    if named and not known:
        session.no("UNKNOWN_ID", f"#{named[:ID_DIGITS]} is no line of this server")
        return
    who = await _find(session, key)
    if who is None or who is session:
        session.guessed_wrong("NO_SUCH_KEY", "nobody can come back by that key, or not any more")
        return
    if not _may_become(session, who):
        session.no("NOT_YOURS", "log in as who you were, and what you missed is shown")
        return
    session.house.resumes.use(key)
    if isinstance(who, Left):
        await _return_as(session, who)
        position, inbox = who.position, f"@{who.user}"
    else:
        assert who.user is not None
        position, inbox = who.seen, who.user.inbox
        await _take_over(session, who)
    await _read_on(session, named or position, inbox, exact=bool(named))


async def _find(session: TalkSession, key: str) -> Session | Left | None:
    """Who comes back by a key. One whose session is just ending is waited for."""
    journal, find = session.hub.journal, session.house.resumes.find
    for _ in range(TURNS):
        who = find(key, session.hub.clock_ms())
        if who is None or isinstance(who, Left) or who.user is not None:
            return who
        await journal.caught_up()
        await journal.breathe()
    return None


def _may_become(session: TalkSession, who: Session | Left) -> bool:
    """Guests come back by a key; who has an account by its password."""
    me = session.user
    assert me is not None
    if me.source.account is not None:
        return False
    return isinstance(who, Left) or (who.user is not None and who.user.source.account is None)


async def _take_over(session: TalkSession, other: Session) -> None:
    """Become the user of a session whose connection is dead, though nobody has noticed."""
    from asynchat.wire.talk.session import TalkSession

    me, user = session.user, other.user
    assert me is not None
    assert user is not None
    if isinstance(other, TalkSession):
        session.room, session.ids, session.acks, session.times = other.room, other.ids, other.acks, other.times
    session.house.note_went(other, "resumed elsewhere")
    session.hub.detach(other, user)
    other.superseded = True
    other.drop("resumed elsewhere")
    session.hub.detach(session, me)
    session.user = session.hub.attach(session, user.id)
    if not me.sessions:
        await session.settle(session.hub.depart(me, f"is {user.nick} again"))
    session.speak()


async def _return_as(session: TalkSession, left: Left) -> None:
    """Take the name of who has left, and enter the rooms again."""
    assert session.user is not None
    try:
        if session.house.is_owned_by_another(left.nick, None):
            raise Refused("NAME_RESERVED", f"{left.nick} is registered by now; you are {session.user.nick}")
        if session.user.nick != left.nick:
            await session.done(session.hub.rename(session.user, left.nick, via=session))
    except Refused as refused:
        session.no(refused.code, refused.text)
    for name in left.rooms:
        try:
            await session.enter_room(name)
        except Refused as refused:
            session.no(refused.code, f"{name}: {refused.text}")
    session.room = left.room or session.room


async def _read_on(session: TalkSession, position: str, inbox: str, *, exact: bool) -> None:
    """Tell how much was missed, and have it shown, all of it, before anything else."""
    user = session.user
    assert user is not None
    heard = {place: until for place, until in session.heard.items() if any(place == room.place for room in user.rooms)}
    missed: set[str] = set()
    for place in {inbox, *(room.place for room in user.rooms)}:
        before = str(heard.get(place, int(session.hub.applied)) + 1)
        page = await session.house.history.page(place, after=position, before=before, limit=COUNTED)
        missed.update(line.id for line in page)
    number = str(len(missed)) if len(missed) < COUNTED else f"{COUNTED} or more"
    how = "" if exact else "; counted from the last line handed to the connection, the id of the last you saw is exact"
    session.news(f"resumed, {number} missed{how}")
    if inbox != user.inbox:  # that of who has left
        heard[inbox] = int(session.hub.applied)
    session.read_on_from(int(position), heard)
