"""Somebody with a netcat, for tests of programs: lines out, lines in."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from tests.net.conftest import PATIENCE_S


class Netcat:
    """Comes in under a name; `hello` is whom the server greets, if more than the name is said at once."""

    def __init__(self, port: int, name: str, *, hello: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._file = self._socket.makefile("rb")
        self.say(name)
        self.until(f"hello {hello or name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def say(self, text: str) -> None:
        self._socket.sendall(text.encode() + b"\n")

    def until(self, text: str) -> str:
        """The next line with this text in it."""
        while text not in (line := self._file.readline().decode()):
            assert line, f"the end came before {text}"
        return line

    def close(self) -> None:
        self._file.close()
        self._socket.close()
