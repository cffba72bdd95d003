"""`asynchat admin console`, and the console of `serve`."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from tests.net.conftest import PATIENCE_S, LineClient, Process, Serve, Walk, clients, environment, serve, walk_in

__all__ = ["clients", "serve", "walk_in"]


@pytest.fixture
def server(serve: Serve, tmp_path: Path) -> Process:
    return serve("--data", str(tmp_path / "data"))


def console(tmp_path: Path, stdin: str | IO[bytes] | int = "") -> subprocess.CompletedProcess[str]:
    given = {"input": stdin} if isinstance(stdin, str) else {"stdin": stdin}
    command = [sys.executable, "-m", "asynchat", "admin", "console", "--data", str(tmp_path / "data")]
    return subprocess.run(
        command, **given, env=environment(tmp_path), capture_output=True, text=True, timeout=15, check=False
    )


async def test_what_is_piped_in_is_said_and_answered(server: Process, tmp_path: Path, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    done = console(tmp_path, "hello all\n/rooms\n/who #lobby")
    assert (done.returncode, done.stderr) == (0, "")
    first, said, *rest = done.stdout.splitlines()
    assert first == "*** you are the server, in #lobby with nat. /help, /quit"
    assert said.partition(" ")[2] == "<@server> hello all"
    assert rest == ["*** #lobby 2 people", "*** end", "*** #lobby (2): @nat, @server"]
    await nat.until("server", "hello all")
    await nat.until("***", "server left")


def test_quit_ends_it_and_so_does_nothing_at_all(server: Process, tmp_path: Path) -> None:
    done = console(tmp_path, "/quit\nnot said\n")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "*** bye"
    assert console(tmp_path, subprocess.DEVNULL).returncode == 0
    script = tmp_path / "script"
    script.write_text("/rooms\n")
    with script.open("rb") as typed:
        done = console(tmp_path, typed)
    assert done.stdout.splitlines()[-1] == "*** end"


def test_it_ends_with_the_server(server: Process, tmp_path: Path) -> None:
    done = console(tmp_path, "/stop until tomorrow\n")
    assert done.returncode == 0
    assert "*** until tomorrow" in done.stdout.splitlines()
    assert server.popen.wait(PATIENCE_S) == 0
    assert console(tmp_path).returncode == 69


def test_it_ends_well_when_somebody_else_stops_the_server(server: Process, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "asynchat", "admin", "console", "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)
    ) as operator:
        assert operator.stdout is not None
        operator.stdout.readline()
        server.popen.terminate()
        assert operator.wait(PATIENCE_S) == 0


def test_what_a_script_types_with_its_request_is_taken(server: Process, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(tmp_path / "data" / "admin.sock"))
        connection.sendall(b'{"verb": "console"}\n/rooms\nhello')
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answers:
            assert json.loads(answers.readline()) == {"ok": "console"}
            heard = [line.decode().rstrip("\n") for line in answers]
    assert heard[1:3] == ["*** #lobby 1 person", "*** end"]
    assert heard[3].endswith("<@server> hello")
    assert len(heard) == 4


def test_a_killed_server_leaves_no_ghost_of_its_operator(serve: Serve, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    server = serve("--data", data)
    command = [sys.executable, "-m", "asynchat", "admin", "console", "--data", data]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path)
    ) as operator:
        assert operator.stdin is not None
        assert operator.stdout is not None
        assert operator.stderr is not None
        operator.stdin.write(b"/topic Tea\n")
        operator.stdin.flush()
        while b"Tea" not in (line := operator.stdout.readline()):
            assert line
        server.kill()
        operator.stdin.close()
        assert operator.wait(PATIENCE_S) == 75
        assert b"without a word" in operator.stderr.read()
    serve("--data", data)
    done = console(tmp_path, "/topic\n/who #lobby\n")
    assert done.stdout.splitlines()[-2:] == ['*** topic of #lobby: "Tea"', "*** #lobby (1): @server"]


async def test_the_server_of_serve_console_is_who_types(tmp_path: Path, walk_in: Walk) -> None:
    command = [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", "0", "--print-url", "--console"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(tmp_path)
    ) as server:
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            url = server.stdout.readline().decode().strip()
            while b"you are the server" not in (line := server.stdout.readline()):
                assert line
            nat = await walk_in(LineClient, int(url.rpartition(":")[2]), "nat")
            server.stdin.write(b"welcome\n")
            server.stdin.flush()
            await nat.until("server", "welcome")
            server.stdin.close()  # a pipe that ends takes the console along, and nothing else
            await nat.until("***", "server left")
            await nat.say("/rooms")
            await nat.until("***", "#lobby 1 person")
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE_S) == 0
        finally:
            server.kill()


def test_at_a_terminal_the_end_of_typing_stops_the_server(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", "0"]
        os.execve(sys.executable, command, environment(tmp_path))
    shown = b""
    try:
        while b"you are the server" not in shown:
            shown += os.read(terminal, 4096)
        os.write(terminal, b"\x04")
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                assert os.waitstatus_to_exitcode(status) == 0
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        pytest.fail("it goes on")
    finally:
        os.close(terminal)


async def test_a_mute_ends_by_itself_also_when_the_server_was_killed_meanwhile(
    serve: Serve, tmp_path: Path, walk_in: Walk
) -> None:
    data = str(tmp_path / "data")
    server = serve("--data", data)
    nat = await walk_in(LineClient, server.port, "nat")
    assert "*** nat muted for 1s" in console(tmp_path, "/mute nat 1s\n").stdout
    await nat.until("***", "server removed ban m:nat!*@*")
    assert "*** #lobby banned: m:nat!*@* for " in console(tmp_path, "/mute nat 3s\n/bans\n").stdout
    server.kill()
    server = serve("--data", data)
    nat = await walk_in(LineClient, server.port, "nat")
    while "m:nat!*@*" in console(tmp_path, "/bans\n").stdout:
        pass
    await nat.say("hello")
    bob = await walk_in(LineClient, server.port, "bob")
    await bob.until("nat", "hello")


def test_the_last_words_of_a_server_are_on_the_screen_where_it_was_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", "0", "--console"]
    for _ in range(3):
        done = subprocess.run(
            command, input="hello\n/stop until tomorrow\n", env=environment(tmp_path),
            capture_output=True, text=True, timeout=15, check=False,
        )  # fmt: skip
        assert done.returncode == 0
        assert done.stdout.splitlines()[-2:] == ["*** the server is stopping", "*** until tomorrow"]


def test_who_reads_no_more_ends_it_with_141(server: Process, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "asynchat", "admin", "console", "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)
    ) as operator:
        assert operator.stdin is not None
        assert operator.stdout is not None
        operator.stdout.readline()
        operator.stdout.close()
        operator.stdin.write(b"/help\n")
        operator.stdin.flush()
        assert operator.wait(PATIENCE_S) == 141
        operator.stdin.close()


def test_what_cannot_be_shown_ends_it_with_74(server: Process, tmp_path: Path) -> None:
    command = f"{sys.executable} -m asynchat admin console --data {tmp_path / 'data'} >&-"
    done = subprocess.run(
        command, shell=True, input=b"/help\n", env=environment(tmp_path), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (74, b"")
    assert b"standard output" in done.stderr


def test_a_script_that_has_said_all_before_it_is_answered_is_answered_all_the_same(
    server: Process, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(tmp_path / "data" / "admin.sock"))
        slow = b'{"verb": "account-list"}\n' * 20  # a thread is asked
        connection.sendall(slow + b'{"verb": "console"}\n/rooms\n')
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answers:
            assert answers.readlines()[-2:] == [b"*** #lobby 1 person\n", b"*** end\n"]


def test_in_the_background_of_a_terminal_it_serves_without_a_console(tmp_path: Path) -> None:
    """Or the system would stop it as soon as it reads what is typed."""
    serve_it = f"{sys.executable} -m asynchat serve --memory --port 0"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(
            "/bin/sh", ["sh", "-c", f"set -m; {serve_it} & echo pid=$!; wait $!; echo ended=$?"], environment(tmp_path)
        )
    shown = b""
    try:
        while b"listening on" not in shown or b"pid=" not in shown:
            shown += os.read(terminal, 4096)
        number = re.search(rb"pid=(\d+)", shown)
        assert number is not None
        os.write(terminal, b"typed to the shell\n")
        os.kill(int(number[1]), signal.SIGTERM)
        while b"ended=" not in shown:
            shown += os.read(terminal, 4096)
        assert b"ended=0" in shown
        assert b"you are the server" not in shown
    finally:
        os.close(terminal)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.mark.parametrize(("option", "operates"), [([], False), (["--console"], True), (["--no-console"], False)])
def test_without_a_terminal_it_is_a_console_only_if_it_is_told_to(
    option: list[str], operates: bool, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", "0", "--print-url", *option]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(tmp_path)
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().decode().strip()
        host, _, port = url.removeprefix("asynchat://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S):
            server.terminate()
        rest = server.stdout.read().decode()
    assert server.returncode == 0
    assert ("nc localhost" in rest) is operates
