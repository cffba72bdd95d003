"""A person: somebody with a netcat."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from asynchat.testing.heard import Heard, heard
from asynchat.testing.patience import TIMEOUT_S


class Person:
    """Somebody with a netcat, who says text and hears it. Everything waits at most ten seconds, then a test fails.

    `url` is that of a server, `name` who it is, `room` where it goes after coming in. `password` is said when one is
    asked for: that of a registered name, or the server's. `heard` is all that it has heard.

    Raises:
        AssertionError: it does not come in, or not into the room; the text has what was heard.
    """

    def __init__(self, url: str, name: str, *, room: str | None = None, password: str | None = None) -> None:
        self.name = name
        self.heard: list[Heard] = []
        parts = urlsplit(url)
        if parts.scheme == "unix":
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(TIMEOUT_S)
            self._socket.connect(parts.netloc + parts.path)
        else:
            self._socket = socket.create_connection((parts.hostname, parts.port), timeout=TIMEOUT_S)
        self._file = self._socket.makefile("rb")
        try:
            self.say(name)
            while not (told := self._granted()).startswith("hello "):
                if told.endswith("password:"):
                    if password is None:
                        raise AssertionError(f"{name} has no password to say, and hears: {told}")
                    self.say(password)
            if room is not None:
                self.say(f"/join {room}")
                while not self._granted().startswith("joined #"):
                    continue
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def say(self, text: str) -> None:
        """Say a line in the room, or a /command."""
        self._socket.sendall(text.encode() + b"\n")

    def next(self) -> Heard:
        """The next thing that is heard.

        Raises:
            AssertionError: nothing comes, or the server has closed the connection.
        """
        try:
            line = self._file.readline()
        except TimeoutError:
            raise AssertionError(f"{self.name} hears nothing more, after {self.heard[-5:]}") from None
        if not line:
            raise AssertionError(f"{self.name} was disconnected, after {self.heard[-5:]}")
        found = heard(line.decode().rstrip("\r\n"))
        self.heard.append(found)
        return found

    def hear(self, text: str = "", *, who: str | None = None) -> Heard:
        """The next thing with this text in it, by anybody or by `who`; what comes before that is passed over.

        Raises:
            AssertionError: it does not come.
        """
        while text not in (found := self.next()).text or who not in (None, found.who):
            continue
        return found

    def _granted(self) -> str:
        """The next news.

        Raises:
            AssertionError: it is refused what it asked for.
        """
        while (found := self.next()).kind != "news":
            if found.kind == "refusal":
                raise AssertionError(f"{self.name} is refused: {found.text}")
        return found.text

    def close(self) -> None:
        """Go, without a word."""
        self._file.close()
        self._socket.close()
