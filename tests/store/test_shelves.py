"""Shelves: a search looks through no more of them than it must, and what is old goes with its shelf."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from asynchat.chat.search import Search
from asynchat.store import shelves
from asynchat.store.schema import Transaction
from asynchat.store.shelves import Shelves
from asynchat.store.sqlite import SqliteLog
from tests.store.author import Author, opened


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shelf has four ids."""
    monkeypatch.setattr(shelves, "SHELF_BITS", 2)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        yield made


def asked(connection: sqlite3.Connection) -> list[str]:
    """The statements that are run from now on, as they come."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    return statements


def searched(statements: list[str]) -> list[int]:
    """The shelves in which all words were looked for."""
    return [int(each.split()[3].removeprefix("shelf")) for each in statements if each.startswith("SELECT rowid FROM")]


def found(
    made: Shelves, *terms: str, after: int = 0, before: int = 99, newest: bool = True, page: int = 9
) -> list[int]:
    return [each for ids in made.find(terms, after, before, newest=newest, page=page) for each in ids]


def test_a_common_word_is_looked_for_where_the_search_begins(connection):
    made = Shelves(connection)
    made.put([(number, "red") for number in range(20)])
    statements = asked(connection)
    assert next(made.find(['"red"'], 0, 99, newest=True, page=3)) == [19, 18, 17]
    assert next(made.find(['"red"'], 5, 99, newest=False, page=3)) == [6, 7]
    assert searched(statements) == [4, 1]


def test_pages_grow_and_have_everything_once(connection):
    made = Shelves(connection)
    made.put([(number, "red") for number in range(20)])
    pages = list(made.find(['"red"'], 2, 18, newest=True, page=1))
    assert pages == [[17], [16], [15, 14, 13, 12], [11, 10, 9, 8], [7, 6, 5, 4], [3]]
    assert found(made, '"red"', after=2, before=18, newest=False, page=1) == list(range(3, 18))


def test_a_word_that_is_missing_is_asked_for_first_in_what_is_left(connection):
    made = Shelves(connection)
    made.put([(number, "red rare" if number == 1 else "red") for number in range(40)])
    statements = asked(connection)
    assert found(made, '"red"', '"rare"') == [1]
    assert searched(statements) == [9, 0]


def test_words_that_are_both_there_but_never_together_are_not_found(connection):
    made = Shelves(connection)
    made.put([(number, "red" if number % 2 else "green") for number in range(9)])
    assert found(made, '"red"', '"green"') == []


def test_the_shelves_are_there_again_with_the_file(connection):
    Shelves(connection).put([(1, "red"), (9, "red")])
    assert found(Shelves(connection), '"red"') == [9, 1]


def test_a_shelf_whose_making_failed_is_made_when_it_is_needed(connection):
    made = Shelves(connection)

    def documents() -> Iterator[tuple[int, str]]:
        yield 1, "red"
        raise sqlite3.OperationalError("the disk is full")

    with pytest.raises(sqlite3.OperationalError), Transaction(connection):
        made.put(documents())
    made.look()
    assert found(made, '"red"') == []
    assert made.put([(1, "red")])
    assert found(made, '"red"') == [1]


def test_what_is_taken_out_is_in_no_shelf(connection):
    made = Shelves(connection)
    made.put([(number, "red") for number in range(9)])
    assert made.clean
    made.take_out([(3, "red"), (4, "red"), (99, "was never there")])
    assert not made.clean
    assert found(made, '"red"') == [8, 7, 6, 5, 2, 1]
    made.rewrite()
    assert made.clean


def test_old_shelves_go_but_for_the_one_that_an_id_is_in(connection):
    made = Shelves(connection)
    made.put([(number, "red") for number in range(12)])
    made.drop_before(7)
    assert found(made, '"red"') == [11, 10, 9, 8, 7, 6, 5, 4]
    made.drop_before(8)
    assert found(Shelves(connection), '"red"') == [11, 10, 9, 8]


async def test_an_index_lets_go_of_what_the_log_has_no_more(tmp_path: Path) -> None:
    red = Search(places=frozenset({"#1"}), text="red", limit=99)
    async with opened(SqliteLog(tmp_path / "log.db")) as log:
        author = Author(log)
        await log.append([author.says("red") for _ in range(20)])
        assert len(await log.search(red)) == 20
        assert await log.trim(before_ms=None, most=5) == 15
        await log.append([author.says("red") for _ in range(4)])  # which takes another shelf
        assert len(await log.search(red)) == 9
    with closing(sqlite3.connect(tmp_path / "log.db.words")) as words:
        assert Shelves(words).numbers == [4, 5, 6]
