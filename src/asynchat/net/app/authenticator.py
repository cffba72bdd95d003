"""Logins that an application judges, with accounts that it keeps itself."""

from __future__ import annotations

import time

from asynchat.chat.errors import BadName, Refused
from asynchat.chat.names import casefold, check_person
from asynchat.net.app.calls import Calls
from asynchat.net.app.hooks import Authenticator
from asynchat.net.guesses import Guesses, network_of
from asynchat.wire.logins import Credential


class AppLogins:
    """The port `wire.logins.Logins` on a function that takes a name and a password, and gives an account or None.

    It is asked with passwords as they were typed, so there is no SCRAM; nobody registers here; and a name belongs to an
    account from the first time that the function has given it. Wrong guesses cost waiting, if they are `limited`.
    """

    def __init__(self, function: Authenticator, calls: Calls, *, name_limit: int, limited: bool) -> None:
        self._function = function
        self._calls = calls
        self._name_limit = name_limit
        self._limited = limited
        self._guesses = Guesses(time.monotonic)
        self._owned: set[str] = set()

    def is_owned(self, name: str) -> bool:
        """Whether a name is known to be that of an account."""
        return casefold(name) in self._owned

    async def check_password(self, name: str, password: str, *, address: str) -> str:
        keys = (network_of(address), casefold(name)[: 2 * self._name_limit])
        if self._limited:
            self._guesses.check(keys)
        about = f"the login of {name[: self._name_limit]!r}"
        account = await self._calls.call(
            self._function, about, name, password, gives=(str, type(None)), check=self._check_account
        )
        if account is None:
            self._guesses.wrong(keys)
            raise Refused("BAD_PASSWORD", "wrong name or password")
        self._owned.add(casefold(account))
        return str(account)

    def _check_account(self, account: str | None) -> None:
        if account is not None:
            try:
                check_person(account, self._name_limit)
            except BadName as error:
                raise ValueError(f"it gave an account that nobody can be called: {error.text}") from None

    async def credential_for(self, name: str, *, address: str) -> Credential:
        raise Refused("TEMPORARILY_UNAVAILABLE", "there is no SCRAM here")

    async def judge(self, name: str, proven: bool, *, address: str) -> str:
        raise Refused("TEMPORARILY_UNAVAILABLE", "there is no SCRAM here")

    async def by_certificate(self, fingerprint: str) -> str | None:
        return None

    async def register(self, name: str, password: str, email: str | None) -> str:
        raise Refused("NO_ACCOUNTS", "accounts are not made here", (name,))
