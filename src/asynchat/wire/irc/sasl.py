"""SASL on IRC: mechanisms as small state machines, and the chunks that `AUTHENTICATE` carries.

A session that reads `AUTHENTICATE <mechanism>` makes one of `MECHANISMS` and a `ChunkReader`, and answers
`AUTHENTICATE +`: in all of them the client speaks first. What the reader then makes of the client's chunks goes to
`step`, whose answer goes back through `encode_chunks`, until it is `Done` or refused, which ends the exchange.

What is refused here has one of three codes: SASL_TOO_LONG (905), SASL_ABORTED (906), SASL_FAILED (904); those of
`Logins` (BAD_PASSWORD, RATE_LIMITED …) are 904 too. (IRCv3 sasl-3.1, sasl-3.2)
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable
from enum import Enum, auto
from hashlib import sha256
from typing import NamedTuple

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.wire.logins import Credential, Logins

CHUNK = 400
"""Characters of Base64 in one `AUTHENTICATE`; one that has fewer is the last."""
MOST = 5 * CHUNK
"""Characters of Base64 in all: a password of 1024 bytes and two names fit."""

_PRINTABLE = re.compile(r"[\x21-\x2b\x2d-\x7e]+")  # RFC 5802 7, "printable": no comma
_SASLNAME = re.compile(r"(?:[^\0,=]|=2C|=3D)+")
_EXTENSIONS = re.compile(r"(?:,[A-Za-z]=[^\0,]+)*")


class Done(NamedTuple):
    """Somebody is logged in to this account; its name is as it is shown."""

    account: str


# Chunks.


def encode_chunks(data: bytes) -> list[str]:
    """Data as the parameters of as many `AUTHENTICATE`: Base64 in pieces, `+` for nothing and after a full last one."""
    text = b64encode(data).decode()
    chunks = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    return chunks if len(text) % CHUNK else [*chunks, "+"]


class ChunkReader:
    """Puts together what comes in the parameters of several `AUTHENTICATE`. It can be used again, after errors too."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text = ""

    def feed(self, chunk: str) -> bytes | None:
        """The data that this chunk completes, or None if there is more to come.

        Raises:
            Refused: SASL_ABORTED, the chunk is `*`; SASL_TOO_LONG, it is longer than 400; SASL_FAILED, there are too
                many of them, or it is no Base64.
        """
        text = self._text + ("" if chunk == "+" else chunk)
        self._text = ""
        if chunk == "*":
            raise Refused("SASL_ABORTED", "SASL authentication aborted")
        if len(chunk) > CHUNK:
            raise Refused("SASL_TOO_LONG", "SASL message too long")
        if len(text) > MOST:
            raise _failed("too much data")
        if len(chunk) == CHUNK:
            self._text = text
            return None
        return _base64(text)


# Mechanisms.


class Mechanism:
    """One attempt to log in. `fingerprint` is that of the certificate that the client has shown, if it has.

    What was refused is over: the client begins anew.
    """

    def __init__(self, logins: Logins, *, address: str, fingerprint: str | None = None) -> None:
        self._logins = logins
        self._address = address
        self._fingerprint = fingerprint

    async def step(self, data: bytes) -> bytes | Done:
        """What to answer to what the client says.

        Raises:
            Refused: it is not what it should be, or whatever `Logins` refuses.
        """
        raise NotImplementedError


class Plain(Mechanism):
    """PLAIN: a name and a password. (RFC 4616)"""

    async def step(self, data: bytes) -> Done:
        """`authzid NUL authcid NUL passwd`, of which the first is empty or the same name as the second."""
        fields = _text(data).split("\0")
        if len(fields) != 3:
            raise _failed("three fields are needed")
        authzid, name, password = fields
        if not name or not password:
            raise _failed("a name and a password are needed")
        _check_authzid(authzid, name)
        return Done(await self._logins.check_password(name, password, address=self._address))


class External(Mechanism):
    """EXTERNAL: the certificate that the client has shown to TLS. (RFC 4422, appendix A)"""

    async def step(self, data: bytes) -> Done:
        """The name to log in to, or nothing: there is but one for a certificate."""
        authzid = _text(data)
        if self._fingerprint is None:
            raise _failed("there is no client certificate")
        account = await self._logins.by_certificate(self._fingerprint)
        if account is None:
            raise _failed("no account has that certificate")
        _check_authzid(authzid, account)
        return Done(account)


class _Stage(Enum):
    """What a SCRAM exchange waits for."""

    FIRST = auto()
    FINAL = auto()
    ACKNOWLEDGEMENT = auto()  # the client must still answer, with nothing, to the proof that the server knows it
    OVER = auto()


class Scram(Mechanism):
    """SCRAM-SHA-256: either end proves that it knows the password and neither says it. (RFC 5802, RFC 7677)

    There is no channel binding and so no PLUS: a client may say that it has none (`n`), or that it thinks that we
    have none (`y`), which is right.
    """

    nonce: Callable[[], str] = staticmethod(lambda: secrets.token_urlsafe(18))
    """Makes our half of the nonce, which a client must not foresee."""

    _credential: Credential

    def __init__(self, logins: Logins, *, address: str, fingerprint: str | None = None) -> None:
        super().__init__(logins, address=address, fingerprint=fingerprint)
        self._stage = _Stage.FIRST
        self._name = ""
        self._account = ""
        self._header = ""
        self._whole_nonce = ""
        self._messages = ""  # the client's first without its header, and our first

    async def step(self, data: bytes) -> bytes | Done:
        """client-first-message, client-final-message, then nothing."""
        stage, self._stage = self._stage, _Stage.OVER  # where an error leaves it
        match stage:
            case _Stage.FIRST:
                answer = await self._first(_text(data))
                self._stage = _Stage.FINAL
                return answer
            case _Stage.FINAL:
                answer = await self._final(_text(data))
                self._stage = _Stage.ACKNOWLEDGEMENT
                return answer
            case _Stage.ACKNOWLEDGEMENT if not data:
                return Done(self._account)
            case _:
                raise _failed("nothing more was asked")

    async def _first(self, message: str) -> bytes:
        """`n,a=authzid,n=name,r=nonce,extensions` to `r=nonces,s=salt,i=iterations`."""
        binding, _, rest = message.partition(",")
        authzid, comma, bare = rest.partition(",")
        name, _, rest = bare.partition(",")
        nonce, extended, extensions = rest.partition(",")
        if binding not in ("n", "y") or not comma:
            raise _failed("channel binding is not supported")  # or it is no SCRAM at all
        if name[:2] != "n=" or nonce[:2] != "r=" or not _PRINTABLE.fullmatch(nonce, 2):
            raise _failed("a name and a nonce are needed")
        if not _EXTENSIONS.fullmatch(extended + extensions):
            raise _failed("those are no extensions")
        self._name = _saslname(name[2:])
        if authzid:
            if authzid[:2] != "a=":
                raise _failed("that is no authorization identity")
            _check_authzid(_saslname(authzid[2:]), self._name)
        self._credential = await self._logins.credential_for(self._name, address=self._address)
        self._header = message[: -len(bare)]
        self._whole_nonce = nonce[2:] + self.nonce()
        salt = b64encode(self._credential.salt).decode()
        answer = f"r={self._whole_nonce},s={salt},i={self._credential.iterations}"
        self._messages = f"{bare},{answer}"
        return answer.encode()

    async def _final(self, message: str) -> bytes:
        """`c=header,r=nonces,extensions,p=proof` to `v=signature`."""
        unproven, _, proof_text = message.rpartition(",p=")
        binding, _, rest = unproven.partition(",")
        nonce, extended, extensions = rest.partition(",")
        if binding[:2] != "c=" or _base64(binding[2:]) != self._header.encode():
            raise _failed("the channel binding is another one than before")
        if nonce != f"r={self._whole_nonce}":
            raise _failed("the nonce is another one than before")
        if not _EXTENSIONS.fullmatch(extended + extensions):
            raise _failed("those are no extensions")
        proof = _base64(proof_text)
        credential, signed = self._credential, f"{self._messages},{unproven}".encode()
        signature = hmac.digest(credential.stored_key, signed, "sha256")
        if len(proof) != len(signature):
            raise _failed("that is no proof")
        client_key = bytes(one ^ other for one, other in zip(proof, signature, strict=True))
        proven = hmac.compare_digest(sha256(client_key).digest(), credential.stored_key)
        self._account = await self._logins.judge(self._name, proven, address=self._address)
        return b"v=" + b64encode(hmac.digest(credential.server_key, signed, "sha256"))


MECHANISMS: dict[str, type[Mechanism]] = {"PLAIN": Plain, "SCRAM-SHA-256": Scram, "EXTERNAL": External}
"""Those there are, by the name that `AUTHENTICATE` and the value of the capability `sasl` have for them."""


def _failed(text: str) -> Refused:
    return Refused("SASL_FAILED", f"SASL authentication failed: {text}")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _failed("it is not UTF-8") from None


def _base64(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        raise _failed("it is not Base64") from None


def _saslname(text: str) -> str:
    """A name in which a comma and an equals sign are escaped. (RFC 5802 5.1)"""
    if not _SASLNAME.fullmatch(text):
        raise _failed("that is no name")
    return text.replace("=2C", ",").replace("=3D", "=")


def _check_authzid(authzid: str, name: str) -> None:
    """Nobody acts for somebody else: an authorization identity, if there is one, is the name itself."""
    if authzid and casefold(authzid) != casefold(name):
        raise _failed("nobody may log in as somebody else")
