"""The server: one hub, one log, any number of listening sockets, one task per connection.

    async with Server(port=0) as server:
        print(server.url)

Start-up and shutdown read from top to bottom in `_live`. It touches neither the loop's policy nor signals, and leaves
nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from asynchat.chat import snapshot
from asynchat.chat.errors import StoreError
from asynchat.chat.hub import Hub
from asynchat.config import BadConfig, Settings
from asynchat.net.conversation import Conversation, address_of, cloak
from asynchat.net.fanout import Fanout
from asynchat.net.house import furnish, make_house, make_limits
from asynchat.net.journal import Journal
from asynchat.net.listen import BACKLOG, Bound, bind_all
from asynchat.net.peer import tune
from asynchat.net.throttle import Throttle
from asynchat.net.waking import Waker
from asynchat.store import Log
from asynchat.wire.door import Door
from asynchat.wire.session import Session

if TYPE_CHECKING:
    from asynchat.net.certificates import Tls
    from asynchat.net.logins import Logins

log = logging.getLogger("asynchat")

SPARE_DESCRIPTORS = 64
"""Below the limit of open files; at the limit itself asyncio floods the log and nobody is told anything."""
GRACE_S = 3.0
"""How long a connection may take to swallow what it was sent before it is dropped."""


class Server:
    """A chat server on the running loop.

    `settings` are those of the configuration file; the keywords override them. `store` is the path of the file that
    keeps everything, or `"memory"`, which is the default without `settings`. `admin` is where the socket for
    `asynchat admin` is to be, if there is to be one; `read_settings` reads the configuration again for `reload`. Ready
    when entered, drained and closed when left.

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
        store: str | Path | None = None,
        durability: str | None = None,
        room: str | None = None,
        admin: Path | None = None,
        read_settings: Callable[[], Settings] | None = None,
    ) -> None:
        changes: dict[str, dict[str, Any]] = {"server": {}, "store": {}}
        if host is not None:
            changes["server"]["host"] = [host] if isinstance(host, str) else list(host)
        if port is not None:
            changes["server"] |= {"port": port, "listen": ()}
        if room is not None:
            changes["server"]["room"] = room
        if store is not None or settings is None:
            changes["store"]["path"] = "memory" if store is None else str(store)
        if durability is not None:
            changes["store"]["durability"] = durability
        self.settings = (settings or Settings()).with_values(changes, "Server")
        self.addresses: tuple[str, ...] = ()
        """Where it listens, as `host:port` or `unix://path`, once it does."""
        self.fingerprint: str | None = None
        """The SHA-256 of its certificate (DER), in hex, if it speaks TLS."""
        self.broke: Counter[str] = Counter()
        """How many connections, of each transport, broke its rules or were not let through."""
        self._admin_path = admin
        self._read_settings = read_settings
        self._stop = asyncio.Event()
        self._nobody = asyncio.Event()  # the last conversation has ended
        self._stopped_because = "the server is stopping"
        self._life: asyncio.Task[None] | None = None
        self._conversations: set[Conversation] = set()
        self._here = 0  # conversations that have come in
        self._port = 0
        self._logins: Logins | None = None

    # What an application calls.

    async def __aenter__(self) -> Self:
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

    async def close(self, reason: str = "the server is stopping") -> None:
        """Stop listening, tell everybody why, store and send what is left, and let go of everything."""
        self._stopped_because = reason
        self._stop.set()
        if self._life is not None:
            await asyncio.shield(self._life)

    async def reload(self) -> None:
        """Read the configuration again: message of the day, passwords, operators, limits, certificates.

        What cannot be used is logged, and everything stays as it was. Addresses and the store stay in any case.
        """
        if self._read_settings is None:
            return
        try:
            settings = self._read_settings()
            tls = await self._tls_of(settings)
            offered = self._house.capabilities
            furnish(self._house, settings)
        except BadConfig as error:
            log.error("the configuration stays as it is: %s", error)
        else:
            self._speak_tls(tls)
            for conversation in tuple(self._conversations):
                conversation.session.refurnished(offered)
            log.info("the configuration was read again")

    @property
    def port(self) -> int:
        """The TCP port that it listens on; with several, the first."""
        return self._port

    @property
    def url(self) -> str:
        """Where a client connects to: `asynchat://host:port`, or `unix://path`."""
        first = self.addresses[0]
        return first if first.startswith("unix:") else f"asynchat://{first}"

    # Its life.

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """Start, serve until told to stop, stop in order."""
        sockets: list[Bound] = []
        store = self._open_store()
        opened = False
        try:
            await store.open()
            opened = True
            sockets = bind_all(self.settings.server)
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
            if self._logins is not None:
                await self._logins.close_all()
            if opened:
                await store.close()

    async def _serve(self, store: Log, sockets: Sequence[Bound], ready: asyncio.Future[None]) -> None:
        settings = self.settings
        hub = Hub(lambda: time.time_ns() // 1_000_000, make_limits(settings))
        fanout = Fanout(hub, send_queue=settings.limits.send_queue, over=lambda session: session.drop("SendQ exceeded"))
        hub.journal = journal = Journal(store, fanout.deliver, dump=lambda: snapshot.dump(hub.state))
        if settings.accounts.mode != "off":
            from asynchat.net.logins import open_logins

            self._logins = await open_logins(settings)
        self._house = make_house(settings, hub, store, self._logins)
        self._house.unknown = lambda: len(self._conversations) - self._here
        self._house.came, self._house.went, self._house.broke = self._came, self._went, self._broke
        self._house.reload = self.reload
        self._speak_tls(await self._tls_of(settings))
        self._secret = secrets.token_bytes(16)
        await self._restore(store, hub)
        async with asyncio.TaskGroup() as outer:
            journal_task = outer.create_task(journal.run(), name="asynchat journal")
            try:
                await _see_off(hub, always_on=self.settings.accounts.always_on)
                async with asyncio.TaskGroup() as group:
                    self._group = group
                    self._waker = Waker(asyncio.get_running_loop(), group, self._conversations)
                    try:
                        await self._listen(hub, sockets, ready)
                    finally:
                        self._waker.close()
            finally:
                journal.close()
                await journal_task
                await journal.save_snapshot()

    async def _listen(self, hub: Hub, sockets: Sequence[Bound], ready: asyncio.Future[None]) -> None:
        """Take connections until told to stop, then send everybody home."""
        administering = self._administer(hub, self._group)
        listeners: list[asyncio.Server] = []
        try:
            for sock, greeting, _ in sockets:
                connected = partial(self._connected, greeting)
                limit = self.settings.limits.read_buffer
                listeners.append(await asyncio.start_server(connected, sock=sock, backlog=BACKLOG, limit=limit))
            log.info("listening on %s", ", ".join(self.addresses))
            ready.set_result(None)
            await self._stop.wait()
        finally:
            for listener in listeners:
                listener.close()
            if administering is not None:
                administering.cancel()
        await self._send_home()

    def _administer(self, hub: Hub, group: asyncio.TaskGroup) -> asyncio.Task[None] | None:
        """Answer on the admin socket, if there is to be one."""
        if self._admin_path is None:
            return None
        from asynchat.net.admin import Admin

        admin = Admin(self._admin_path, hub=hub, logins=self._logins)
        try:
            sock = admin.bind()
        except StoreError as error:  # a path too long, for one: people can chat without
            log.warning("`asynchat admin` will not work: %s", error)
            return None
        return group.create_task(admin.run(sock), name="asynchat admin")

    def _open_store(self) -> Log:
        if self.settings.store.path == "memory":
            from asynchat.store.memory import MemoryLog

            return MemoryLog()
        from asynchat.store.sqlite import SqliteLog

        return SqliteLog(Path(self.settings.store.path), durability=self.settings.store.durability)

    async def _tls_of(self, settings: Settings) -> Tls | None:
        """What TLS is spoken with by those settings, if it is."""
        if not (settings.tls.mode or settings.tls.cert or settings.tls.key):
            return None
        from asynchat.net.certificates import tls_of

        path = self.settings.store.path
        return await asyncio.to_thread(tls_of, settings.tls, None if path == "memory" else Path(path).parent)

    def _speak_tls(self, tls: Tls | None) -> None:
        self._house.tls = tls.context if tls is not None else None
        self.fingerprint = tls.fingerprint if tls is not None else None

    async def _restore(self, store: Log, hub: Hub) -> None:
        """What the log adds up to: the last snapshot, and the changes since, applied with nobody listening."""
        saved = await store.snapshot()
        if saved is not None:
            snapshot.load(saved.state, hub.state)
        async for events in store.replay(saved.last_id if saved is not None else 0):
            for event in events:
                hub.state.apply(event)
        hub.begin_after(store.last_id, store.last_ms)

    # Listening.

    def _connected(self, greeting: str | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection: a task for it, or a polite no."""
        limits = self.settings.limits
        if self._stop.is_set() or len(self._conversations) >= (limits.max_clients or most_clients()):
            writer.write(b"ERROR :Server full, try again later\r\n")
            writer.close()
            return
        loop = asyncio.get_running_loop()
        address = address_of(writer)
        tune(writer.get_extra_info("socket"))
        conversation = Conversation(
            reader,
            writer,
            address=address,
            host=cloak(address, self._secret),
            throttle=Throttle(loop) if limits.flood else None,
            spawn=self._waker.spawn,
        )
        conversation.session = Door(self._house, conversation, loop.time(), greeting)
        self._conversations.add(conversation)
        self._group.create_task(self._converse(conversation))

    async def _converse(self, conversation: Conversation) -> None:
        """One connection, from its first byte to its last. What goes wrong in it stays in it."""
        reason = "internal error"
        self._waker.schedule(conversation)
        try:
            reason = await conversation.run(self.settings.limits.read_buffer, self._waker.schedule)
        except Exception:
            log.exception("%r failed", conversation.session)
        finally:
            await self._finish(conversation, reason)

    async def _finish(self, conversation: Conversation, reason: str) -> None:
        try:
            await conversation.finish(reason, GRACE_S)
        except Exception:
            log.exception("%r failed while it ended", conversation.session)
            conversation.peer.abort()
        finally:
            self._conversations.discard(conversation)
            if not self._conversations:
                self._nobody.set()

    def _came(self, session: Session) -> None:
        self._here += 1
        log.info("+ %s  %s  %s", _nick(session), session.link.address, session.wire)

    def _went(self, session: Session, reason: str) -> None:
        self._here -= 1
        log.info("- %s (%s)", _nick(session), reason)

    def _broke(self, session: Session, reason: str) -> None:
        self.broke[session.wire] += 1
        log.info("! %s  %s  %s", session.link.address, session.wire, reason)

    # The end.

    async def _send_home(self) -> None:
        """Tell everybody, wait a moment for them to take it, drop who does not."""
        for conversation in tuple(self._conversations):
            try:
                conversation.session.put_out(self._stopped_because)
            except (OSError, RuntimeError):  # gone in this very moment
                conversation.abort(self._stopped_because)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while self._conversations:
                    self._nobody.clear()
                    await self._nobody.wait()
        for conversation in tuple(self._conversations):
            conversation.abort(self._stopped_because)


async def _see_off(hub: Hub, *, always_on: bool) -> None:
    """Have those leave who were here when the server ended without telling, and who cannot come back as themselves."""
    gone = [user for user in hub.state.people.values() if not (always_on and user.lasting)]
    leaving = [hub.depart(user, "the server was restarted") for user in gone]
    if leaving:
        await leaving[-1]


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
