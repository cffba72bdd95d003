"""Logins: passwords are hashed in a thread, one at a time, and who guesses wrong waits ever longer.

Logging in tells nobody whether an account exists: for an unknown name a credential is made up from a secret and the
same work is done with it. (REGISTER, and a name that is kept for its owner, have to tell.)

How dear a hash is has two sides. OWASP asks for 600,000 rounds of PBKDF2-HMAC-SHA-256, RFC 7677 for 4,096 at least;
but with SCRAM the client does them, on a telephone or in a script, often on its only thread, and clients begin to
refuse more than 100,000 as an attack (node-postgres, MongoDB's drivers). 60,000 cost 11 ms here, which is 90 logins
a second with PLAIN; SCRAM costs this server nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path

from asynchat.chat.errors import BadName, Refused, StoreError
from asynchat.chat.names import casefold, check_person
from asynchat.config.server import Settings
from asynchat.net.guesses import REMEMBERED, Guesses, network_of
from asynchat.store.accounts import Account, Credential, SqlAccounts
from asynchat.wire.saslprep import prepare

log = logging.getLogger("asynchat.logins")

ITERATIONS = {"normal": 60_000, "test": 4096}
"""Rounds of hashing, by `kdf_cost`."""
SALT_BYTES = 16
PASSWORD_BYTES = 1024
"""The longest password."""
EMAIL_BYTES = 254
QUEUE = 1000
"""Logins that may wait for the thread; a server's worth of people comes back after a restart."""

_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}")
_EMAIL = re.compile(r"[^\x00-\x20@\x7f]+@[^\x00-\x20@\x7f]+")


async def open_logins(settings: Settings) -> Logins:
    """Logins to the accounts that live in the file of the log, or in memory as it does.

    Raises:
        StoreError
    """
    path = settings.store.path
    accounts = SqlAccounts(None if path == "memory" else Path(path))
    await accounts.open()
    logins = Logins(
        accounts,
        kdf_cost=settings.accounts.kdf_cost,
        require_email=settings.accounts.require_email,
        name_limit=settings.limits.nick,
        limited=settings.limits.flood,
    )
    await logins.open()
    return logins


def derive(password: str, *, salt: bytes, iterations: int) -> Credential:
    """What is kept of a prepared password: dear to compute, by intention. (RFC 5802 3)"""
    salted = pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored_key = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return Credential(salt=salt, iterations=iterations, stored_key=stored_key, server_key=server_key)


class Logins:
    """The port `wire.logins.Logins` on the accounts of a store, which must be open.

    `kdf_cost` is a key of `ITERATIONS`; `name_limit` is in characters. Unless `limited`, wrong guesses cost
    no waiting.
    """

    def __init__(
        self,
        accounts: SqlAccounts,
        *,
        kdf_cost: str = "normal",
        require_email: bool = False,
        name_limit: int = 32,
        limited: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._accounts = accounts
        self._iterations = ITERATIONS[kdf_cost]
        self._require_email = require_email
        self._name_limit = name_limit
        self._limited = limited
        self._wall_ms = wall_ms
        self._guesses = Guesses(clock)
        self._homes: dict[tuple[str, str], None] = {}  # accounts, and addresses that have logged in to them
        self._thread = ThreadPoolExecutor(1, "asynchat-hash")
        self._busy = asyncio.Semaphore(1)
        self._queued = 0
        self._owned: set[str] = set()

    async def open(self) -> None:
        """Learn which names are accounts'."""
        self._owned = {casefold(name) for name in await self._accounts.names()}

    async def names(self) -> list[str]:
        """The names of all accounts."""
        return await self._asked(self._accounts.names())

    async def remove(self, name: str) -> None:
        """Forget an account.

        Raises:
            Refused: NO_SUCH_ACCOUNT
            StoreError
        """
        await self._accounts.remove(name)
        self._owned.discard(casefold(name))

    def is_owned(self, name: str) -> bool:
        """Whether a name is that of an account."""
        return casefold(name) in self._owned

    async def close_all(self) -> None:
        """End the thread, and let go of the accounts."""
        self.close()
        await self._accounts.close()

    def close(self) -> None:
        """End the thread; it waits for a hash at most."""
        self._thread.shutdown(cancel_futures=True)

    # What wires call: see the port.

    async def check_password(self, name: str, password: str, *, address: str) -> str:
        self._check(name, address)
        try:
            prepared = _prepared(password)
        except ValueError:
            raise _bad_password() from None  # nobody has it, so nothing was guessed
        async with self._turn():
            self._check(name, address)  # those before it in the queue may have guessed wrong
            account, credential = await self._look_up(name)
            proven: Account | None = None
            try:
                derived = await self._hash(prepared, salt=credential.salt, iterations=credential.iterations)
                if hmac.compare_digest(derived.stored_key, credential.stored_key):
                    proven = account
            finally:  # who does not wait for the answer has guessed nevertheless
                if proven is None:
                    self._guesses.wrong(self._counted(name, address))
        if proven is None:
            raise _bad_password()
        return self._admit(proven, address)

    async def credential_for(self, name: str, *, address: str) -> Credential:
        self._check(name, address)
        _, credential = await self._look_up(name)
        return credential

    async def judge(self, name: str, proven: bool, *, address: str) -> str:
        account = await self._asked(self._accounts.find(name))
        self._check(name, address)  # exchanges that began at the same time must not be worth a guess each
        if account is None or not proven:
            self._guesses.wrong(self._counted(name, address))
            raise _bad_password()
        return self._admit(account, address)

    async def by_certificate(self, fingerprint: str) -> str | None:
        account = await self._asked(self._accounts.by_certificate(fingerprint))
        return None if account is None else _verified(account)

    async def register(self, name: str, password: str, email: str | None) -> str:
        try:
            check_person(name, self._name_limit)
        except BadName as error:
            raise Refused("BAD_ACCOUNT_NAME", error.text, (name,)) from None
        self._check_email(name, email)
        prepared = _usable(name, password)
        if await self._asked(self._accounts.find(name)) is not None:  # `add` would tell, after the work
            raise Refused("ACCOUNT_EXISTS", f"{name} is registered already", (name,))
        credential = await self._credential(name, prepared)
        account = Account(name=name, credential=credential, email=email, created_ms=self._wall_ms())
        await self._asked(self._accounts.add(account))
        self._owned.add(casefold(name))
        return name

    async def set_password(self, name: str, password: str) -> None:
        """Give an account another password.

        Raises:
            Refused: NO_SUCH_ACCOUNT, or the password will not do.
            StoreError
        """
        credential = await self._credential(name, _usable(name, password))
        await self._accounts.set_credential(name, credential)

    async def add_certificate(self, name: str, fingerprint: str) -> None:
        """Let a certificate, known by its SHA-256 in hex, log in to an account.

        Raises:
            Refused: NO_SUCH_ACCOUNT, CERTIFICATE_TAKEN, or BAD_FINGERPRINT.
            StoreError
        """
        if not _FINGERPRINT.fullmatch(fingerprint.replace(":", "")):
            raise Refused("BAD_FINGERPRINT", "that is no SHA-256 in hexadecimal", (name,))
        await self._accounts.add_certificate(name, fingerprint)

    async def remove_certificate(self, name: str, fingerprint: str) -> None:
        """Let a certificate no longer log in to an account.

        Raises:
            Refused: NO_SUCH_CERTIFICATE
            StoreError
        """
        if not await self._accounts.remove_certificate(name, fingerprint):
            raise Refused("NO_SUCH_CERTIFICATE", f"that certificate does not log in to {name}", (name,))

    # How it is done.

    async def _credential(self, name: str, prepared: str) -> Credential:
        """What is to be kept of a password."""
        async with self._turn(name):
            salt = secrets.token_bytes(SALT_BYTES)
            return await self._hash(prepared, salt=salt, iterations=self._iterations)

    def _check_email(self, name: str, email: str | None) -> None:
        if email is None:
            if self._require_email:
                raise Refused("INVALID_EMAIL", "an e-mail address is needed", (name,))
        elif not _EMAIL.fullmatch(email) or len(email.encode()) > EMAIL_BYTES:
            raise Refused("INVALID_EMAIL", "that is no e-mail address", (name,))

    async def _look_up(self, name: str) -> tuple[Account | None, Credential]:
        """An account and its credential; a made-up one for nobody, which no password fits."""
        account = await self._asked(self._accounts.find(name))
        folded = casefold(name).encode()
        salt, stored_key, server_key = (
            hmac.digest(self._accounts.secret, label + folded, "sha256") for label in (b"salt:", b"stored:", b"server:")
        )
        nobody = Credential(
            salt=salt[:SALT_BYTES], iterations=self._iterations, stored_key=stored_key, server_key=server_key
        )
        return account, nobody if account is None else account.credential

    def _admit(self, account: Account, address: str) -> str:
        """Let somebody in who has proven to know the password."""
        name = _verified(account)
        home = casefold(name), network_of(address)
        self._homes.pop(home, None)
        self._homes[home] = None
        if len(self._homes) > REMEMBERED:
            del self._homes[next(iter(self._homes))]
        return name

    def _counted(self, name: str, address: str) -> tuple[Hashable, ...]:
        """What guesses are counted on: the account and the address.

        From where somebody has logged in to the account before, it is the account as seen from there: strangers who
        guess must not be able to lock the owner out.
        """
        network = network_of(address)
        home = casefold(name)[: 2 * self._name_limit], network
        return network, home if home in self._homes else home[:1]

    def _check(self, name: str, address: str) -> None:
        if self._limited:
            self._guesses.check(self._counted(name, address))

    @asynccontextmanager
    async def _turn(self, *about: str) -> AsyncIterator[None]:
        """The thread, for one who waited for it.

        Raises:
            Refused: TEMPORARILY_UNAVAILABLE, too many wait.
        """
        if self._queued >= QUEUE:
            raise Refused("TEMPORARILY_UNAVAILABLE", "too many are logging in; try again in a while", about)
        self._queued += 1
        try:
            async with self._busy:
                yield
        finally:
            self._queued -= 1

    async def _hash(self, password: str, *, salt: bytes, iterations: int) -> Credential:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: derive(password, salt=salt, iterations=iterations))

    async def _asked[T](self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except StoreError as error:
            log.error("the accounts cannot be read or written: %s", error)
            raise Refused("TEMPORARILY_UNAVAILABLE", "accounts are out of reach at the moment") from None


def _prepared(password: str) -> str:
    if len(password.encode()) > PASSWORD_BYTES:
        raise ValueError(f"longer than {PASSWORD_BYTES} bytes")
    return prepare(password)


def _verified(account: Account) -> str:
    if not account.verified:
        raise Refused("NOT_VERIFIED", f"{account.name} is not verified yet", (account.name,))
    return account.name


def _bad_password() -> Refused:
    return Refused("BAD_PASSWORD", "wrong name or password")


def _usable(name: str, password: str) -> str:
    """A new password, prepared.

    Raises:
        Refused: WEAK_PASSWORD, UNACCEPTABLE_PASSWORD
    """
    if not password:
        raise Refused("WEAK_PASSWORD", "a password is needed", (name,))
    try:
        return _prepared(password)
    except ValueError as error:
        raise Refused("UNACCEPTABLE_PASSWORD", f"that cannot be a password: {error}", (name,)) from None
