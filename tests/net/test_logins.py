"""Logins: who is let in, that guessing is slow, and that nobody is told who exists."""

from __future__ import annotations

import asyncio
import hmac
import threading
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import pbkdf2_hmac, sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.chat.errors import Refused, StoreError
from asynchat.net import guesses as guessing
from asynchat.net import logins as module
from asynchat.net.guesses import Guesses
from asynchat.net.logins import ITERATIONS, Logins, derive
from asynchat.store.accounts import Account, Credential, SqlAccounts
from asynchat.wire.irc.sasl import MECHANISMS, Done
from asynchat.wire.saslprep import prepare
from tests.net.conftest import PATIENCE_S

HERE, THERE = "192.0.2.1", "192.0.2.2"
OF_X = derive("x", salt=b"salt", iterations=4096)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class House:
    """Logins in which alice's password is sesame, a clock, and how often a password was hashed."""

    def __init__(self, accounts: SqlAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.accounts = accounts
        self.clock = Clock()
        self.hashed: list[int] = []
        self.most_at_once = self.at_once = 0
        self.logins = self.make()
        real = module.pbkdf2_hmac

        def counted(hash_: str, password: bytes, salt: bytes, iterations: int) -> bytes:
            assert threading.current_thread() is not threading.main_thread()
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.hashed.append(iterations)
            salted = real(hash_, password, salt, iterations)
            self.at_once -= 1
            return salted

        monkeypatch.setattr(module, "pbkdf2_hmac", counted)

    def make(self, **settings: bool) -> Logins:
        return Logins(self.accounts, kdf_cost="test", clock=self.clock, wall_ms=lambda: 12, **settings)

    async def code(self, name: str, password: str, address: str = HERE) -> str:
        """What comes of logging in."""
        try:
            return await self.logins.check_password(name, password, address=address)
        except Refused as refused:
            return refused.code

    async def proves(self, name: str, proven: bool, address: str = HERE) -> str:
        try:
            return await self.logins.judge(name, proven, address=address)
        except Refused as refused:
            return refused.code


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    accounts = SqlAccounts(None)
    await accounts.open()
    built = House(accounts, monkeypatch)
    await built.logins.register("Alice", "sesame", None)
    built.hashed.clear()
    yield built
    built.logins.close()
    await accounts.close()


async def refusal(coroutine: object) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(Refused) as refused:
        await coroutine  # type: ignore[misc]
    return refused.value.code, refused.value.about


# Passwords.


def test_a_credential_is_that_of_rfc_7677() -> None:
    """The keys of "user" with "pencil"; they verify the exchange in RFC 7677, 3 (see tests/wire/irc/test_sasl.py)."""
    credential = derive("pencil", salt=b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations=4096)
    assert b64encode(credential.stored_key) == b"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    assert b64encode(credential.server_key) == b"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="


def test_no_client_refuses_to_compute_it() -> None:
    """RFC 7677 asks for 4096 at least; node-postgres, MongoDB's drivers and others refuse more than 100,000."""
    assert all(4096 <= each <= 100_000 for each in ITERATIONS.values())


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        pytest.param("I\xadX", "IX", id="soft hyphen mapped to nothing"),
        pytest.param("user", "user", id="no transformation"),
        pytest.param("USER", "USER", id="case preserved"),
        pytest.param("\xaa", "a", id="output is NFKC, input in ISO 8859-1"),
        pytest.param("Ⅸ", "IX", id="output is NFKC"),
        pytest.param("a\u00a0b\u1680c", "a b c", id="spaces are spaces"),
        pytest.param("e\u0301", "\u00e9", id="one letter in two ways"),
        pytest.param("🔑", "🔑", id="newer than Unicode 3.2"),
        pytest.param("\u0627\u0628", "\u0627\u0628", id="right to left"),
        pytest.param("x" * 1024, "x" * 1024, id="long"),
    ],
)
def test_passwords_are_prepared(password: str, prepared: str) -> None:
    """The examples of RFC 4013, 3, and more."""
    assert prepare(password) == prepared


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("\x07", id="prohibited character"),
        pytest.param("\u06271", id="bidirectional check"),
        pytest.param("1\u0627", id="bidirectional check of the beginning"),
        pytest.param("\u0627a\u0628", id="both directions"),
        pytest.param("", id="nothing"),
        pytest.param("\xad", id="nothing is left"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("é\x7f", id="a control character beside others"),
        pytest.param("\ue000", id="private use"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("a\u202eb", id="an override of direction"),
    ],
)
def test_some_passwords_cannot_be(password: str) -> None:
    with pytest.raises(ValueError, match=r"password|directions|right-to-left"):
        prepare(password)


@given(st.text())
def test_a_prepared_password_is_prepared_already(password: str) -> None:
    try:
        prepared = prepare(password)
    except ValueError:
        return
    assert prepare(prepared) == prepared


# Registering and logging in.


async def test_who_registered_can_log_in(house: House) -> None:
    assert await house.logins.register("Bob", "e\u0301", "bob@example.org") == "Bob"
    assert await house.code("bOB", "\u00e9") == "Bob"
    account = await house.accounts.find("bob")
    assert account is not None
    assert (account.name, account.email, account.created_ms, account.verified) == ("Bob", "bob@example.org", 12, True)
    assert account.credential.iterations == ITERATIONS["test"]


async def test_equal_passwords_are_kept_differently(house: House) -> None:
    await house.logins.register("bob", "sesame", None)
    one, other = await house.accounts.find("alice"), await house.accounts.find("bob")
    assert one is not None
    assert other is not None
    assert len({one.credential.salt, other.credential.salt}) == 2
    assert len({one.credential.stored_key, other.credential.stored_key}) == 2


@pytest.mark.parametrize(
    ("name", "password", "email", "code"),
    [
        ("alice", "x", None, "ACCOUNT_EXISTS"),
        ("b@d", "x", None, "BAD_ACCOUNT_NAME"),
        ("", "x", None, "BAD_ACCOUNT_NAME"),
        ("x" * 33, "x", None, "BAD_ACCOUNT_NAME"),
        ("server", "x", None, "BAD_ACCOUNT_NAME"),
        ("bob", "", None, "WEAK_PASSWORD"),
        ("bob", "x" * 1025, None, "UNACCEPTABLE_PASSWORD"),
        ("bob", "é" * 513, None, "UNACCEPTABLE_PASSWORD"),
        ("bob", "\x07", None, "UNACCEPTABLE_PASSWORD"),
        ("bob", "x", "", "INVALID_EMAIL"),
        ("bob", "x", "bob", "INVALID_EMAIL"),
        ("bob", "x", "bob@a b", "INVALID_EMAIL"),
        ("bob", "x", "b@" + "x" * 253, "INVALID_EMAIL"),
    ],
)
async def test_a_registration_is_refused_before_the_work(
    house: House, name: str, password: str, email: str | None, code: str
) -> None:
    assert await refusal(house.logins.register(name, password, email)) == (code, (name,))
    assert house.hashed == []
    assert await house.code("alice", "sesame") == "Alice"


@pytest.mark.parametrize("password", ["x", "sesame", "é" * 512, "x" * 1024])
async def test_short_and_long_passwords_will_do(house: House, password: str) -> None:
    await house.logins.register("bob", password, None)
    assert await house.code("bob", password) == "bob"
    assert await house.code("bob", password + "x") == "BAD_PASSWORD"


async def test_an_address_for_mail_may_be_required(house: House) -> None:
    strict = house.make(require_email=True)
    assert await refusal(strict.register("bob", "x", None)) == ("INVALID_EMAIL", ("bob",))
    assert await strict.register("bob", "x", "b@x") == "bob"
    strict.close()


async def test_of_two_who_want_a_name_one_gets_it(house: House) -> None:
    answers = await asyncio.gather(
        *(house.logins.register("bob", password, None) for password in ("one", "two")), return_exceptions=True
    )
    assert sorted(str(each) for each in answers) == ["ACCOUNT_EXISTS bob is registered already", "bob"]


async def test_a_certificate_logs_in(house: House) -> None:
    assert await house.logins.by_certificate("ab") is None
    await house.accounts.add_certificate("alice", "ab")
    assert await house.logins.by_certificate("AB") == "Alice"


async def test_who_is_not_verified_is_not_let_in_by_any_door(house: House) -> None:
    await house.accounts.add(Account(name="carol", credential=OF_X, verified=False))
    await house.accounts.add_certificate("carol", "cc")
    assert await house.code("carol", "x") == "NOT_VERIFIED"
    assert await house.proves("carol", True) == "NOT_VERIFIED"
    assert await refusal(house.logins.by_certificate("cc")) == ("NOT_VERIFIED", ("carol",))
    assert await house.code("carol", "y") == "BAD_PASSWORD"


async def test_scram_works_with_what_was_registered(house: House) -> None:
    """Both ends: the client's part is computed here from the password alone."""

    async def exchange(name: str, password: str) -> object:
        scram = MECHANISMS["SCRAM-SHA-256"](house.logins, address=HERE)
        bare = f"n={name},r=mine".encode()
        first = await scram.step(b"n,," + bare)
        assert isinstance(first, bytes)
        nonce, salt, iterations = (each.split(b"=", 1)[1] for each in first.split(b","))
        salted = pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(iterations))
        key = hmac.digest(salted, b"Client Key", "sha256")
        unproven = b"c=biws,r=" + nonce
        signed = b",".join([bare, first, unproven])
        signature = hmac.digest(sha256(key).digest(), signed, "sha256")
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        answer = await scram.step(unproven + b",p=" + b64encode(proof))
        expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        assert answer == b"v=" + b64encode(expected)
        return await scram.step(b"")

    assert await exchange("alice", "sesame") == Done("Alice")
    assert await refusal(exchange("alice", "millet")) == ("BAD_PASSWORD", ())
    assert await refusal(exchange("nobody", "sesame")) == ("BAD_PASSWORD", ())
    assert house.hashed == []  # the work is the client's


async def test_the_names_of_accounts_are_known_without_asking_the_store(house: House) -> None:
    await house.logins.register("Bob", "x", None)
    with pytest.raises(Refused):
        await house.logins.register("b@d", "x", None)
    assert [name for name in ("alice", "ALICE", "bob", "b@d", "nobody") if house.logins.is_owned(name)] == [
        "alice",
        "ALICE",
        "bob",
    ]
    later = house.make()  # as after a restart
    await later.open()
    assert later.is_owned("aLICE")
    assert later.is_owned("bOB")
    assert not later.is_owned("nobody")
    later.close()


# Who exists is nobody's business.


@pytest.mark.parametrize(("name", "password"), [("alice", "millet"), ("nobody", "millet"), ("b@d \0name", "x")])
async def test_the_same_work_is_done_for_unknown_names(house: House, name: str, password: str) -> None:
    """Counted, not timed: one hash of as many rounds, and one question to the store."""
    found: list[str] = []
    find = house.accounts.find

    async def counted(name: str) -> Account | None:
        found.append(name)
        return await find(name)

    house.accounts.find = counted  # type: ignore[method-assign]
    assert await refusal(house.logins.check_password(name, password, address=HERE)) == ("BAD_PASSWORD", ())
    assert house.hashed == [ITERATIONS["test"]]
    assert found == [name]


async def test_the_refusals_for_unknown_names_are_the_same(house: House) -> None:
    texts = set()
    for name in ("alice", "nobody"):
        for attempt in (
            house.logins.check_password(name, "x", address=HERE),
            house.logins.judge(name, False, address=THERE),
        ):
            with pytest.raises(Refused) as refused:
                await attempt
            texts.add(str(refused.value))
    assert len(texts) == 1


async def test_a_made_up_credential_looks_like_one_and_stays(house: House) -> None:
    real = await house.logins.credential_for("alice", address=HERE)
    made = await house.logins.credential_for("nobody", address=HERE)
    assert (len(made.salt), len(made.stored_key), len(made.server_key), made.iterations) == (
        len(real.salt),
        len(real.stored_key),
        len(real.server_key),
        real.iterations,
    )
    again = house.make()  # as after a restart: the secret is the store's
    assert await again.credential_for("NOBODY", address=THERE) == made
    assert await again.credential_for("somebody", address=HERE) != made
    again.close()
    assert len({made.salt, made.stored_key[:16], made.server_key[:16]}) == 3


async def test_a_made_up_credential_depends_on_the_secret(house: House) -> None:
    made = await house.logins.credential_for("nobody", address=HERE)
    others = SqlAccounts(None)
    await others.open()
    elsewhere = Logins(others, kdf_cost="test")
    assert await elsewhere.credential_for("nobody", address=HERE) != made
    elsewhere.close()
    await others.close()


async def test_nobody_can_be_logged_in_to_even_by_who_proves_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await house.proves("nobody", True) == "BAD_PASSWORD"
    made = await house.logins.credential_for("nobody", address=HERE)
    monkeypatch.setattr(module, "derive", lambda *_, **__: made)
    for _ in range(2):
        assert await house.code("nobody", "x") == "BAD_PASSWORD"
    assert await house.code("nobody", "x") == "RATE_LIMITED"


# Guessing.


async def test_after_three_wrong_passwords_one_waits_ever_longer(house: House) -> None:
    waits = []
    for _ in range(9):
        while await house.code("alice", "millet") == "RATE_LIMITED":
            house.clock.now += 5
        waits.append(house.clock.now)
    assert [after - before for before, after in pairwise(waits)] == [
        0, 0, 15, 30, 60, 120, 240, 480
    ]  # fmt: skip
    assert len(house.hashed) == 9  # who has to wait costs no work


async def test_while_one_waits_the_right_password_is_refused_too(house: House) -> None:
    """Otherwise the wait would tell which guess was right."""
    for _ in range(3):
        assert await house.code("alice", "millet") == "BAD_PASSWORD"
    assert await house.code("alice", "sesame") == "RATE_LIMITED"
    assert (await refusal(house.logins.credential_for("alice", address=HERE)))[0] == "RATE_LIMITED"
    assert await house.proves("alice", True) == "RATE_LIMITED"
    house.clock.now += 15
    assert await house.code("alice", "sesame") == "Alice"


async def test_the_longest_wait_is_a_quarter_of_an_hour() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(50):
        guesses.wrong(["key"])
    with pytest.raises(Refused, match="try again in 900 s"):
        guesses.check(["key"])


async def test_wrong_guesses_are_forgotten_one_a_minute(house: House) -> None:
    for _ in range(2):
        assert await house.code("alice", "millet") == "BAD_PASSWORD"
    house.clock.now += 60
    assert await house.code("alice", "millet") == "BAD_PASSWORD"  # the second that counts
    assert await house.code("alice", "sesame") == "Alice"
    house.clock.now += 59
    assert await house.code("alice", "millet") == "BAD_PASSWORD"  # the third
    assert await house.code("alice", "sesame") == "RATE_LIMITED"


async def test_guesses_count_on_the_account_from_wherever(house: House) -> None:
    for address in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
        assert await house.code("alice", "millet", address) == "BAD_PASSWORD"
    assert await house.code("ALICE", "sesame", "198.51.100.4") == "RATE_LIMITED"
    assert await house.code("nobody", "sesame", "198.51.100.4") == "BAD_PASSWORD"


async def test_guesses_count_on_the_address_for_whichever_account(house: House) -> None:
    for name in ("a", "b", "c"):
        assert await house.code(name, "x") == "BAD_PASSWORD"
    assert await house.code("alice", "sesame") == "RATE_LIMITED"
    assert await house.code("alice", "sesame", THERE) == "Alice"


async def test_strangers_cannot_lock_an_owner_out(house: House) -> None:
    assert await house.code("alice", "sesame", HERE) == "Alice"
    for address in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
        assert await house.code("alice", "millet", address) == "BAD_PASSWORD"
    assert await house.code("alice", "sesame", THERE) == "RATE_LIMITED"
    assert await house.code("alice", "sesame", HERE) == "Alice"
    for _ in range(3):
        assert await house.code("alice", "millet", HERE) == "BAD_PASSWORD"
    assert await house.code("alice", "millet", HERE) == "RATE_LIMITED"  # at home one cannot guess either


async def test_scram_and_plain_count_together(house: House) -> None:
    assert await house.proves("alice", False) == "BAD_PASSWORD"
    assert await house.code("alice", "millet") == "BAD_PASSWORD"
    assert await house.proves("alice", False) == "BAD_PASSWORD"
    assert await house.code("alice", "millet") == "RATE_LIMITED"
    assert await house.proves("alice", False) == "RATE_LIMITED"


async def test_success_takes_no_guess_back(house: House) -> None:
    """Else who has an account of his own could guess at others for ever, logging in to his in between."""
    await house.logins.register("mallory", "own", None)
    for _ in range(3):
        assert await house.code("mallory", "own") == "mallory"
        assert await house.code("alice", "millet") == "BAD_PASSWORD"
    assert await house.code("alice", "millet") == "RATE_LIMITED"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("unix", "unix", True),
    ],
)
async def test_a_network_of_ipv6_is_one_address(house: House, one: str, other: str, same: bool) -> None:
    for name in ("a", "b", "c"):
        await house.code(name, "x", one)
    assert await house.code("alice", "sesame", other) == ("RATE_LIMITED" if same else "Alice")


async def test_guessing_at_once_is_worth_no_more(house: House) -> None:
    """Three wrong ones are three, also when two hundred come at the same time."""
    answers = await asyncio.gather(*(house.code("alice", f"guess{number}") for number in range(200)))
    assert answers.count("BAD_PASSWORD") == len(house.hashed) == 3
    assert answers.count("RATE_LIMITED") == 197
    assert house.most_at_once == 1


async def test_who_has_to_wait_does_not_even_queue(house: House) -> None:
    for _ in range(3):
        assert await house.code("alice", "millet") == "BAD_PASSWORD"
    async with house.logins._busy:
        assert await house.code("alice", "millet") == "RATE_LIMITED"
        assert await house.code("alice", "\x07") == "RATE_LIMITED"


async def test_exchanges_begun_at_once_are_worth_no_more(house: House) -> None:
    for _ in range(10):
        await house.logins.credential_for("alice", address=HERE)
    answers = await asyncio.gather(*(house.proves("alice", False) for _ in range(10)))
    assert answers.count("BAD_PASSWORD") == 3


async def test_many_who_know_their_passwords_come_in_at_once(house: House) -> None:
    """After a restart everybody behind one address comes back: right passwords are never limited."""
    answers = await asyncio.gather(*(house.code("alice", "sesame") for _ in range(20)))
    assert answers == ["Alice"] * 20
    assert house.most_at_once == 1


async def test_who_does_not_wait_for_the_answer_has_guessed_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def slow(password: str, *, salt: bytes, iterations: int) -> Credential:
        begun.release()
        go_on.acquire()
        return derive(password, salt=salt, iterations=iterations)

    monkeypatch.setattr(module, "derive", slow)
    for _ in range(3):
        attempt = asyncio.create_task(house.code("alice", "millet"))
        await asyncio.to_thread(begun.acquire)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        go_on.release()
    go_on.release()  # for who is let in though he must not be
    assert await house.code("alice", "sesame") == "RATE_LIMITED"


async def test_too_many_who_wait_are_turned_away_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE", 5)
    go_on = threading.Event()

    def slow(password: str, *, salt: bytes, iterations: int) -> Credential:
        go_on.wait(PATIENCE_S)
        return derive(password, salt=salt, iterations=iterations)

    monkeypatch.setattr(module, "derive", slow)

    async def turned_away(attempts: list[asyncio.Task[str]]) -> list[asyncio.Task[str]]:
        """Those of the attempts that are over while a password is being hashed; then all go on."""
        go_on.clear()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while sum(attempt.done() for attempt in attempts) < 3:
                    await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED, timeout=0.01)
            return [attempt for attempt in attempts if attempt.done()]
        finally:
            go_on.set()
            await asyncio.wait(attempts)

    attempts = [asyncio.create_task(house.code("alice", "sesame")) for _ in range(8)]
    assert [attempt.result() for attempt in await turned_away(attempts)] == ["TEMPORARILY_UNAVAILABLE"] * 3
    assert sorted(attempt.result() for attempt in attempts)[:5] == ["Alice"] * 5
    assert await house.code("alice", "sesame") == "Alice"
    attempts = [asyncio.create_task(house.logins.register(f"bob{number}", "x", None)) for number in range(8)]
    refused = [attempt.exception() for attempt in await turned_away(attempts)]
    assert [error.code for error in refused if isinstance(error, Refused)] == ["TEMPORARILY_UNAVAILABLE"] * 3
    assert sum(attempt.exception() is None for attempt in attempts) == 5


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "REMEMBERED", 10)
    guesses = Guesses(Clock())
    for number in range(100):
        guesses.wrong([f"key{number}", "often"])
    assert len(guesses._wrong) == 10
    with pytest.raises(Refused):
        guesses.check(["often"])
    guesses.check(["key0"])


async def test_where_people_are_at_home_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for number in range(5):
        assert await house.proves("alice", True, f"192.0.2.{number}") == "Alice"
    assert list(house.logins._homes) == [("alice", "192.0.2.3"), ("alice", "192.0.2.4")]


async def test_without_limits_one_may_guess(house: House) -> None:
    free = house.make(limited=False)
    for _ in range(10):
        assert (await refusal(free.check_password("alice", "millet", address=HERE)))[0] == "BAD_PASSWORD"
    assert await free.check_password("alice", "sesame", address=HERE) == "Alice"
    free.close()


@pytest.mark.parametrize("password", ["", "\x07", "x" * 1025, "\ud800"])
async def test_what_cannot_be_a_password_is_wrong_and_costs_nothing(house: House, password: str) -> None:
    for _ in range(5):
        assert await house.code("alice", password) == "BAD_PASSWORD"
    assert house.hashed == []


# Faults.


async def test_a_store_that_fails_is_told_as_a_refusal(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.accounts._connection.close()
    for attempt in (
        house.logins.check_password("alice", "sesame", address=HERE),
        house.logins.credential_for("alice", address=HERE),
        house.logins.judge("alice", True, address=HERE),
        house.logins.by_certificate("ab"),
        house.logins.register("bob", "x", None),
    ):
        assert (await refusal(attempt))[0] == "TEMPORARILY_UNAVAILABLE"
    assert len(caplog.records) == 5
    assert "sesame" not in caplog.text
    with pytest.raises(StoreError):
        await house.accounts.find("alice")


async def test_closing_leaves_no_thread_behind(house: House) -> None:
    other = house.make()
    await other.register("bob", "x", None)
    before = threading.active_count()
    other.close()
    assert threading.active_count() == before - 1
