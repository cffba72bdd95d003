"""Events as IRC messages: one renderer, live and from history.

A dialect is IRC with the capabilities that show in what is pushed; there is one object for each set of them, so that it
is compared by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from weakref import WeakValueDictionary

from asynchat.chat.events import (
    AccountSet,
    Announced,
    AwaySet,
    Banished,
    Changed,
    Departed,
    Entered,
    Event,
    FlagsSet,
    Invited,
    Joined,
    Kicked,
    Kind,
    Left,
    MarkerSet,
    MetadataSet,
    Pardoned,
    RealnameSet,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    TopicSet,
)
from asynchat.chat.users import SERVER
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.message import BODY_LIMIT, escape, split_text
from asynchat.wire.irc.modes import LETTER, prefixes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMMAND = {Kind.MESSAGE: "PRIVMSG", Kind.ACTION: "PRIVMSG", Kind.NOTICE: "NOTICE", Kind.SIGNAL: "TAGMSG"}


class Irc:
    """A dialect of IRC; made by `dialect`, which gives the same object for the same capabilities."""

    ordered = False

    __slots__ = ("__weakref__", "_second", "_second_text", "account", "capabilities", "subscribed", "tags", "time")

    def __init__(self, capabilities: frozenset[str], subscribed: frozenset[str]) -> None:
        self.capabilities = capabilities
        self.subscribed = subscribed
        self.tags = caps.MESSAGE_TAGS in capabilities
        self.time = caps.SERVER_TIME in capabilities
        self.account = caps.ACCOUNT_TAG in capabilities
        self._second = -1
        self._second_text = ""

    def render(self, event: Event) -> bytes:
        """The event as one line or several, with their ends; empty if this dialect does not speak of it."""
        if type(event) is Said and (line := self._plain(event)) is not None:
            return line
        lines = _RENDER[type(event)](self, event)
        if not lines:
            return b""
        if type(event) is not Said:  # whose text is cut into pieces that fit
            lines = [fitting(line) for line in lines]
        tags = self.prefix(event) if self.time or self.tags or self.account else ""
        if len(lines) == 1:
            return f"{tags}{lines[0]}\r\n".encode()
        rest = self.prefix(event, first=False) if tags else ""
        others = (line if line.startswith(("@", "BATCH")) else rest + line for line in lines[1:])
        return "".join(f"{line}\r\n" for line in (tags + lines[0], *others)).encode()

    def _plain(self, event: Said) -> bytes | None:
        """The commonest of events, words on one line, as `render` would have it; None if it is not of that sort."""
        if event.kind is not Kind.MESSAGE or event.cuts or event.least or "\n" in event.text:
            return None
        by = event.by
        line = f":{by.nick}!{by.ident}@{by.host} PRIVMSG {event.to} :{event.text}\r\n".encode()
        if len(line) > BODY_LIMIT + 2:
            return None
        return self.prefix(event).encode() + line if self.time or self.tags or self.account else line

    def join(self, rendered: Sequence[bytes]) -> bytes:
        return b"".join(rendered)

    def server_time(self, at_ms: int) -> str:
        """The time as its tag has it; that of a second is made once. (IRCv3 server-time)"""
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = (EPOCH + timedelta(seconds=second)).isoformat()[:19] + "."
        return f"{self._second_text}{ms:03d}Z"

    def prefix(self, event: Event, *, first: bool = True) -> str:
        """The tags before an event's message, with `@` and the space; the msgid only on the first of several."""
        tags = []
        if self.time:
            tags.append(f"time={self.server_time(event.at_ms)}")
        if self.account and event.by.account is not None:
            tags.append(f"account={event.by.account}")
        if self.tags:
            if first and event.kept:
                tags.append(f"msgid={event.id}")
            if event.by.bot:
                tags.append("bot")
            if isinstance(event, Said) and event.tags:
                tags += [f"{name}={escape(value)}" if value else name for name, value in event.tags]
        return f"@{';'.join(tags)} " if tags else ""


_DIALECTS: WeakValueDictionary[tuple[frozenset[str], frozenset[str]], Irc] = WeakValueDictionary()


def dialect(capabilities: frozenset[str], subscribed: frozenset[str] = frozenset()) -> Irc:
    """The dialect with these capabilities, as far as they show in what is pushed, and these words of metadata.

    It is the same object for the same of both, as long as anybody speaks it.
    """
    spoken = _DIALECTS.get((capabilities, subscribed))
    if spoken is None:
        spoken = _DIALECTS[capabilities, subscribed] = Irc(capabilities, subscribed)
    return spoken


def fitting(line: str) -> str:
    """A line cut to what a message may be, at a character: with the longest names, a reason may not fit whole."""
    if len(line) * 4 <= BODY_LIMIT:
        return line
    return line.encode()[:BODY_LIMIT].decode(errors="ignore")


def batch_of(events_id: str) -> str:
    """The name of a batch that is pushed."""
    return f"m{events_id}"


def _said(irc: Irc, event: Said) -> list[str]:
    by, to = event.by, event.to
    if event.least:
        to = f"{prefixes(event.least, every=False)}{to}"
    if event.kind is Kind.SIGNAL:
        return [f":{by.mask} TAGMSG {to}"] if irc.tags else []
    head = f":{by.nick}!{by.ident}@{by.host} {_COMMAND[event.kind]} {to} :"
    text = event.text
    action = event.kind is Kind.ACTION
    if event.cuts or (len(head) + len(text)) * 4 + 9 > BODY_LIMIT or "\n" in text:
        return _long(irc, event, head, to)
    return [f"{head}\x01ACTION {text}\x01" if action else head + text]


def _long(irc: Irc, event: Said, head: str, to: str) -> list[str]:
    """A text that is no single line: a multiline batch for who knows them, else several messages.

    (IRCv3 multiline)
    """
    action = event.kind is Kind.ACTION
    room = BODY_LIMIT - len(head.encode()) - (9 if action else 0)
    pieces = pieces_of(event, room)
    if action or caps.MULTILINE not in irc.capabilities or caps.BATCH not in irc.capabilities or len(pieces) == 1:
        return [f"{head}\x01ACTION {text}\x01" if action else head + text for text, _ in pieces if text]
    name = batch_of(event.id)
    lines = [f":{event.by.mask} BATCH +{name} {caps.MULTILINE} {to}"]
    for text, joined in pieces:
        lines.append(f"@batch={name}{';draft/multiline-concat' if joined else ''} {head}{text}")
    return [*lines, f"BATCH -{name}"]


def pieces_of(event: Said, room: int) -> list[tuple[str, bool]]:
    """The parts of a text, each of at most `room` bytes, and whether it goes on from the one before.

    The author's own cuts are kept.
    """
    pieces: list[tuple[str, bool]] = []
    start, cuts = 0, list(event.cuts)
    for line in event.text.split("\n"):
        end = start + len(line)
        edges = [start, *(cut for cut in cuts if start < cut < end), end]
        parts = [part for a, b in pairwise(edges) for part in split_text(event.text[a:b], room)] or [""]
        pieces += [(part, index > 0) for index, part in enumerate(parts)]
        start = end + 1
    return pieces


def _joined(irc: Irc, event: Joined) -> list[str]:
    extended, notify = caps.EXTENDED_JOIN in irc.capabilities, caps.AWAY_NOTIFY in irc.capabilities
    account = f" {event.by.account or '*'} :{event.realname}" if extended else ""
    away = [f":{event.by.mask} AWAY :{event.away}"] if event.away is not None and notify else []
    role = [f":{event.by.mask} MODE {event.room} +o {event.by.nick}"] if event.by.user == SERVER.user else []
    return [f":{event.by.mask} JOIN {event.room}{account}", *away, *role]


def _left(irc: Irc, event: Left) -> list[str]:
    return [f":{event.by.mask} PART {event.room}" + (f" :{event.reason}" if event.reason else "")]


def _departed(irc: Irc, event: Departed) -> list[str]:
    return [f":{event.by.mask} QUIT :{event.reason}"]


def _kicked(irc: Irc, event: Kicked) -> list[str]:
    return [f":{event.by.mask} KICK {event.room} {event.target.nick} :{event.reason}"]


def _invited(irc: Irc, event: Invited) -> list[str]:
    if caps.INVITE_NOTIFY not in irc.capabilities:
        return []  # whom it is for is told in any case
    return [f":{event.by.mask} INVITE {event.target.nick} {event.room}"]


def _renamed(irc: Irc, event: Renamed) -> list[str]:
    return [f":{event.by.mask} NICK {event.nick}"]


def _away_set(irc: Irc, event: AwaySet) -> list[str]:
    if caps.AWAY_NOTIFY not in irc.capabilities:
        return []
    return [f":{event.by.mask} AWAY" + (f" :{event.text}" if event.text else "")]


def _account_set(irc: Irc, event: AccountSet) -> list[str]:
    if caps.ACCOUNT_NOTIFY not in irc.capabilities:
        return []
    return [f":{event.by.mask} ACCOUNT {event.account or '*'}"]


def _realname_set(irc: Irc, event: RealnameSet) -> list[str]:
    return [f":{event.by.mask} SETNAME :{event.realname}"] if caps.SETNAME in irc.capabilities else []


def _metadata_set(irc: Irc, event: MetadataSet) -> list[str]:
    if event.name not in irc.subscribed or caps.METADATA not in irc.capabilities:
        return []
    target = event.room or event.by.nick
    if event.value is None:
        return [f"{numerics.RPL_KEYNOTSET.code} * {target} {event.name} :{numerics.RPL_KEYNOTSET.text}"]
    return [f"{numerics.RPL_KEYVALUE.code} * {target} {event.name} * :{event.value}"]


def _redacted(irc: Irc, event: Redacted) -> list[str]:
    if caps.REDACTION not in irc.capabilities:
        return []
    return [f":{event.by.mask} REDACT {event.to} {event.said}" + (f" :{event.reason}" if event.reason else "")]


def _room_renamed(irc: Irc, event: RoomRenamed) -> list[str]:
    if caps.RENAME not in irc.capabilities:
        return []  # the command tells them in other words
    return [f":{event.by.mask} RENAME {event.room} {event.name} :{event.reason}"]


def _announced(irc: Irc, event: Announced) -> list[str]:
    return [f":{event.by.mask} WALLOPS :{event.text}"]


def _topic_set(irc: Irc, event: TopicSet) -> list[str]:
    return [f":{event.by.mask} TOPIC {event.room} :{event.text}"]


def _changed(irc: Irc, event: Changed) -> list[str]:
    """The changes, on as many lines as they need: of a server or a program they may be many at once."""
    start, lines = f":{event.by.mask} MODE {event.room} ", [""]
    letters, values, sign = "", "", ""
    for change in event.changes:
        value = f" {change.value}" if change.value is not None else ""
        if letters and len((start + letters + values + value).encode()) + 2 > BODY_LIMIT:
            lines.append("")
            letters, values, sign = "", "", ""
        if sign != (sign := "+" if change.on else "-"):
            letters += sign
        letters += LETTER[change.setting]
        values += value
        lines[-1] = start + letters + values
    return lines


def _silent(irc: Irc, event: Event) -> list[str]:
    return []


_RENDER: dict[type[Event], Callable[[Irc, Any], list[str]]] = {
    Said: _said,
    Joined: _joined,
    Left: _left,
    Departed: _departed,
    Kicked: _kicked,
    Invited: _invited,
    Renamed: _renamed,
    AwaySet: _away_set,
    TopicSet: _topic_set,
    Changed: _changed,
    AccountSet: _account_set,
    RealnameSet: _realname_set,
    MetadataSet: _metadata_set,
    Redacted: _redacted,
    RoomRenamed: _room_renamed,
    Announced: _announced,
    Entered: _silent,
    FlagsSet: _silent,
    MarkerSet: _silent,
    Banished: _silent,
    Pardoned: _silent,
}
