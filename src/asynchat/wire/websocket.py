"""WebSocket as a transport for IRC: each message is one line, without its CR LF. (RFC 6455; IRCv3 websocket)

The `websockets` library judges the handshake and the frames. There is no compression: it costs memory for each
connection, and mixes secrets with what others say.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import h11
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, SERVER, Protocol
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from asynchat.wire.carrier import CarriedPeer, Carrier
from asynchat.wire.house import House
from asynchat.wire.irc.session import IrcSession
from asynchat.wire.peer import HeldPeer
from asynchat.wire.session import Link

TEXT, BINARY = Subprotocol("text.ircv3.net"), Subprotocol("binary.ircv3.net")
MOST = 64 * 1024
"""The longest message in bytes. A line of IRC is shorter, and the session inside says so to who exceeds it."""
SLICE = 1024
"""So much is parsed before others have their turn: tiny frames cost as much as long ones."""
LONGEST_REASON = 123
"""Bytes of a reason in a close frame. (RFC 6455, 5.5)"""
PORTS = {"http": "80", "https": "443"}


class NotOpened(Exception):
    """The handshake is refused, with this status, text and headers of HTTP."""

    def __init__(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


class Opening(NamedTuple):
    """A handshake that is accepted: the headers of the answer, and what the messages are to be."""

    headers: list[tuple[str, str]]
    binary: bool


def open_websocket(request: h11.Request, allowed_origins: Sequence[str]) -> Opening:
    """Judge a handshake.

    Raises:
        NotOpened
    """
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers)
    if request.http_version != b"1.1":
        raise NotOpened(505, "WebSocket needs HTTP/1.1\n")
    if headers.get_all("Transfer-Encoding") or not set(headers.get_all("Content-Length")) <= {"0"}:
        raise NotOpened(400, "a WebSocket handshake has no body\n")
    if headers.get_all("Sec-WebSocket-Version") != ["13"]:  # RFC 6455, 4.4
        raise NotOpened(
            426, "WebSocket of version 13 only\n", ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")
        )
    origins = headers.get_all("Origin")
    if len(origins) > 1 or not all(may_open(origin, headers["Host"], allowed_origins) for origin in origins):
        raise NotOpened(403, f"pages of {', '.join(origins)} may not open a WebSocket here\n")
    response = ServerProtocol(select_subprotocol=_choose).accept(Request(request.target.decode("latin-1"), headers))
    if response.status_code != 101:
        raise NotOpened(response.status_code, (response.body or b"").decode())
    return Opening(list(response.headers.raw_items()), response.headers.get("Sec-WebSocket-Protocol") == BINARY)


def _choose(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first that we know, for the order is the client's; it may do without."""
    return next((each for each in offered if each in (TEXT, BINARY)), None)


def may_open(origin: str, host: str, allowed: Sequence[str]) -> bool:
    """Whether a page of this origin may open a WebSocket on this host; `http` and `https` of a host are one.

    No `Origin` at all means no browser, and is not asked about.
    """
    if "*" in allowed or origin.lower() in [each.lower().rstrip("/") for each in allowed]:
        return True
    scheme, _, place = origin.lower().partition("://")
    port = PORTS.get(scheme)
    return port is not None and _with_port(place, port) == _with_port(host.lower(), port)


def _with_port(place: str, port: str) -> str:
    return place if ":" in place.rpartition("]")[2] else f"{place}:{port}"


@lru_cache(maxsize=4)
def frames(chunk: bytes, binary: bool) -> bytes:
    """Each line of a chunk as a frame; a text frame holds nothing that is not UTF-8.

    Who speaks the same dialect in one room hears the same chunk: the cache makes it frames once for all of them.
    """
    opcode = Opcode.BINARY if binary else Opcode.TEXT
    return b"".join(
        Frame(opcode, line).serialize(mask=False)
        for line in chunk.split(b"\r\n")
        if line and (binary or _is_utf8(line))
    )


def _is_utf8(data: bytes | bytearray) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class WebSocketPeer(CarriedPeer):
    """The peer inside a WebSocket."""

    __slots__ = ("_binary",)

    def __init__(self, under: HeldPeer, *, binary: bool) -> None:
        super().__init__(under)
        self._binary = binary

    def seal(self, chunk: bytes) -> bytes:
        return frames(chunk, self._binary)


class WebSocketSession(Carrier):
    """A WebSocket, and the IRC client inside."""

    wire = "websocket"
    inner: IrcSession

    __slots__ = ("_code", "_is_text", "_message", "_protocol")

    def __init__(self, house: House, link: Link, now: float, *, binary: bool) -> None:
        super().__init__(house, link, now)
        self._protocol = Protocol(SERVER, state=OPEN, max_size=MOST)
        self._message: bytearray | None = None  # what has come of one
        self._is_text = True
        self._code = CloseCode.NORMAL_CLOSURE
        self.peer = WebSocketPeer(link.peer, binary=binary)
        self.inner = house.sessions.get(IrcSession.wire, IrcSession)(house, self, now)

    async def receive(self, data: bytes) -> None:
        protocol = self._protocol
        for at in range(0, len(data), SLICE):
            if at:
                await self.hub.journal.breathe()
            protocol.receive_data(data[at : at + SLICE])
            await self._take(protocol.events_received())
            error = protocol.parser_exc
            if error is not None:
                self._fail(f"WebSocket: {error}")
            elif protocol.close_rcvd is not None and not self.closing:  # the answer is written already
                await self.eof()
                self._end()
                self.closing = True
                self.link.close("connection closed")
            if self.closing:
                return
            if protocol.writes:
                self.link.peer.release(b"".join(protocol.data_to_send()))

    def put_out(self, reason: str) -> None:
        self._code = CloseCode.GOING_AWAY
        super().put_out(reason)

    def last_words(self) -> bytes:
        """The close frame, the library's own if it has ended the protocol."""
        protocol = self._protocol
        if protocol.state is OPEN:
            reason = self.leaving.encode()[:LONGEST_REASON].decode(errors="ignore")
            protocol.send_close(self._code, reason)
        return b"".join(protocol.data_to_send())

    async def _take(self, events: Sequence[object]) -> None:
        """Take some frames: messages become lines, and what is none of them costs its sender as much time as a line."""
        lines: list[bytes] = []
        pace = self.link.pace
        for frame in events:
            assert isinstance(frame, Frame)
            if frame.opcode is Opcode.CLOSE:
                break
            if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
                self._message = bytearray(frame.data)
                self._is_text = frame.opcode is Opcode.TEXT
            elif frame.opcode is Opcode.CONT and self._message is not None:
                self._message += frame.data
            if frame.opcode >= Opcode.CLOSE or not frame.fin:
                if pace is not None and (pause := pace()) is not None:
                    await pause
                continue
            message, self._message = self._message, None
            assert message is not None
            if self._is_text and not _is_utf8(message):  # RFC 6455, 8.1
                self._protocol.fail(CloseCode.INVALID_DATA, "a text message is UTF-8")
                self._protocol.parser_exc = ValueError("a text message is not UTF-8")
                break
            line = bytes(message).rstrip(b"\r\n")
            if b"\n" in line:  # else a text that somebody pasted would run as commands
                await self._say(lines)
                self.inner.fail("*", "BAD_MESSAGE", text="Message rejected: a message is one line")
                lines = []
            else:
                lines.append(line + b"\r\n")
        await self._say(lines)

    async def _say(self, lines: list[bytes]) -> None:
        if lines and not self.closing:
            await self._hand_on(b"".join(lines))
