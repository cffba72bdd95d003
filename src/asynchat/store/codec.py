"""Events as JSON and back: how an engine writes them down, and how they are taken elsewhere.

A row is a list: the kind's name, who did it, its places, then the kind's own fields in the order of `_FIELDS`. That
order may grow at its end and change nowhere else, so that what was written by an earlier version reads on.

What is taken elsewhere has names instead: see docs/reference/export.md. How a field looks there follows from its type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntFlag
from functools import cache, lru_cache
from json.encoder import encode_basestring as _quote
from typing import Any, get_args, get_origin, get_type_hints

from asynchat.chat.errors import StoreError
from asynchat.chat.events import (
    AccountSet,
    AwaySet,
    Banished,
    Change,
    Changed,
    Departed,
    Entered,
    Event,
    Flag,
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
    Role,
    RoomRenamed,
    Said,
    Setting,
    Source,
    TopicSet,
)

_encode: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def source_to(source: Source) -> list[Any]:
    """A source as JSON values."""
    values = [source.user, source.nick, source.ident, source.host, source.account]
    return [*values, True] if source.bot else values


def source_from(values: list[Any]) -> Source:
    """A source from JSON values."""
    user, nick, ident, host, account, *bot = values
    return Source(user=user, nick=nick, ident=ident, host=host, account=account, bot=bool(bot))


def _same(value: Any) -> Any:
    return value


def _changes_to(changes: tuple[Change, ...]) -> list[list[Any]]:
    return [_change_to(each) for each in changes]


def _change_to(change: Change) -> list[Any]:
    values = [change.setting.value, change.on, change.value, change.user]
    return values if change.until_ms is None else [*values, change.until_ms]


def _changes_from(values: list[list[Any]]) -> tuple[Change, ...]:
    return tuple(
        Change(setting=Setting(setting), on=on, value=value, user=user, until_ms=until_ms[0] if until_ms else None)
        for setting, on, value, user, *until_ms in values
    )


def _flags_to(flags: tuple[Flag, ...]) -> list[str]:
    return [flag.value for flag in flags]


def _flags_from(values: list[str]) -> tuple[Flag, ...]:
    return tuple(Flag(value) for value in values)


_Field = tuple[str, Callable[[Any], Any], Callable[[Any], Any]]


def _plain(name: str) -> _Field:
    return name, _same, _same


_FIELDS: dict[type[Event], tuple[_Field, ...]] = {
    Said: (
        _plain("to"),
        _plain("text"),
        ("kind", lambda kind: kind.value, Kind),
        _plain("target"),
        ("tags", list, lambda tags: tuple((name, value) for name, value in tags)),
        _plain("key"),
        ("least", int, Role),
        ("cuts", list, tuple),
    ),
    Joined: (_plain("room"), _plain("realname"), _plain("away")),
    Entered: (_plain("realname"),),
    Left: (_plain("room"), _plain("reason")),
    Departed: (("rooms", list, tuple), _plain("reason"), _plain("seen")),
    Kicked: (_plain("room"), ("target", source_to, source_from), _plain("reason")),
    Invited: (_plain("room"), ("target", source_to, source_from)),
    Renamed: (_plain("nick"),),
    AwaySet: (_plain("text"), _plain("gone"), _plain("seen")),
    AccountSet: (_plain("account"),),
    RealnameSet: (_plain("realname"),),
    FlagsSet: (("on", _flags_to, _flags_from), ("off", _flags_to, _flags_from)),
    MarkerSet: (_plain("to"), _plain("read")),
    MetadataSet: (_plain("room"), _plain("name"), _plain("value")),
    Redacted: (_plain("to"), _plain("target"), _plain("said"), _plain("reason")),
    RoomRenamed: (_plain("room"), _plain("name"), _plain("reason")),
    TopicSet: (_plain("room"), _plain("text")),
    Changed: (_plain("room"), ("changes", _changes_to, _changes_from)),
    Banished: (_plain("mask"), _plain("reason"), _plain("until_ms")),
    Pardoned: (_plain("mask"),),
}
_BY_NAME = {kind.__name__: kind for kind in _FIELDS}


@lru_cache(maxsize=1024)
def _head(places: tuple[str, ...], by: tuple[str, str, str, str, str | None, bool]) -> str:
    """The beginning of a line, as far as it is the same for all that somebody says there."""
    user, nick, ident, host, account, bot = by
    source = Source(user=user, nick=nick, ident=ident, host=host, account=account, bot=bot)
    return _encode([Said.__name__, source_to(source), places])[:-1]


def _encode_said(event: Said) -> str:
    """A line of talk: as `encode` would have it, for a third of the time."""
    by = event.by
    head = _head(event.places, (by.user, by.nick, by.ident, by.host, by.account, by.bot))
    target = "null" if event.target is None else _quote(event.target)
    tags = _encode(event.tags) if event.tags else "[]"
    key = "null" if event.key is None else _quote(event.key)
    cuts = _encode(event.cuts) if event.cuts else "[]"
    return (
        f"{head},{_quote(event.to)},{_quote(event.text)},{_QUOTED_KIND[event.kind]},{target},{tags},{key},"
        f"{int(event.least)},{cuts}]"
    )


_QUOTED_KIND = {kind: _encode(kind.value) for kind in Kind}


def encode(event: Event) -> str:
    """What makes an event, but for its id and time, which the engine keeps beside it."""
    kind = type(event)
    if kind is Said:
        return _encode_said(event)  # type: ignore[arg-type]  # it is one
    values = [put(getattr(event, name)) for name, put, _ in _FIELDS[kind]]
    return _encode([kind.__name__, source_to(event.by), event.places, *values])


def decode(body: str, *, id: str, at_ms: int) -> Event:
    """An event from what `encode` wrote.

    Raises:
        StoreError: it was not.
    """
    try:
        name, by, places, *values = json.loads(body)
        kind = _BY_NAME[name]
        fields = {field: get(value) for (field, _, get), value in zip(_FIELDS[kind], values, strict=False)}
        return kind(by=source_from(by), at_ms=at_ms, id=id, places=tuple(places), **fields)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"event {id} cannot be read: {error!r}") from None


# With names.

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ID = re.compile("[1-9][0-9]{0,17}")  # SQLite's integers have room for 18 digits
_NOT_NAMED = {"id", "at_ms", "kept"}  # fields that are written in another way, or need not be


def to_json(event: Event) -> dict[str, Any]:
    """An event as JSON values with names: what all events have, then the kind's own fields in the order of its row.

    Raises:
        StoreError: its time is none.
    """
    kind = type(event)
    return {
        "id": event.id,
        "at": timestamp(event.at_ms),
        "event": kind.__name__,
        "by": _named(event.by),
        "places": list(event.places),
        **{name: _named(getattr(event, name)) for name, _, _ in _FIELDS[kind]},
    }


def from_json(values: Mapping[str, Any]) -> Event:
    """An event from what `to_json` made. A field that has a default may be missing.

    Raises:
        StoreError: it did not.
    """
    given = dict(values)
    id_, at, name = given.pop("id", None), given.pop("at", None), given.pop("event", None)
    try:
        kind: Any = _BY_NAME.get(name) if type(name) is str else None
        if kind is None:
            raise ValueError("there is no such kind of event")
        if not is_id(id_):
            raise ValueError("id does not fit")
        made: Event = _made_of(kind, given, {"id": id_, "at_ms": milliseconds(at)})
        return made
    except ValueError as error:
        raise StoreError(f"event {id_} cannot be read: {error}") from None


def is_id(value: Any) -> bool:
    """Whether it is an id as logs give them: a decimal number above 0, as text."""
    return type(value) is str and _ID.fullmatch(value) is not None


def timestamp(at_ms: int) -> str:
    """A time in milliseconds of UTC since 1970 as `2026-01-02T03:04:05.678Z`. (RFC 3339)

    Raises:
        StoreError: it is before the year 1, or after 9999.
    """
    try:
        return (_EPOCH + at_ms * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        raise StoreError(f"{at_ms} is no time") from None


def milliseconds(text: Any) -> int:
    """The time that `timestamp` wrote; any other of RFC 3339 is understood too.

    Raises:
        ValueError
    """
    if type(text) is not str:
        raise ValueError("at does not fit")
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("at has no time zone")
    return (time - _EPOCH) // _MILLISECOND


@cache
def _types(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass that are written by name, and what each may be."""
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind) if each.name not in _NOT_NAMED}


@cache
def _needed(kind: Any) -> frozenset[str]:
    return frozenset(each.name for each in fields(kind) if each.default is MISSING)


def _named(value: Any) -> Any:
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_named(each) for each in value]
    kind: Any = type(value)
    return {name: _named(getattr(value, name)) for name in _types(kind)}


def _made_of(kind: Any, values: Any, more: Mapping[str, Any]) -> Any:
    """A dataclass from fields, whose values are checked, and from `more` of them, that are as they are to be.

    Raises:
        ValueError: which field does not fit.
    """
    if type(values) is not dict:
        raise ValueError("is no object")
    types, made = _types(kind), dict(more)
    for name, value in values.items():
        if name not in types:
            raise ValueError(f"has no field {name}")
        try:
            made[name] = _made(value, types[name])
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    if missing := _needed(kind) - made.keys():
        raise ValueError(f"{min(missing)} is missing")
    return kind(**made)


def _made(value: Any, hint: Any) -> Any:
    """What a value of JSON is as this type.

    Raises:
        ValueError
    """
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        each = inner[:1] * len(value) if type(value) is list and inner[-1] is ... else inner
        if type(value) is not list or len(value) != len(each):
            raise ValueError("does not fit")
        return tuple([_made(one, of) for one, of in zip(value, each, strict=True)])
    if inner:  # this type, or none
        return None if value is None else _made(value, inner[0])
    if is_dataclass(hint):
        return _made_of(hint, value, {})
    if issubclass(hint, Enum):
        return hint(_made(value, int) if issubclass(hint, IntFlag) else value)
    if type(value) is not hint:
        raise ValueError("does not fit")
    if hint is str and not value.isascii():
        value.encode()  # half a character cannot be stored
    return value
