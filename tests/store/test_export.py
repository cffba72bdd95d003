"""An export is all of a log as text, and an intake makes the same log of it."""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynchat.chat import snapshot
from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Redacted
from asynchat.chat.search import Search
from asynchat.chat.state import State
from asynchat.store import Snapshot, intake
from asynchat.store.accounts import Account, Credential, SqlAccounts
from asynchat.store.export import Counts, Exported, export
from asynchat.store.intake import BadExport, take_in
from asynchat.store.sqlite import SqliteLog
from tests.chat.events_at_random import EVENTS
from tests.store.author import Author, ids, opened, stored, texts
from tests.store.test_codec import NEVER_KEPT
from tests.store.test_damage import LINES, kill_after, wal_of

CREDENTIAL = Credential(salt=b"salt\0", iterations=4096, stored_key=b"\xff" * 32, server_key=b"server")
ANN = Account(name="Ann", credential=CREDENTIAL, email="ann@example.org", created_ms=1_767_323_045_678)
BOB = Account(name="bob", credential=CREDENTIAL, verified=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    (tmp_path / "other").mkdir()
    return tmp_path / "other" / "log.db"


async def with_accounts(path: Path) -> None:
    accounts = SqlAccounts(path)
    await accounts.open()
    for each in (BOB, ANN):
        await accounts.add(each)
    await accounts.add_certificate("ANN", "AB:CD")
    await accounts.close()


def exported(path: Path) -> tuple[list[bytes], Exported]:
    lines: list[bytes] = []
    made = export(path, lines.append)
    return lines, made


def values_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(path)[0]]


def as_lines(*values: dict[str, Any]) -> list[bytes]:
    """An export of these values, with the end that fits."""
    events = sum("event" in each for each in values)
    end = {"asynchat": "end", "events": events, "accounts": 0, "certificates": 0}
    return [json.dumps(each).encode() + b"\n" for each in ({"asynchat": "export", "version": 1}, *values, end)]


# Out.


async def test_it_is_a_header_the_events_the_accounts_the_certificates_and_the_end(path):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says("one\ntwo", key="k" * 16), author.joins("#1", "@g1")])
        await with_accounts(path)
        lines, made = exported(path)
    assert made == (Counts(events=2, accounts=2, certificates=1), [])
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    by = {"user": "g1", "nick": "alice", "ident": "i", "host": "h", "account": None, "bot": False}
    credential = {"salt": "c2FsdAA=", "iterations": 4096, "stored_key": "/" * 42 + "8=", "server_key": "c2VydmVy"}
    assert [json.loads(line) for line in lines] == [
        {"asynchat": "export", "version": 1},
        {
            "id": "1",
            "at": "2026-01-02T03:04:05.679Z",
            "event": "Said",
            "by": by,
            "places": ["#1"],
            "to": "#a",
            "text": "one\ntwo",
            "kind": "message",
            "target": None,
            "tags": [],
            "key": "k" * 16,
            "least": 0,
            "cuts": [],
        },
        {
            "id": "2",
            "at": "2026-01-02T03:04:05.680Z",
            "event": "Joined",
            "by": by,
            "places": ["#1", "@g1"],
            "room": "#a",
            "realname": "Alice",
            "away": None,
        },
        {
            "account": "Ann",
            "credential": credential,
            "email": "ann@example.org",
            "created": "2026-01-02T03:04:05.678Z",
            "verified": True,
        },
        {
            "account": "bob",
            "credential": credential,
            "email": None,
            "created": "1970-01-01T00:00:00.000Z",
            "verified": False,
        },
        {"certificate": "abcd", "account": "ann"},
        {"asynchat": "end", "events": 2, "accounts": 2, "certificates": 1},
    ]


async def test_what_was_taken_back_is_not_in_it_but_that_it_was_is(path):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        said = author.says("a secret word")
        await log.append([said, author.says("two"), author.takes_back(said)])
        lines, _ = exported(path)
    assert b"secret" not in b"".join(lines)
    assert [(each["id"], each["event"]) for each in map(json.loads, lines) if "event" in each] == [
        ("2", "Said"),
        ("3", "Redacted"),
    ]


async def test_a_damaged_row_is_left_out_and_told_and_the_others_are_there(path):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says(text) for text in ("one good", "two good", "three good", "four good")])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"two good", b"two evil").replace(b"three good", b"three \xff\xff\xff\xff"))
    lines, made = exported(path)
    assert [each["text"] for each in map(json.loads, lines) if "event" in each] == ["one good", "four good"]
    assert made == (Counts(events=2), ["event 2 is damaged", "event 3 is damaged"])


async def test_it_is_of_one_moment(path):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says("one"), author.says("two")])
        lines: list[bytes] = []
        other = sqlite3.connect(path, isolation_level=None)

        def write(line: bytes) -> None:
            lines.append(line)
            other.execute("UPDATE events SET body = '' WHERE id = 2")

        export(path, write)
        other.close()
    assert len(lines) == 4


async def test_what_a_killed_process_stored_is_in_it_and_left_as_it_is(path):
    kill_after(path)
    before = wal_of(path).read_bytes()
    assert exported(path)[1].counts == Counts(events=LINES)
    assert wal_of(path).read_bytes() == before


def test_a_log_that_is_not_there_or_of_another_version_is_told(path):
    with pytest.raises(StoreError, match="no such file"):
        exported(path)
    for version, why in ((1, "older asynchat"), (99, "newer asynchat")):
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        with pytest.raises(StoreError, match=why):
            exported(path)


# In.


async def test_what_comes_out_of_it_again_is_the_same_to_the_byte(path, other, monkeypatch):
    monkeypatch.setattr(intake, "BATCH", 3)
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        said = author.says("oops ☃ \u2028", key="x" * 16)
        await log.append([author.joins(), said, author.says("two", "#1", "@g1", key="y" * 16), author.reacts()])
        author.step_ms, author.ids = 86_400_000, iter(range(1000, 2000))
        await log.append([author.takes_back(said), author.renames("#1"), author.says("mine", key="k", account="bob")])
        await with_accounts(path)
    lines, made = exported(path)
    assert await take_in(lines, other) == made.counts == Counts(events=6, accounts=2, certificates=1)
    assert exported(other)[0] == lines
    assert {each.name for each in other.parent.iterdir()} - {"log.db-wal", "log.db-shm"} == {
        "log.db",
        "log.db.lock",
        "log.db.mark",
        "log.db.words",
    }
    async with opened(SqliteLog(other)) as log:
        assert log.last_id == 1002
        assert await texts(log) == ["two", "mine"]
        assert await texts(log, "@g1") == ["two"]
        author = Author(log)
        again = [author.says("two", key="y" * 16), author.says("mine", key="k", account="bob"), author.says("new")]
        assert [(each.new, each.event.id) for each in stored(await log.append(again))] == [
            (False, "3"),
            (False, "1002"),
            (True, "1005"),
        ]
        accounts = SqlAccounts(other)
        await accounts.open()
        assert await accounts.find("ANN") == ANN
        assert await accounts.by_certificate("abcd") == ANN
        assert await accounts.find("bob") == BOB
        await accounts.close()
    assert other.stat().st_mode & 0o777 == 0o600


@settings(deadline=None, max_examples=20)
@given(st.lists(EVENTS, max_size=20))
async def test_any_log_comes_back_with_the_state_it_adds_up_to(tmp_path_factory, events: list[Event]):
    folder = tmp_path_factory.mktemp("any")
    path, other, state = folder / "log.db", folder / "other.db", State()
    kept = [
        dataclasses.replace(event, id=str(number), at_ms=number, kept=True)
        for number, event in enumerate(events, 1)
        if type(event) not in {*NEVER_KEPT, Redacted}
    ]
    async with opened(SqliteLog(path, durability="process")) as log:
        stored(await log.append(kept))
        for event in kept:
            state.apply(event)
        lines, _ = exported(path)
    await take_in(lines, other)
    assert exported(other)[0] == lines
    async with opened(SqliteLog(other)) as log:
        saved = await log.snapshot()
    assert saved == Snapshot(saved.last_id, json.loads(json.dumps(snapshot.dump(state))))


async def test_a_long_one_is_searched_and_read(path, other):
    async with opened(SqliteLog(path)) as log:
        author = Author(log)
        await log.append([author.says(f"line {number}") for number in range(12_345)])
    lines, _ = exported(path)
    await take_in(lines, other)
    async with opened(SqliteLog(other)) as log:
        page = await log.page("#1", limit=20_000)
        assert ids(page) == [str(number) for number in range(1, 12_346)]
        for number in (7_777, 10_000, 12_344):
            found = await log.search(Search(places=frozenset({"#1"}), text=f"line {number}", limit=9))
            assert ids(found) == [str(number + 1)]


@pytest.mark.parametrize("how", ["nothing", "an empty one", "an empty one that was killed", "a mark of a lost one"])
async def test_an_empty_store_is_replaced_and_nothing_of_it_is_left(path, other, how):
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("one")])
    if how == "an empty one":
        async with opened(SqliteLog(other)):
            await with_no_accounts(other)
    elif how == "an empty one that was killed":
        kill_after(other, 0)
    elif how == "a mark of a lost one":
        other.with_name("log.db.mark").write_text("00000000000000009999 boot sync open\n")
    await take_in(exported(path)[0], other)
    async with opened(SqliteLog(other)) as log:
        assert (await texts(log), log.last_id) == (["one"], 1)


async def with_no_accounts(path: Path) -> None:
    accounts = SqlAccounts(path)
    await accounts.open()
    await accounts.close()


async def test_a_store_that_has_something_is_left_as_it_is(path, other, tmp_path):
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("one")])
        lines, _ = exported(path)
        with pytest.raises(StoreError, match=f"in use by the process with pid {os.getpid()}"):
            await take_in(lines, path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is not empty"):
        await take_in(lines, path)
    async with opened(SqliteLog(other)):
        await with_accounts(other)
    with pytest.raises(StoreError, match="is not empty"):
        await take_in(lines, other)
    assert path.read_bytes() == before
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    with pytest.raises(StoreError, match="no log of asynchat"):
        await take_in(lines, foreign)
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"these are my notes\n" * 400)
    with pytest.raises(StoreError, match="not a database"):
        await take_in(lines, garbage)
    with pytest.raises(StoreError, match="No such file"):
        await take_in(lines, tmp_path / "none" / "log.db")


async def test_a_write_ahead_log_that_is_left_is_not_taken_for_that_of_the_new_one(path, other):
    kill_after(other)
    other.unlink()
    async with opened(SqliteLog(path)) as log:
        await log.append([Author(log).says("one")])
    with pytest.raises(StoreError, match=r"log\.db-wal is left of another store"):
        await take_in(exported(path)[0], other)
    assert wal_of(other).stat().st_size
    assert not other.exists()


BY = {"user": "g1", "nick": "alice", "ident": "i", "host": "h"}


def event(id_: int, kind: str = "Said", **others: Any) -> dict[str, Any]:
    own: dict[str, Any] = {"Said": {"to": "#a", "text": "hi"}, "Joined": {"room": "#a", "realname": "Al"}}.get(kind, {})
    basics = {"id": str(id_), "at": "2026-01-02T03:04:05.678Z", "event": kind, "by": BY, "places": ["#1"]}
    return basics | own | others


CHANGES = [{"setting": "limit", "on": True, "value": "many", "user": None}]
HALF = b'{"certificate":"\\ud800","account":"ann"}'


@pytest.mark.parametrize(
    ("lines", "number", "why"),
    [
        ([], 1, "cut short"),
        ([b"hello\n"], 1, "no JSON"),
        ([b"{}\n"], 1, "no export of asynchat"),
        ([b'{"asynchat": "export", "version": 2}\n'], 1, "of version 2, this asynchat knows 1"),
        (as_lines(event(1))[:-1], 3, "cut short"),
        ([*as_lines(event(1)), b"{}\n"], 4, "after the end"),
        ([*as_lines(event(1))[:2], as_lines()[-1]], 3, "something is missing"),
        ([as_lines()[0], b"[" * 100_000], 2, "no JSON"),
        ([as_lines()[0], b"\xff\xfe\n"], 2, "no JSON"),
        ([as_lines()[0], b"[]\n"], 2, "no object"),
        ([as_lines()[0], HALF], 2, "surrogates not allowed"),
        (as_lines(event(2), event(2)), 3, "event 2 comes after event 2"),
        (as_lines(event(2), event(3, text=5)), 3, "event 3 cannot be read: text does not fit"),
        (as_lines(event(1, key="k" * 16), event(2), event(3, key="k" * 16)), 4, "event 3 has the key of event 1"),
        (as_lines(event(1, places=["#1", "#1"])), 2, "has a place twice"),
        (as_lines(event(1, "Joined", places=[])), 2, "event 1 makes no sense"),
        (as_lines(event(1, "Joined"), event(2, "Changed", room="#a", changes=CHANGES)), 3, "event 2 makes no sense"),
        (as_lines(event(1, "Redacted", to="#a", target=None, said="x", reason="")), 2, "takes back 'x'"),
        (as_lines({"certificate": "ab", "account": "ann"}), 2, "there is no account ann"),
        (as_lines({"account": "ann"}), 2, "neither an event, nor an account, nor a certificate"),
    ],
)
async def test_a_line_that_is_bad_ends_it_with_its_number_and_no_store_is_made(lines, number, why, other):
    with pytest.raises(BadExport, match=why) as caught:
        await take_in(lines, other)
    assert caught.value.number == number
    assert not other.exists()
    await take_in(as_lines(event(7)), other)  # what was left of the bad one is in nobody's way
    async with opened(SqliteLog(other)) as log:
        assert ids(await log.page("#1", limit=9)) == ["7"]
    assert not list(other.parent.glob("*.part*"))


async def test_what_was_before_the_bad_line_is_in_a_file_beside(other):
    with pytest.raises(BadExport):
        await take_in([*as_lines(event(1), event(2))[:3], b"hello\n"], other)
    async with opened(SqliteLog(other.with_name("log.db.part"))) as log:
        assert ids(await log.page("#1", limit=9)) == ["1", "2"]


async def test_an_account_of_an_export_is_checked(path, other):
    async with opened(SqliteLog(path)):
        await with_accounts(path)
    header, good, *_ = values_in(path)
    assert good["account"] == "Ann"
    for bad in (
        good | {"more": 1},
        good | {"verified": "yes"},
        good | {"email": 5},
        good | {"created": "then"},
        good | {"credential": good["credential"] | {"iterations": 0}},
        good | {"credential": good["credential"] | {"salt": "§"}},
    ):
        with pytest.raises(BadExport) as caught:
            await take_in([json.dumps(each).encode() for each in (header, bad)], other)
        assert caught.value.number == 2
    with pytest.raises(BadExport, match="Ann is registered already") as caught:
        await take_in([json.dumps(each).encode() for each in (header, good, good)], other)
    assert caught.value.number == 3


async def test_a_disk_that_takes_no_more_is_no_bad_line(other, monkeypatch):
    async def fail(self: SqliteLog, batch: list[Event]) -> list[StoreError]:
        return [StoreError("database or disk is full", full=True) for _ in batch]

    monkeypatch.setattr(SqliteLog, "append", fail)
    with pytest.raises(StoreError, match="disk is full"):
        await take_in(as_lines(event(1)), other)
    assert not other.exists()
