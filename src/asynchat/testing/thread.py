"""A server in a thread, for tests that are no coroutines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asynchat.testing.patience import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from asynchat.net.server import Server


class ThreadServer:
    """A server on a loop of its own, in a thread of its own; `server` itself belongs to that loop."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self._loop = loop

    @property
    def url(self) -> str:
        """Where a client connects to."""
        return self.server.url

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.server.port

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop, and wait for what it returns.

        Raises:
            TimeoutError: it takes longer than ten seconds.
            whatever it raises.
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_S)


@contextmanager
def thread_server(**options: Any) -> Iterator[ThreadServer]:
    """A server in a thread, for tests that are no coroutines; `options` are those of `asynchat.Server`.

    It listens on any port and keeps everything in memory, unless that is said otherwise.

    Raises:
        whatever entering the server raises.
    """
    from asynchat.net.server import Server  # who only connects somewhere needs none

    started: Any = None
    ready, done = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    async def live() -> None:
        nonlocal started
        try:
            async with Server(**({"port": 0} | options)) as server:
                started = ThreadServer(server, asyncio.get_running_loop())
                ready.set()
                await asyncio.to_thread(done.wait)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001  (it is raised in the test's thread)
            failed.append(error)

    thread = threading.Thread(target=run, name="asynchat test server")
    thread.start()
    ready.wait()
    try:
        if failed:
            raise failed[0]
        yield started
    finally:
        done.set()
        thread.join()
