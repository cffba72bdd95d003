"""A peer: a `StreamWriter`, and how far behind it is."""

from __future__ import annotations

import asyncio

from asynchat.wire.peer import HeldPeer
from asynchat.wire.session import HIGH_WATER


class Peer(HeldPeer):
    """Where one connection's chunks go: `writer`'s transport."""

    __slots__ = ("writer",)

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer.transport.write, writer.transport.get_write_buffer_size)
        self.writer = writer

    def release(self, first: bytes = b"") -> None:
        if self.writer.transport.is_closing():  # then uvloop raises
            self._held = None
            self.write = self._below
        else:
            super().release(first)

    def finish(self) -> None:
        """Write everything that was kept back, and close once it is sent."""
        if not self.writer.transport.is_closing():
            self.release()
            self.draw_level()
            self.writer.close()

    async def drain(self, stalled_after_s: float) -> None:
        """Wait until the other end has taken most of what was written.

        Raises:
            TimeoutError: it took nothing at all for `stalled_after_s`.
            ConnectionError: it is gone.
        """
        before = self.unsent()
        while before > HIGH_WATER:
            try:
                async with asyncio.timeout(stalled_after_s):
                    await self.writer.drain()
            except TimeoutError:
                if self.unsent() >= before:
                    raise
            before = self.unsent()

    def abort(self) -> None:
        """Drop the connection now: `close` would wait for ever for a peer that does not read."""
        self.writer.transport.abort()
