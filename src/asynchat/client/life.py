"""The life of a program at a server: it enters, stays, and leaves in order."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self

from asynchat.client.cursor import Cursor
from asynchat.client.ending import outlive
from asynchat.client.handlers import Handlers
from asynchat.client.incoming import Incoming
from asynchat.client.positions import ROOMS, earlier
from asynchat.client.registration import Identity
from asynchat.client.talker import Talker
from asynchat.client.trust import Trust, normal
from asynchat.client.url import Url
from asynchat.client.visit import TALKS, Visit, talks_of
from asynchat.wire.irc.message import Message


class Life:
    """What `Client` builds on, whose parameters it takes."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "bot",
        rooms: str | Sequence[str] | None = None,
        password: str | None = None,
        account: str | None = None,
        gate: str | None = None,
        ca: str | Path | None = None,
        pin: str | None = None,
        certificate: str | Path | None = None,
        cursor: str | Path | None = None,
        reconnect: bool = True,
        wait_s: float = 0.0,
        timeout_s: float = 10.0,
    ) -> None:
        if not name or name.split() != [name]:
            raise ValueError(f"{name!r} cannot be a name: it is empty, or has spaces")
        self.url = Url.parse(url)
        self.identity = Identity(
            name=name,
            account=account or (name if password is not None else None),
            password=password,
            certificate=certificate is not None,
            gate=gate,
        )
        self.trust = Trust(
            authorities=Path(ca) if ca is not None else None,
            pin=normal(pin) if pin is not None else None,
            certificate=Path(certificate) if certificate is not None else None,
        )
        rooms = [rooms] if isinstance(rooms, str) else rooms
        self.rooms_to_enter = tuple(rooms) if rooms is not None else (self.url.room or "#lobby",)
        self.cursor = Path(cursor) if cursor is not None else None
        self.reconnect = reconnect
        self.wait_s = wait_s
        self.timeout_s = timeout_s
        self._handlers = Handlers()
        self._secret = secrets.token_hex(16)
        self._visit: Visit | None = None
        self._work: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        self._kept: Cursor | None = None
        self._stopping = asyncio.Event()
        self._entered = False
        self._grace_s = timeout_s

    def __repr__(self) -> str:
        return f"Client({str(self.url)!r}, name={self.name!r})"

    def run(self) -> None:
        """Be there, in a loop of its own, until SIGINT or SIGTERM: handlers finish what they are at, but for no longer
        than `timeout_s`, nor than until SIGINT (Ctrl-C) comes again.

        Raises:
            AsynchatError: as on entering; or what has ended the connection.
        """
        asyncio.run(self.stay())

    async def stay(self) -> signal.Signals | None:
        """Like `run`, in a loop that runs; signals are heard if it is that of the main thread.

        Returns the signal that has ended it, if one has.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        entering, told, cancels = True, list[signal.Signals](), 0

        def end(number: signal.Signals) -> None:
            nonlocal cancels
            told.append(number)
            self.stop()
            if entering or (len(told) > 1 and number is signal.SIGINT):
                self._grace_s = 0.0
                cancels += 1
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, end, number)
        try:
            async with self:
                entering = False
                self._inside().reading.decline()
                await self.stopped()
        except asyncio.CancelledError:
            if task.cancelling() != cancels:
                raise
        finally:
            for _ in range(cancels):
                task.uncancel()
            for number in (signal.SIGINT, signal.SIGTERM):
                with suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.remove_signal_handler(number)
        return told[0] if told else None

    def stop(self) -> None:
        """Have `run`, `stay` and `stopped` come to their end. A handler may call it."""
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until `stop` is called, or the connection is over.

        Raises:
            AsynchatError: what has ended the connection, if it was not made again.
        """
        visit = self._inside()
        async with asyncio.TaskGroup() as group:
            ends = [group.create_task(self._stopping.wait()), group.create_task(visit.over.wait())]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                end.cancel()
        if visit.talker.ended_by is not None:
            raise visit.talker.ended_by

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError(f"{self!r} is entered already")
        self._entered = True
        try:
            await self._enter()
        except BaseException:
            self._entered = False
            raise
        return self

    async def _enter(self) -> None:
        self._stopping.clear()
        self._grace_s = self.timeout_s
        async with AsyncExitStack() as stack:
            self._kept = stack.enter_context(Cursor(self.cursor, str(self.url))) if self.cursor is not None else None
            if self._kept is not None:
                self._secret = self._kept.secret()
            talker = await stack.enter_async_context(self._talker(self._kept))
            if self._kept is not None and self._logs_in and not talks_of(self._kept) and talker.began:
                self._kept.move({TALKS: f"timestamp={talker.began}"})
            visit = Visit(talker, self._handlers, self._kept, self._incoming, keeps_talks=self._logs_in)
            self._visit = visit
            # The root of all tasks of this client: leaving awaits it, perhaps in another task.
            self._work = asyncio.create_task(visit.work(), name="asynchat bot")
            stack.push_async_exit(self._leave)
            for room in self.rooms_to_enter:
                await self._join(room)
            self._stack = stack.pop_all()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        visit = self._visit
        if visit is not None and visit.is_handling:
            raise RuntimeError("a handler cannot leave its client, which would wait for it; it may `stop` it")
        if visit is not None and error is None:
            visit.reading.done()
        try:
            await self._stack.aclose()
        finally:
            self._entered = False
        if error is None and visit is not None and visit.failed is not None:
            raise visit.failed

    async def _leave(self, *_: object) -> None:
        """Have handlers finish what they are at."""
        visit, self._visit = self._visit, None
        assert visit is not None
        assert self._work is not None
        visit.stop()
        await outlive(self._work, grace_s=self._grace_s)

    def _talker(self, cursor: Cursor | None) -> Talker:
        return Talker(
            self.url,
            self.identity,
            trust=self.trust,
            wanted=("account-tag", "invite-notify", "standard-replies"),
            timeout_s=self.timeout_s,
            reconnect=self.reconnect,
            wait_s=self.wait_s,
            keeps_name=cursor is not None,  # what another of our names has said would be somebody else's
            past=0,
            history=True,
            since=earlier(talks_of(cursor)) if cursor is not None and self._logs_in else "",
            places=_known(cursor, people=self._logs_in) if cursor is not None else {},
        )

    @property
    def _logs_in(self) -> bool:
        return self.identity.account is not None or self.identity.certificate

    def _inside(self) -> Visit:
        if self._visit is None:
            raise RuntimeError(f"{self!r} is at no server: enter it by `async with`, or `run` it")
        return self._visit

    def _incoming(self, message: Message) -> Incoming | None:
        """What a program gets for a line of talk."""
        raise NotImplementedError

    # Where it is.

    @property
    def name(self) -> str:
        """As whom it comes."""
        return self.identity.name

    @property
    def nick(self) -> str:
        """The name that it has: another than `name` if somebody else is called so."""
        return self._visit.talker.nick if self._visit is not None else self.name

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._visit is not None and self._visit.talker.connected

    @property
    def rooms(self) -> list[str]:
        """The rooms that it is in, or enters again when there is a connection."""
        return self._visit.talker.rooms if self._visit is not None else []

    async def _join(self, room: str, key: str = "") -> None:
        after = self._kept.get(room) if self._kept is not None else None
        await self._inside().talker.enter(room, key, after=after)

    @property
    def failed(self) -> int:
        """How often a handler has raised something."""
        return self._handlers.failed


def _known(cursor: Cursor, *, people: bool) -> dict[str, str]:
    """The positions of rooms, and of people; who has no account is another to them each time."""
    return {place: at for place, at in cursor.places.items() if place != TALKS and (people or place[:1] in ROOMS)}
