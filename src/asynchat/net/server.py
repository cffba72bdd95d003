"""The server: one hub, one log, any number of listening sockets, one task per connection.

    async with Server(port=0) as server:
        print(server.url)

Start-up and shutdown read from top to bottom in `_live`. It touches neither the loop's policy nor signals, and leaves
nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.net.admin import administer
from asynchat.net.app.application import Application
from asynchat.net.app.arrivals import Arrivals
from asynchat.net.app.inside import Inside
from asynchat.net.app.joining import both, fitted, judge_of, sessions_of
from asynchat.net.app.speakers import Speakers, reserved
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
from asynchat.wire.house import WIRES

if TYPE_CHECKING:
    from asynchat.net.certificates import Tls
    from asynchat.net.logins import Logins
    from asynchat.net.tracing import Trace

log = logging.getLogger("asynchat")
log.addHandler(logging.NullHandler())  # what is logged where is the program's business


class Server(Application):
    """A chat server on the running loop, stock or uvloop: ready when entered, drained and closed when left.

    `settings` are those of the configuration file, `[section] name` below; the keywords override them.

    - Where it listens: `port` (0 for any free one) on each `host`, which are addresses of this machine; or `listen`,
      which are whole addresses (`[host]:port`, `unix://path`); beside them, or alone, `sockets`, which are bound, and
      which it closes. `listen=()` is nowhere: then only this program is there.
    - What it keeps: `store` is the path of the file, or `"memory"`, the default without `settings`; `durability` is
      `"sync"`, which survives a power cut, or `"process"`, which survives `kill -9`.
    - Who comes in: into `room`, speaking one of `wires` (of `"line"`, `"frame"`, `"irc"`, `"http"`, which is WebSocket
      too; others are told and put out). `accounts` are `"off"`, `"optional"` or `"required"`. The names in `speakers`
      are kept for this program to speak `by`; nobody else comes in under them but by the password of such an account.

    `admin` is where the socket for `asynchat admin` is to be, if there is to be one; `read_settings` reads the
    configuration again for `reload`. With `accept_loss` it starts though the store misses something that was stored, or
    is damaged, which is then moved aside. `trace` is told, line by line, what comes in, what it means and who hears of
    it.

    It touches neither signals nor the policy of loops nor the configuration of logging (its loggers are `asynchat` and
    below), and leaves no task, thread or descriptor behind, also when it is cancelled.

    Raises on construction:
        BadConfig: a value does not fit.

    Raises on entering:
        BadConfig: a setting does not fit.
        CannotListen: an address cannot be had.
        StoreError: the store is damaged, of a newer version, or in use by another process.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        listen: Sequence[str] | None = None,
        sockets: Iterable[socket.socket] = (),
        store: str | Path | None = None,
        durability: str | None = None,
        room: str | None = None,
        accounts: str | None = None,
        wires: Iterable[str] = WIRES,
        speakers: str | Iterable[str] = (),
        hook_timeout: float = 5.0,
        admin: Path | None = None,
        read_settings: Callable[[], Settings] | None = None,
        accept_loss: bool = False,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(hook_timeout)
        changes: dict[str, dict[str, Any]] = {"server": {}, "store": {}, "accounts": {}}
        if host is not None:
            changes["server"]["host"] = [host] if isinstance(host, str) else list(host)
        if port is not None:
            changes["server"] |= {"port": port, "listen": ()}
        if listen is not None:
            changes["server"]["listen"] = tuple(listen)
        if room is not None:
            changes["server"]["room"] = room
        if store is not None or settings is None:
            changes["store"]["path"] = "memory" if store is None else str(store)
        if durability is not None:
            changes["store"]["durability"] = durability
        if accounts is not None:
            changes["accounts"]["mode"] = accounts
        self.settings = (settings or Settings()).with_values(changes, "Server")
        self._accounts = accounts
        self._wires = frozenset(wires)
        if not self._wires <= set(WIRES):
            raise BadConfig(f"Server: wires are {', '.join(WIRES)}, not {', '.join(self._wires.difference(WIRES))}")
        self._reserved = reserved(speakers, self.settings.limits.nick)
        self._sockets = tuple(sockets)
        unasked = settings is None and host is None and port is None and listen is None
        self._binds = not ((listen is not None and not listen) or (self._sockets and unasked))
        self.addresses: tuple[str, ...] = ()
        """Where it listens, as `host:port` or `unix://path`, once it does."""
        self.fingerprint: str | None = None
        """The SHA-256 of its certificate (DER), in hex, if it speaks TLS."""
        self.broke: Counter[str] = Counter()
        """How many connections, of each transport, broke its rules or were not let through."""
        self._admin_path = admin
        self._read_settings = read_settings
        self._accept_loss = accept_loss
        self._trace: Trace | None = None
        if trace is not None:
            from asynchat.net.tracing import Trace

            self._trace = Trace(trace)
        self._stop = asyncio.Event()
        self._until_the_end: list[asyncio.StreamWriter] = []
        self._listeners: list[asyncio.Server] = []
        self._stopped_because = "the server is stopping"
        self._grace_s = GRACE_S
        self._life: asyncio.Task[None] | None = None
        self._port = 0
        self._logins: Logins | None = None  # those that are its own

    # What an application calls.

    async def __aenter__(self) -> Self:
        self._entered = True
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # The root of all tasks of this server: `close` awaits it, and nothing outlives it. No TaskGroup can be its
        # parent, since entering and leaving may be two tasks' business, as in a pytest fixture.
        self._life = asyncio.create_task(self._live(ready), name="asynchat")
        try:
            await asyncio.shield(ready)
        except BaseException:
            self._stop.set()
            with suppress(Exception):
                await self._life
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def serve_forever(self) -> None:
        """Wait until the server is closed.

        Raises:
            whatever ended it, if that was not `close`.
        """
        assert self._life is not None, "the server is not entered"
        await asyncio.shield(self._life)

    @property
    def running(self) -> bool:
        """Whether it was entered and has not ended."""
        return self._life is not None and not self._life.done()

    def admit(self, writer: asyncio.StreamWriter, address: str, *, secure: bool) -> None:
        """Talk IRC over a connection that somebody else has accepted: see `asynchat.asgi`.

        Raises:
            ConnectionRefusedError: there are too many.
        """
        self._connections.admit(writer, address, secure=secure)

    def operate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Have the server's operator sit at the other end: see `net.console`."""
        self._connections.operate(writer)

    def stop(self, reason: str = "the server is stopping") -> None:
        """Begin to close, telling everybody why."""
        self._stopped_because = reason
        self._stop.set()

    async def drain(self, reason: str, timeout_s: float | None = None) -> None:
        """Take no more connections, tell everybody why, wait until they have left or so long, then begin to close."""
        for listener in self._listeners:
            listener.close()
        await self._connections.drained(reason, timeout_s)
        self.stop(reason)

    async def close(self, reason: str = "the server is stopping", *, grace: float = GRACE_S) -> None:
        """Stop listening, tell everybody why, store and send what is left, and let go of everything.

        Whoever has not taken what is left for them within `grace` seconds is dropped.
        """
        self._grace_s = grace
        self.stop(reason)
        if self._life is not None:
            await asyncio.shield(self._life)

    async def reload(self) -> None:
        """Read the configuration again: message of the day, passwords, operators, limits, certificates.

        What cannot be used is logged, and everything stays as it was. Addresses and the store stay in any case.
        """
        with suppress(BadConfig):
            await self._reload()

    async def _reload(self) -> None:
        """Read the configuration again.

        Raises:
            BadConfig: it cannot be used; that was logged.
        """
        if self._read_settings is None:
            return
        try:
            settings = self._fitted(self._read_settings())
            tls = await tls_of(settings)
            offered = self._house.capabilities
            furnish(self._house, settings)
        except BadConfig as error:
            log.error("the configuration stays as it is: %s", error)
            raise
        self._speak_tls(tls)
        self._connections.limits = settings.limits
        for conversation in self._connections:
            with suppress(OSError, RuntimeError):  # gone: it finds out itself
                conversation.session.refurnished(offered)
        log.info("the configuration was read again")

    @property
    def port(self) -> int:
        """The TCP port that it listens on; with several, the first."""
        return self._port

    @property
    def url(self) -> str:
        """Where a client connects to: `asynchat://host:port`, or `unix://path`.

        Raises:
            RuntimeError: it does not listen, or not yet.
        """
        if not self.addresses:
            raise RuntimeError("the server does not listen: enter it first, or give it a port")
        first = self.addresses[0]
        return first if first.startswith("unix:") else f"asynchat://{first}"

    # Its life.

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """Start, serve until told to stop, stop in order."""
        sockets = adopt(self._sockets)
        store = store_of(self.settings, accept_loss=self._accept_loss)
        opened = False
        try:
            await store.open()
            opened = True
            if self._binds:
                sockets += bind_all(self.settings.server)
            self.addresses = tuple(bound.name for bound in sockets)
            self._port = next((bound.port for bound in sockets if bound.port), 0)
            await self._serve(store, sockets, ready)
        except BaseException as error:
            if not ready.done() and not isinstance(error, asyncio.CancelledError):
                ready.set_exception(error)
                return
            raise
        finally:
            for bound in sockets:
                bound.close()
            inside, self._inside = self._inside, None
            if inside is not None:
                await inside.arrivals.close()
            if self._logins is not None:
                await self._logins.close_all()
            if opened:
                await store.close()
            for writer in self._until_the_end:
                writer.close()

    async def _serve(self, store: Log, sockets: Sequence[Bound], ready: asyncio.Future[None]) -> None:
        settings = self.settings = self._fitted(self.settings)
        hub, fanout, catch_up, journal = make_core(settings, store, self._trace)
        judge = judge_of(settings, self._hooks)
        if judge is None and settings.accounts.mode != "off":
            from asynchat.net.logins import open_logins

            self._logins = await open_logins(settings)
        hub.reserved = self._reserved
        self._house = make_house(settings, hub, store, judge or self._logins)
        self._house.reload, self._house.stop = self.reload, self.stop
        self._house.read_on = catch_up.begin_after
        self._house.wires = self._wires
        self._house.asks_all = judge is not None and settings.accounts.mode == "required"
        self._house.sessions = sessions_of(self._hooks, self._trace)
        arrivals = Arrivals()
        self._speak_tls(await tls_of(settings))
        await restore(hub, store)
        async with asyncio.TaskGroup() as outer:
            followers = self._hooks.follow(store.find, outer)
            journal.told = both(arrivals.told, followers.told) if followers else arrivals.told
            journal_task = outer.create_task(journal.run(), name="asynchat journal")
            try:
                await see_off(hub, always_on=settings.accounts.always_on)
                await free_reserved(hub)
                async with asyncio.TaskGroup() as group:
                    catch_up.work_in(group)
                    self._connections = Connections(self._house, settings.limits, group, self.broke)
                    office = Office(
                        self._house,
                        connections=self._connections,
                        journal=journal,
                        store=store,
                        logins=self._logins,
                        reload=self._reload,
                        drain=self.drain,
                    )
                    speakers = Speakers(self._house, group)
                    self._inside = Inside(hub, store, speakers, arrivals, lambda: fanout.position)
                    administering = administer(self._admin_path, office, self._until_the_end, group)
                    keeping = group.create_task(keep(settings.store, hub, store), name="asynchat keeping")
                    lifting = group.create_task(lift(hub), name="asynchat lifting")
                    try:
                        await self._listen(sockets, ready)
                    finally:
                        keeping.cancel()
                        lifting.cancel()
                        if administering is not None:
                            administering.cancel()
                        await self._connections.close()
                        await speakers.close(self._stopped_because)
            finally:
                journal.close()
                await journal_task
                await followers.end(self._grace_s)
                await journal.save_snapshot()

    async def _listen(self, sockets: Sequence[Bound], ready: asyncio.Future[None]) -> None:
        """Take connections until told to stop, then end them."""
        listeners = self._listeners
        try:
            for bound in sockets:
                connected = partial(self._connections.connected, bound.greeting)
                tune(bound.sock)
                limit = self.settings.limits.read_buffer
                listeners.append(await asyncio.start_server(connected, sock=bound.sock, backlog=BACKLOG, limit=limit))
            log.info("listening on %s", ", ".join(self.addresses) or "nothing")
            ready.set_result(None)
            await self._stop.wait()
        finally:
            for listener in listeners:
                listener.close()
        await self._connections.end(self._stopped_because, self._grace_s)

    def _fitted(self, settings: Settings) -> Settings:
        return fitted(settings, self._hooks, self._accounts)

    def _speak_tls(self, tls: Tls | None) -> None:
        self._house.tls = tls.context if tls is not None else None
        self.fingerprint = tls.fingerprint if tls is not None else None
