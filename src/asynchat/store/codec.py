"""Events as JSON and back: how an engine writes them down.

A row is a list: the kind's name, who did it, its places, then the kind's own fields in the order of `_FIELDS`. That
order may grow at its end and change nowhere else, so that what was written by an earlier version reads on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring as _quote
from typing import Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import (
    AccountSet,
    AwaySet,
    Change,
    Changed,
    Departed,
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
    return [[each.setting.value, each.on, each.value, each.user] for each in changes]


def _changes_from(values: list[list[Any]]) -> tuple[Change, ...]:
    return tuple(Change(setting=Setting(setting), on=on, value=value, user=user) for setting, on, value, user in values)


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
    Left: (_plain("room"), _plain("reason")),
    Departed: (("rooms", list, tuple), _plain("reason")),
    Kicked: (_plain("room"), ("target", source_to, source_from), _plain("reason")),
    Invited: (_plain("room"), ("target", source_to, source_from)),
    Renamed: (_plain("nick"),),
    AwaySet: (_plain("text"), _plain("gone")),
    AccountSet: (_plain("account"),),
    RealnameSet: (_plain("realname"),),
    FlagsSet: (("on", _flags_to, _flags_from), ("off", _flags_to, _flags_from)),
    MarkerSet: (_plain("to"), _plain("read")),
    MetadataSet: (_plain("room"), _plain("name"), _plain("value")),
    Redacted: (_plain("to"), _plain("target"), _plain("said"), _plain("reason")),
    RoomRenamed: (_plain("room"), _plain("name"), _plain("reason")),
    TopicSet: (_plain("room"), _plain("text")),
    Changed: (_plain("room"), ("changes", _changes_to, _changes_from)),
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
