"""Logging in to an account: the client's half of SASL on IRC. (IRCv3 sasl-3.2)

A mechanism is a small state machine: `step` takes what the server says and gives what to answer.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac, sha256
from typing import Protocol

from asynchat.chat.errors import Refused
from asynchat.wire.saslprep import prepare

CHUNK = 400
"""Characters of Base64 in one `AUTHENTICATE`; one that has fewer is the last."""
MOST_ITERATIONS = 1_000_000
"""A server that wants more wants our processor."""


class Mechanism(Protocol):
    """One attempt to log in."""

    name: str

    @property
    def proven(self) -> bool:
        """Whether the server has proven what it has to."""

    def step(self, challenge: bytes) -> bytes:
        """What to answer.

        Raises:
            Refused: SASL_FAILED, the server is not whom it should be, or does not keep to the rules.
        """


class Plain:
    """A name and a password, for whoever reads along. (RFC 4616)"""

    name = "PLAIN"
    proven = True

    def __init__(self, account: str, password: str) -> None:
        self._answer = f"{account}\0{account}\0{password}".encode()

    def step(self, challenge: bytes) -> bytes:
        return self._answer


class External:
    """The certificate that was shown to TLS. (RFC 4422, appendix A)"""

    name = "EXTERNAL"
    proven = True

    def __init__(self, account: str) -> None:
        self._answer = account.encode()

    def step(self, challenge: bytes) -> bytes:
        return self._answer


class Scram:
    """Either end proves that it knows the password and neither says it. (RFC 5802, RFC 7677)"""

    name = "SCRAM-SHA-256"

    def __init__(self, account: str, password: str, *, nonce: str | None = None) -> None:
        name = account.replace("=", "=3D").replace(",", "=2C")
        self._password = password
        self._nonce = nonce or secrets.token_urlsafe(18)
        self._bare = f"n={name},r={self._nonce}"
        self._signature = b""
        self._stage = 0
        self.proven = False

    def step(self, challenge: bytes) -> bytes:
        self._stage += 1
        if self._stage == 1:
            return f"n,,{self._bare}".encode()
        fields = _fields(challenge)
        if self._stage == 2:
            return self._final(challenge.decode(), fields)
        if not hmac.compare_digest(_base64(fields.get("v", "")), self._signature):
            raise _failed("the server does not know the password: it is not whom it says it is")
        self.proven = True
        return b""

    def _final(self, first: str, fields: dict[str, str]) -> bytes:
        nonce, iterations = fields.get("r", ""), fields.get("i", "")
        if not nonce.startswith(self._nonce) or nonce == self._nonce or not iterations.isdecimal():
            raise _failed("the server does not keep to the rules")
        if not 0 < int(iterations[:9]) <= MOST_ITERATIONS:
            raise _failed(f"the server wants {iterations[:9]} iterations")
        try:
            password = prepare(self._password)
        except ValueError as error:
            raise _failed(str(error)) from None
        salted = pbkdf2_hmac("sha256", password.encode(), _base64(fields.get("s", "")), int(iterations))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        unproven = f"c=biws,r={nonce}"
        signed = f"{self._bare},{first},{unproven}".encode()
        signature = hmac.digest(sha256(client_key).digest(), signed, "sha256")
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return f"{unproven},p={b64encode(proof).decode()}".encode()


def encode(data: bytes) -> list[str]:
    """Data as the parameters of as many `AUTHENTICATE`."""
    text = b64encode(data).decode()
    chunks = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    return chunks if len(text) % CHUNK else [*chunks, "+"]


def decode(text: str) -> bytes:
    """What a server says in `AUTHENTICATE`.

    Raises:
        Refused: SASL_FAILED
    """
    return b"" if text == "+" else _base64(text)


def _fields(challenge: bytes) -> dict[str, str]:
    try:
        text = challenge.decode()
    except UnicodeDecodeError:
        raise _failed("the server does not keep to the rules") from None
    fields = dict(field.partition("=")[::2] for field in text.split(","))
    if "e" in fields:
        raise _failed(fields["e"])
    return fields


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise _failed("the server does not keep to the rules") from None


def _failed(text: str) -> Refused:
    return Refused("SASL_FAILED", text)
