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
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from asynchat.chat import snapshot
from asynchat.chat.hub import Hub, Limits
from asynchat.config import BadConfig, Settings
from asynchat.net.conversation import Conversation, address_of, cloak
from asynchat.net.fanout import Fanout
from asynchat.net.journal import Journal
from asynchat.net.listen import BACKLOG, CannotListen, Listen
from asynchat.net.peer import tune
from asynchat.net.throttle import Throttle
from asynchat.net.wheel import TICK_S, Wheel
from asynchat.store import Log
from asynchat.wire.door import Door
from asynchat.wire.session import NEVER, House, Session

log = logging.getLogger("asynchat")

SPARE_DESCRIPTORS = 64
"""Below the limit of open files; at the limit itself asyncio floods the log and nobody is told anything."""
GRACE_S = 3.0
"""How long a connection may take to swallow what it was sent before it is dropped."""


class Server:
    """A chat server on the running loop.

    `settings` are those of the configuration file; the keywords override them. `store` is the path of the file that
    keeps everything, or `"memory"`, which is the default without `settings`. Ready when entered, drained and closed
    when left.

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
    ) -> None:
        changes: dict[str, dict[str, Any]] = {"server": {}, "store": {}}
        if host is not None:
            changes["server"]["host"] = [host] if isinstance(host, str) else list(host)
        if port is not None:
            changes["server"] |= {"port": port, "listen": None}
        if room is not None:
            changes["server"]["room"] = room
        if store is not None or settings is None:
            changes["store"]["path"] = "memory" if store is None else str(store)
        if durability is not None:
            changes["store"]["durability"] = durability
        changes["server"] = {name: value for name, value in changes["server"].items() if value is not None}
        self.settings = (settings or Settings()).with_values(changes, "Server")
        self.addresses: tuple[str, ...] = ()
        """Where it listens, as `host:port` or `unix://path`, once it does."""
        self._stop = asyncio.Event()
        self._nobody = asyncio.Event()  # the last conversation has ended
        self._stopped_because = "the server is stopping"
        self._life: asyncio.Task[None] | None = None
        self._conversations: set[Conversation] = set()
        self._here = 0  # conversations that have come in
        self._port = 0

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
        sockets: list[tuple[socket.socket, str | None]] = []
        store = self._open_store()
        opened = False
        try:
            await store.open()
            opened = True
            sockets = self._bind()
            await self._serve(store, sockets, ready)
        except BaseException as error:
            if not ready.done() and not isinstance(error, asyncio.CancelledError):
                ready.set_exception(error)
                return
            raise
        finally:
            for sock, _ in sockets:
                sock.close()
            if opened:
                await store.close()

    async def _serve(
        self, store: Log, sockets: list[tuple[socket.socket, str | None]], ready: asyncio.Future[None]
    ) -> None:
        loop = asyncio.get_running_loop()
        settings = self.settings
        hub = Hub(lambda: time.time_ns() // 1_000_000, self._limits())
        fanout = Fanout(hub, send_queue=settings.limits.send_queue, over=lambda session: session.drop("SendQ exceeded"))
        hub.journal = journal = Journal(store, fanout.deliver, dump=lambda: snapshot.dump(hub.state))
        self._house = self._make_house(hub, store)
        self._wheel: Wheel[Conversation] = Wheel(loop, self._due)
        self._secret = secrets.token_bytes(16)
        await self._restore(store, hub)
        async with asyncio.TaskGroup() as outer:
            journal_task = outer.create_task(journal.run(), name="asynchat journal")
            try:
                await _see_off(hub)
                async with asyncio.TaskGroup() as group:
                    self._group = group
                    listeners = [
                        await asyncio.start_server(
                            partial(self._connected, greeting),
                            sock=sock,
                            backlog=BACKLOG,
                            limit=settings.limits.read_buffer,
                        )
                        for sock, greeting in sockets
                    ]
                    log.info("listening on %s", ", ".join(self.addresses))
                    ready.set_result(None)
                    await self._stop.wait()
                    for listener in listeners:
                        listener.close()
                    await self._send_home()
            finally:
                self._wheel.close()
                journal.close()
                await journal_task
                await journal.save_snapshot()

    def _open_store(self) -> Log:
        if self.settings.store.path == "memory":
            from asynchat.store.memory import MemoryLog

            return MemoryLog()
        from asynchat.store.sqlite import SqliteLog

        return SqliteLog(Path(self.settings.store.path), durability=self.settings.store.durability)

    def _limits(self) -> Limits:
        limits = self.settings.limits
        return Limits(name=limits.nick, room=limits.channel, topic=limits.topic, reason=limits.kick, away=limits.away)

    def _make_house(self, hub: Hub, store: Log) -> House:
        from asynchat import __version__

        settings = self.settings
        motd: tuple[str, ...] = ()
        if settings.server.motd is not None:
            try:
                motd = tuple(Path(settings.server.motd).read_text().splitlines())
            except (OSError, UnicodeDecodeError) as error:
                raise BadConfig(f"{settings.server.motd}: {error}") from None
        return House(
            hub=hub,
            history=store,
            name=settings.server.name,
            network=settings.server.network,
            version=__version__,
            started_ms=time.time_ns() // 1_000_000,
            room=settings.server.room,
            motd=motd,
            password=settings.server.password,
            greeting=settings.server.greeting,
            greeting_after_s=settings.server.greeting_after,
            replay=settings.history.replay,
            max_line=settings.limits.max_line,
            read_buffer=settings.limits.read_buffer,
            ping_interval_s=settings.limits.ping_interval,
            register_timeout_s=settings.limits.register_timeout,
            unknown=lambda: len(self._conversations) - self._here,
            came=self._came,
            went=self._went,
        )

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

    def _bind(self) -> list[tuple[socket.socket, str | None]]:
        """Sockets for all addresses, and the greeting of each."""
        server = self.settings.server
        bound: list[tuple[socket.socket, str | None]] = []
        try:
            if not server.listen:
                self._bind_hosts(server.host, server.port, bound)
            else:
                for text in server.listen:
                    for each in Listen.parse(text, server.host):
                        bound += [(sock, each.greeting) for sock in each.bind()]
        except ValueError as error:
            raise BadConfig(str(error)) from None
        except BaseException:
            for sock, _ in bound:
                sock.close()
            raise
        self.addresses = tuple(_name(sock) for sock, _ in bound)
        tcp = [sock.getsockname()[1] for sock, _ in bound if sock.family != socket.AF_UNIX]
        self._port = tcp[0] if tcp else 0
        return bound

    def _bind_hosts(self, hosts: Sequence[str], port: int, bound: list[tuple[socket.socket, str | None]]) -> None:
        """The same port on each host, whichever it is; a machine without IPv6 goes without `::1`."""
        for host in hosts:
            try:
                for sock in Listen(host, port).bind():
                    bound.append((sock, None))
                    port = port or sock.getsockname()[1]
            except CannotListen:
                if host != "::1" or not bound or socket.has_dualstack_ipv6():
                    raise

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
            spawn=self._spawn_wake,
        )
        conversation.session = Door(self._house, conversation, loop.time(), greeting)
        self._conversations.add(conversation)
        self._group.create_task(self._converse(conversation))

    async def _converse(self, conversation: Conversation) -> None:
        """One connection, from its first byte to its last. What goes wrong in it stays in it."""
        reason = "internal error"
        self._schedule(conversation)
        try:
            reason = await conversation.run(self.settings.limits.read_buffer, self._schedule)
        except Exception:
            log.exception("%r failed", conversation.session)
        finally:
            self._conversations.discard(conversation)
            if not self._conversations:
                self._nobody.set()
            await conversation.finish(reason, GRACE_S)

    def _came(self, session: Session) -> None:
        self._here += 1
        log.info("+ %s  %s  %s", _nick(session), session.link.address, session.wire)

    def _went(self, session: Session, reason: str) -> None:
        self._here -= 1
        log.info("- %s (%s)", _nick(session), reason)

    # Time.

    def _schedule(self, conversation: Conversation) -> None:
        when = conversation.session.wake_at
        if when < NEVER:
            conversation.due = when
            self._wheel.put(conversation, when)

    def _due(self, conversation: Conversation, now: float) -> None:
        if conversation.due > now + TICK_S or conversation not in self._conversations:
            return  # it was put for a later time as well
        conversation.due = NEVER
        if conversation.session.wake_at > now:
            self._schedule(conversation)
        elif not conversation.wake(now):
            conversation.due = now + 2 * TICK_S
            self._wheel.put(conversation, conversation.due)

    def _spawn_wake(self, conversation: Conversation, now: float) -> asyncio.Task[None]:
        return self._group.create_task(self._wake(conversation, now))

    async def _wake(self, conversation: Conversation, now: float) -> None:
        await conversation.wake_session(now)
        if conversation.session.wake_at < conversation.due:
            self._schedule(conversation)

    # The end.

    async def _send_home(self) -> None:
        """Tell everybody, wait a moment for them to take it, drop who does not."""
        for conversation in tuple(self._conversations):
            conversation.session.put_out(self._stopped_because)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while self._conversations:
                    self._nobody.clear()
                    await self._nobody.wait()
        for conversation in tuple(self._conversations):
            conversation.abort(self._stopped_because)


async def _see_off(hub: Hub) -> None:
    """Have those leave who were here when the server ended without telling; rooms then are as people find them."""
    leaving = [hub.depart(user, "the server was restarted") for user in tuple(hub.state.people.values())]
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


def _name(sock: socket.socket) -> str:
    where = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix://{where}"
    return f"[{where[0]}]:{where[1]}" if sock.family == socket.AF_INET6 else f"{where[0]}:{where[1]}"
