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

    __slots__ = ("_loop", "server")

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
            RuntimeError: the block of the server was left.
            whatever it raises.
        """
        try:
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # its loop is closed
            work.close()
            raise RuntimeError("the server has ended: nothing runs there after its block") from None
        return running.result(TIMEOUT_S)


@contextmanager
def thread_server(server: Server | None = None, /, **options: Any) -> Iterator[ThreadServer]:
    """A server in a thread, for tests that are no coroutines.

    It is `server`, made with its hooks, commands and authenticator and not entered yet, as it is; or one that is made
    with `options`, those of `asynchat.Server`. That listens on any port and keeps everything in memory, whatever its
    `settings` say, unless an option of its own says otherwise.

    Raises:
        TypeError: there are both, or an unknown option.
        whatever entering the server raises, or leaving it.
    """
    if server is None:
        from asynchat.net.server import Server  # who only connects somewhere needs none

        in_memory: dict[str, Any] = {"port": 0, "store": "memory"}
        server = Server(**(in_memory | options))
    elif options:
        raise TypeError(f"the server is made already: {', '.join(options)} can change nothing")
    started: list[ThreadServer] = []
    failed: list[BaseException] = []
    ready, done = threading.Event(), threading.Event()

    async def live() -> None:
        async with server:
            started.append(ThreadServer(server, asyncio.get_running_loop()))
            ready.set()
            await asyncio.to_thread(done.wait)

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001  (it is raised in the test's thread)
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="asynchat test server")
    thread.start()
    ready.wait()
    try:
        if started:
            yield started[0]
    finally:
        done.set()
        thread.join()
    if failed:
        raise failed[0]
