"""For the tests of programs that chat: a server in a thread, people who say and hear text, and a pytest fixture.

    from asynchat.testing import Person, thread_server

    def test_my_bot_greets():
        with thread_server() as server, Person(server.url, "alice") as alice:
            start_my_bot(server.url)
            alice.say("hello bot")
            assert alice.hear("hello") == ("bot", "hello alice")

With `pytest_plugins = ["asynchat.testing"]` in a conftest.py there is a fixture `chat_server`, a server for each test.
In a test that is a coroutine `async with asynchat.Server(port=0)` does without a thread.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

from asynchat.net.server import Server

if TYPE_CHECKING:
    from collections.abc import Coroutine

TIMEOUT_S = 10.0
"""How long anything may take before a test fails: no measurement, only an end to waiting."""
_SAID = re.compile(r"(?:\[\d\d:\d\d\] )?(?:\[#\S+\] )?<([^>]+)> (.*)")
_ALONE = re.compile(r"\[dm ([^\]]+)\] (.*)")
NEWS = "***"


class Heard(NamedTuple):
    """Who said what; `who` is `***` for news of the server, `!!!` for a refusal."""

    who: str
    text: str


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


class Person:
    """Somebody with a netcat, who says text and hears it. Everything waits at most ten seconds, then a test fails.

    `url` is that of a server, `name` who it is, `room` where it goes after coming in. `heard` is all that it has heard.
    """

    def __init__(self, url: str, name: str, *, room: str | None = None) -> None:
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
            self.hear(f"hello {name}")
            if room is not None:
                self.say(f"/join {room}")
                self.hear(f"joined {room}")
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
        text = line.decode().rstrip("\r\n")
        match = _SAID.fullmatch(text) or _ALONE.fullmatch(text)
        found = Heard(match[1], match[2]) if match else Heard(*text.partition(" ")[::2])
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

    def close(self) -> None:
        """Go, without a word."""
        self._file.close()
        self._socket.close()


try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture
    def chat_server() -> Iterator[ThreadServer]:
        """A server on any port, in memory; its `url` is where clients connect to."""
        with thread_server() as server:
            yield server
