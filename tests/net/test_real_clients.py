"""Programs that people have: nc, ii and sic walk into the room and talk with each other."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import asynchat
from tests.net.conftest import NEWS, PATIENCE_S, Ended, IrcClient, LineClient, Process, Serve, Walk, on_both_loops
from tests.net.programs import Program, needs, wait_for


@pytest.fixture
def server_process(serve: Serve) -> Process:
    return serve("--memory")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """`start("nc", ...)`: a program that is ended with the test; what it shows is in a file of its own."""
    started: list[Program] = []

    def run(*command: str) -> Program:
        program = Program(*command, output=tmp_path / f"shown-{len(started)}")
        started.append(program)
        return program

    yield run
    for program in started:
        program.close()


Start = Callable[..., Program]


def start_ii(start: Start, port: int, nick: str, folder: Path) -> Path:
    """ii, in #lobby; returns the folder of the room."""
    start("ii", "-s", "127.0.0.1", "-p", str(port), "-n", nick, "-i", str(folder))
    home = folder / "127.0.0.1"
    wait_for(home / "out", "Welcome to the asynchat Network")
    type_into(home / "in", "/j #lobby")
    wait_for(home / "#lobby" / "out", nick)
    return home / "#lobby"


def type_into(fifo: Path, line: str) -> None:
    fifo.write_text(f"{line}\n")


@needs("nc", "ii", "sic")
def test_nc_ii_and_sic_talk_with_each_other(server_process: Process, start: Start, tmp_path: Path) -> None:
    port = server_process.port
    nc = start("nc", "127.0.0.1", str(port))
    nc.type("nat")
    nc.see("*** hello nat, you are in #lobby. /help, /quit.")

    room = start_ii(start, port, "irene", tmp_path / "irc")
    nc.see("*** irene joined")

    sic = start("sic", "-h", "127.0.0.1", "-p", str(port), "-n", "sid")
    sic.see("Welcome to the asynchat Network")
    sic.type(":j #lobby")
    nc.see("*** sid joined")
    wait_for(room / "out", "sid")

    nc.type("hi from netcat, grüße 👋")
    assert "<nat> hi from netcat, grüße 👋" in wait_for(room / "out", "hi from netcat")
    assert "<nat> hi from netcat, grüße 👋" in sic.see("hi from netcat")

    type_into(room / "in", "hi from ii")
    assert nc.see("hi from ii") == "<irene> hi from ii"
    assert "<irene> hi from ii" in sic.see("hi from ii")

    sic.type("hi from sic")
    assert nc.see("hi from sic") == "<sid> hi from sic"
    assert "<sid> hi from sic" in wait_for(room / "out", "hi from sic")

    nc.type("quit")
    nc.see("*** bye")
    assert nc.popen.stdin is not None
    nc.popen.stdin.close()  # nc itself waits for the end of its input
    assert nc.popen.wait(PATIENCE_S) == 0
    wait_for(room / "out", "nat")
    sic.see("quit")
    assert nc.shown is not None
    assert nc.shown.read_text().count("hi from netcat") == 0
    assert nc.shown.read_text().count("hi from ii") == 1


@needs("nc")
def test_nc_that_closes_its_input_hears_the_answers(server_process: Process, tmp_path: Path) -> None:
    """`printf ... | nc -N`."""
    done = subprocess.run(
        ["nc", "-N", "127.0.0.1", str(server_process.port)],
        input=b"nat\n/acks on\nhello\n/who\n",
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0
    hello, acks, stored, who = done.stdout.decode().splitlines()
    assert hello.startswith("*** hello nat, you are in #lobby.")
    assert acks == "*** acks on"
    assert stored.startswith("+OK ")
    assert who == "*** #lobby (1): @nat"
    server_process.logged("- nat (connection closed)")


@needs("nc")
def test_who_waits_in_nc_is_greeted(server_process: Process, start: Start) -> None:
    nc = start("nc", "127.0.0.1", str(server_process.port))
    nc.see('*** asynchat "asynchat": type your name and press Enter')
    nc.type("nat")
    nc.see("*** hello nat, you are in #lobby")


@needs("nc")
def test_nc_over_a_unix_socket_walks_in_too(serve: Serve, start: Start, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    serve("--memory", "--listen", f"unix://{path}", port=None)
    nc = start("nc", "-U", str(path))
    nc.type("nat")
    nc.see("*** hello nat, you are in #lobby")


@needs("ii", "nc")
def test_a_line_that_is_too_long_for_irc_comes_to_ii_in_pieces(
    server_process: Process, start: Start, tmp_path: Path
) -> None:
    room = start_ii(start, server_process.port, "irene", tmp_path / "irc")
    nc = start("nc", "127.0.0.1", str(server_process.port))
    nc.type("nat")
    nc.see("*** hello nat")
    long = "".join(f"{number:03d}é" for number in range(300))
    nc.type(long)
    wait_for(room / "out", "299é")
    pieces = [line.partition("<nat> ")[2] for line in (room / "out").read_text().splitlines() if "<nat> " in line]
    assert len(pieces) > 1
    assert "".join(pieces) == long


# telnet, by hand.

NEGOTIATION = b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfb\x20"


@on_both_loops
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_telnet_negotiates_and_is_understood_however_it_is_cut(size: int, walk_in: Walk) -> None:
    """Its commands are neither part of a name nor of what is said, and unfinished lines wait for their end."""
    async with asynchat.Server(port=0) as server:
        irene = await walk_in(IrcClient, server.port, "irene")
        telnet = await walk_in(LineClient, server.port)
        data = NEGOTIATION + b"tel\xff\xfb\x01net\r\n" + b"hel\xff\xf1lo\r\n" + b"bye\r\0"
        for at in range(0, len(data), size):
            await telnet.send(data[at : at + size])
            await asyncio.sleep(0.001)  # so that each piece is a read of its own
        await irene.until("telnet", "bye")
        assert irene.said_by("telnet") == ["hello", "bye"]
        await telnet.send(b"un")
        await telnet.until(NEWS, "hello telnet")
        await asyncio.sleep(0.3)  # longer than an unfinished line has to wait from who is no telnet
        await telnet.send(b"finished\r\nquit\r\n")
        with pytest.raises(Ended):
            await telnet.until(NEWS, "nothing like that")
        await irene.until(NEWS, "telnet!~line@localhost QUIT :quit")
        assert irene.said_by("telnet") == ["hello", "bye", "unfinished"]
