"""Whether a server can be reached, and what it is. Nobody enters: nothing is stored there."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import ssl
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from asynchat.cli.doctor.finding import Finding, note, ok, wrong
from asynchat.client.errors import Untrusted
from asynchat.client.trust import Trust

TIMEOUT_S = 5.0
TRIPS = 5
MOST = 64 * 1024
"""Bytes of an answer that are read."""
MOST_SHOWN = 100
"""Characters of what a server says of itself."""


class Target(NamedTuple):
    """Where to go: a host and a port or the path of a unix socket; with TLS or not."""

    host: str
    port: int
    path: str
    secure: bool

    def connect(self) -> socket.socket:
        """A connection; what it waits for takes no longer than the time-out.

        Raises:
            OSError
        """
        if not self.path:
            return socket.create_connection((self.host, self.port), timeout=TIMEOUT_S)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection

    def __str__(self) -> str:
        return self.path or f"{self.host} port {self.port}"


def reach(target: Target, trust: Trust, *, web: str = "") -> Iterator[Finding]:
    """Connect, speak TLS if need be, and ask; `web` is the path of a WebSocket, if it is one."""
    began = time.monotonic()
    try:
        connection = target.connect()
    except OSError as error:
        yield wrong("connect", f"{target}: {error.strerror or error}")
        return
    took_s = time.monotonic() - began
    where = "" if target.path else f" ({connection.getpeername()[0]})"
    yield ok("connect", f"{target}{where} after {took_s * 1000:.1f} ms")
    with closing(connection):
        if target.secure:
            try:
                found, connection = _with_tls(target, connection, trust)
            except Untrusted as error:
                yield wrong("TLS", str(error))
                return
            except OSError as error:
                yield wrong("TLS", f"{getattr(error, 'reason', None) or error.strerror or error}")
                return
            yield from found
        with closing(connection):
            try:
                yield from _ask_web(connection, target.host, web) if web else _ask(connection)
            except (OSError, ValueError) as error:
                yield wrong("answer", f"it does not answer as IRC: {getattr(error, 'strerror', None) or error}")


def _with_tls(target: Target, connection: socket.socket, trust: Trust) -> tuple[list[Finding], ssl.SSLSocket]:
    """Speak TLS, also with a server that is not to be trusted: it is only told about.

    Raises:
        OSError: it speaks none.
        Untrusted: what we trust cannot be read.
    """
    found: list[Finding] = []
    context = trust.context()
    try:
        secured = context.wrap_socket(connection, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        found.append(wrong("certificate", f"it is not trusted: {error.verify_message}"))
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secured = context.wrap_socket(target.connect(), server_hostname=target.host)
    cipher = secured.cipher()
    found.append(ok("TLS", f"{secured.version()}{f', {cipher[0]}' if cipher else ''}"))
    if expires := (secured.getpeercert() or {}).get("notAfter"):
        found.append(ok("certificate", f"trusted, until {expires}"))
    shown = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
    if trust.pin is None:
        found.append(note("certificate", f"its SHA-256 is {shown}"))
    else:
        pinned = ok("certificate", "it is the one that is pinned")
        other = wrong("certificate", f"it is not the one that is pinned: its SHA-256 is {shown}")
        found.append(pinned if trust.pin == shown else other)
    return found, secured


def _ask(connection: socket.socket) -> Iterator[Finding]:
    """Ask for capabilities, which one may before one has come in.

    Raises:
        OSError, ValueError: it is no IRC.
    """
    took: list[float] = []
    rest = b""
    for _ in range(TRIPS):
        began = time.monotonic()
        connection.sendall(b"CAP LS 302\r\n")
        name, offered, rest = _offered(connection, rest)
        took.append(time.monotonic() - began)
    connection.sendall(b"QUIT\r\n")
    sasl = next((each.partition("=")[2] for each in offered if each.split("=")[0] == "sasl"), None)
    login = "no logging in" if sasl is None else f"logging in with {sasl or 'SASL'}"
    yield ok("answer", f"IRC, from {name[:MOST_SHOWN]}: {len(offered)} capabilities, {login[:MOST_SHOWN]}")
    yield note("round trip", f"{statistics.median(took) * 1000:.2f} ms (median of {TRIPS})")


def _ask_web(connection: socket.socket, host: str, path: str) -> Iterator[Finding]:
    """Ask for a WebSocket. (RFC 6455 4.1)

    Raises:
        OSError, ValueError: it is none.
    """
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: text.ircv3.net"]
    began = time.monotonic()
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    status = connection.recv(4096).decode(errors="replace").partition("\r\n")[0]
    took_s = time.monotonic() - began
    if " 101 " not in f"{status} ":
        raise ValueError(f"no WebSocket: {status[:60] or 'it ends the connection'}")
    yield ok("answer", "a WebSocket")
    yield note("round trip", f"{took_s * 1000:.2f} ms")


def _offered(connection: socket.socket, rest: bytes) -> tuple[str, list[str], bytes]:
    """The name of the server and its capabilities, and what came after them.

    Raises:
        OSError
        ValueError: something else is answered, or nothing.
    """
    offered: list[str] = []
    said, seen = "", 0
    while True:
        line, newline, after = rest.partition(b"\n")
        if not newline:
            data = connection.recv(4096)
            seen += len(data)
            if seen > MOST:
                raise ValueError("it says more than anybody would read")
            if not data:
                raise ValueError(f"it says {said!r} and no more" if said else "it ends the connection")
            rest += data
            continue
        rest, said = after, said or line[:60].decode(errors="replace").strip()
        words = line.decode(errors="replace").split()
        if len(words) > 3 and words[1] == "CAP" and words[3] == "LS":
            offered += " ".join(words[4:]).removeprefix("* ").removeprefix(":").split()
            if words[4:5] != ["*"]:
                return words[0].removeprefix(":"), offered, rest
        elif words and words[0] == "ERROR":
            raise ValueError(" ".join(words[1:]).removeprefix(":"))


def is_ours(target: Target) -> bool:
    """Whether an asynchat answers there: it says so to a browser."""
    try:
        with closing(target.connect()) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while len(answer) < MOST and (data := connection.recv(4096)):
                answer += data
    except OSError:
        return False
    return b"<title>asynchat</title>" in answer
