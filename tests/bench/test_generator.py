"""The generator finds nothing wrong with a server that is well, and finds what is wrong with one that is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench.machine import LOOPBACK
from tests.bench.server import Server
from tests.bench.sidebyside import peers
from tests.bench.sidebyside.peers import CAPS

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the generator is for Linux"),
    pytest.mark.timeout(60),
]
MESSAGES = 100
CORE = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is left behind: the programs are compiled into a folder of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers, "CACHE", tmp_path_factory.mktemp("programs"))
        yield


def load(port: int, *options: str) -> dict[str, Any]:
    """What the generator finds, with a few clients and messages."""
    command = [
        str(peers.built("chatload")),
        "--port",
        str(port),
        "--clients",
        "5",
        "--senders",
        "2",
        "--settle",
        "0.05",
    ]
    command += ["--messages", str(MESSAGES), "--window", "8", "--seconds", "20", "--stall", "0.3", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def faults(figures: dict[str, Any]) -> tuple[int, int, int]:
    return figures["lost"], figures["duplicated"], figures["reordered"]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server of ours."""
    with Server(tmp_path, CORE, durability="process") as server:
        server.start()
        yield server.port
        server.stop()


def test_of_a_server_that_is_well_nothing_is_lost(port: int) -> None:
    found = load(port)
    assert faults(found) == (0, 0, 0)
    assert found["deliveries"] == 2 * MESSAGES * 4  # to all but who says it


def test_with_an_echo_those_who_speak_hear_themselves_too(port: int) -> None:
    found = load(port, "--caps", CAPS)
    assert faults(found) == (0, 0, 0)
    assert found["deliveries"] == 2 * MESSAGES * 5
    assert found["echoes"] == 0


def test_capabilities_that_a_server_has_not_end_the_run(port: int) -> None:
    command = [
        str(peers.built("chatload")),
        "--port",
        str(port),
        "--clients",
        "2",
        "--caps",
        "server-time no-such-thing",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "does not take --caps" in done.stderr


def test_a_crowd_stays_until_standard_input_ends(port: int) -> None:
    command = [str(peers.built("chatload")), "--mode", "stay", "--port", str(port), "--clients", "3"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        assert json.loads(crowd.stdout.readline())["ready"] == 3
        assert crowd.poll() is None
        crowd.stdin.close()
        assert crowd.wait(10) == 0


# A server that is not well.

Lines = list[bytes]


class Broken:
    """Sends each line to all others, but does to some what `spoil` says: it gives the lines to send instead of one."""

    def __init__(self, spoil: Callable[[int, bytes], Lines]) -> None:
        self._spoil = spoil
        self._clients: list[socket.socket] = []
        self._lock = threading.Lock()
        self._count = 0

    def converse(self, client: socket.socket) -> None:
        """One client, until it goes."""
        with client, client.makefile("rb") as lines:
            lines.readline()  # its name
            with self._lock:
                self._clients.append(client)
            for line in lines:
                with self._lock:
                    self._pass_on(client, line)
            with self._lock:
                self._clients.remove(client)

    def _pass_on(self, sender: socket.socket, line: bytes) -> None:
        for client in self._clients:
            if client is not sender:
                self._count += 1
                for each in self._spoil(self._count, line):
                    client.sendall(each)


@contextmanager
def listening(server: Broken) -> Iterator[int]:
    """The port on which it is, while the block lasts; the generator's clients must be gone by its end."""
    threads: list[threading.Thread] = []

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threads.append(threading.Thread(target=server.converse, args=(client,)))
            threads[-1].start()

    with socket.create_server((LOOPBACK, 0), backlog=50) as listener:
        threads.append(threading.Thread(target=accept, args=(listener,)))
        threads[0].start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def drops(number: int, line: bytes) -> Lines:
    return [] if number % 100 == 50 else [line]


def doubles(number: int, line: bytes) -> Lines:
    return [line, line] if number % 100 == 50 else [line]


@pytest.mark.parametrize(
    ("spoil", "guilt"),
    [
        pytest.param(lambda number, line: [line], (False, False, False), id="well"),
        pytest.param(drops, (True, False, False), id="one in 100 is lost"),
        pytest.param(doubles, (False, True, False), id="one comes twice"),
    ],
)
def test_what_a_broken_server_does_is_found(spoil: Callable[[int, bytes], Lines], guilt: tuple[bool, ...]) -> None:
    with listening(Broken(spoil)) as port:
        found = load(port, "--dialect", "lines", "--ack", "one")
    assert tuple(bool(count) for count in faults(found)) == guilt
    assert found["lost"] == (2 * MESSAGES * 4 - found["deliveries"])


def test_the_line_that_was_lost_last_is_missed_too() -> None:
    last = re.compile(rb"%06x%08x" % (0, MESSAGES - 1))
    with listening(Broken(lambda number, line: [] if last.search(line) else [line])) as port:
        found = load(port, "--dialect", "lines", "--ack", "one")
    assert faults(found) == (4, 0, 0)


def test_the_append_is_measured(tmp_path: Path) -> None:
    command = [str(peers.built("append")), str(tmp_path / "lines"), "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert json.loads(done.stdout)["append_cpu_us"] > 0
    assert (tmp_path / "lines").stat().st_size == 500
