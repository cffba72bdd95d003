"""A TCP proxy that cuts connections at the very byte where a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple, Self

MOST = 20_000
"""Bytes after which there will be no batch of history."""


class Cut(NamedTuple):
    """Where to cut: `find` tells, in what came from the client (`up`) or the server so far, before which byte.

    `rudely`: both ends get an RST, and what is on its way is lost.
    """

    up: bool
    find: Callable[[bytes], int | None]
    rudely: bool


def after(number: int) -> Callable[[bytes], int | None]:
    """After so many bytes."""
    return lambda data: number if len(data) >= number else None


def inside_character(number: int) -> Callable[[bytes], int | None]:
    """Inside the first character of several bytes after so many."""

    def find(data: bytes) -> int | None:
        return next((index for index in range(number, len(data)) if data[index] & 0xC0 == 0x80), None)

    return find


def inside_batch(number: int) -> Callable[[bytes], int | None]:
    """So many bytes after the beginning of a batch of history; if none comes, anywhere."""

    def find(data: bytes) -> int | None:
        begin = data.find(b" chathistory #")
        if begin < 0:
            return MOST if len(data) > MOST else None
        return begin + number if len(data) >= begin + number else None

    return find


def cuts_at_random(random: Random, number: int) -> Iterator[Cut]:
    """So many cuts: early, while the client registers, and late; inside of characters and of batches."""
    for _ in range(number):
        find = random.choice(
            [
                after(random.randint(1, 600)),
                after(random.randint(600, 12_000)),
                after(random.randint(5000, 12_000)),
                inside_character(random.randint(0, 12_000)),
                inside_batch(random.randint(1, 1500)),
            ]
        )
        up = find.__qualname__.startswith(("after", "inside_character")) and random.random() < 0.4
        yield Cut(up, find, random.random() < 0.5)


class Proxy:
    """Between a client and the server on `upstream`, a port that may change.

    Connections are cut as `cuts` say, one after the other, and not at all when there are no more. `made` counts the
    cuts, `in_character` and `in_batch` those that were inside one.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.made = self.in_character = self.in_batch = 0
        self.cuts: Iterator[Cut] = iter(())
        self._moved = asyncio.Event()
        self._links: set[Link] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut_all()
        await self._server.wait_closed()

    def cut_all(self) -> None:
        """Cut what there is now."""
        for link in tuple(self._links):
            link.end(rudely=True)

    async def moved(self) -> None:
        """Wait until something has passed, in any direction."""
        await self._moved.wait()

    def begin(self, cuts: Iterator[Cut]) -> None:
        """Cut from now on; what passed before does not count."""
        self.cuts = cuts
        for link in self._links:
            link.cut = next(cuts, None)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.close()
            return
        link = Link(self, writer, up_writer, next(self.cuts, None))
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link.pump(reader, up_writer, up=True))
                group.create_task(link.pump(up_reader, writer, up=False))
        finally:
            self._links.discard(link)
            link.end(rudely=False)

    def note(self, cut: Cut | None, passed: bytes, rest: bytes) -> None:
        """Something has passed; if that was up to a cut, `rest` is what did not."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        if cut is not None:
            self.made += 1
            self.in_character += rest[:1] != b"" and rest[0] & 0xC0 == 0x80
            begin = max(passed.rfind(b"chathistory #"), 0)
            self.in_batch += begin > 0 and b" BATCH -" not in passed[begin:]


class Link:
    """One connection through the proxy."""

    def __init__(
        self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter, cut: Cut | None
    ) -> None:
        self.cut = cut
        self._proxy = proxy
        self._writers = (client, server)
        self._passed = {True: b"", False: b""}
        self._over = False

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        try:
            while data := await reader.read(65536):
                if self._over:
                    return
                cut, end = self.cut, None
                if cut is not None:
                    before, self._passed[up] = len(self._passed[up]), self._passed[up] + data
                    end = cut.find(self._passed[up]) if cut.up == up else None
                if cut is not None and end is not None:
                    end = max(end, before)
                    writer.write(data[: end - before])
                    self._proxy.note(cut, self._passed[up][:end], data[end - before :])
                    self.end(rudely=cut.rudely)
                    return
                writer.write(data)
                self._proxy.note(None, b"", b"")
                await writer.drain()
        except OSError:
            pass
        finally:
            self.end(rudely=False)

    def end(self, *, rudely: bool) -> None:
        self._over = True
        for writer in self._writers:
            if rudely:
                writer.transport.abort()
            else:
                writer.close()
