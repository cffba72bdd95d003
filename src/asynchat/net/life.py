"""The life of a server, from its first socket to its last byte.

Start-up and shutdown read from top to bottom in `_live`. Nothing of a life outlasts it, whoever is cancelled meanwhile
and however often: the next one begins anew.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from asynchat.chat.hub import Hub
from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.net.admin import administer
from asynchat.net.app.arrivals import Arrivals
from asynchat.net.app.hooks import Followers, Hooks
from asynchat.net.app.inside import Inside
from asynchat.net.app.joining import both, fitted, judge_of, sessions_of
from asynchat.net.app.speakers import Speakers
from asynchat.net.connections import GRACE_S, Connections
from asynchat.net.core import make_core, store_of, tls_of
from asynchat.net.house import furnish, make_house
from asynchat.net.keeping import keep
from asynchat.net.lifting import lift
from asynchat.net.listen import BACKLOG, Bound, adopt, bind_all
from asynchat.net.office import Office
from asynchat.net.restoring import free_reserved, restore, see_off
from asynchat.net.tuning import tune
from asynchat.store import Log
from asynchat.wire.house import House

if TYPE_CHECKING:
    from asynchat.net.certificates import Tls
    from asynchat.net.logins import Logins
    from asynchat.net.tracing import Trace

log = logging.getLogger("asynchat")

_within: ContextVar[tuple[Life, ...]] = ContextVar("asynchat_within", default=())
"""The lives of whose tasks the running one is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a server was made with, besides its settings."""

    hooks: Hooks
    accounts: str | None
    wires: frozenset[str]
    reserved: frozenset[str]
    sockets: tuple[socket.socket, ...]
    binds: bool
    admin: Path | None
    read_settings: Callable[[], Settings] | None
    accept_loss: bool
    trace: Trace | None


class Life:
    """One of them: `begin`, then `stop`, then `ended`. `broke` counts connections that broke the rules."""

    def __init__(self, settings: Settings, plan: Plan, broke: Counter[str]) -> None:
        self.addresses: tuple[str, ...] = ()
        self.port = 0
        self.fingerprint: str | None = None
        self.house: House
        self.connections: Connections
        self.logins: Logins | None = None  # those that are its own
        self.inside: Inside | None = None
        self._settings = settings
        self._plan = plan
        self._broke = broke
        self._stop = asyncio.Event()
        self._stopped_because = "the server is stopping"
        self._grace_s = GRACE_S
        self._until_the_end: list[asyncio.StreamWriter] = []
        self._listeners: list[asyncio.Server] = []
        self._patient: list[Connections | Followers] = []  # who give others time at the end
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # The root of all its tasks. No TaskGroup can be its parent, since entering and leaving a server may be two
        # tasks' business, as in a pytest fixture.
        self._task = asyncio.create_task(self._live(), name="asynchat")

    # What the server calls.

    async def begin(self) -> None:
        """Return once it takes connections.

        Raises:
            BadConfig, CannotListen, StoreError
        """
        try:
            await asyncio.shield(self._ready)
        except BaseException:
            self.stop(self._stopped_because)
            with suppress(Exception):
                await self.ended()
            if self._ready.done() and not self._ready.cancelled():
                self._ready.exception()  # which is told here, or does not matter to who was cancelled
            raise

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    @property
    def is_around(self) -> bool:
        """Whether the running task is one of its own, or was begun by one: it cannot wait for the end."""
        return self in _within.get()

    def stop(self, reason: str, grace_s: float | None = None) -> None:
        """Begin to end, telling everybody why; `grace_s` is how long they may take to swallow that."""
        if grace_s is not None:
            self._grace_s = grace_s
        self._stopped_because = reason
        self._stop.set()

    def hurry(self) -> None:
        """Give nobody any more time."""
        self._grace_s = 0.0
        for each in self._patient:
            each.hurry()

    async def served(self) -> None:
        """Return once it has ended; to be cancelled meanwhile has no effect on it.

        Raises:
            whatever ended it, if that was not `stop`.
        """
        await asyncio.shield(self._task)

    async def ended(self) -> None:
        """Return once it has ended. Whoever is cancelled meanwhile makes it hurry, and is cancelled then.

        Raises:
            whatever ended it, if that was not `stop`.
        """
        cancelled: asyncio.CancelledError | None = None
        while not self._task.done():
            try:
                await asyncio.wait([self._task])
            except asyncio.CancelledError as error:  # again and again, by some frameworks
                cancelled = error
                self.hurry()
        if cancelled is None:
            self._task.result()
            return
        if not self._task.cancelled():
            self._task.exception()
        raise cancelled

    async def drain(self, reason: str, timeout_s: float | None) -> None:
        """Take no more connections, tell everybody why, wait until they have left or so long, then begin to end."""
        for listener in self._listeners:
            listener.close()
        await self.connections.drained(reason, timeout_s)
        self.stop(reason)

    async def reload(self) -> None:
        """Read the configuration again.

        Raises:
            BadConfig: it cannot be used; that was logged.
        """
        if self._plan.read_settings is None:
            return
        try:
            settings = self._fitted(self._plan.read_settings())
            tls = await tls_of(settings)
            offered = self.house.capabilities
            furnish(self.house, settings)
        except BadConfig as error:
            log.error("the configuration stays as it is: %s", error)
            raise
        self._speak_tls(tls)
        self.connections.limits = settings.limits
        for conversation in self.connections:
            with suppress(OSError, RuntimeError):  # gone: it finds out itself
                conversation.session.refurnished(offered)
        log.info("the configuration was read again")

    # How it goes.

    async def _live(self) -> None:
        """Start, serve until told to stop, stop in order."""
        _within.set((*_within.get(), self))
        ready = self._ready
        sockets: list[Bound] = []
        store: Log | None = None
        try:
            sockets += adopt(self._plan.sockets)
            made = store_of(self._settings, accept_loss=self._plan.accept_loss)
            await made.open()
            store = made
            if self._plan.binds:
                sockets += bind_all(self._settings.server)
            self.addresses = tuple(bound.name for bound in sockets)
            self.port = next((bound.port for bound in sockets if bound.port), 0)
            await self._serve(store, sockets)
        except BaseException as error:
            if not ready.done() and not isinstance(error, asyncio.CancelledError):
                ready.set_exception(error)
                return
            raise
        finally:
            for bound in sockets:
                bound.close()
            inside, self.inside = self.inside, None
            if inside is not None:
                await inside.arrivals.close()
            if self.logins is not None:
                await self.logins.close_all()
            if store is not None:
                await store.close()
            for writer in self._until_the_end:
                writer.close()

    async def _serve(self, store: Log, sockets: Sequence[Bound]) -> None:
        plan = self._plan
        settings = self._settings = self._fitted(self._settings)
        hub, fanout, catch_up, journal = make_core(settings, store, plan.trace)
        self.house = await self._make_house(settings, hub, store)
        self.house.read_on = catch_up.begin_after
        arrivals = Arrivals()
        self._speak_tls(await tls_of(settings))
        await restore(hub, store)
        async with asyncio.TaskGroup() as outer:
            followers = plan.hooks.follow(store.find, outer)
            self._patient.append(followers)
            journal.told = both(arrivals.told, followers.told) if followers else arrivals.told
            journal_task = outer.create_task(journal.run(), name="asynchat journal")
            try:
                await see_off(hub, always_on=settings.accounts.always_on)
                await free_reserved(hub)
                async with asyncio.TaskGroup() as group:
                    catch_up.work_in(group)
                    self.connections = Connections(self.house, settings.limits, group, self._broke)
                    self._patient.append(self.connections)
                    office = Office(
                        self.house,
                        connections=self.connections,
                        journal=journal,
                        store=store,
                        logins=self.logins,
                        reload=self.reload,
                        drain=self.drain,
                    )
                    speakers = Speakers(self.house, group)
                    self.inside = Inside(hub, store, speakers, arrivals, lambda: fanout.position)
                    administering = administer(plan.admin, office, self._until_the_end, group)
                    keeping = group.create_task(keep(settings.store, hub, store), name="asynchat keeping")
                    lifting = group.create_task(lift(hub), name="asynchat lifting")
                    try:
                        await self._listen(sockets)
                    finally:
                        keeping.cancel()
                        lifting.cancel()
                        if administering is not None:
                            administering.cancel()
                        await self.connections.close()
                        await speakers.close(self._stopped_because)
            finally:
                journal.close()
                await journal_task
                await followers.end(self._grace_s)
                await journal.save_snapshot()

    async def _make_house(self, settings: Settings, hub: Hub, store: Log) -> House:
        """What its sessions know of it, as it was planned."""
        plan = self._plan
        judge = judge_of(settings, plan.hooks)
        if judge is None and settings.accounts.mode != "off":
            from asynchat.net.logins import open_logins

            self.logins = await open_logins(settings)
        hub.reserved = plan.reserved
        house = make_house(settings, hub, store, judge or self.logins)
        house.reload, house.stop = self._reload_quietly, self.stop
        house.wires = plan.wires
        house.asks_all = judge is not None and settings.accounts.mode == "required"
        house.sessions = sessions_of(plan.hooks, plan.trace)
        return house

    async def _listen(self, sockets: Sequence[Bound]) -> None:
        """Take connections until told to stop, then end them."""
        listeners = self._listeners
        try:
            for bound in sockets:
                connected = partial(self.connections.connected, bound.greeting)
                tune(bound.sock)
                limit = self._settings.limits.read_buffer
                listeners.append(await asyncio.start_server(connected, sock=bound.sock, backlog=BACKLOG, limit=limit))
            log.info("listening on %s", ", ".join(self.addresses) or "nothing")
            self._ready.set_result(None)
            await self._stop.wait()
        finally:
            for listener in listeners:
                listener.close()
        await self.connections.end(self._stopped_because, self._grace_s)

    async def _reload_quietly(self) -> None:
        with suppress(BadConfig):
            await self.reload()

    def _fitted(self, settings: Settings) -> Settings:
        return fitted(settings, self._plan.hooks, self._plan.accounts)

    def _speak_tls(self, tls: Tls | None) -> None:
        self.house.tls = tls.context if tls is not None else None
        self.fingerprint = tls.fingerprint if tls is not None else None
