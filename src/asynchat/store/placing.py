"""Where events belong, of those of which the file does not tell it yet.

The table `placed` is ordered by place, so that a line would change the page of its room in it, and the lines of a
hundred rooms a hundred pages: more than half of what they cost. So events are placed some thousands at a time, in the
order of the table. Until then it is known here where they belong; after a restart the events tell it.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from asynchat.chat.events import Place
from asynchat.store import is_words
from asynchat.store.rows import COLUMNS, events_of
from asynchat.store.schema import Transaction

MOST = 4096
"""Events that are not placed yet; a start after a crash reads them."""

_PLACE = "INSERT OR IGNORE INTO placed (place, talk, id) SELECT ?, ?, value FROM json_each(?)"
_UPTO = "SELECT upto FROM placing"
PLACED_UPTO = "UPDATE placing SET upto = (SELECT coalesce(max(id), 0) FROM events)"
"""That all events are placed: not up to an id that may have been taken back, and be given out again after a restart."""


class Unplaced:
    """The ids, per place, of events after the id `upto`: all before it, and it, are in the table."""

    __slots__ = ("_ids", "count", "upto")

    def __init__(self, upto: int) -> None:
        self.upto = upto
        self.count = 0
        self._ids: dict[tuple[Place, int], list[int]] = {}

    def add(self, position: int, talk: int, places: Iterable[Place]) -> None:
        """Note where an event belongs whose id is the highest so far."""
        for place in places:
            ids = self._ids.get((place, talk))
            if ids is None:
                self._ids[place, talk] = [position]
            else:
                ids.append(position)
        self.count += 1

    def put_back(self, position: int, talk: int, places: Iterable[Place]) -> None:
        """Note again where an event belongs that was taken out."""
        for place in places:
            ids = self._ids.setdefault((place, talk), [])
            if position not in ids:
                insort(ids, position)

    def take_out(self, position: int, places: Iterable[Place]) -> None:
        """Have an event belong nowhere."""
        for place in places:
            for talk in (0, 1):
                ids = self._ids.get((place, talk))
                if ids is not None and position in ids:
                    ids.remove(position)

    def between(self, place: Place, talks: Sequence[int], after: int, before: int) -> list[int]:
        """The ids in a place between two, neither included, in order; of words (talk 1), or of the rest (0)."""
        found: list[int] = []
        for talk in talks:
            ids = self._ids.get((place, talk))
            if ids:
                found += ids[bisect_right(ids, after) : bisect_left(ids, before)]
        return sorted(found) if len(talks) > 1 else found

    def place(self, writer: sqlite3.Connection) -> None:
        """Put them into the table, in which all events are then.

        Raises:
            sqlite3.Error: nothing was put.
        """
        with Transaction(writer):  # a statement for each place costs a third of one for all, or of one for each event
            for (place, talk), ids in sorted(self._ids.items()):
                writer.execute(_PLACE, (place, talk, json.dumps(ids)))
            writer.execute(PLACED_UPTO)


def load(reader: sqlite3.Connection) -> Unplaced:
    """What a file has not placed.

    Raises:
        sqlite3.Error
    """
    (upto,) = reader.execute(_UPTO).fetchone()
    unplaced = Unplaced(upto)
    rows = reader.execute(f"SELECT {COLUMNS} FROM events WHERE id > ? AND body <> '' ORDER BY id", (upto,))
    for event in events_of(rows):
        unplaced.add(int(event.id), int(is_words(event)), event.places)
    return unplaced
