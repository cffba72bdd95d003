"""Events as IRC messages: one renderer, live and from history.

A dialect is IRC with the capabilities that show in what is pushed; there is one object for each set of them, so that it
is compared by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from asynchat.chat.events import (
    AwaySet,
    Changed,
    Departed,
    Entered,
    Event,
    Invited,
    Joined,
    Kicked,
    Kind,
    Left,
    Renamed,
    Said,
    TopicSet,
)
from asynchat.wire.irc import caps
from asynchat.wire.irc.message import BODY_LIMIT, escape, split_text
from asynchat.wire.irc.modes import LETTER

_COMMAND = {Kind.MESSAGE: "PRIVMSG", Kind.ACTION: "PRIVMSG", Kind.NOTICE: "NOTICE", Kind.SIGNAL: "TAGMSG"}


class Irc:
    """A dialect of IRC; made by `dialect`, which gives the same object for the same capabilities."""

    __slots__ = ("_second", "_second_text", "away_notify", "capabilities", "extended_join", "tags", "time")

    def __init__(self, capabilities: frozenset[str]) -> None:
        self.capabilities = capabilities
        self.tags = caps.MESSAGE_TAGS in capabilities
        self.time = caps.SERVER_TIME in capabilities
        self.away_notify = caps.AWAY_NOTIFY in capabilities
        self.extended_join = caps.EXTENDED_JOIN in capabilities
        self._second = -1
        self._second_text = ""

    def render(self, event: Event) -> bytes:
        """The event as one line or several, with their ends; empty if this dialect does not speak of it."""
        lines = _RENDER[type(event)](self, event)
        if not lines:
            return b""
        tags = self.prefix(event) if self.time or self.tags else ""
        if len(lines) == 1:
            return f"{tags}{lines[0]}\r\n".encode()
        rest = self.prefix(event, first=False) if tags else ""
        return "".join(f"{rest if index else tags}{line}\r\n" for index, line in enumerate(lines)).encode()

    def join(self, rendered: Sequence[bytes]) -> bytes:
        return b"".join(rendered)

    def server_time(self, at_ms: int) -> str:
        """The time as its tag has it; that of a second is made once. (IRCv3 server-time)"""
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._second_text}{ms:03d}Z"

    def prefix(self, event: Event, *, first: bool = True) -> str:
        """The tags before an event's message, with `@` and the space; the msgid only on the first of several."""
        tags = []
        if self.time:
            tags.append(f"time={self.server_time(event.at_ms)}")
        if self.tags:
            if first and event.kept and event.talk:
                tags.append(f"msgid={event.id}")
            if isinstance(event, Said) and event.tags and first:
                tags += [f"{name}={escape(value)}" if value else name for name, value in event.tags]
        return f"@{';'.join(tags)} " if tags else ""


@cache
def dialect(capabilities: frozenset[str]) -> Irc:
    """The dialect with these of the capabilities that show in what is pushed."""
    return Irc(capabilities)


def _said(irc: Irc, event: Said) -> list[str]:
    if event.kind is Kind.SIGNAL:
        return [f":{event.by.mask} TAGMSG {event.to}"] if irc.tags else []
    by = event.by
    head = f":{by.nick}!{by.ident}@{by.host} {_COMMAND[event.kind]} {event.to} :"
    text = event.text
    action = event.kind is Kind.ACTION
    if (len(head) + len(text)) * 4 + 9 > BODY_LIMIT or "\n" in text:
        room = BODY_LIMIT - len(head.encode()) - (9 if action else 0)
        pieces = split_text(text, room)
        return [f"{head}\x01ACTION {piece}\x01" if action else head + piece for piece in pieces if piece]
    return [f"{head}\x01ACTION {text}\x01" if action else head + text]


def _joined(irc: Irc, event: Joined) -> list[str]:
    account = f" {event.by.account or '*'} :{event.realname}" if irc.extended_join else ""
    away = [f":{event.by.mask} AWAY :{event.away}"] if event.away is not None and irc.away_notify else []
    return [f":{event.by.mask} JOIN {event.room}{account}", *away]


def _left(irc: Irc, event: Left) -> list[str]:
    return [f":{event.by.mask} PART {event.room}" + (f" :{event.reason}" if event.reason else "")]


def _departed(irc: Irc, event: Departed) -> list[str]:
    return [f":{event.by.mask} QUIT :{event.reason}"]


def _kicked(irc: Irc, event: Kicked) -> list[str]:
    return [f":{event.by.mask} KICK {event.room} {event.target.nick} :{event.reason}"]


def _invited(irc: Irc, event: Invited) -> list[str]:
    return [f":{event.by.mask} INVITE {event.target.nick} {event.room}"]


def _renamed(irc: Irc, event: Renamed) -> list[str]:
    return [f":{event.by.mask} NICK {event.nick}"]


def _away_set(irc: Irc, event: AwaySet) -> list[str]:
    if not irc.away_notify:
        return []
    return [f":{event.by.mask} AWAY" + (f" :{event.text}" if event.text else "")]


def _topic_set(irc: Irc, event: TopicSet) -> list[str]:
    return [f":{event.by.mask} TOPIC {event.room} :{event.text}"]


def _changed(irc: Irc, event: Changed) -> list[str]:
    letters, values, sign = "", [], ""
    for change in event.changes:
        if sign != (sign := "+" if change.on else "-"):
            letters += sign
        letters += LETTER[change.setting]
        if change.value is not None:
            values.append(change.value)
    return [" ".join((f":{event.by.mask} MODE {event.room} {letters}", *values))]


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
    Entered: _silent,
}
