"""Shelves: the tables of an index of words, each with the lines of so many ids.

FTS5 reads all places of a word's beginning whatever else is asked of it, so that in one table of everything a common
word costs the more, the longer the past is. A search looks through one shelf after the other, from where it is begun,
and most end in the first. What is rare is looked for in all of them, which costs a few dozen microseconds each: a
shelf in which one of the words is missing is passed over, and the word that was missing last is asked for first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

SHELF_BITS = 16
"""A shelf has the lines of 65,536 consecutive ids."""

# The words are there without their positions and without the text. In this tokenizer everything that is not ASCII is
# part of a word, as is what begins the names of places and people.
_CREATE = """CREATE VIRTUAL TABLE {} USING fts5(
    words, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '#@'"
)"""
_SHELVES = "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
_PREFIX = "shelf"
_FIND = "SELECT rowid FROM {} WHERE {} MATCH ? AND rowid > ? AND rowid < ? ORDER BY rowid {} LIMIT ?"
_HAS = "SELECT 1 FROM {} WHERE {} MATCH ? LIMIT 1"
_DELETES_SECURELY = sqlite3.sqlite_version_info >= (3, 42)

Document = tuple[int, str]
"""The id of a line, and its words, parted by spaces."""


class Shelves:
    """Those of one file. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._touched: set[int] = set()
        """Those with words of lines that were taken out, in parts of the file not rewritten yet."""
        self.look()

    def look(self) -> None:
        """See which there are; also to be called after a transaction that failed."""
        names = [name for (name,) in self._connection.execute(_SHELVES)]
        self.numbers = sorted(int(name.removeprefix(_PREFIX)) for name in names)

    @property
    def clean(self) -> bool:
        """Whether no word of a line that was taken out is left in any of them."""
        return not self._touched

    def put(self, documents: Iterable[Document]) -> bool:
        """Put lines in, in the order of their ids; returns whether that took another shelf."""
        before = len(self.numbers)
        for number, some in groupby(documents, _number):
            if number not in self.numbers:
                self._make(number)
            self._connection.executemany(f"INSERT INTO {_name(number)} (rowid, words) VALUES (?, ?)", some)
        return len(self.numbers) > before

    def take_out(self, documents: Iterable[Document]) -> None:
        """Take lines out, in the order of their ids."""
        for number, some in groupby(documents, _number):
            if number in self.numbers:
                name = _name(number)
                delete = f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', ?, ?)"
                self._connection.executemany(delete, some)
                self._touched.add(number)

    def rewrite(self) -> None:
        """Have no word left of a line that was taken out."""
        for number in self._touched:
            if not _DELETES_SECURELY:
                self._connection.execute(f"INSERT INTO {_name(number)} ({_name(number)}) VALUES ('optimize')")
        self._touched.clear()

    def drop_before(self, first_id: int) -> None:
        """Let go of the shelves whose lines are all older than an id."""
        while self.numbers and (self.numbers[0] + 1) << SHELF_BITS <= first_id:
            self._connection.execute(f"DROP TABLE {_name(self.numbers[0])}")
            self._touched.discard(self.numbers.pop(0))

    def find(self, terms: Sequence[str], after: int, before: int, *, newest: bool, page: int) -> Iterator[list[int]]:
        """The ids of lines that each term, in FTS5's words, finds, between two ids, neither included, in order.

        They come in pages; the first has at most `page`, each later one four times as many, for each costs a look
        through a shelf.
        """
        expression = " AND ".join(f"({term})" for term in terms)
        missing: str | None = None
        for number in reversed(self.numbers) if newest else tuple(self.numbers):
            if (number + 1) << SHELF_BITS <= after or number << SHELF_BITS >= before:
                continue
            name = _name(number)
            if missing is not None and not self._has(name, missing):
                continue
            statement = _FIND.format(name, name, "DESC" if newest else "ASC")
            low, high, found = after, before, False
            while True:
                ids = [row[0] for row in self._connection.execute(statement, (expression, low, high, page))]
                if ids:
                    found = True
                    yield ids
                if len(ids) < page:
                    break
                low, high = (low, ids[-1]) if newest else (ids[-1], high)
                page *= 4
            if not found:
                missing = next((term for term in terms if not self._has(name, term)), missing)

    def _has(self, name: str, term: str) -> bool:
        return self._connection.execute(_HAS.format(name, name), (term,)).fetchone() is not None

    def _make(self, number: int) -> None:
        name = _name(number)
        self._connection.execute(_CREATE.format(name))
        if _DELETES_SECURELY:
            self._connection.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('secure-delete', 1)")
        self.numbers.append(number)
        self.numbers.sort()


def _number(document: Document) -> int:
    return document[0] >> SHELF_BITS


def _name(number: int) -> str:
    return f"{_PREFIX}{number}"
