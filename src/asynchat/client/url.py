"""Where a client connects to.

| scheme | is |
|---|---|
| asynchat:// tcp:// irc:// | TCP; the port is 12345, for irc:// 6667, unless it is given |
| unix:// | a unix socket |

What follows a `#` is a room.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

PORTS = {"asynchat": 12345, "tcp": 12345, "irc": 6667}


@dataclass(frozen=True, slots=True)
class Url:
    """A server: `host` and `port`, or the `path` of its socket; and perhaps a room."""

    host: str = ""
    port: int = 0
    path: str = ""
    room: str | None = None

    @classmethod
    def parse(cls, text: str) -> Url:
        """Parse a URL; `host:port` and `host` alone are understood too.

        Raises:
            ValueError: it is none.
        """
        parts = urlsplit(text if "://" in text else f"asynchat://{text}")
        room = f"#{unquote(parts.fragment).removeprefix('#')}" if parts.fragment else None
        if parts.scheme == "unix":
            return cls(path=parts.netloc + parts.path, room=room)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f"{text} is no URL of a server: asynchat://host:port, irc://host:port or unix:///path")
        return cls(parts.hostname, parts.port or PORTS[parts.scheme], room=room)

    def __str__(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        return f"asynchat://[{self.host}]:{self.port}" if ":" in self.host else f"asynchat://{self.host}:{self.port}"
