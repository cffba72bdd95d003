"""A conversation: one connection, its task, and the session that speaks on it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from ipaddress import ip_address

from asynchat.net.peer import Peer
from asynchat.net.throttle import Throttle
from asynchat.wire.session import HIGH_WATER, NEVER, Session

log = logging.getLogger("asynchat.net")

STALLED_S = 30.0
"""How long a peer may take nothing of what it is sent."""


class Conversation:
    """Reads, and hands what it reads to the session; its errors end with it and cost nobody else anything.

    The session is woken by the server's wheel, never while it is receiving.
    """

    __slots__ = (
        "_awake",
        "_reading",
        "_schedule",
        "_spawn",
        "address",
        "due",
        "host",
        "pace",
        "peer",
        "reader",
        "reason",
        "session",
    )

    secure = False
    certificate: str | None = None

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        address: str,
        host: str,
        throttle: Throttle | None,
        spawn: Callable[[Conversation, float], asyncio.Task[None]],
    ) -> None:
        self.reader = reader
        self.peer = Peer(writer)
        self.address = address
        self.host = host
        self.pace = throttle
        self.session: Session
        self.reason = ""
        self.due = NEVER  # when the wheel will call
        self._spawn = spawn
        self._schedule: Callable[[Conversation], None] | None = None
        self._reading = False
        self._awake: asyncio.Task[None] | None = None

    # The session's link.

    def become(self, session: Session) -> None:
        """Another session takes over what comes next."""
        self.session = session

    def rouse(self) -> None:
        """The session wants to be woken at another time than it said."""
        if self._schedule is not None and self.session.wake_at < self.due:
            self._schedule(self)

    @property
    def lost(self) -> bool:
        """Whether the other end cannot be reached any more."""
        return self.peer.writer.transport.is_closing()

    async def drained(self) -> None:
        """Return once most of what was written is sent."""
        await self.peer.drain(STALLED_S)

    def close(self, reason: str = "") -> None:
        """End the connection once what was written is sent; while the session is receiving, once it has done so."""
        self.reason = self.reason or reason
        if self._reading:
            self.peer.finish()

    # What the server calls.

    async def finish(self, reason: str, grace_s: float) -> None:
        """Tell the others, then let the rest of what was written be sent, but not for ever."""
        writer = self.peer.writer
        try:
            await self.session.gone(reason)
        finally:
            self.peer.finish()
        try:
            async with asyncio.timeout(grace_s):
                await writer.wait_closed()
        except (TimeoutError, OSError):
            writer.transport.abort()

    async def run(self, read_buffer: int, schedule: Callable[[Conversation], None]) -> str:
        """Talk until one end has enough; returns why it ended."""
        self._schedule = schedule
        reader, peer, clock = self.reader, self.peer, asyncio.get_running_loop().time
        try:
            while not self.session.closing:
                self._reading = True
                data = await reader.read(read_buffer)
                self._reading = False
                if self._awake is not None:
                    await self._awake
                session = self.session
                if session.closing:
                    break
                if not data:
                    await session.eof()
                    return "connection closed"
                session.heard_at = clock()
                await session.receive(data)
                if peer.unsent() > HIGH_WATER:
                    await self.drained()
                if self.session.wake_at < self.due:
                    schedule(self)
        except OSError as error:
            if isinstance(error, TimeoutError) and error.errno is None:
                return "does not read"
            return (error.strerror or "connection lost").lower()
        except RuntimeError:  # uvloop's word for a write to a connection that is gone
            if not self.lost:
                raise
            return "connection lost"
        return self.reason

    def wake(self, now: float) -> bool:
        """Wake the session, unless it is busy; returns whether it could be."""
        if not self._reading or self._awake is not None:
            return False
        self._awake = self._spawn(self, now)
        return True

    async def wake_session(self, now: float) -> None:
        """Run the session's `wake`; a bug in it ends this conversation only."""
        try:
            await self.session.wake(now)
        except Exception:
            log.exception("%r failed while waking", self.session)
            self.abort("internal error")
        finally:
            self._awake = None

    def abort(self, reason: str) -> None:
        """Drop the connection now."""
        self.reason = self.reason or reason
        self.session.leaving = self.session.leaving or reason
        self.session.closing = True
        self.peer.abort()


def address_of(writer: asyncio.StreamWriter) -> str:
    """The other end's IP address, or `unix`."""
    name = writer.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else "unix"


def cloak(address: str, secret: bytes) -> str:
    """What others are shown of an address: the same for the same network end, and no way back to it."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return "localhost"
    if ip.is_loopback:
        return "localhost"
    known_by = ip.packed[:8] if ip.version == 6 else ip.packed  # a household has a /64
    return hmac.new(secret, known_by, hashlib.sha256).hexdigest()[:12] + ".cloak"
