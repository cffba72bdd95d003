"""Talk: PRIVMSG NOTICE TAGMSG AWAY."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asynchat.chat.errors import NoSuchName, NoSuchRoom, NoText, Refused
from asynchat.chat.events import Kind, Said
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.commands import command

if TYPE_CHECKING:
    from asynchat.chat.sessions import Pending
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

TARGETS = 10
"""To how many one line may go."""
ACTION = "\x01ACTION "
KEY_TAG = "+asynchat/key"
"""The client tag with the sender's idempotency key; never shown to others."""


@command("PRIVMSG", talk=True)
async def privmsg(session: IrcSession, message: Message) -> Pending | None:
    """Say something, to a room or a person."""
    text = _text(session, message)
    if text is None:
        return None
    if text.startswith(ACTION):
        return await _say(session, message, text.removeprefix(ACTION).removesuffix("\x01"), Kind.ACTION)
    return await _say(session, message, text, Kind.MESSAGE)


@command("NOTICE", talk=True)
async def notice(session: IrcSession, message: Message) -> Pending | None:
    """Say something that no machine answers."""
    text = _text(session, message)
    return None if text is None else await _say(session, message, text, Kind.NOTICE)


@command("TAGMSG", 1, talk=True)
async def tagmsg(session: IrcSession, message: Message) -> Pending | None:
    """Send tags without a text. (IRCv3 message-tags)"""
    if caps.MESSAGE_TAGS not in session.capabilities:
        session.reply(numerics.ERR_UNKNOWNCOMMAND, "TAGMSG")
        return None
    return await _say(session, message, "", Kind.SIGNAL)


def _text(session: IrcSession, message: Message) -> str | None:
    """What is to be said; None if not even a target is there, which is told."""
    if not message.params:
        session.reply(numerics.ERR_NORECIPIENT)
        return None
    if len(message.params) < 2:
        raise NoText
    return message.params[1]


async def _say(session: IrcSession, message: Message, text: str, kind: Kind) -> Pending | None:
    target = message.params[0]
    tags: tuple[tuple[str, str], ...] = ()
    key = None
    if message.tags and caps.MESSAGE_TAGS in session.capabilities:
        tags = tuple((name, value) for name, value in message.tags.items() if name[0] == "+" and name != KEY_TAG)
        key = message.tags.get(KEY_TAG)
    say = partial(_one, session, text=text, kind=kind, tags=tags)
    if "," not in target:
        pending: Pending | None = await say(target, key=key)
        if session.holding:
            await session.done(pending)
        return pending
    pending = None
    for each in list(dict.fromkeys(filter(None, target.split(","))))[:TARGETS]:
        try:
            pending = await say(each, key=None)
        except Refused as refused:
            session.refuse(refused, message.command)
    await session.done(pending)
    return None


async def _one(
    session: IrcSession, to: str, *, text: str, kind: Kind, tags: tuple[tuple[str, str], ...], key: str | None
) -> Pending:
    try:
        pending = await session.say(to, text, kind, tags=tags, key=key)
    except NoSuchRoom as refused:
        raise NoSuchName(*refused.about) if not to.startswith("#") else refused from None
    event = pending.event
    if isinstance(event, Said) and event.target is not None and kind is not Kind.NOTICE:
        person = session.hub.state.people.get(event.target)
        if person is not None and person.away is not None:
            session.reply(numerics.RPL_AWAY, person.nick, text=person.away)
    return pending


@command("AWAY")
async def away(session: IrcSession, message: Message) -> None:
    """Be away, or back."""
    assert session.user is not None
    text = message.params[0] if message.params else ""
    await session.done(session.hub.set_away(session.user, text or None, via=session))
    session.reply(numerics.RPL_NOWAWAY if text else numerics.RPL_UNAWAY)
