"""Clients of every kind, as tests hold them, and servers in the same loop or in a process of their own.

All clients speak alike to a test: `enter`, `say`, `hear`. What is heard is a pair, who and what: a person and a text,
or `***` and news. `talk` is all that people were heard to say, in order.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import uvloop

import asynchat
from asynchat.config.server import Settings

PATIENCE_S = 10.0
"""How long anything may take before a test gives up: no measurement, only an end to waiting."""
NEWS, NO = "***", "!!!"
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}

on_both_loops = pytest.mark.asyncio(loop_factories=list(LOOPS))
"""For a test that is to run on stock asyncio and on uvloop."""

Heard = tuple[str, str]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Both loops for who asks for them, stock asyncio for everybody else."""
    marker = item.get_closest_marker("asyncio")
    return LOOPS if marker is not None and marker.kwargs.get("loop_factories") else {"asyncio": LOOPS["asyncio"]}


class Ended(Exception):
    """The server has closed the connection."""


class Client:
    """What all clients share. A kind of client says how one thing is sent, and how one thing is heard."""

    chunk = 65536  # how much it reads at once

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.name = ""
        self.talk: list[Heard] = []
        self.news: list[str] = []
        self.data = b""  # read and not looked at yet
        self.key = ""  # the resume key that it was told last

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1") -> Self:
        return cls(*await asyncio.open_connection(host, port))

    async def enter(self, name: str) -> Self:
        """Come in, and have heard that one is in."""
        raise NotImplementedError

    async def say(self, text: str) -> None:
        raise NotImplementedError

    async def one(self) -> Heard:
        """The next thing that is heard."""
        raise NotImplementedError

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
            await self.writer.drain()

    async def more(self) -> None:
        """Read on.

        Raises:
            Ended
        """
        async with asyncio.timeout(PATIENCE_S):
            try:
                data = await self.reader.read(self.chunk)
            except ConnectionError:
                data = b""
        if not data:
            raise Ended(self.data)
        self.data += data

    async def hear(self) -> Heard:
        who, what = await self.one()
        if who in (NEWS, NO):
            self.news.append(what)
        else:
            self.talk.append((who, what))
        return who, what

    async def until(self, who: str, what: str) -> list[Heard]:
        """Everything up to the first thing that `who` says and has `what` in it."""
        heard: list[Heard] = []
        while not heard or heard[-1][0] != who or what not in heard[-1][1]:
            try:
                heard.append(await self.hear())
            except Ended:
                raise Ended(f"{self.name} waited for {(who, what)} and heard {heard[-5:]}, then the end") from None
        return heard

    async def rest(self) -> list[Heard]:
        """Everything up to the end of the connection."""
        heard = []
        try:
            while True:
                heard.append(await self.hear())
        except Ended:
            return heard

    def said_by(self, who: str) -> list[str]:
        return [text for speaker, text in self.talk if speaker == who]

    async def close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.writer.wait_closed()
        except OSError:
            return

    def reset(self) -> None:
        """Vanish: the other end gets an RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class LineClient(Client):
    """netcat: lines, each with its newline."""

    end = b"\n"

    async def enter(self, name: str) -> Self:
        self.name = name
        await self.send(name.encode() + self.end)
        await self.until(NEWS, f"hello {name}")
        return self

    async def say(self, text: str) -> None:
        await self.send(text.encode() + self.end)

    async def one(self) -> Heard:
        while b"\n" not in self.data:
            await self.more()
        line, _, self.data = self.data.partition(b"\n")
        text, told, key = line.decode().partition(" resume key ")
        self.key = key if told else self.key
        if match := re.fullmatch(r"(?:\[\d\d:\d\d\] )?<([^>]+)> (.*)", text):
            return match[1], match[2]
        sign, _, what = text.partition(" ")
        return sign, what


class TutorialClient(LineClient):
    """The client of a tutorial: no newline, 1024 bytes at a time, and its name before each line."""

    end = b""
    chunk = 1024

    async def say(self, text: str) -> None:
        await self.send(f"{self.name}: {text}".encode())


class GreetedClient(TutorialClient):
    """One that waits for the four bytes NICK and answers them with its name."""

    async def enter(self, name: str) -> Self:
        while len(self.data) < 4:
            await self.more()
        assert self.data == b"NICK"
        self.data = b""
        return await super().enter(name)


class FrameClient(Client):
    """The length-header protocol: ten bytes of length, then that many."""

    async def enter(self, name: str) -> Self:
        self.name = name
        await self.say(name)
        await self.until(NEWS, f"hello {name}")
        return self

    async def say(self, text: str) -> None:
        data = text.encode()
        await self.send(f"{len(data):<10}".encode() + data)

    async def packet(self) -> str:
        while len(self.data) < 10 or len(self.data) < 10 + int(self.data[:10]):
            await self.more()
        end = 10 + int(self.data[:10])
        text, self.data = self.data[10:end], self.data[end:]
        return text.decode()

    async def one(self) -> Heard:
        who = await self.packet()
        return re.sub(r"^\[\d\d:\d\d\] ", "", who), await self.packet()


class IrcClient(Client):
    """An IRC client without capabilities. What is not talk is news; `raw` is all of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.raw: list[str] = []
        self.room = "#lobby"

    async def enter(self, name: str) -> Self:
        self.name = name
        await self.command(f"NICK {name}", f"USER {name} 0 * :{name}", f"JOIN {self.room}")
        await self.until(NEWS, f" 366 {name} ")
        return self

    async def command(self, *lines: str) -> None:
        await self.send("".join(f"{line}\r\n" for line in lines).encode())

    async def say(self, text: str) -> None:
        await self.command(f"PRIVMSG {self.room} :{text}")

    async def ping(self) -> None:
        """Have everything answered that was asked before."""
        token = f"{len(self.raw)}-sync"
        await self.command(f"PING {token}")
        await self.until(NEWS, f":{token}")

    async def one(self) -> Heard:
        while b"\r\n" not in self.data:
            await self.more()
        line, _, self.data = self.data.partition(b"\r\n")
        text = line.decode()
        assert "\n" not in text, f"a bare LF in {text!r}"
        self.raw.append(text)
        if text.startswith("PING "):
            await self.command(f"PONG {text.removeprefix('PING ')}")
        if match := re.fullmatch(r":([^!]+)!\S+ PRIVMSG #\S+ :(.*)", text):
            return match[1], re.sub(r"^\[\d\d:\d\d\] ", "", match[2])
        return NEWS, text


Walk = Callable[..., Awaitable[Any]]


@pytest.fixture
async def clients() -> AsyncIterator[list[Client]]:
    """Clients that are closed when the test is over."""
    known: list[Client] = []
    yield known
    for client in known:
        await client.close()


@pytest.fixture
def walk_in(clients: list[Client]) -> Walk:
    """`await walk_in(IrcClient, port, "alice")`: a client that is in the room; without a name it is at the door."""

    async def walk[T: Client](kind: type[T], port: int, name: str = "", host: str = "127.0.0.1") -> T:
        client = await kind.connect(port, host)
        clients.append(client)
        if name:
            await client.enter(name)
        return client

    return walk


def settings(**sections: dict[str, Any]) -> Settings:
    """Settings for a test: any port, in memory."""
    values: dict[str, dict[str, Any]] = {"server": {"port": 0}, "store": {"path": "memory"}}
    for section, table in sections.items():
        values[section] = values.get(section, {}) | table
    return Settings().with_values(values, "test")


@pytest.fixture
async def server() -> AsyncIterator[asynchat.Server]:
    """A server in the loop of the test."""
    async with asynchat.Server(port=0) as running:
        yield running


# A server in a process of its own.


class Process:
    """`python -m asynchat serve`, started with `arguments` and listening."""

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.log_file = folder / f"log-{time.monotonic_ns()}"
        with self.log_file.open("wb") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "asynchat", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(folder) | (env or {}),
            )
        self.url = ""

    def listening(self) -> Self:
        """Wait until it has printed its URL."""
        assert self.popen.stdout is not None
        self.url = self.popen.stdout.readline().decode().strip()
        assert self.url, f"it ended with {self.popen.wait(PATIENCE_S)}: {self.log}"
        return self

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def logged(self, text: str) -> str:
        """Wait for a line of the log with this text in it, and return that line."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for line in self.log.splitlines():
                if text in line:
                    return line
            time.sleep(0.01)
        raise AssertionError(f"{text!r} is not in the log:\n{self.log}")

    def kill(self) -> None:
        """As a crash would."""
        self.popen.kill()
        self.popen.wait(PATIENCE_S)

    def stop(self) -> int:
        """As an operator would; returns the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE_S)

    def close(self) -> None:
        if self.popen.poll() is None:
            self.kill()
        assert self.popen.stdout is not None
        self.popen.stdout.close()


def environment(folder: Path) -> dict[str, str]:
    """This process's environment without anything that configures asynchat."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASYNCHAT_", "XDG_"))}
    return kept | {"HOME": str(folder), "PYTHONUNBUFFERED": "1"}


Serve = Callable[..., Process]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve("--memory")`: a server process on any port that listens; it is ended with the test."""
    started: list[Process] = []

    def start(*arguments: str, env: dict[str, str] | None = None, port: str | None = "0") -> Process:
        with_port = () if port is None else ("--port", port)
        process = Process(tmp_path, "serve", "--print-url", *with_port, *arguments, env=env)
        started.append(process)
        return process.listening()

    yield start
    for process in started:
        process.close()
