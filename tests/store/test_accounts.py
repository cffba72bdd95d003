"""Accounts in SQL: what is kept, what is refused, and that it is there after a restart."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.events import Said, Source
from asynchat.store import accounts as module
from asynchat.store.accounts import Account, Credential, SqlAccounts
from asynchat.store.sqlite import SqliteLog

CREDENTIAL = Credential(salt=b"salt", iterations=4096, stored_key=b"stored", server_key=b"server")
OTHER = Credential(salt=b"pepper", iterations=8192, stored_key=b"\0\xff", server_key=b"")
ALICE = Account(name="Alice", credential=CREDENTIAL, email="a@example.org", created_ms=12, verified=False)
PRINT = "ab" * 32


@pytest.fixture(params=["file", "memory"])
async def accounts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlAccounts]:
    opened = SqlAccounts(tmp_path / "chat.db" if request.param == "file" else None)
    await opened.open()
    yield opened
    await opened.close()


async def test_an_account_is_found_by_its_name_in_any_case(accounts: SqlAccounts) -> None:
    await accounts.add(ALICE)
    assert await accounts.find("aLICE") == ALICE
    assert await accounts.find("bob") is None


async def test_names_differ_as_they_do_everywhere(accounts: SqlAccounts) -> None:
    """Only ASCII letters are folded: `É` and `é` are two names, as on every wire."""
    await accounts.add(replace(ALICE, name="é"))
    assert await accounts.find("É") is None


async def test_a_name_is_given_once(accounts: SqlAccounts) -> None:
    await accounts.add(ALICE)
    with pytest.raises(Refused) as refused:
        await accounts.add(Account(name="ALICE", credential=OTHER))
    assert (refused.value.code, refused.value.about) == ("ACCOUNT_EXISTS", ("ALICE",))
    assert await accounts.find("alice") == ALICE


async def test_all_names_can_be_had_as_they_are_shown(accounts: SqlAccounts) -> None:
    assert await accounts.names() == []
    await accounts.add(ALICE)
    await accounts.add(replace(ALICE, name="bOB"))
    assert sorted(await accounts.names()) == ["Alice", "bOB"]


async def test_a_credential_can_be_changed(accounts: SqlAccounts) -> None:
    await accounts.add(ALICE)
    await accounts.set_credential("ALICE", OTHER)
    assert await accounts.find("alice") == replace(ALICE, credential=OTHER)
    with pytest.raises(Refused, match="NO_SUCH_ACCOUNT"):
        await accounts.set_credential("bob", OTHER)


async def test_a_certificate_logs_in_to_one_account(accounts: SqlAccounts) -> None:
    await accounts.add(ALICE)
    await accounts.add(Account(name="bob", credential=OTHER))
    await accounts.add_certificate("ALICE", PRINT)
    await accounts.add_certificate("alice", PRINT)  # again is no fault
    assert await accounts.by_certificate(PRINT) == ALICE
    with pytest.raises(Refused, match="CERTIFICATE_TAKEN"):
        await accounts.add_certificate("bob", PRINT)
    assert await accounts.by_certificate(PRINT) == ALICE
    with pytest.raises(Refused, match="NO_SUCH_ACCOUNT"):
        await accounts.add_certificate("carol", "cd" * 32)


async def test_a_certificate_is_the_same_however_it_is_written(accounts: SqlAccounts) -> None:
    await accounts.add(ALICE)
    await accounts.add_certificate("alice", ":".join(["AB"] * 32))
    assert await accounts.by_certificate(PRINT) == ALICE


async def test_a_certificate_can_be_removed_by_its_owner_only(accounts: SqlAccounts) -> None:
    await accounts.add(ALICE)
    await accounts.add_certificate("alice", PRINT)
    assert not await accounts.remove_certificate("bob", PRINT)
    assert await accounts.by_certificate(PRINT) == ALICE
    assert await accounts.remove_certificate("Alice", PRINT.upper())
    assert await accounts.by_certificate(PRINT) is None


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    first = SqlAccounts(tmp_path / "chat.db")
    await first.open()
    await first.add(ALICE)
    await first.add_certificate("alice", PRINT)
    await first.close()
    second = SqlAccounts(tmp_path / "chat.db")
    await second.open()
    assert await second.find("alice") == ALICE
    assert await second.by_certificate(PRINT) == ALICE
    assert second.secret == first.secret
    await second.close()


async def test_every_file_has_a_secret_of_its_own(tmp_path: Path) -> None:
    secrets = set()
    for path in (tmp_path / "one.db", tmp_path / "two.db", None, None):
        accounts = SqlAccounts(path)
        await accounts.open()
        secrets.add(accounts.secret)
        await accounts.close()
    assert len(secrets) == 4
    assert {len(each) for each in secrets} == {32}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
async def test_nobody_else_can_read_the_file(tmp_path: Path) -> None:
    accounts = SqlAccounts(tmp_path / "chat.db")
    await accounts.open()
    await accounts.add(ALICE)
    assert [stat.S_IMODE(each.stat().st_mode) for each in sorted(tmp_path.iterdir())] == [0o600] * 3
    await accounts.close()


async def test_it_lives_in_the_file_of_the_log(tmp_path: Path) -> None:
    """Each commits while the other is open, and neither minds the other's tables."""
    path = tmp_path / "chat.db"
    for round_ in (1, 2):
        log, accounts = SqliteLog(path), SqlAccounts(path)
        await log.open()
        await accounts.open()
        said = Said(
            by=Source(user="1", nick="n", ident="i", host="h"),
            at_ms=1,
            id=str(round_),
            places=("#a",),
            to="#a",
            text="x",
        )
        await log.append([said])
        await accounts.add(replace(ALICE, name=f"alice{round_}"))
        assert await accounts.find("alice1") == replace(ALICE, name="alice1")
        assert len(await log.page("#a", limit=10)) == round_
        await accounts.close()
        await log.close()


async def test_what_must_survive_a_power_cut_is_flushed_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(module, "_flush", flushed.append)
    accounts = SqlAccounts(tmp_path / "chat.db")
    await accounts.open()
    wal = (tmp_path / "chat.db-wal").stat().st_ino
    for change, flushes in [
        (accounts.add(ALICE), 1),
        (accounts.set_credential("alice", OTHER), 1),
        (accounts.add_certificate("alice", PRINT), 1),
        (accounts.remove_certificate("alice", PRINT), 1),
        (accounts.find("alice"), 0),
    ]:
        flushed.clear()
        await change
        assert [os.fstat(each).st_ino for each in flushed] == [wal] * flushes
    await accounts.close()


async def test_a_log_is_not_kept_waiting_by_a_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flush is outside of the transaction: meanwhile another connection can write."""
    path = tmp_path / "chat.db"
    other = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    wrote: list[int] = []

    def write_meanwhile(_: int) -> None:
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")
        wrote.append(1)

    accounts = SqlAccounts(path)
    await accounts.open()
    monkeypatch.setattr(module, "_flush", write_meanwhile)
    assert accounts._connection.execute("PRAGMA synchronous").fetchone() == (
        1,
    )  # NORMAL: SQLite itself flushes nothing
    await accounts.add(ALICE)
    assert wrote == [1]
    await accounts.close()
    other.close()


async def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "chat.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"chat\.db"):
        await SqlAccounts(tmp_path / "chat.db").open()
    with pytest.raises(StoreError, match="nowhere"):
        await SqlAccounts(tmp_path / "nowhere" / "chat.db").open()


async def test_what_fails_later_is_a_store_error_too(accounts: SqlAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError):
        await accounts.find("\ud800")  # no Unicode
    if accounts._path is not None:

        def fail(_: int) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(module, "_flush", fail)
        with pytest.raises(StoreError, match="Input/output error"):
            await accounts.add(ALICE)
    accounts._connection.close()
    with pytest.raises(StoreError):
        await accounts.find("alice")


def test_a_credential_is_shown_without_what_it_is_worth() -> None:
    assert repr(CREDENTIAL) == "Credential(salt=b'salt', iterations=4096)"
    assert "stored" not in repr(ALICE)
