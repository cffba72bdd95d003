"""A chat on somebody else's port: an ASGI application that carries IRC over WebSocket to a server in this program.

    app.mount("/chat", asynchat.asgi(server))           # Starlette, FastAPI

What listens, speaks TLS and HTTP is the framework's; who comes over it is in the same rooms as everybody. Nothing but
the standard library is needed. (ASGI 3.0, HTTP and WebSocket specification 2.3; IRCv3 websocket)
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asynchat.net.server import Server

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("asynchat")

TEXT, BINARY = "text.ircv3.net", "binary.ircv3.net"
MOST = 16 * 1024
"""The longest message in bytes; a line of IRC is shorter."""
READ = 64 * 1024
NORMAL, GOING_AWAY, TOO_BIG, TRY_LATER = 1000, 1001, 1009, 1013
"""Codes with which a WebSocket is closed. (RFC 6455, 7.4)"""
PAGE = b"This is a chat: come with a WebSocket that speaks IRC (text.ircv3.net).\n"


def asgi(server: Server, *, allowed_origins: Sequence[str] = ()) -> App:
    """The application that carries people to `server`, which is entered and left by somebody else.

    Run by itself (`uvicorn module:app`) it enters and leaves the server with its lifespan; mounted in another
    application, whose lifespan it does not see, it needs a server that is running.

    Pages of the host that is asked, and of `allowed_origins` (`https://chat.example`; `"*"`: of any), may open a
    WebSocket; pages of others get 403. A program, which tells no `Origin`, may too.
    """
    entered: list[Server] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "websocket":
                await _carry(server, scope, receive, send, allowed_origins)
            case "http":
                await _answer(scope, send)
            case "lifespan":
                await _live(server, receive, send, entered)

    return app


async def _live(server: Server, receive: Receive, send: Send, entered: list[Server]) -> None:
    """Enter the server when the application starts, unless it is running, and leave it when that ends."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                if not server.running:
                    entered.append(await server.__aenter__())
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
        else:
            if entered:
                await entered.pop().close()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _answer(scope: Scope, send: Send) -> None:
    """A page that says what this is; nothing of a request is ever talk."""
    asked = scope["method"] in ("GET", "HEAD")
    body = PAGE if asked else b"there is nothing to post to\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200 if asked else 405, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _carry(server: Server, scope: Scope, receive: Receive, send: Send, allowed: Sequence[str]) -> None:
    """Be the way between a WebSocket and the server."""
    await receive()  # websocket.connect
    if not _welcome(scope, allowed):
        await send({"type": "websocket.close", "code": NORMAL})  # before it is accepted that is a 403
        return
    if not server.running:
        log.error("somebody came by ASGI, but the server does not run; the application's lifespan has to enter it")
        await send({"type": "websocket.close", "code": TRY_LATER})
        return
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours, limit=READ)
    try:
        _, inside = await asyncio.open_connection(sock=theirs)
        client = scope.get("client") or ("unknown", 0)
        try:
            server.admit(inside, str(client[0]), secure=scope.get("scheme") == "wss")
        except ConnectionRefusedError:
            inside.close()
            await send({"type": "websocket.close", "code": TRY_LATER})
            return
        offered: Iterable[str] = scope.get("subprotocols") or ()
        chosen = next((each for each in offered if each in (TEXT, BINARY)), None)
        await send({"type": "websocket.accept", "subprotocol": chosen})
        await _relay(reader, writer, receive, send, binary=chosen == BINARY)
    finally:
        writer.close()


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, receive: Receive, send: Send, *, binary: bool
) -> None:
    """Carry lines both ways until one end is gone."""
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(_to_server(receive, writer, send))
        telling = group.create_task(_to_client(reader, send, binary=binary))
        await asyncio.wait([hearing, telling], return_when=asyncio.FIRST_COMPLETED)
        code = hearing.result() if hearing.done() else GOING_AWAY
        hearing.cancel()
        telling.cancel()
    if code is not None:
        with suppress(OSError):  # it is gone in this moment
            await send({"type": "websocket.close", "code": code})


async def _to_server(receive: Receive, writer: asyncio.StreamWriter, send: Send) -> int | None:
    """Hand on what the client says; the code to close with, None if the client has closed."""
    with suppress(OSError):  # the client or the server is gone (ASGI, "WebSocket": `send` raises OSError then)
        while (message := await receive())["type"] == "websocket.receive":
            if (code := await _hand_on(message, writer, send)) is not None:
                return code
    return None


async def _hand_on(message: MutableMapping[str, Any], writer: asyncio.StreamWriter, send: Send) -> int | None:
    """Hand on one message; the code to close with, if it is too long."""
    text = message.get("text")
    line = (text.encode() if text is not None else message.get("bytes") or b"").rstrip(b"\r\n")
    if len(line) > MOST:
        return TOO_BIG
    if b"\n" in line:  # else a text that somebody pasted would run as commands
        await send({"type": "websocket.send", "text": "FAIL * BAD_MESSAGE :Message rejected: a message is one line"})
    else:
        writer.write(line + b"\r\n")
        await writer.drain()
    return None


async def _to_client(reader: asyncio.StreamReader, send: Send, *, binary: bool) -> None:
    """Hand on what the server says, until it says no more."""
    rest = b""
    with suppress(OSError):  # as above
        while data := await reader.read(READ):
            *lines, rest = (rest + data).split(b"\r\n")
            for line in lines:
                if binary:
                    await send({"type": "websocket.send", "bytes": line})
                elif line:
                    await send({"type": "websocket.send", "text": line.decode(errors="replace")})


def _welcome(scope: Scope, allowed: Sequence[str]) -> bool:
    """Whether whoever asks may open a WebSocket: a page of ours, or no page at all."""
    from asynchat.wire.websocket import may_open

    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    origins = [value for name, value in headers if name == "origin"]
    host = next((value for name, value in headers if name == "host"), "")
    return len(origins) < 2 and all(may_open(origin, host, allowed) for origin in origins)
