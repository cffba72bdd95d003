"""What carries another wire: a session to the server, and a link to the session inside. TLS and WebSocket are two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from asynchat.chat.errors import KeptOut
from asynchat.wire.house import House
from asynchat.wire.peer import HeldPeer
from asynchat.wire.session import Link, Pace, Session

if TYPE_CHECKING:
    from asynchat.chat.users import User


class Carrier(Session):
    """A session whose wire is a transport, TLS or WebSocket: another session speaks inside, and this is its link.

    To the server it looks like the session inside, once there is one.
    """

    __slots__ = ("_busy", "_ended", "_leaving", "_wake_at", "inner")

    peer: CarriedPeer

    def __init__(self, house: House, link: Link, now: float) -> None:
        self.inner: Session | None = None
        super().__init__(house, link, now)
        self._busy = False  # the session inside is at work and may write yet, whether it has closed or not

    # What a transport says for itself.

    def last_words(self) -> bytes:
        """What ends the transport."""
        raise NotImplementedError

    # What the server calls.

    async def eof(self) -> None:
        if self.inner is not None and not self.closing:
            self._busy = True
            try:
                await self.inner.eof()
            finally:
                self._busy = False

    async def wake(self, now: float) -> None:
        if self.inner is not None:
            await self.inner.wake(now)

    async def gone(self, reason: str) -> None:
        try:
            if self.inner is not None:
                await self.inner.gone(reason)
        finally:
            self.closing = True
            self._end()

    def refurnished(self, before: Mapping[str, str]) -> None:
        if self.inner is not None:
            self.inner.refurnished(before)

    def tell(self, text: str) -> None:
        if self.inner is not None:
            self.inner.tell(text)

    def keep_out(self, refused: KeptOut) -> None:
        if self.inner is not None:
            self.inner.keep_out(refused)
        else:
            super().keep_out(refused)

    def put_out(self, reason: str) -> None:
        if self.inner is not None:
            self.inner.put_out(reason)
        else:
            super().put_out(reason)

    # The link of the session inside.

    @property
    def host(self) -> str:
        return self.link.host

    @property
    def secure(self) -> bool:
        return self.link.secure

    @property
    def certificate(self) -> str | None:
        return self.link.certificate

    @property
    def pace(self) -> Pace | None:
        return self.link.pace

    @property
    def lost(self) -> bool:
        return self.link.lost

    async def drained(self) -> None:
        await self.link.drained()

    def become(self, session: Session) -> None:
        self.inner = session

    def rouse(self) -> None:
        self.link.rouse()

    def close(self, reason: str = "") -> None:
        if not self._busy:  # else `gone` does it
            self._end()
        self.link.close(reason)

    def abort(self, reason: str) -> None:
        self.link.abort(reason)

    # What transports build on.

    async def _hand_on(self, data: bytes) -> None:
        """Have the session inside take what has come."""
        inner = self.inner
        assert inner is not None
        inner.heard_at = self.heard_at
        self._busy = True
        try:
            await inner.receive(data)
        finally:
            self._busy = False

    def _fail(self, reason: str) -> None:
        """The other end broke the rules: say the last words, and close."""
        self.house.broke(self, reason)
        self.closing = True
        self._end()
        self.link.close(reason)

    def _end(self) -> None:
        if not self.peer.ended:
            self.peer.end(self.last_words())

    # One with the session inside.

    @property
    def closing(self) -> bool:
        return self._ended or (self.inner is not None and self.inner.closing)

    @closing.setter
    def closing(self, closing: bool) -> None:
        self._ended = closing
        if self.inner is not None:
            self.inner.closing = closing

    @property
    def wake_at(self) -> float:
        return self._wake_at if self.inner is None else self.inner.wake_at

    @wake_at.setter
    def wake_at(self, wake_at: float) -> None:
        self._wake_at = wake_at

    @property
    def leaving(self) -> str:
        return self._leaving if self.inner is None else self.inner.leaving

    @leaving.setter
    def leaving(self, leaving: str) -> None:
        self._leaving = leaving
        if self.inner is not None:
            self.inner.leaving = leaving

    @property
    def user(self) -> User | None:
        return None if self.inner is None else self.inner.user

    @user.setter
    def user(self, user: User | None) -> None:
        if self.inner is not None:
            self.inner.user = user

    def __repr__(self) -> str:
        return f"<{self.wire} {self.inner!r} {self.link.address}>"


class CarriedPeer(HeldPeer):
    """The peer of a session inside a carrier: what is written to it is sealed, and goes to the peer under it."""

    __slots__ = ("_under", "ended")

    def __init__(self, under: HeldPeer) -> None:
        super().__init__(self._send, under.unsent)
        self._under = under
        self.ended = False

    def seal(self, chunk: bytes) -> bytes:
        """A chunk as the transport carries it."""
        raise NotImplementedError

    def end(self, last: bytes) -> None:
        """Write `last` as it is, and nothing after it: as with a socket that is closing, what follows is lost."""
        if not self.ended:
            self.release()
            self.draw_level()
        self.ended = True
        self.write = self._send
        self._under.release(last)

    def _send(self, chunk: bytes) -> None:
        if not self.ended:
            self._under.write(self.seal(chunk))
