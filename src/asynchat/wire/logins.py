"""Logging in, as the wires see it: the port that `net` implements."""

from __future__ import annotations

from typing import Protocol


class Credential(Protocol):
    """What a password is checked against. (RFC 5802 3)"""

    @property
    def salt(self) -> bytes: ...

    @property
    def iterations(self) -> int: ...

    @property
    def stored_key(self) -> bytes: ...

    @property
    def server_key(self) -> bytes: ...


class Logins(Protocol):
    """Who may log in as whom. `address` is that of the connection, on which guessing is limited too.

    Every method may raise `Refused` with TEMPORARILY_UNAVAILABLE: the store fails, or too many log in at once.
    """

    async def check_password(self, name: str, password: str, *, address: str) -> str:
        """The account's name as it is shown, if that is its password.

        Raises:
            Refused: BAD_PASSWORD, also if there is no such account; RATE_LIMITED; NOT_VERIFIED.
        """

    async def credential_for(self, name: str, *, address: str) -> Credential:
        """What to challenge somebody with; made up, and always the same, if there is no such account.

        Raises:
            Refused: RATE_LIMITED
        """

    async def judge(self, name: str, proven: bool, *, address: str) -> str:
        """The account's name as it is shown, if its password was `proven` against its credential; else it counts.

        Raises:
            Refused: BAD_PASSWORD, also if there is no such account; RATE_LIMITED, proven or not; NOT_VERIFIED.
        """

    async def by_certificate(self, fingerprint: str) -> str | None:
        """The account that a certificate logs in to; `fingerprint` is its SHA-256 in hexadecimal.

        Raises:
            Refused: NOT_VERIFIED
        """

    async def register(self, name: str, password: str, email: str | None) -> str:
        """Make an account, and give its name as it is shown.

        Raises:
            Refused: BAD_ACCOUNT_NAME, ACCOUNT_EXISTS, WEAK_PASSWORD (none), UNACCEPTABLE_PASSWORD or INVALID_EMAIL,
                about the name. (IRCv3 account-registration)
        """
