"""Accounts in memory, for towns."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha256
from typing import Self

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold

ITERATIONS = 2
"""Rounds of hashing: a test's password need not resist anybody."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a password is checked against."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, name: str, password: str) -> Self:
        salt = b"salt of " + casefold(name).encode()
        salted = pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
        stored_key = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        return cls(salt, ITERATIONS, stored_key, hmac.digest(salted, b"Server Key", "sha256"))


class Logins:
    """The port `wire.logins.Logins`, in memory: passwords by name, and fingerprints of certificates to names."""

    def __init__(self, passwords: Mapping[str, str], certificates: Mapping[str, str] | None = None) -> None:
        self._accounts = {casefold(name): (name, password) for name, password in passwords.items()}
        self._certificates = dict(certificates or {})

    def is_owned(self, name: str) -> bool:
        return casefold(name) in self._accounts

    async def check_password(self, name: str, password: str, *, address: str) -> str:
        shown, right = self._accounts.get(casefold(name), (name, None))
        if password != right:
            raise Refused("BAD_PASSWORD", "wrong name or password")
        return shown

    async def credential_for(self, name: str, *, address: str) -> Credential:
        return Credential.of(name, self._accounts.get(casefold(name), (name, "nobody has this"))[1])

    async def judge(self, name: str, proven: bool, *, address: str) -> str:
        if not proven or not self.is_owned(name):
            raise Refused("BAD_PASSWORD", "wrong name or password")
        return self._accounts[casefold(name)][0]

    async def by_certificate(self, fingerprint: str) -> str | None:
        return self._certificates.get(fingerprint)

    async def register(self, name: str, password: str, email: str | None) -> str:
        if self.is_owned(name):
            raise Refused("ACCOUNT_EXISTS", f"{name} is registered already", (name,))
        if not password:
            raise Refused("WEAK_PASSWORD", "a password is needed", (name,))
        self._accounts[casefold(name)] = name, password
        return name

    def password_of(self, name: str) -> str:
        return self._accounts[casefold(name)][1]
