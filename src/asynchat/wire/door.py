"""The door: the first session of every connection.

It says nothing until it knows the wire, but for one thing: to who stays silent for a second it says how to come in.
That decides nothing; what comes then is sniffed like anything else.
"""

from __future__ import annotations

from collections.abc import Callable

from asynchat.chat.errors import KeptOut
from asynchat.wire.frame import FrameSession
from asynchat.wire.house import House
from asynchat.wire.irc.session import IrcSession
from asynchat.wire.line import FLUSH_TYPING_S, LineSession
from asynchat.wire.session import NEVER, Link, Session
from asynchat.wire.sniff import Opening, sniff

NO_TLS = b"\x15\x03\x01\x00\x02\x02\x46"
"""The fatal alert `protocol_version`: this server has no certificate. (RFC 8446, 6)"""


class Door(Session):
    """A connection of which nothing is known yet."""

    wire = "?"

    __slots__ = ("_data", "_greeted", "_greeting", "_silent")

    def __init__(self, house: House, link: Link, now: float, greeting: str | None = None) -> None:
        super().__init__(house, link, now)
        self._data = b""
        self._greeted = False
        self._greeting = (greeting or house.greeting) if LineSession.wire in house.wires else "none"
        self.wake_at = now + (house.register_timeout_s if self._greeting == "none" else house.greeting_after_s)

    async def receive(self, data: bytes) -> None:
        self._data += data
        opening = sniff(self._data)
        if opening is None:
            self.wake_at = self.heard_at + FLUSH_TYPING_S
        else:
            await self._open(opening)

    async def eof(self) -> None:
        opening = sniff(self._data, final=True)
        if opening is not None:
            session = await self._open(opening)
            if session is not None and not session.closing:
                await session.eof()

    async def wake(self, now: float) -> None:
        give_up = self.began + self.house.register_timeout_s
        opening = sniff(self._data, final=True)
        if opening is not None:
            await self._open(opening)
        elif now >= give_up:
            self.closing = True
            self.link.close()
        else:
            if not self._greeted and self._greeting != "none":
                self._greeted = True
                self.peer.write(self._welcome())
            self.wake_at = give_up

    def _welcome(self) -> bytes:
        if self._greeting == "nick":
            return b"NICK"
        return f'*** asynchat "{self.house.network}": type your name and press Enter\n'.encode()

    async def _open(self, opening: Opening) -> Session | None:
        """Hand over to the wire that these bytes open."""
        data, self._data = self._data, b""
        self.wake_at = NEVER
        if opening is Opening.TLS:
            if self.house.tls is not None and not self._greeted and not self.link.secure:  # no TLS in TLS
                return await self._encrypt(data)
            if not self._greeted:
                self.peer.write(NO_TLS)
            self.closing = True
            self.link.close()
            return None
        if opening is Opening.IRC and self._greeted:
            self.peer.write(b"\r\n")  # the greeting stands on a line of its own
        session: Session = self.house.sessions.get(opening.value, SESSIONS[opening])(
            self.house, self.link, self.heard_at
        )
        self.link.become(session)
        try:
            self.hub.admit(None, self.address)
        except KeptOut as refused:
            session.keep_out(refused)
            return session
        if opening.value not in self.house.wires:
            self.house.broke(session, f"{opening.value} is not spoken here")
            session.put_out(f"{opening.value} is not spoken here")
            return session
        if opening is Opening.HTTP and self._greeted:
            session.answer(400, "this connection was greeted as a person's\n")  # type: ignore[attr-defined]  # it is HTTP
            return session
        await session.receive(data)
        return session

    async def _encrypt(self, data: bytes) -> Session:
        """Begin TLS: what is inside comes to a door of its own."""
        from asynchat.wire.tls import TlsSession

        session = TlsSession(self.house, self.link, self.heard_at, self._greeting)
        self.link.become(session)
        await session.receive(data)
        return session


def _http(house: House, link: Link, now: float) -> Session:
    from asynchat.wire.http import HttpSession

    return HttpSession(house, link, now)


SESSIONS: dict[Opening, Callable[[House, Link, float], Session]] = {
    Opening.HTTP: _http,
    Opening.FRAME: FrameSession,
    Opening.IRC: IrcSession,
    Opening.LINE: LineSession,
}
