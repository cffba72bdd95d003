"""HTTP on the chat port: a short page and the way to WebSocket, and no body of a request is ever talk.

A web page in somebody's browser can POST to this port, so whatever follows an HTTP verb stays here until the connection
ends. The one way out is a WebSocket, whose `Origin` a browser does not let a page choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import h11

from asynchat.chat.errors import KeptOut
from asynchat.wire.house import House
from asynchat.wire.session import Link, Session

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>asynchat</title>
<p>This is a chat server. Walk in with <code>nc</code>, any IRC client, or <code>asynchat join</code>:
the same host, the same port.
"""
HEADERS = [
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Connection", "close"),
]


class HttpSession(Session):
    """A browser, or whatever speaks HTTP: one request, one answer."""

    wire = "http"

    __slots__ = ("_head_only", "_protocol")

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self.wake_at = now + house.register_timeout_s
        self._head_only = False
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=16 * 1024)

    async def receive(self, data: bytes) -> None:
        try:
            self._protocol.receive_data(data)
            event = self._protocol.next_event()
        except h11.RemoteProtocolError as error:
            self.answer(error.error_status_hint, "bad request\n")
            return
        if isinstance(event, h11.Request):
            await self.take(event)

    async def take(self, request: h11.Request) -> None:
        """Do what is asked for."""
        self._head_only = request.method == b"HEAD"
        if asks_for_websocket(request):
            await self._upgrade(request)
        elif request.method not in (b"GET", b"HEAD"):
            self.answer(405, "there is nothing to post to\n")
        elif request.target.partition(b"?")[0] == b"/":
            self.answer(200, PAGE, "text/html")
        else:
            self.answer(404, "not found\n")

    async def wake(self, now: float) -> None:
        self.answer(408, "too slow\n")

    def keep_out(self, refused: KeptOut) -> None:
        self.answer(403, f"{refused.text}\n")

    def put_out(self, reason: str) -> None:
        self.answer(503, f"{reason}\n")

    async def _upgrade(self, request: h11.Request) -> None:
        """Go on as a WebSocket, or refuse to."""
        from asynchat.wire.websocket import NotOpened, WebSocketSession, open_websocket

        try:
            opening = open_websocket(request, self.house.allowed_origins)
        except NotOpened as refused:
            self.house.broke(self, refused.text.strip())
            self.answer(refused.status, refused.text, more=refused.headers)
            return
        await self.switch(
            WebSocketSession(self.house, self.link, self.heard_at, binary=opening.binary), opening.headers
        )

    async def switch(self, session: Session, headers: list[tuple[str, str]]) -> None:
        """Hand over to a WebSocket, which these headers accept."""
        protocol = self._protocol
        protocol.next_event()  # the end of the request
        switched = h11.InformationalResponse(status_code=101, reason=b"Switching Protocols", headers=headers)
        self.peer.write(protocol.send(switched) or b"")
        self.link.become(session)
        first, _ = protocol.trailing_data
        if first:
            await session.receive(first)

    def answer(self, status: int, text: str, kind: str = "text/plain", *, more: Sequence[tuple[str, str]] = ()) -> None:
        """Answer, and close."""
        body = text.encode()
        head = h11.Response(
            status_code=status,
            reason=HTTPStatus(status).phrase.encode(),
            headers=[("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body))), *HEADERS, *more],
        )
        if self._protocol.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = self._protocol.send(head) or b""
            if not self._head_only:
                answer += self._protocol.send(h11.Data(data=body)) or b""
            self.peer.write(answer)
        self.closing = True
        self.link.close()


def asks_for_websocket(request: h11.Request) -> bool:
    """Whether a request is the beginning of a handshake."""
    asked = b",".join(value for name, value in request.headers if name == b"upgrade")
    return request.method == b"GET" and b"websocket" in (word.strip() for word in asked.lower().split(b","))
