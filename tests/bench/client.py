"""A client that speaks IRC and waits for its answers."""

from __future__ import annotations

import socket

from tests.bench.machine import LOOPBACK

PATIENCE_S = 60.0


class Client:
    """Somebody who is let in, with these capabilities; leaving the block closes the connection."""

    def __init__(self, port: int, nick: str, caps: str = "") -> None:
        self.socket = socket.create_connection((LOOPBACK, port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self.socket.makefile("rb")
        if caps:
            self.send(f"CAP REQ :{caps}")
            self.send(f"NICK {nick}\r\nUSER {nick} 0 * :bench\r\nCAP END")
        else:
            self.send(f"NICK {nick}\r\nUSER {nick} 0 * :bench")
        self.until(b" 422 ", b" 376 ")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, line: str) -> None:
        """Send a line, or several parted by CR LF."""
        self.socket.sendall(f"{line}\r\n".encode())

    def until(self, *signs: bytes) -> list[bytes]:
        """The lines up to the first that has one of these in it.

        Raises:
            OSError: the server has closed the connection, or is silent.
        """
        lines: list[bytes] = []
        while True:
            line = self._lines.readline()
            if not line:
                raise ConnectionError(f"the server closed the connection after {lines[-3:]}")
            if line.startswith(b"PING "):
                self.socket.sendall(b"PONG" + line[4:])
                continue
            lines.append(line)
            if any(sign in line for sign in signs):
                return lines

    def ask(self, line: str, *signs: bytes) -> list[bytes]:
        """Send a line; the lines up to the first that has one of these in it."""
        self.send(line)
        return self.until(*signs)

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self.socket.close()
