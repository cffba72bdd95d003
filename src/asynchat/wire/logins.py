"""Logging in, as the wires see it: the port that `net` implements, and the form in which passwords are compared."""

from __future__ import annotations

import stringprep
from typing import Protocol
from unicodedata import ucd_3_2_0

_NEVER = (  # RFC 4013 2.3; the first of RFC 3454's tables that has a character of the text forbids it
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


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


def prepare(password: str) -> str:
    """A password in the form in which it is hashed, so that the ways to type it are one: SASLprep.

    Code points that are newer than Unicode 3.2 pass, here and in clients: emoji are good passwords, and there will be
    no later version of the rules that could change them. (RFC 4013)

    Raises:
        ValueError: there is a character in it that none may have, or writing directions are mixed; or nothing is left.
    """
    if password.isascii():
        text = password  # a short cut with the same result: only control characters are forbidden there
    else:
        spaced = (" " if stringprep.in_table_c12(each) else each for each in password)
        text = ucd_3_2_0.normalize("NFKC", "".join(each for each in spaced if not stringprep.in_table_b1(each)))
        _check_directions(text)
    if any(is_in_table(each) for each in set(text) for is_in_table in _NEVER):
        raise ValueError("a character that no password may have")
    if not text:
        raise ValueError("no password")
    return text


def _check_directions(text: str) -> None:
    """Let text pass that is written in one direction. (RFC 3454 6)"""
    if not any(map(stringprep.in_table_d1, text)):
        return
    if any(map(stringprep.in_table_d2, text)):
        raise ValueError("letters of both writing directions")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise ValueError("right-to-left letters that are not at both ends")
