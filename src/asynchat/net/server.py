"""The server: one hub, one log, any number of listening sockets, one task per connection.

    async with Server(port=0) as server:
        print(server.url)

It touches neither the loop's policy nor signals, and leaves nothing behind. How it starts and stops is told in `life`.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.net.app.application import Application
from asynchat.net.app.inside import Inside
from asynchat.net.app.speakers import reserved
from asynchat.net.connections import GRACE_S
from asynchat.net.life import Life, Plan
from asynchat.wire.house import WIRES

STOPPING = "the server is stopping"

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
    below), and leaves no task, thread or descriptor behind, also when it is cancelled, however often. It may be entered
    again once it was left; what it kept in memory is gone then, and sockets that it was given are closed.

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
        listen: str | Sequence[str] | None = None,
        sockets: Iterable[socket.socket] = (),
        store: str | Path | None = None,
        durability: Literal["sync", "process"] | None = None,
        room: str | None = None,
        accounts: Literal["off", "optional", "required"] | None = None,
        wires: str | Iterable[str] = WIRES,
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
            listen = (listen,) if isinstance(listen, str) else tuple(listen)
            changes["server"]["listen"] = listen
        if room is not None:
            changes["server"]["room"] = room
        if store is not None or settings is None:
            changes["store"]["path"] = "memory" if store is None else str(store)
        if durability is not None:
            changes["store"]["durability"] = durability
        if accounts is not None:
            changes["accounts"]["mode"] = accounts
        self.settings = (settings or Settings()).with_values(changes, "Server")
        spoken = {wires} if isinstance(wires, str) else set(wires)
        if not spoken <= set(WIRES):
            raise BadConfig(f"Server: wires are {', '.join(WIRES)}, not {', '.join(spoken.difference(WIRES))}")
        lent = tuple(sockets)
        unasked = settings is None and host is None and port is None and listen is None
        if trace is not None:
            from asynchat.net.tracing import Trace
        self._plan = Plan(
            hooks=self._hooks,
            accounts=accounts,
            wires=frozenset(spoken),
            reserved=reserved(speakers, self.settings.limits.nick),
            sockets=lent,
            binds=not ((listen is not None and not listen) or (lent and unasked)),
            admin=admin,
            read_settings=read_settings,
            accept_loss=accept_loss,
            trace=Trace(trace) if trace is not None else None,
        )
        self._life: Life | None = None
        self.broke: Counter[str] = Counter()
        """How many connections, of each transport, broke its rules or were not let through."""

    # Its life.

    async def __aenter__(self) -> Self:
        if self.running:
            raise RuntimeError("the server runs already")
        self._entered = True
        self._life = Life(self.settings, self._plan, self.broke)
        await self._life.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def serve_forever(self) -> None:
        """Wait until the server is closed.

        Raises:
            RuntimeError: it does not run.
            whatever ended it, if that was not `close`.
        """
        await self._alive().served()

    @property
    def running(self) -> bool:
        """Whether it was entered and has not ended."""
        return self._life is not None and not self._life.over

    def stop(self, reason: str = STOPPING) -> None:
        """Begin to close, telling everybody why."""
        if self._life is not None:
            self._life.stop(reason)

    async def close(self, reason: str = STOPPING, *, grace: float = GRACE_S) -> None:
        """Stop listening, tell everybody why, store and send what is left, and let go of everything.

        Whoever has not taken what is left for them within `grace` seconds is dropped; so is everybody if who waits here
        is cancelled, who is so when all is over. A hook or command, which the end has to wait for, only begins it.
        """
        life = self._life
        if life is not None:
            life.stop(reason, grace)
            if not life.is_around:
                await life.ended()

    async def drain(self, reason: str, timeout_s: float | None = None) -> None:
        """Take no more connections, tell everybody why, wait until they have left or so long, then begin to close."""
        await self._alive().drain(reason, timeout_s)

    async def reload(self) -> None:
        """Read the configuration again: message of the day, passwords, operators, limits, certificates.

        What cannot be used is logged, and everything stays as it was. Addresses and the store stay in any case.
        """
        with suppress(BadConfig):
            await self._alive().reload()

    # Who comes.

    def admit(self, writer: asyncio.StreamWriter, address: str, *, secure: bool) -> None:
        """Talk IRC over a connection that somebody else has accepted: see `asynchat.asgi`.

        Raises:
            ConnectionRefusedError: there are too many.
            RuntimeError: it does not run.
        """
        self._alive().connections.admit(writer, address, secure=secure)

    def operate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Have the server's operator sit at the other end: see `net.console`."""
        self._alive().connections.operate(writer)

    # Where it is.

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens, as `host:port` or `unix://path`, while it does."""
        return self._life.addresses if self._life is not None and self.running else ()

    @property
    def fingerprint(self) -> str | None:
        """The SHA-256 of its certificate (DER), in hex, if it runs and speaks TLS."""
        return self._life.fingerprint if self._life is not None and self.running else None

    @property
    def port(self) -> int:
        """The TCP port that it listens on; with several, the first; 0 if there is none."""
        return self._life.port if self._life is not None else 0

    @property
    def url(self) -> str:
        """Where a client connects to: `asynchat://host:port`, or `unix://path`.

        Raises:
            RuntimeError: it does not listen, or not now.
        """
        if not self.addresses:
            raise RuntimeError("the server does not listen: enter it first, or give it a port")
        first = self.addresses[0]
        return first if first.startswith("unix:") else f"asynchat://{first}"

    @property
    def _inside(self) -> Inside | None:
        return self._life.inside if self._life is not None else None

    def _alive(self) -> Life:
        if self._life is None or self._life.over:
            raise RuntimeError("the server does not run: enter it first")
        return self._life
