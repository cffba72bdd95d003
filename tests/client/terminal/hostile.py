"""A server in a thread, which lets one client in and then says what a test has it say."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.net.conftest import PATIENCE_S

CAPS = "batch draft/chathistory echo-message labeled-response message-tags server-time"


class Hostile:
    """Lets in whoever comes, into any room. Without `answers` nothing that is said is acknowledged by itself.

    Who comes is `called` so, whatever they ask for, or is told what `refuses` them.
    """

    def __init__(self, *, answers: bool = True, caps: str = CAPS, called: str = "", refuses: str = "") -> None:
        self._answers = answers
        self._caps = caps
        self._called = called
        self._refuses = refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connection: socket.socket | None = None
        self._labels: list[str] = []
        self._in = threading.Event()
        self.nick = ""
        self.url = f"asynchat://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def say(self, text: str) -> None:
        """Say a line, or several; `{label}` is that of what the client said last."""
        self.send(text.replace("{label}", self._labels[-1] if self._labels else "").encode() + b"\r\n")

    def send(self, data: bytes) -> None:
        assert self._in.wait(PATIENCE_S)
        assert self._connection is not None
        self._connection.sendall(data)

    def _serve(self) -> None:
        try:
            self._connection, _ = self._listener.accept()
            with self._connection.makefile("rb") as lines:
                for line in lines:
                    self._take(line.decode().rstrip("\r\n"))
        except (OSError, ValueError):
            return

    def _take(self, line: str) -> None:
        tags, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        label = next((tag[6:] for tag in tags[1:].split(";") if tag.startswith("label=")), "")
        command, _, argument = rest.partition(" ")
        match command:
            case "CAP" if argument.startswith("LS"):
                self._write(f":srv CAP * LS :{self._caps}")
            case "CAP" if argument.startswith("REQ"):
                self._write(f":srv CAP * ACK {argument.partition(' ')[2]}")
            case "CAP" if self._refuses:
                self._write(self._refuses)
            case "CAP":
                self._write(f":srv 001 {self.nick} :Welcome\r\n:srv 422 {self.nick} :no MOTD")
            case "NICK":
                self.nick = self._called or argument
            case "JOIN":
                self._write(f"@label={label};time=2026-01-01T00:00:00.000Z;msgid=1 :{self.nick}!u@h JOIN #lobby")
                self._in.set()
            case "PING":
                self._write(f":srv PONG srv {argument}")
            case "PRIVMSG" if self._answers:
                self._write(f"@label={label};msgid=9 :{self.nick}!u@h PRIVMSG {argument}")
            case "PRIVMSG":
                self._labels.append(label)
            case "CHATHISTORY":
                self._write(f"@label={label} :srv BATCH +l labeled-response\r\n:srv BATCH -l")

    def _write(self, text: str) -> None:
        assert self._connection is not None
        self._connection.sendall(text.encode() + b"\r\n")
