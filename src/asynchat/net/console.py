"""A console: the end at which the server's operator sits, in this program or at the admin socket.

console = await Console.of(server, show)
async with asyncio.TaskGroup() as group:
    group.create_task(console.run())
    await console.feed("/who")
    console.finish()
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asynchat.net.server import Server

READ = 64 * 1024
_LINE_ENDS = str.maketrans("\r\n", "  ")

Show = Callable[[str], Awaitable[object]]
"""Shows one line, which has no control characters in it. While that takes its time, the console falls behind alone."""


class Console:
    """What is fed to it is typed at the server to which `reader` and `writer` lead; `show` is given what comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, show: Show) -> None:
        self._reader = reader
        self._writer = writer
        self._show = show

    @classmethod
    async def of(cls, server: Server, show: Show) -> Self:
        """A console of a server in this program, which must be entered."""
        ours, theirs = socket.socketpair()
        server.operate(*await asyncio.open_connection(sock=theirs))
        return cls(*await asyncio.open_connection(sock=ours), show)

    async def run(self) -> None:
        """Show what comes until the server, or the operator, has ended it.

        Raises:
            whatever `show` raises; then the console is gone, and the server goes on.
        """
        rest = b""
        try:
            while data := await self._read():
                *whole, rest = (rest + data).split(b"\n")
                for line in whole:
                    await self._show(line.decode())
        finally:
            self._writer.close()

    async def _read(self) -> bytes:
        with suppress(ConnectionError):
            return await self._reader.read(READ)
        return b""

    async def feed(self, line: str) -> None:
        """Type a line. What an ended console is fed is lost."""
        with suppress(ConnectionError, RuntimeError):
            self._writer.write(f"{line.translate(_LINE_ENDS)}\n".encode(errors="replace"))
            await self._writer.drain()

    def finish(self) -> None:
        """Type no more: what was typed is answered, then `run` returns."""
        with suppress(OSError, RuntimeError):
            self._writer.write_eof()
