"""TLS as a transport: ciphertext in and out of two memory buffers, and a door of its own for what is inside.

There is no STARTTLS: TLS begins with the first byte of a connection or not at all. What came before it could otherwise
be delivered as if it had come inside. Nor is there TLS in TLS.
"""

from __future__ import annotations

import hashlib
import ssl
from contextlib import suppress

from asynchat.wire.carrier import CarriedPeer, Carrier
from asynchat.wire.door import Door
from asynchat.wire.house import House
from asynchat.wire.peer import HeldPeer
from asynchat.wire.session import Link

Context = ssl.SSLContext

RECORD = 16 * 1024
"""The most that one record holds. The buffers keep the size they once had, so no more than this goes through at once.
(RFC 8446, 5.1)"""


class TlsPeer(CarriedPeer):
    """The peer inside TLS: one write to the peer under it for each chunk."""

    __slots__ = ("_outgoing", "_tls")

    def __init__(self, under: HeldPeer, tls: ssl.SSLObject, outgoing: ssl.MemoryBIO) -> None:
        super().__init__(under)
        self._tls = tls
        self._outgoing = outgoing

    def seal(self, chunk: bytes) -> bytes:
        if len(chunk) <= RECORD:
            if chunk:
                self._tls.write(chunk)
            return self._outgoing.read()
        whole = memoryview(chunk)
        sealed = []
        for at in range(0, len(chunk), RECORD):
            self._tls.write(whole[at : at + RECORD])
            sealed.append(self._outgoing.read())
        return b"".join(sealed)


class TlsSession(Carrier):
    """A connection that is encrypted, and who speaks inside."""

    wire = "tls"

    __slots__ = ("_certificate", "_greeting", "_incoming", "_outgoing", "_tls")

    def __init__(self, house: House, link: Link, now: float, greeting: str | None = None) -> None:
        super().__init__(house, link, now)
        assert house.tls is not None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = house.tls.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._certificate: str | None = None
        self._greeting = greeting
        self.peer = TlsPeer(link.peer, self._tls, self._outgoing)
        self.wake_at = now + house.handshake_timeout_s

    @property
    def secure(self) -> bool:
        return True

    @property
    def certificate(self) -> str | None:
        return self._certificate

    async def receive(self, data: bytes) -> None:
        plain: list[bytes] = []
        ended = False
        try:
            for at in range(0, len(data), RECORD):
                self._incoming.write(data[at : at + RECORD])
                ended = ended or self._decrypt(plain)
        except ssl.SSLError as error:
            self._end()  # with the alert; nothing can be written after it
            await self._take(plain)
            self._fail(_why(error))
            return
        if self._outgoing.pending:
            self.link.peer.release(self._outgoing.read())
        await self._take(plain)
        if ended and not self.closing:  # the other end says no more
            await self.eof()
            self.closing = True
            self.link.close("connection closed")

    async def eof(self) -> None:
        if self.inner is None:
            self._fail("the TLS handshake was broken off")
        else:
            await super().eof()

    async def wake(self, now: float) -> None:
        if self.inner is None:
            self._fail("the TLS handshake took too long")
        else:
            await super().wake(now)

    def last_words(self) -> bytes:
        """The alert `close_notify`, or the fatal one that OpenSSL has made. (RFC 8446, 6.1)"""
        with suppress(ssl.SSLError):  # that of the other end is not waited for
            self._tls.unwrap()
        return self._outgoing.read()

    def _decrypt(self, plain: list[bytes]) -> bool:
        """Add what can be decrypted to `plain`; returns whether that was the last.

        Raises:
            ssl.SSLError: the other end broke the protocol.
        """
        try:
            if self.inner is None:
                self._tls.do_handshake()
                self._open_door()
            while data := self._tls.read(RECORD):
                plain.append(data)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLZeroReturnError:
            return True
        return True

    def _open_door(self) -> None:
        """The handshake is done."""
        certificate = self._tls.getpeercert(binary_form=True)
        if certificate is not None:
            self._certificate = hashlib.sha256(certificate).hexdigest()
        self.inner = Door(self.house, self, self.heard_at, self._greeting)

    async def _take(self, plain: list[bytes]) -> None:
        if plain and not self.closing:
            await self._hand_on(b"".join(plain))


def _why(error: ssl.SSLError) -> str:
    """What OpenSSL says was wrong, in lower case."""
    return f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
