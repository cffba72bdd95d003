"""Where a client connects to.

| scheme | is |
|---|---|
| asynchat:// tcp:// irc:// | TCP; the port is 12345, for irc:// 6667, unless it is given |
| asynchats:// ircs:// | TLS; the port is 12345, for ircs:// 6697 |
| ws:// wss:// | IRC over WebSocket, without and with TLS; the port is 80 or 443 |
| unix:// | a unix socket |

What follows a `#` is a room.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

PORTS = {
    "asynchat": 12345,
    "asynchats": 12345,
    "tcp": 12345,
    "irc": 6667,
    "irc+insecure": 6667,
    "ircs": 6697,
    "ws": 80,
    "wss": 443,
}
SAME = {"tcp": "asynchat", "irc+insecure": "irc"}
SECURE = ("asynchats", "ircs", "wss")
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Url:
    """A server: `host` and `port`, or the `path` of its socket; and perhaps a room.

    With ws:// and wss:// `path` is what is asked for at that host.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    room: str | None = None
    scheme: str = "asynchat"

    @classmethod
    def parse(cls, text: str) -> Url:
        """Parse a URL; `host:port` and `host` alone are understood too.

        Raises:
            ValueError: it is none.
        """
        parts = urlsplit(text if "://" in text else f"asynchat://{text}")
        room = f"#{unquote(parts.fragment).removeprefix('#')}" if parts.fragment else None
        if parts.scheme == "unix" and parts.netloc + parts.path:
            return cls(path=parts.netloc + parts.path, room=room, scheme="unix")
        if parts.password is not None:
            raise ValueError("a password in a URL is seen by everybody on this machine; put it into a file")
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(
                f"{text} is no URL of a server: asynchat://host:port, ircs://host:port, wss://host/ or unix:///path"
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "") if parts.scheme[:2] == "ws" else ""
        scheme = SAME.get(parts.scheme, parts.scheme)
        return cls(parts.hostname, parts.port or PORTS[parts.scheme], path, room, scheme)

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme in SECURE

    @property
    def web(self) -> bool:
        """Whether it is a WebSocket."""
        return self.scheme in ("ws", "wss")

    @property
    def local(self) -> bool:
        """Whether nobody else can listen in anyway: it is on this machine."""
        return self.scheme == "unix" or self.host in LOCAL

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"
