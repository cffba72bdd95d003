"""A conversation: one connection, and the session that speaks on it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import cast

from asynchat.net.peer import Peer
from asynchat.net.throttle import Throttle
from asynchat.wire.session import HIGH_WATER, NEVER, Session

log = logging.getLogger("asynchat.net")

STALLED_S = 30.0
"""How long a peer may take nothing of what it is sent."""


class Conversation(asyncio.Protocol):
    """Hands what comes in to the session; its errors end with it and cost nobody else anything.

    It stands before the stream's own protocol, to which it passes on what concerns writing. What has come is taken in
    the turn of the loop in which it came; only a session that has to wait keeps a task. So an idle connection has
    none, and a line costs no wake-up. Meanwhile up to `read_buffer` bytes are kept, then reading stops.

    The session is woken by the server's wheel, never while it is at work. `over` is told once, with the reason.
    """

    __slots__ = (
        "_below",
        "_busy",
        "_closing",
        "_data",
        "_eof",
        "_fault",
        "_gone",
        "_loop",
        "_over",
        "_paused",
        "_read_buffer",
        "_schedule",
        "_task",
        "_woken",
        "address",
        "due",
        "ended",
        "host",
        "pace",
        "peer",
        "reason",
        "session",
    )

    secure = False
    certificate: str | None = None

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        *,
        loop: asyncio.AbstractEventLoop,
        address: str,
        host: str,
        throttle: Throttle | None,
        read_buffer: int,
        schedule: Callable[[Conversation], None],
        over: Callable[[Conversation, str], None],
    ) -> None:
        self.peer = Peer(writer)
        self.address = address
        self.host = host
        self.pace = throttle
        self.session: Session
        self.reason = ""
        self.due = NEVER  # when the wheel will call
        self.ended = False  # `over` was told
        self._loop = loop
        self._read_buffer = read_buffer
        self._schedule = schedule
        self._over = over
        self._data = b""  # what has come and was not taken
        self._eof = self._gone = self._closing = self._paused = False
        self._fault: BaseException | None = None
        self._woken: float | None = None
        self._busy = False
        self._task: asyncio.Task[None] | None = None  # if the session has to wait for something
        transport = writer.transport
        self._below: asyncio.StreamReaderProtocol = transport.get_protocol()  # type: ignore[assignment]  # it is one
        transport.set_protocol(self)

    # What the transport calls.

    def data_received(self, data: bytes) -> None:
        if self.ended:
            return
        if not self._busy and self.session.at_once(data):
            self.session.heard_at = self._loop.time()
            return
        self._data = self._data + data if self._data else data
        if not self._busy:
            self._begin()
        elif len(self._data) >= self._read_buffer and not self._paused:
            self._pause(True)

    def eof_received(self) -> bool:
        self._eof = True
        self._begin()
        return True  # what it asked for may be answered still

    def connection_lost(self, error: Exception | None) -> None:
        self._below.connection_lost(error)
        self._gone, self._fault = True, error
        self._begin()

    def pause_writing(self) -> None:
        self._below.pause_writing()

    def resume_writing(self) -> None:
        self._below.resume_writing()

    # The session's link.

    def become(self, session: Session) -> None:
        """Another session takes over what comes next."""
        self.session = session

    def rouse(self) -> None:
        """The session wants to be woken at another time than it said."""
        if self.session.wake_at < self.due:
            self._schedule(self)

    @property
    def lost(self) -> bool:
        """Whether the other end cannot be reached any more."""
        return self.peer.writer.transport.is_closing()

    async def drained(self) -> None:
        """Return once most of what was written is sent."""
        await self.peer.drain(STALLED_S)

    def close(self, reason: str = "") -> None:
        """End the connection once what was written is sent; while the session is at work, once it has done so."""
        self.reason = self.reason or reason
        self._closing = True
        if not self._busy:
            self.peer.finish()  # what others do from now on it does not hear
            self._begin()

    # What the server calls.

    def wake(self, now: float) -> bool:
        """Wake the session, unless it is busy; returns whether it could be."""
        if self._busy:
            return False
        self._woken = now
        self._begin()
        return True

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

    def abort(self, reason: str) -> None:
        """Drop the connection now."""
        self.reason = self.reason or reason
        self.session.leaving = self.session.leaving or reason
        self.session.closing = True
        self.peer.abort()

    async def cancel(self) -> None:
        """Have the session do no more, whatever it waits for."""
        self.ended = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # Taking what has come.

    def _begin(self) -> None:
        """Have the session take what there is, if it is not at it."""
        if self._busy or self.ended:
            return
        self._busy = True
        task = asyncio.Task(self._work(), loop=self._loop, eager_start=True)
        if not task.done():
            self._task = task

    async def _work(self) -> None:
        """Have the session take all there is; a bug in it ends this conversation only."""
        try:
            reason = await self._take()
        except OSError as error:
            reason = "does not read" if isinstance(error, TimeoutError) and error.errno is None else _words(error)
        except Exception as error:
            # uvloop raises RuntimeError for a write to a connection that is gone
            if not (isinstance(error, RuntimeError) and self.lost):
                log.exception("%r failed", self.session)
            reason = "connection lost" if self.lost else "internal error"
        finally:
            self._busy = False
            self._task = None
        if reason is not None and not self.ended:
            self.ended = True
            self._over(self, reason)

    async def _take(self) -> str | None:
        """Take what there is; returns why the conversation is over, None if it is not."""
        while True:
            session = self.session
            if session.closing or self._closing:
                return self.reason
            if self._fault is not None:
                return _words(self._fault)
            if self._data:
                session.heard_at = self._loop.time()
                await session.receive(self._next())
                if self.peer.unsent() > HIGH_WATER:
                    await self.drained()
            elif self._eof or self._gone:
                await session.eof()
                return "connection closed"
            elif self._woken is not None:
                now, self._woken = self._woken, None
                await session.wake(now)
            else:
                return None
            if self.session.wake_at < self.due:
                self._schedule(self)

    def _next(self) -> bytes:
        """What has come, no more at once than was agreed."""
        most = self._read_buffer
        data, self._data = (self._data, b"") if len(self._data) <= most else (self._data[:most], self._data[most:])
        if self._paused and len(self._data) < most:
            self._pause(False)
        return data

    def _pause(self, pause: bool) -> None:
        """Read no more for now, or go on."""
        transport = cast("asyncio.Transport", self.peer.writer.transport)
        self._paused = pause
        if not transport.is_closing():
            (transport.pause_reading if pause else transport.resume_reading)()


class SecureConversation(Conversation):
    """One over which nobody can listen in, though there is no TLS of ours."""

    __slots__ = ()

    secure = True


def _words(error: BaseException) -> str:
    """What others are told about a connection that failed."""
    return (getattr(error, "strerror", None) or "connection lost").lower()


def address_of(writer: asyncio.StreamWriter) -> str:
    """The other end's IP address, or `unix`."""
    name = writer.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else "unix"


@lru_cache(maxsize=1024)
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
