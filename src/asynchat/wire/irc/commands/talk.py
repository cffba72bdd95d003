"""Talk: PRIVMSG NOTICE TAGMSG AWAY."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from asynchat.chat.errors import InvalidKey, NoText, Refused
from asynchat.chat.events import ROLES, Kind, Role, Said
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.batches import BadLines, Lines
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.modes import MODES

if TYPE_CHECKING:
    from asynchat.chat.sessions import Pending
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

PASSING = frozenset({"+typing", "+draft/typing"})
"""Tags that are not worth keeping by themselves."""
STATUS = {mode.prefix: ROLES[mode.setting] for mode in MODES if mode.prefix}
_CLIENT_TAG = re.compile(r"\+(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")  # (IRCv3 message-tags, "Format")
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
    if not session.tags:
        raise Refused("UNKNOWN_COMMAND", "it needs message-tags", ("TAGMSG",))
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
    tags, key = client_tags(session, message)
    kept = kind is not Kind.SIGNAL or any(name not in PASSING for name, _ in tags)
    say = partial(_one, session, text=text, kind=kind, tags=tags, kept=kept)
    if "," not in target:
        pending: Pending | None = await say(target, key=key)
        if session.holding:
            await session.done(pending)
        return pending
    if key is not None:
        raise InvalidKey(text="a key goes with one target")
    pending = None
    if not target.strip(","):
        session.reply(numerics.ERR_NORECIPIENT)
    answered = kind is not Kind.NOTICE or session.labelled  # a notice is never answered (RFC 2812, 3.3.2)
    targets = list(dict.fromkeys(filter(None, target.split(","))))
    for each in targets[:TARGETS]:
        try:
            pending = await say(each, key=None)
        except Refused as refused:
            if answered:
                session.refuse(refused, message.command)
    if len(targets) > TARGETS and answered:
        session.reply(numerics.ERR_TOOMANYTARGETS, targets[TARGETS])
    await session.done(pending)
    return None


def client_tags(session: IrcSession, message: Message) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """The tags that go on to others, and the key."""
    if not message.tags or not session.tags:
        return (), None
    tags = tuple(
        (name, value) for name, value in message.tags.items() if _CLIENT_TAG.fullmatch(name) and name != KEY_TAG
    )
    return tags, message.tags.get(KEY_TAG)


async def _one(session: IrcSession, to: str, *, text: str, kind: Kind, key: str | None, **more: Any) -> Pending:
    least = Role.NONE
    if to[:1] in STATUS and to[1:2] == "#":
        least, to = STATUS[to[0]], to[1:]
    pending = await session.say(to, text, kind, key=key, least=least, **more)
    event = pending.event
    if isinstance(event, Said) and event.target is not None and kind in (Kind.MESSAGE, Kind.ACTION):
        person = session.hub.state.people.get(event.target)
        if person is not None and person.away is not None:
            session.reply(numerics.RPL_AWAY, person.nick, text=person.away)
    return pending


@command("AWAY", before=True)
async def away(session: IrcSession, message: Message) -> None:
    """Be away, or back. (before being let in: IRCv3 pre-away)"""
    text = message.params[0] if message.params else ""
    if session.user is None:
        if not session.may_be_away_before:
            session.reply(numerics.ERR_NOTREGISTERED)
            return
        session.pre_away = text if text not in ("", "*") else None
        session.reply(numerics.RPL_NOWAWAY if session.pre_away else numerics.RPL_UNAWAY)
        return
    await session.done(session.hub.set_away(session.user, text or None, via=session))
    session.reply(numerics.RPL_NOWAWAY if text else numerics.RPL_UNAWAY)


@command("BATCH", 1)
async def batch(session: IrcSession, message: Message) -> None:
    """Begin or end the lines of one long text. (IRCv3 client-batch, multiline)"""
    sign, name = message.params[0][:1], message.params[0][1:]
    begun = session.batches or {}
    known = session.multiline and message.params[1:2] == [caps.MULTILINE]
    if known and sign == "+" and len(message.params) > 2 and not begun:
        house = session.house
        session.batches = {
            name: Lines(message, most_bytes=house.most_multiline_bytes, most_lines=house.most_multiline_lines)
        }
        session.answer_later()
    elif sign == "-" and name in begun:
        session.batches = None
        await _say_lines(session, begun[name])
    else:
        session.batches = None
        session.fail("BATCH", "INVALID_REFTAG" if sign == "-" else "UNKNOWN_TYPE", text="There is no such batch")


async def add_line(session: IrcSession, message: Message) -> None:
    """A line that belongs to a batch. What is wrong with the batch is told once, under its label."""
    assert session.batches is not None
    lines = session.batches.get(message.tags["batch"])
    try:
        if lines is None:
            raise BadLines("MULTILINE_INVALID", "That batch was not begun")
        if not lines.refused:
            lines.add(message)
    except BadLines as error:
        opened = next(iter(session.batches.values()))
        opened.refused = True
        session.fail_under(opened.label, "BATCH", error.code, *error.about, text=str(error))


async def _say_lines(session: IrcSession, lines: Lines) -> None:
    if lines.refused:
        return
    kind = Kind.NOTICE if lines.command == "NOTICE" else Kind.MESSAGE
    tags, key = client_tags(session, lines.opening)
    if not lines.text.strip("\n"):
        session.fail_under(lines.label, "BATCH", "MULTILINE_INVALID", text="A multiline batch cannot be blank")
        return
    more = {"tags": tags, "kept": True, "cuts": tuple(lines.cuts)}
    try:
        session.label(await _one(session, lines.target, text=lines.text, kind=kind, key=key, **more), lines.label)
    except Refused as refused:
        if kind is Kind.NOTICE and lines.label is None:
            return
        session.refuse_under(lines.label, refused, lines.command or "PRIVMSG")
