"""Events: the facts that make up a chat, as they are stored and shown.

An event is decided by a verb of the hub, appended to the log, applied, and rendered, in this order. It carries copies
(`Source`), never live objects, so history does not change when people rename. Events are immutable by convention: a
frozen dataclass costs 0.75 µs more to make, and one is made per line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntFlag
from typing import ClassVar

Place = str
"""Where an event belongs: a room's log or a user's inbox. Opaque; equal places are the same place."""


class Word(Enum):
    """One of several, told from the others by identity: that of `Enum` costs a call in Python for each look-up."""

    __hash__ = object.__hash__


class Kind(Word):
    """What sort of talk."""

    MESSAGE = "message"
    NOTICE = "notice"  # never answered by machines
    ACTION = "action"  # * alice waves
    SIGNAL = "signal"  # tags without a text: typing, a reaction


class Role(IntFlag):
    """What a member may do in its room; they add up."""

    NONE = 0
    VOICE = 1  # speaks where it is moderated
    HELPER = 2  # and kicks, invites and gives voice
    OPERATOR = 4  # and sets everything


class Setting(Word):
    """What can be set in a room. `value` is the word in which it is stored and spoken of."""

    TOPIC_LOCKED = "topic-locked"  # only operators set the topic
    NO_OUTSIDERS = "no-outsiders"  # only members speak
    MODERATED = "moderated"  # only members with a role speak
    INVITE_ONLY = "invite-only"
    MEMBERS_ONLY = "members-only"  # only people with an account enter
    SECRET = "secret"  # not told of to those who are not in it
    NO_REQUESTS = "no-requests"  # programs ask nothing here (CTCP)
    KEY = "key"  # a word to say on entering
    LIMIT = "limit"  # how many may be in it
    BAN = "ban"  # a list of masks
    BAN_EXCEPTION = "ban-exception"  # a list of masks
    INVITE_EXCEPTION = "invite-exception"  # a list of masks
    OPERATOR = "operator"  # a member's role
    HELPER = "helper"
    VOICE = "voice"


FLAGS = frozenset(
    {
        Setting.TOPIC_LOCKED,
        Setting.NO_OUTSIDERS,
        Setting.MODERATED,
        Setting.INVITE_ONLY,
        Setting.MEMBERS_ONLY,
        Setting.SECRET,
        Setting.NO_REQUESTS,
    }
)
LISTS = frozenset({Setting.BAN, Setting.BAN_EXCEPTION, Setting.INVITE_EXCEPTION})
ROLES: Mapping[Setting, Role] = {
    Setting.OPERATOR: Role.OPERATOR,
    Setting.HELPER: Role.HELPER,
    Setting.VOICE: Role.VOICE,
}


class Flag(Word):
    """What a user can be, besides being here."""

    INVISIBLE = "invisible"  # not listed to those who share no room with it
    BOT = "bot"
    WALLOPS = "wallops"  # hears what is said to all who want to hear it
    OPERATOR = "operator"  # of the server


@dataclass(slots=True, kw_only=True)
class Source:
    """Who did it, as they were then. `user` is their opaque id: people are found by it, never by their nick."""

    user: str
    nick: str
    ident: str
    host: str
    account: str | None = None
    bot: bool = False

    @property
    def mask(self) -> str:
        """`nick!ident@host`."""
        return f"{self.nick}!{self.ident}@{self.host}"


@dataclass(slots=True, kw_only=True)
class Event:
    """A fact.

    `at_ms` is its time in milliseconds of UTC since 1970, never before that of an earlier event; `id` its one name on
    every wire (`msgid`, `#id`, `+OK id`), short and opaque; `places` where it belongs, filled in when it is decided.
    What is not `kept` is shown to who is here now and stored nowhere.
    """

    talk: ClassVar[bool] = False  # words between people, changing nothing

    by: Source
    at_ms: int
    id: str
    places: tuple[Place, ...] = ()
    kept: bool = True

    @property
    def at(self) -> datetime:
        """Its time, aware, in UTC."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


@dataclass(slots=True, kw_only=True)
class Said(Event):
    """Words, to a room or to one person.

    `to` is the room's or the person's name as it was; `target` the person's user id, None for a room. `text` may have
    several lines, parted by LF. `key` is the sender's idempotency key, never shown to others. With a `least` role only
    members who have one as high hear it. `cuts` are the places in the text where its author's client cut long lines.
    """

    talk: ClassVar[bool] = True

    to: str
    text: str
    kind: Kind = Kind.MESSAGE
    target: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    least: Role = Role.NONE
    cuts: tuple[int, ...] = ()


_Basics = tuple[Source, int, str, tuple[Place, ...], bool]
_Words = tuple[str, str, Kind, str | None, tuple[tuple[str, str], ...], str | None, Role, tuple[int, ...]]


def said(basics: _Basics, words: _Words) -> Said:
    """A `Said` from what all events have, and from its own fields, in their order.

    It is made past `__init__`, whose keywords cost three times as much: one is made per line.
    """
    made = Said.__new__(Said)
    made.by, made.at_ms, made.id, made.places, made.kept = basics
    made.to, made.text, made.kind, made.target, made.tags, made.key, made.least, made.cuts = words
    return made


@dataclass(slots=True, kw_only=True)
class Entered(Event):
    """Somebody is here, in no room yet."""

    realname: str


@dataclass(slots=True, kw_only=True)
class Departed(Event):
    """Somebody has gone, from all `rooms` (their names), and had been shown everything up to the id `seen`."""

    rooms: tuple[str, ...]
    reason: str
    seen: str | None = None


@dataclass(slots=True, kw_only=True)
class Renamed(Event):
    """Somebody has another name now."""

    nick: str


@dataclass(slots=True, kw_only=True)
class AwaySet(Event):
    """Somebody is away, with a text, or back (None).

    `gone`: their last session went, which had been shown everything up to the id `seen`.
    """

    text: str | None
    gone: bool = False
    seen: str | None = None


@dataclass(slots=True, kw_only=True)
class AccountSet(Event):
    """Somebody logged in to an account, or out (None)."""

    account: str | None


@dataclass(slots=True, kw_only=True)
class RealnameSet(Event):
    """Somebody tells another real name."""

    realname: str


@dataclass(slots=True, kw_only=True)
class FlagsSet(Event):
    """Somebody is something, or not any more."""

    on: tuple[Flag, ...]
    off: tuple[Flag, ...]


@dataclass(slots=True, kw_only=True)
class MarkerSet(Event):
    """Somebody has read what was said in `to` up to a time, as text; only its own sessions are told."""

    to: str
    read: str


@dataclass(slots=True, kw_only=True)
class MetadataSet(Event):
    """A word is kept with a room, or with who did it (`room` is None); an absent value takes it away."""

    room: str | None
    name: str
    value: str | None


@dataclass(slots=True, kw_only=True)
class Redacted(Event):
    """What was said under the id `said` is taken back, from the log too; `to` and `target` are those of that."""

    to: str
    target: str | None
    said: str
    reason: str


@dataclass(slots=True, kw_only=True)
class RoomRenamed(Event):
    """A room has another name; its members, settings and log stay."""

    room: str
    name: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Announced(Event):
    """An operator of the server tells something to all who want to hear it."""

    text: str


@dataclass(slots=True, kw_only=True)
class Joined(Event):
    """Somebody entered a room, away with a text or not.

    Who enters an empty room is its operator; the server is everywhere, and does not count as the first.
    """

    room: str
    realname: str
    away: str | None = None


@dataclass(slots=True, kw_only=True)
class Left(Event):
    """Somebody left a room."""

    room: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Kicked(Event):
    """Somebody (`target`) was put out of a room."""

    room: str
    target: Source
    reason: str


@dataclass(slots=True, kw_only=True)
class Invited(Event):
    """Somebody (`target`) may enter a room, and was told so."""

    room: str
    target: Source


@dataclass(slots=True, kw_only=True)
class TopicSet(Event):
    """A room has another topic; an empty text is none."""

    room: str
    text: str


@dataclass(slots=True, kw_only=True)
class Change:
    """One setting of a room, put on or off.

    `value` is the key, the limit, the mask or the member's nick; `user` the member's id; `until_ms` when a mask comes
    off its list, in milliseconds of UTC, None for never.
    """

    setting: Setting
    on: bool
    value: str | None = None
    user: str | None = None
    until_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Changed(Event):
    """Settings of a room changed, all of them at once."""

    room: str
    changes: tuple[Change, ...]


@dataclass(slots=True, kw_only=True)
class Banished(Event):
    """Somebody is kept off the server: a network, or whoever a mask fits, until a time (None: for ever).

    `mask` is as `bans.normal` has it.
    """

    mask: str
    reason: str = ""
    until_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Pardoned(Event):
    """Who was kept off the server by this mask may come again."""

    mask: str
