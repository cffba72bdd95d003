"""`/resume`: who was cut off comes back as who they were, and is shown what they missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.errors import Refused
from asynchat.chat.events import Place
from asynchat.wire.resumes import Left
from asynchat.wire.talk.commands import command

if TYPE_CHECKING:
    from asynchat.wire.talk.session import TalkSession

COUNTED = 1000
"""Lines that are counted at most before they are shown."""


@command("resume", "key [id]")
async def resume(session: TalkSession, argument: str) -> None:
    """Be who you were before you were cut off; the id is of what you saw last."""
    me = session.user
    assert me is not None
    key, _, position = argument.partition(" ")
    position = position.strip().removeprefix("#")
    if position and not (position.isdecimal() and int(position) <= int(session.hub.applied)):
        session.no("UNKNOWN_ID", f"#{position} is no line of this server")
        return
    if key == session.key:
        session.no("NO_SUCH_KEY", "that is the key of this connection")
        return
    who = session.house.resumes.take(key, session.hub.clock_ms())
    if who is None:
        session.guessed_wrong("NO_SUCH_KEY", "nobody can come back by that key, or not any more")
        return
    exact = bool(position)
    if isinstance(who, Left):
        position = position or who.position
        await _read_on(session, position, await _return_as(session, who), exact=exact)
    else:
        position = position or session.hub.applied
        inbox = await _take_over(session, who)
        if inbox is not None:
            await _read_on(session, position, inbox, exact=exact)


async def _take_over(session: TalkSession, other: object) -> Place | None:
    """Become the user of a session whose connection is dead, though nobody has noticed."""
    from asynchat.wire.talk.session import TalkSession

    me, user = session.user, getattr(other, "user", None)
    assert isinstance(other, TalkSession)
    assert me is not None
    if user is None or (user is not me and (user.lasting or me.lasting)):
        session.no("NOT_YOURS", "log in as who you were, and what you missed is shown")
        return None
    session.room = other.room
    session.ids, session.acks, session.times = other.ids, other.acks, other.times
    session.house.went(other, "resumed elsewhere")
    session.hub.detach(other, user)
    other.user = None
    other.drop("resumed elsewhere")
    if user is not me:
        session.hub.detach(session, me)
        session.user = session.hub.attach(session, user.id)
        await session.settle(session.hub.depart(me, f"is {user.nick} again"))
    session.speak()
    return str(user.inbox)


async def _return_as(session: TalkSession, left: Left) -> Place:
    """Take the name of who has left, and enter the rooms again."""
    assert session.user is not None
    try:
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
    return f"@{left.user}"


async def _read_on(session: TalkSession, position: str, inbox: Place, *, exact: bool) -> None:
    """Tell how much was missed, and have it shown, all of it, before anything else."""
    assert session.user is not None
    places = {inbox, *(room.place for room in session.user.rooms)}
    before = str(int(session.hub.applied) + 1)
    missed: set[str] = set()
    for place in places:
        page = await session.house.history.page(place, after=position, before=before, limit=COUNTED)
        missed.update(line.id for line in page)
    number = str(len(missed)) if len(missed) < COUNTED else f"{COUNTED} or more"
    how = (
        ""
        if exact
        else "; this counts from the last line handed to the connection, the id of the last you saw is exact"
    )
    session.news(f"resumed, {number} missed{how}")
    session.read_on_from(position, inbox)
