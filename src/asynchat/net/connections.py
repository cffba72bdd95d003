"""The connections of a server: who may connect, and how they end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from asynchat.config.server import LimitSettings
from asynchat.net.conversation import Conversation, SecureConversation, address_of, cloak
from asynchat.net.throttle import Throttle
from asynchat.net.tuning import INHERITED, tune
from asynchat.net.waking import Waker
from asynchat.wire.app import APP
from asynchat.wire.door import Door
from asynchat.wire.house import House
from asynchat.wire.irc.session import IrcSession
from asynchat.wire.session import Session

log = logging.getLogger("asynchat")
people = logging.getLogger("asynchat.people")

SPARE_DESCRIPTORS = 64
"""Below the limit of open files; at the limit itself asyncio floods the log and nobody is told anything."""
LINGERING = SPARE_DESCRIPTORS // 2
"""How many that were not let in may still be reading why; beyond that they learn it if they are quick."""
LINGER_S = 1.0
GRACE_S = 3.0
"""How long a connection may take to swallow what it was sent before it is dropped, unless it is said otherwise."""


class Connections:
    """All of them; their ends are tasks of `group`. What goes wrong in one stays in it.

    `limits` may be changed at any time; `broke` counts the connections, by transport, that broke its rules or were not
    let through.
    """

    def __init__(
        self, house: House, limits: LimitSettings, group: asyncio.TaskGroup, broke: Counter[str] | None = None
    ) -> None:
        self.limits = limits
        self.broke: Counter[str] = Counter() if broke is None else broke
        self._house = house
        self._group = group
        self._all: set[Conversation] = set()
        self._loop = asyncio.get_running_loop()
        self._waker = Waker(self._loop, self._all)
        self._most = most_clients()
        self._here = 0  # those that have come in
        self._lingering: set[asyncio.Task[None]] = set()  # with those that were not let in, and are not gone yet
        self._ending = False
        self._grace_s = GRACE_S
        self._patience: asyncio.Timeout | None = None  # with those who are told that it ends
        self._gone = asyncio.Event()  # one more has ended
        self._secret = secrets.token_bytes(16)
        house.unknown = lambda: len(self._all) - self._here
        house.came, house.went, house.broke = self._came, self._went, self._broke

    def __iter__(self) -> Iterator[Conversation]:
        return iter(tuple(self._all))

    def connected(self, greeting: str | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection: it is talked to from now on, or gets a polite no."""
        if self._ending or len(self._all) >= (self.limits.max_clients or self._most):
            self._turn_away(reader, writer)
            return
        address = address_of(writer)
        if not INHERITED:
            tune(writer.get_extra_info("socket"))
        throttle = Throttle(self._loop) if self.limits.flood else None
        conversation = self._conversation(writer, address, cloak(address, self._secret), throttle)
        conversation.session = Door(self._house, conversation, self._loop.time(), greeting)
        self._add(conversation)

    def _turn_away(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A polite no, and what comes all the same is swallowed until the other end has read it, but not for long.

        Who closes while something has not been read resets the connection, and what was written may never be seen
        (RFC 9112 9.6).
        """
        writer.write(b"ERROR :Server full, try again later\r\n")
        if self._ending or len(self._lingering) >= LINGERING:
            writer.close()
            return

        def over(task: asyncio.Task[None]) -> None:
            self._lingering.discard(task)
            writer.close()

        task = self._group.create_task(_swallow(reader, writer))
        self._lingering.add(task)
        task.add_done_callback(over)

    def admit(self, writer: asyncio.StreamWriter, address: str, *, secure: bool) -> Conversation:
        """A connection that somebody else has accepted, from this address; IRC is spoken over it, whatever comes.

        `secure`: nobody can listen in between us and the client.

        Raises:
            ConnectionRefusedError: there are too many.
        """
        if self._ending or len(self._all) >= (self.limits.max_clients or self._most):
            raise ConnectionRefusedError("server full")
        throttle = Throttle(self._loop) if self.limits.flood else None
        kind = SecureConversation if secure else Conversation
        conversation = self._conversation(writer, address, cloak(address, self._secret), throttle, kind)
        session = self._house.sessions.get(IrcSession.wire, IrcSession)
        conversation.session = session(self._house, conversation, self._loop.time())
        self._add(conversation)
        return conversation

    def operate(self, writer: asyncio.StreamWriter) -> Conversation:
        """A connection at whose other end the server's operator sits: a console. Its stream's reader reads no more."""
        from asynchat.wire.talk.console import ConsoleSession

        conversation = self._conversation(writer, "console", "localhost", None)
        kind = self._house.sessions.get(ConsoleSession.wire, ConsoleSession)
        conversation.session = kind(self._house, conversation, self._loop.time())
        self._add(conversation)
        conversation.wake(self._loop.time())
        return conversation

    def _conversation(
        self,
        writer: asyncio.StreamWriter,
        address: str,
        host: str,
        throttle: Throttle | None,
        kind: type[Conversation] = Conversation,
    ) -> Conversation:
        return kind(
            writer,
            loop=self._loop,
            address=address,
            host=host,
            throttle=throttle,
            read_buffer=self.limits.read_buffer,
            schedule=self._waker.schedule,
            over=self._over,
        )

    def _add(self, conversation: Conversation) -> None:
        self._all.add(conversation)
        self._waker.schedule(conversation)

    async def end(self, reason: str, grace_s: float = GRACE_S) -> None:
        """Tell everybody, wait so long for them to take it, drop who does not; `close` lets go of them."""
        self._ending, self._grace_s = True, grace_s
        for conversation in self:
            try:
                conversation.session.put_out(reason)
            except (OSError, RuntimeError):  # gone in this very moment
                conversation.abort(reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s) as self._patience:
                await self.emptied()
        for conversation in self:
            conversation.abort(reason)

    def hurry(self) -> None:
        """Let nobody take any more time to end."""
        self._grace_s = 0.0
        if self._patience is not None and self._ending:
            with suppress(RuntimeError):  # it has run out already
                self._patience.reschedule(self._loop.time())

    async def drained(self, reason: str, timeout_s: float | None) -> None:
        """Take no more, tell everybody why, and wait until all but the consoles have left, but not longer than that."""
        self._ending = True
        for conversation in self:
            with suppress(OSError, RuntimeError):  # gone in this very moment
                conversation.session.tell(reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while len(self._all) > len(self._house.consoles):
                    self._gone.clear()
                    await self._gone.wait()

    async def emptied(self) -> None:
        """Wait until there is none."""
        while self._all:
            self._gone.clear()
            await self._gone.wait()

    async def close(self) -> None:
        """Have nobody's time pass any more, and let go of those who are left, whatever they are at."""
        self._waker.close()
        for task in self._lingering:
            task.cancel()
        left = [conversation for conversation in self if not conversation.ended]
        for conversation in left:
            await conversation.cancel()
        await asyncio.gather(*(self._finish(conversation, "the server is stopping") for conversation in left))

    def _over(self, conversation: Conversation, reason: str) -> None:
        """One connection has nothing more to say."""
        self._group.create_task(self._finish(conversation, reason))

    async def _finish(self, conversation: Conversation, reason: str) -> None:
        try:
            await conversation.finish(reason, self._grace_s)
        except Exception:
            log.exception("%r failed while it ended", conversation.session)
            conversation.peer.abort()
        finally:
            self._all.discard(conversation)
            self._gone.set()

    def _came(self, session: Session) -> None:
        self._here += session.wire != APP  # which has no connection
        people.info("+ %s  %s  %s", _nick(session), session.link.address, session.wire)

    def _went(self, session: Session, reason: str) -> None:
        self._here -= session.wire != APP
        people.info("- %s (%s)", _nick(session), reason)

    def _broke(self, session: Session, reason: str) -> None:
        self.broke[session.wire] += 1
        log.info("! %s  %s  %s", session.link.address, session.wire, reason)


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that nothing more comes, and take what does until the other end says so too."""
    with suppress(OSError, RuntimeError):  # its time is up, or it is gone
        async with asyncio.timeout(LINGER_S):
            writer.write_eof()
            while await reader.read(65536):
                pass


def _nick(session: Session) -> str:
    return session.user.nick if session.user is not None else "?"


def most_clients() -> int:
    """As many connections as there are descriptors for, and some to spare."""
    try:
        import resource
    except ImportError:
        return 500
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - SPARE_DESCRIPTORS, 1) if soft != resource.RLIM_INFINITY else 1_000_000
