"""A speaker of IRC: what all clients of the crash test are made of."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple, Self

PATIENCE_S = 20.0
"""How long anything may take before the test gives up: no measurement, only an end to waiting."""
CAPABILITIES = "message-tags server-time batch echo-message labeled-response"


class Gone(Exception):
    """The server is not there any more."""


class Unexpected(Exception):
    """The server has said something that the test cannot go on from."""


class Message(NamedTuple):
    """A line of IRC: its tags, who sent it, the command, and the parameters with the last one's colon taken off."""

    tags: dict[str, str]
    by: str
    command: str
    params: list[str]

    @classmethod
    def parse(cls, line: str) -> Self:
        tags: dict[str, str] = {}
        if line[:1] == "@":
            words, _, line = line[1:].partition(" ")
            for word in words.split(";"):
                name, _, tags[name] = word.partition("=")
        by = ""
        if line[:1] == ":":
            source, _, line = line[1:].partition(" ")
            by = source.partition("!")[0]
        head, colon, last = line.partition(" :")
        command, *params = head.split(" ")
        return cls(tags, by, command, [*params, last] if colon else params)

    @property
    def refuses(self) -> bool:
        """Whether it is a no. That there is no message of the day is none."""
        return self.command in ("ERROR", "FAIL") or (self.command[:1] in ("4", "5") and self.command != "422")


class Speaker:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""

    @classmethod
    async def connect(cls, port: int) -> Self:
        async with asyncio.timeout(PATIENCE_S):
            return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def enter(self, name: str, *rooms: str, more: str = "") -> None:
        """Come in, with `more` capabilities than everybody has, and into rooms."""
        self.send(f"CAP REQ :{CAPABILITIES} {more}", f"NICK {name}", f"USER {name} 0 * :{name}", "CAP END")
        await self.until("001")
        for room in rooms:
            self.send(f"JOIN {room}")
            await self.until("366")

    def send(self, *lines: str) -> None:
        """Write lines at once, waiting for nobody."""
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def hear(self) -> list[Message]:
        """Whatever comes next.

        Raises:
            Gone
        """
        async with asyncio.timeout(PATIENCE_S):
            try:
                data = await self._reader.read(1 << 16)
            except ConnectionError:
                data = b""
        if not data:
            raise Gone
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        return [Message.parse(line.decode()) for line in lines]

    async def until(self, command: str, *, label: str | None = None) -> list[Message]:
        """Everything up to a command, under that label.

        Raises:
            Gone
            Unexpected: the connection is ended, or the request refused.
        """
        heard: list[Message] = []
        while True:
            for message in await self.hear():
                heard.append(message)
                if message.command == command and label in (None, message.tags.get("label")):
                    return heard
                if message.refuses:
                    raise Unexpected(f"while waiting for {command}: {message}")

    async def ask(self, *lines: str) -> list[Message]:
        """What is answered to these lines."""
        self.send(*lines, "PING asked")
        return await self.until("PONG")

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._writer.wait_closed()
