"""Up to where talk was handed on, per room and per person, so that nothing is missed and nothing comes twice.

A server tags only the first of several lines of one message with its id; those that follow without one belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from asynchat.chat.names import casefold
from asynchat.wire.irc.message import Message

ROOMS = ("#", "&")
"""How the names of rooms begin."""
MOST = 10_000
"""Places whose positions are kept; who is spoken to by more strangers is being attacked."""
SLACK = timedelta(seconds=10)
"""By how much the clocks of one network's servers may differ."""


def is_talk(message: Message) -> bool:
    """Whether it is a line that somebody said."""
    return message.command in ("PRIVMSG", "NOTICE") and len(message.params) > 1


def place_of(message: Message, me: str) -> str:
    """The room or the person that a line of talk belongs to, casefolded."""
    target = message.params[0]
    if target[:1] == "#":  # mostly
        return casefold(target)
    if (room := target.lstrip("~&@%+"))[:1] == "#":  # said to those of a role in a room
        return casefold(room)
    return casefold(message.source.partition("!")[0] if casefold(target) == casefold(me) else target)


class Position:
    """Up to where one place was handed on.

    `since` is a reference as CHATHISTORY has it: what stands there and before was handed on whole. After it came
    `lines` lines of the message `last`, which may have more.
    """

    __slots__ = ("_dropping", "fetched", "last", "lines", "since")

    def __init__(self, since: str) -> None:
        self.since = since
        self.last = ""
        self.lines = 0
        self.fetched: set[str] = set()
        """The ids of what was fetched, which may come live too."""
        self._dropping = False

    def passed(self, lines: Sequence[Message]) -> None:
        """Lines are handed on."""
        for line in _end_of(lines):
            self._passed(line)

    def _passed(self, line: Message) -> None:
        msgid = line.tags.get("msgid")
        if msgid is not None and msgid != self.last:
            if self.last:
                self.since = f"msgid={self.last}"
            self.last, self.lines = msgid, 1
        elif self.last:
            self.lines += 1

    def unseen(self, lines: Sequence[Message]) -> Iterator[Message]:
        """Those of the lines after `since` that were not handed on."""
        seen, msgid = 0, ""
        for line in lines:
            msgid = line.tags.get("msgid", msgid)
            if msgid == self.last and seen < self.lines:
                seen += 1
            else:
                yield line

    def new(self, lines: list[Message]) -> list[Message]:
        """Those of the lines, which come live, that were not fetched already."""
        return [line for line in lines if self._is_new(line)] if self.fetched or self._dropping else lines

    def _is_new(self, line: Message) -> bool:
        msgid = line.tag("msgid")
        if msgid:
            self._dropping = msgid in self.fetched
        return not self._dropping


class Positions:
    """The positions of all places. `began` and `until` are times of the server, "" if it does not tell.

    `until` is when the last line was said that was handed on, or when everything began.
    """

    def __init__(self) -> None:
        self.began = ""
        self.until = ""
        self._places: dict[str, Position] = {}

    def get(self, place: str) -> Position | None:
        """The position of a place; None if it has none."""
        return self._places.get(place)

    def begin(self, at: str) -> None:
        """We are let in for the first time, by the server's clock."""
        self.began = self.began or at
        self.until = self.until or at

    def enter(self, joined: Message) -> None:
        """We have entered a room; nothing of it was handed on, unless we were there before."""
        place = casefold(joined.params[0])
        since = reference(joined)
        if place not in self._places and since:
            self._places[place] = Position(since)

    def leave(self, room: str) -> None:
        """We have left a room; entering it again is another visit."""
        self._places.pop(casefold(room), None)

    def place(self, place: str, reference: str) -> Position:
        """The position of a place; of one that is not known, this reference."""
        return self._places.setdefault(place, Position(reference))

    def move(self, place: str, reference: str) -> Position:
        """The position of a place that was at another."""
        self._places[place] = Position(reference)
        return self._places[place]

    def renamed(self, old: str, new: str) -> None:
        """A person has another name."""
        position = self._places.pop(casefold(old), None)
        if position is not None:
            self._places[casefold(new)] = position

    def new(self, lines: list[Message], place: str) -> list[Message]:
        """Those of the lines of a place, which come live, that are to be handed on."""
        position = self._places.get(place)
        return lines if position is None else position.new(lines)

    def passed(self, lines: Sequence[Message], place: str) -> None:
        """Lines of a place are handed on."""
        # Of a conversation that begins now nothing was handed on, not even all of this message perhaps.
        since = f"timestamp={self.began}" if self.began else reference(lines[0])
        if place in self._places or (since and place[:1] not in ROOMS and len(self._places) < MOST):
            self.place(place, since).passed(lines)
        self.until = max(self.until, lines[-1].tag("time"))

    @property
    def before(self) -> str:
        """A time of the server before which nothing was missed; "" if it is not known."""
        return earlier(self.until)


def _end_of(lines: Sequence[Message]) -> Sequence[Message]:
    """The end of the lines, with the last two messages in it: a position forgets what was before."""
    if len(lines) == 1:  # mostly
        return lines
    ids = set[str]()
    for at in range(len(lines) - 1, 0, -1):
        msgid = lines[at].tags.get("msgid")
        if msgid is not None:
            ids.add(msgid)
            if len(ids) == 2:
                return lines[at:]
    return lines


def earlier(time: str) -> str:
    """A time of the server by as much earlier as its clocks may differ; "" if it is none."""
    try:
        before = datetime.fromisoformat(time) - SLACK
    except ValueError:
        return ""
    return _stamp(before)


def now() -> str:
    """The time as a server would tell it, by the clock of this machine."""
    return _stamp(datetime.now(UTC))


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reference(message: Message) -> str:
    """A message as CHATHISTORY refers to it."""
    if "msgid" in message.tags:
        return f"msgid={message.tags['msgid']}"
    return f"timestamp={message.tags['time']}" if "time" in message.tags else ""
