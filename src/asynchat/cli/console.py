"""Where the server's operator sits: a plain screen, and what goes between it and a console."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from queue import SimpleQueue
from typing import Protocol

from asynchat.client.keyboard import lines
from asynchat.net.console import Console


class Screen:
    """Standard input and output as they are."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[bytes, asyncio.Future[None]]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def typed(self) -> AsyncIterator[bytes]:
        """The lines of standard input."""
        return lines()

    async def show(self, line: str) -> None:
        """Write a line to standard output.

        A thread does: a terminal that was halted (Ctrl-S), or a full pipe, must not halt the server.

        Raises:
            OSError: nobody reads it any more.
        """
        if self._thread is None:
            # A daemon, since nothing but a reader ends a write that waits for one.
            self._thread = threading.Thread(target=self._write_all, name="asynchat screen", daemon=True)
            self._thread.start()
        written = asyncio.get_running_loop().create_future()
        self._queue.put((line.encode(errors="replace") + b"\n", written))
        await written

    def _write_all(self) -> None:
        while True:
            data, written = self._queue.get()
            error = _write(data)
            try:
                written.get_loop().call_soon_threadsafe(_finish, written, error)
            except RuntimeError:  # the loop is gone: nobody waits for it
                return


def _write(data: bytes) -> OSError | None:
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError as error:
        return error
    return None


def _finish(written: asyncio.Future[None], error: OSError | None) -> None:
    if written.done():  # it was cancelled
        return
    if error is not None:
        written.set_exception(error)
    else:
        written.set_result(None)


class Seat(Protocol):
    """Where somebody sits: a `Screen`, or one with a line that is edited."""

    def typed(self) -> AsyncIterator[bytes]:
        """The lines that are typed."""

    async def show(self, line: str) -> None:
        """Show a line.

        Raises:
            OSError: nobody sees it any more.
        """


async def attend(console: Console, screen: Seat, at_end: Callable[[], Awaitable[None]] | None = None) -> None:
    """Bring what is typed to the console until one of both ends.

    Where nothing more is typed, what was is answered still; or `at_end` says what comes then.

    Raises:
        OSError: nobody sees the screen any more.
    """

    async def type_all() -> None:
        async for line in screen.typed():
            await console.feed(line.decode(errors="replace"))
        if at_end is not None:
            await at_end()
        else:
            console.finish()

    blind: OSError | None = None
    async with asyncio.TaskGroup() as group:
        typing = group.create_task(type_all(), name="asynchat keyboard")
        try:
            await console.run()
        except OSError as error:
            blind = error
        typing.cancel()
    if blind is not None:
        raise blind
