"""Where a server listens: addresses, as they are written, and their sockets."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from asynchat.chat.errors import AsynchatError
from asynchat.config.server import ServerSettings
from asynchat.config.values import BadConfig

BACKLOG = 1024


class CannotListen(AsynchatError):
    """An address cannot be listened on; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Listen:
    """One address: a host and a port, or the path of a unix socket; `greeting` if it has one of its own."""

    host: str = ""
    port: int = 0
    path: str = ""
    greeting: str | None = None

    @classmethod
    def parse(cls, text: str, hosts: tuple[str, ...]) -> list[Listen]:
        """What `[HOST]:PORT`, `tcp://HOST:PORT` or `unix://PATH` names, `?greeting=nick` after it or not.

        An empty host means each of `hosts`.

        Raises:
            ValueError: it is none of these.
        """
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        query = parse_qs(parts.query)
        greeting = query.pop("greeting", [None])[0]
        if query or greeting not in (None, "text", "nick", "none"):
            raise ValueError(f"{text}: only ?greeting=text, nick or none may follow an address")
        if parts.scheme == "unix" and parts.path:
            return [cls(path=parts.netloc + parts.path, greeting=greeting)]
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme != "tcp" or port is None:
            raise ValueError(f"{text}: an address is [HOST]:PORT, tcp://HOST:PORT or unix://PATH; ports end at 65535")
        return [cls(host, port, greeting=greeting) for host in ([parts.hostname] if parts.hostname else hosts)]

    def bind(self) -> list[socket.socket]:
        """Sockets that are bound and listen; non-blocking.

        Raises:
            CannotListen
        """
        try:
            return [self._unix()] if self.path else self._tcp()
        except OSError as error:
            raise CannotListen(f"cannot listen on {self}: {_hint(error)}") from None

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def _tcp(self) -> list[socket.socket]:
        found = socket.getaddrinfo(self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        bound: list[socket.socket] = []
        try:
            for family, _, _, _, where in dict.fromkeys(found):
                sock = socket.socket(family, socket.SOCK_STREAM)
                bound.append(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(where)
                sock.listen(BACKLOG)
                sock.setblocking(False)
        except OSError:
            for sock in bound:
                sock.close()
            raise
        return bound

    def _unix(self) -> socket.socket:
        if os.path.lexists(self.path) and stat.S_ISSOCK(os.lstat(self.path).st_mode):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(self.path) == 0:
                    raise OSError(errno.EADDRINUSE, "in use")
            Path(self.path).unlink()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.bind(self.path)
            sock.listen(BACKLOG)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
        return sock


class Bound(NamedTuple):
    """A socket that listens, and the greeting of its address."""

    sock: socket.socket
    greeting: str | None
    path: str = ""
    lent: bool = False
    """Whether its file, if it has one, is another's to take away."""

    @property
    def name(self) -> str:
        """`host:port`, or `unix://path`."""
        if self.path:
            return f"unix://{self.path}"
        where = self.sock.getsockname()
        return f"[{where[0]}]:{where[1]}" if self.sock.family == socket.AF_INET6 else f"{where[0]}:{where[1]}"

    @property
    def port(self) -> int:
        """The TCP port; 0 for a unix socket."""
        return 0 if self.path else int(self.sock.getsockname()[1])

    def close(self) -> None:
        """Listen no more, and leave no file behind."""
        self.sock.close()
        if self.path and not self.lent:
            Path(self.path).unlink(missing_ok=True)


def adopt(sockets: Iterable[socket.socket]) -> list[Bound]:
    """Sockets that somebody else has bound; they are closed with the server, and their files stay.

    Raises:
        CannotListen: one is none that can be listened on.
    """
    given = tuple(sockets)
    try:
        return [_adopt(sock) for sock in given]
    except CannotListen:
        for sock in given:
            sock.close()
        raise


def _adopt(sock: socket.socket) -> Bound:
    if sock.fileno() < 0:
        raise CannotListen("a socket to listen on is closed; a server that was given one runs once")
    where = sock.getsockname()
    if sock.type != socket.SOCK_STREAM or not where or where[1:2] == (0,):
        raise CannotListen(f"cannot listen on {sock}: it is no stream, or not bound to an address")
    sock.setblocking(False)
    return Bound(sock, None, str(where) if sock.family == socket.AF_UNIX else "", lent=True)


def bind_all(settings: ServerSettings) -> list[Bound]:
    """Sockets for all addresses of the settings.

    Raises:
        BadConfig: what should be an address is none.
        CannotListen: an address cannot be had.
    """
    bound: list[Bound] = []
    try:
        if not settings.listen:
            _bind_hosts(settings.host, settings.port, bound)
        for text in settings.listen or ():
            for each in Listen.parse(text, settings.host):
                bound += [Bound(sock, each.greeting, each.path) for sock in each.bind()]
    except BaseException as error:
        for taken in bound:
            taken.close()
        if isinstance(error, ValueError):
            raise BadConfig(f"[server] listen: {error}") from None
        raise
    return bound


def _bind_hosts(hosts: Sequence[str], port: int, bound: list[Bound]) -> None:
    """The same port on each host, whichever it is; a machine without IPv6 goes without `::1`."""
    for host in hosts:
        try:
            for sock in Listen(host, port).bind():
                bound.append(Bound(sock, None))
                port = port or bound[-1].port
        except CannotListen:
            if host != "::1" or not bound or socket.has_dualstack_ipv6():
                raise


def _hint(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "something listens there already; choose another port (--port), or 0 for any"
    if error.errno == errno.EACCES:
        return "that needs more rights; ports below 1024 are for root"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address"
    return error.strerror or str(error)
