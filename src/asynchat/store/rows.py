"""Events as rows, each with a checksum: SQLite does not notice when bytes inside of a row are others."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zlib import crc32

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event
from asynchat.store.codec import decode

log = logging.getLogger("asynchat.store")

COLUMNS = "id, at_ms, body, crc"
"""What `event_of` reads."""

_told: set[int] = set()
"""Ids of rows that were found damaged, of which the operator was told."""


def checksum(position: int, at_ms: int, body: str) -> int:
    """The CRC-32 of a row."""
    return crc32(body.encode(), (position ^ at_ms) & 0xFFFFFFFF)


def event_of(row: Sequence[Any]) -> Event:
    """The event that a row of `COLUMNS` is.

    Raises:
        StoreError: it is not what was written.
    """
    position, at_ms, body, crc = row
    if crc is not None and crc != checksum(position, at_ms, body):
        raise StoreError(f"event {position} is damaged")
    return decode(body, id=str(position), at_ms=at_ms)


def events_of(rows: Iterable[Sequence[Any]]) -> Iterator[Event]:
    """The events of rows; one that is damaged is left out, which the operator is told once."""
    for row in rows:
        try:
            yield event_of(row)
        except StoreError as error:
            if row[0] not in _told:
                _told.add(row[0])
                log.error("%s, and is left out", error)
