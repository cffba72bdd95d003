"""A proxy that does wrong to what people say: it drops, doubles, swaps or changes lines on their way to the hearer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

Twist = Callable[[int, int, bytes], list[bytes] | None]
"""Which connection (in the order in which they came), how many lines of talk it has been told before, the next one; to
the lines that it is told instead. None ends the connection."""


class Twisted:
    """Between clients and the server on `upstream`; before each line of talk it dawdles for some turns of the loop."""

    def __init__(self, upstream: int, twist: Twist, *, turns: int = 0) -> None:
        self.port = 0
        self._upstream = upstream
        self._twist = twist
        self._turns = turns
        self._connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = self._connections
        self._connections += 1
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._up(reader, up_writer))
            group.create_task(self._down(index, up_reader, writer))

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except OSError:
            return
        finally:
            writer.close()

    async def _down(self, index: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            while line := await reader.readline():
                told: list[bytes] | None = [line]
                if b" PRIVMSG " in line:
                    for _ in range(self._turns):
                        await asyncio.sleep(0)
                    told = self._twist(index, number, line)
                    number += 1
                if told is None:
                    return
                writer.write(b"".join(told))
        except OSError:
            return
        finally:
            writer.close()
