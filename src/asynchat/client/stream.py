"""The bytes under a connection: lines go out, lines come in, over TCP, TLS, a unix socket or a WebSocket."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Protocol

from asynchat.client.errors import Unreachable
from asynchat.client.trust import Trust
from asynchat.client.url import Url

if TYPE_CHECKING:
    import ssl

    from websockets.client import ClientProtocol

READ = 64 * 1024
"""So much is read at once."""
LINE_LIMIT = 64 * 1024
"""Bytes of the longest line that a server may send: four times as much as IRC allows for with all tags. What is longer
is left out, since what is cut may mean something else."""


class Stream(Protocol):
    """A connection as lines."""

    async def lines(self) -> list[bytes]:
        """Whole lines that have come, without their ends, at least one; none at the end.

        Raises:
            OSError
        """

    def write(self, line: str) -> None:
        """Send a line, sooner or later."""

    async def drain(self) -> None:
        """Wait until most of what was written is sent.

        Raises:
            OSError
        """

    @property
    def closing(self) -> bool:
        """Whether nothing more can be written."""

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS that is spoken, if it is."""

    def close(self) -> None:
        """End it once what was written is sent."""

    def abort(self) -> None:
        """End it now."""

    async def closed(self) -> None:
        """Wait until it has ended.

        Raises:
            OSError
        """


class Splitter:
    """Lines out of chunks, whatever their cut. One that is too long is left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, without their ends; empty ones do not count."""
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._keep(self._rest + data)
            return []
        lines = (self._rest + whole).split(b"\n")
        if self._skipping:
            self._skipping = False
            del lines[0]
        self._rest = b""
        self._keep(rest)
        return [line for each in lines if len(line := each.rstrip(b"\r")) <= LINE_LIMIT and line]

    def _keep(self, rest: bytes) -> None:
        if self._skipping or len(rest) > LINE_LIMIT:
            self._skipping, rest = True, b""
        self._rest = rest


class SocketStream:
    """Lines over a socket, with or without TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._splitter = Splitter()

    async def lines(self) -> list[bytes]:
        while data := await self._reader.read(READ):
            if lines := self._splitter.feed(data):
                return lines
        return []  # what came last without its end was cut: it is not what the server said

    def write(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())

    async def drain(self) -> None:
        await self._writer.drain()

    @property
    def closing(self) -> bool:
        return self._writer.is_closing()

    @property
    def tls(self) -> ssl.SSLObject | None:
        found: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return found

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def closed(self) -> None:
        await self._writer.wait_closed()


class WebStream(SocketStream):
    """Lines over a WebSocket: each message is one. (RFC 6455; IRCv3 websocket)"""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: ClientProtocol) -> None:
        super().__init__(reader, writer)
        self._protocol = protocol
        self._cut = b""

    async def shake_hands(self) -> None:
        """Become a WebSocket.

        Raises:
            Unreachable: the server does not want to be one.
            OSError
        """
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        while self._protocol.handshake_exc is None and self._protocol.state.name == "CONNECTING":
            await self._read()
        if self._protocol.handshake_exc is not None:
            raise Unreachable(f"it is no WebSocket: {self._protocol.handshake_exc}")

    async def lines(self) -> list[bytes]:
        while True:
            lines = [line for event in self._protocol.events_received() if (line := self._take(event))]
            if lines:
                return lines
            if not await self._read():
                return []

    async def _read(self) -> bool:
        """Take what comes; False if nothing comes any more."""
        data = await self._reader.read(READ)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._flush()
        return bool(data)

    def _take(self, event: object) -> bytes:
        """The line that a frame completes."""
        from websockets.frames import Frame, Opcode

        if not isinstance(event, Frame) or event.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return b""
        line = self._cut + bytes(event.data)
        self._cut = b"" if event.fin else line
        return line.rstrip(b"\r\n").replace(b"\n", b" ") if event.fin else b""

    @property
    def closing(self) -> bool:
        return super().closing or self._protocol.state.name != "OPEN"

    def write(self, line: str) -> None:
        self._protocol.send_text(line.encode())
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            else:  # both sides have said that it is over
                self._writer.close()


async def connect(url: Url, trust: Trust) -> Stream:
    """Connect, and see that it is whom we trust.

    Raises:
        Unreachable, Untrusted
    """
    context = trust.context() if url.secure else None
    try:
        if url.scheme == "unix":
            reader, writer = await asyncio.open_unix_connection(url.path, limit=READ)
        else:
            reader, writer = await asyncio.open_connection(url.host, url.port, limit=READ, ssl=context)
        try:
            stream = await _over(url, reader, writer)
            trust.check(stream.tls)
        except BaseException:
            writer.transport.abort()
            raise
    except OSError as error:
        raise failure(url, error) from None
    except UnicodeError:  # a part of it is empty, or too long
        raise Unreachable(f"{url}: that is no name of a machine") from None
    return stream


async def _over(url: Url, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Stream:
    if not url.web:
        return SocketStream(reader, writer)
    from websockets.client import ClientProtocol
    from websockets.typing import Subprotocol
    from websockets.uri import parse_uri

    protocol = ClientProtocol(parse_uri(str(url)), subprotocols=[Subprotocol("text.ircv3.net")], max_size=LINE_LIMIT)
    stream = WebStream(reader, writer, protocol)
    await stream.shake_hands()
    return stream


def failure(url: Url, error: OSError) -> Exception:
    """What an error on connecting means."""
    import ssl

    from asynchat.client.errors import Untrusted

    if isinstance(error, ssl.SSLCertVerificationError):
        return Untrusted(f"{url}: {error.verify_message}; --pin or --ca says what to trust instead")
    if isinstance(error, ssl.SSLError):
        return Unreachable(f"{url} does not speak TLS: {error.reason or error}")
    # asyncio names the address as well, or all of them if there are several, where people want the reason.
    number = error.errno or 0
    return Unreachable(f"{url}: {os.strerror(number) if number > 0 else error.strerror or error}")
