"""Events as phrases: who, and what. A framing makes bytes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from asynchat.chat.events import (
    LISTS,
    ROLES,
    AccountSet,
    Announced,
    AwaySet,
    Banished,
    Change,
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
    Setting,
    TopicSet,
)
from asynchat.wire import durations
from asynchat.wire.text import plain

NEWS = "***"
NO = "!!!"


class Phrase(NamedTuple):
    """One line of what a person sees: `who` is a sign, or a name if `named`; `before` goes before it, e.g. a time."""

    who: str
    text: str
    named: bool = False
    before: str = ""


Framing = Callable[[Phrase], bytes]


class Plain:
    """A dialect for people; made by `dialect`. `several`: rooms are named; `ids`, `times`: shown before each line."""

    __slots__ = ("framing", "ids", "several", "times")

    def __init__(self, framing: Framing, several: bool, ids: bool, times: bool) -> None:
        self.framing = framing
        self.several = several
        self.ids = ids
        self.times = times

    @property
    def ordered(self) -> bool:
        """Whoever is shown ids may come back by one."""
        return self.ids

    def render(self, event: Event) -> bytes:
        said = phrases(event)
        if not said:
            return b""
        before = self._before(event)
        return b"".join(self.framing(phrase._replace(before=before) if before else phrase) for phrase in said)

    def join(self, rendered: Sequence[bytes]) -> bytes:
        return b"".join(rendered)

    def _before(self, event: Event) -> str:
        before = f"#{event.id} " if self.ids and event.talk and event.kept else ""
        if self.times:
            before += f"{event.at:%H:%M} "
        return before + self.room_before(event)

    def room_before(self, event: Event) -> str:
        """The room, to who is in several."""
        return f"[{plain(room)}] " if self.several and (room := room_of(event)) else ""


@cache
def dialect(framing: Framing, *, several: bool = False, ids: bool = False, times: bool = False) -> Plain:
    """The one dialect of this kind."""
    return Plain(framing, several, ids, times)


def phrases(event: Event) -> list[Phrase]:
    """What an event is to people, live and from history; nothing if they are not told of it."""
    return _PHRASES[type(event)](event)


def room_of(event: Event) -> str | None:
    """The name of the one room that an event is about."""
    if isinstance(event, Said):
        return event.to if event.target is None else None
    if isinstance(event, Joined | Left | Kicked | TopicSet | Changed):
        return event.room
    return None


def _said(event: Said) -> list[Phrase]:
    if event.kind is Kind.SIGNAL or event.text.startswith("\x01"):  # what programs ask each other
        return []
    nick, lines = event.by.nick, plain_lines(event.text)
    if event.target is not None:
        return [Phrase(f"[dm {nick}]", line) for line in lines]
    if event.kind is Kind.ACTION:
        return [Phrase("*", f"{nick} {line}") for line in lines]
    if event.kind is Kind.NOTICE:
        return [Phrase(f"-{nick}-", line) for line in lines]
    return [Phrase(nick, line, named=True) for line in lines]


def plain_lines(text: str) -> list[str]:
    """A text's lines, harmless; never none."""
    return [plain(line) for line in text.split("\n")] if "\n" in text else [plain(text)]


def _news(text: str) -> list[Phrase]:
    return [Phrase(NEWS, plain(text))]


def _why(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _joined(event: Joined) -> list[Phrase]:
    return _news(f"{event.by.nick} joined")


def _left(event: Left | Departed) -> list[Phrase]:
    return _news(f"{event.by.nick} left{_why(event.reason)}")


def _kicked(event: Kicked) -> list[Phrase]:
    return _news(f"{event.target.nick} was kicked by {event.by.nick}{_why(event.reason)}")


def _renamed(event: Renamed) -> list[Phrase]:
    return _news(f"{event.by.nick} is now {event.nick}")


def _topic_set(event: TopicSet) -> list[Phrase]:
    if not event.text:
        return _news(f"{event.by.nick} took the topic away")
    return _news(f'{event.by.nick} set the topic: "{event.text}"')


def _changed(event: Changed) -> list[Phrase]:
    return [phrase for change in event.changes for phrase in _news(f"{event.by.nick} {_change(change, event.at_ms)}")]


def _change(change: Change, at_ms: int) -> str:
    word = change.setting.value
    if change.setting in ROLES:
        return f"{'made' if change.on else 'unmade'} {change.value} {word}"
    if change.setting in LISTS:
        how_long = f" for {durations.words(change.until_ms - at_ms)}" if change.until_ms is not None else ""
        return f"{'added' if change.on else 'removed'} {word} {change.value}{how_long}"
    if change.on and change.setting is Setting.LIMIT:
        return f"set {word} {change.value}"
    return f"{'set' if change.on else 'unset'} {word}"


def _redacted(event: Redacted) -> list[Phrase]:
    return _news(f"#{event.said} deleted{_why(event.reason)}")


def _room_renamed(event: RoomRenamed) -> list[Phrase]:
    return _news(f"{event.room} is now called {event.name}{_why(event.reason)}")


def _announced(event: Announced) -> list[Phrase]:
    return _news(f"{event.by.nick} to all: {event.text}")


def _silent(event: Event) -> list[Phrase]:
    return []


_PHRASES: dict[type[Event], Callable[[Any], list[Phrase]]] = {
    Said: _said,
    Joined: _joined,
    Left: _left,
    Departed: _left,
    Kicked: _kicked,
    Invited: _silent,  # whom it is for is told in any case
    Renamed: _renamed,
    TopicSet: _topic_set,
    Changed: _changed,
    AwaySet: _silent,
    Entered: _silent,
    AccountSet: _silent,
    RealnameSet: _silent,
    FlagsSet: _silent,
    MarkerSet: _silent,
    Banished: _silent,
    Pardoned: _silent,
    MetadataSet: _silent,
    Redacted: _redacted,
    RoomRenamed: _room_renamed,
    Announced: _announced,
}
