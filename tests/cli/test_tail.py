"""`asynchat tail`: nothing is missed and nothing comes twice, across restarts of either end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asynchat.cli.moment import moment
from tests.cli.program import asynchat, lines, said
from tests.net.conftest import PATIENCE_S, Process, Serve, environment, serve

pytestmark = pytest.mark.timeout(60)  # programs start, and a busy machine takes its time

__all__ = ["serve"]


@pytest.fixture
def server(serve: Serve) -> Process:
    return serve("--memory")


class Tail:
    """A tail that goes on."""

    def __init__(self, folder: Path, url: str, *arguments: str) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "asynchat", "tail", "-u", url, "-n", "reader", *arguments],
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def next(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().decode().rstrip("\n")

    def until(self, text: str) -> list[str]:
        found = [self.next()]
        while text not in found[-1]:
            assert found[-1], f"the end came before {text}"
            found.append(self.next())
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.popen.send_signal(number)
        self.popen.communicate(timeout=PATIENCE_S)
        return self.popen.returncode


@pytest.fixture
def tails() -> Iterator[list[Tail]]:
    started: list[Tail] = []
    yield started
    for tail in started:
        if tail.popen.poll() is None:
            tail.end(signal.SIGKILL)


def test_the_last_lines_and_then_what_is_said(server: Process, tmp_path: Path, tails: list[Tail]) -> None:
    said(tmp_path, server.url, *(f"line {number}" for number in range(20)))
    tails.append(tail := Tail(tmp_path, server.url, "--lines", "2", "--format", "{text}"))
    assert [tail.next(), tail.next()] == ["line 18", "line 19"]
    said(tmp_path, server.url, "live")
    assert tail.next() == "live"
    assert tail.end(signal.SIGINT) == 130


def test_a_room_that_is_renamed_is_gone_on_with(server: Process, tmp_path: Path, tails: list[Tail]) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as bob, bob.makefile("rw") as stream:
        stream.write("NICK op\r\nUSER op 0 * op\r\nJOIN #old\r\n")
        stream.flush()
        tails.append(tail := Tail(tmp_path, server.url, "#old", "--format", "{place} {text}"))
        while "reader" not in (line := stream.readline()) or "JOIN" not in line:
            assert line
        stream.write("PRIVMSG #old :before\r\n")
        stream.flush()
        assert tail.next() == "#old before"
        stream.write("RENAME #old #new\r\nPRIVMSG #new :after\r\n")
        stream.flush()
        assert tail.next() == "#new after"


def test_once_ends_where_the_present_begins(server: Process, tmp_path: Path) -> None:
    said(tmp_path, server.url, *(f"line {number}" for number in range(250)))
    done = asynchat(tmp_path, server.url, "tail", "--once", "--since", "1h", "--format", "{text}")
    assert lines(done) == [f"line {number}" for number in range(250)]
    assert lines(asynchat(tmp_path, server.url, "tail", "--once", "--lines", "0")) == []


def test_several_rooms_are_told_apart(server: Process, tmp_path: Path) -> None:
    said(tmp_path, server.url, "here")
    said(tmp_path, server.url, "there", room="#ops")
    done = asynchat(tmp_path, server.url, "tail", "--once", "#lobby", "#ops", "--since", "1h")
    assert [line.partition(" ")[2] for line in lines(done)] == ["[#lobby] <bob> here", "[#ops] <bob> there"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_cursor_goes_on_where_the_last_run_ended(
    serve: Serve, tmp_path: Path, tails: list[Tail], number: signal.Signals
) -> None:
    server = serve("--data", str(tmp_path / "data"))
    arguments = ("--cursor", str(tmp_path / "cursor"), "--since", "1h", "--json")
    found: list[str] = []
    for run in range(4):
        said(tmp_path, server.url, *(f"{run}.{line}" for line in range(120)))
        tails.append(tail := Tail(tmp_path, server.url, *arguments))
        printed = [json.loads(line) for line in tail.until(f"{run}.119")]
        found += [each["text"] for each in printed]
        while (
            printed[-1]["id"] not in (tmp_path / "cursor").read_text()
        ):  # it is killed after that, not between the two
            continue
        tail.end(number)
    assert found == [f"{run}.{line}" for run in range(4) for line in range(120)]


def test_a_restart_of_the_server_is_not_noticed_in_the_lines(serve: Serve, tmp_path: Path, tails: list[Tail]) -> None:
    server = serve("--data", str(tmp_path / "data"))
    tails.append(tail := Tail(tmp_path, server.url, "--cursor", str(tmp_path / "cursor"), "--format", "{text}"))
    said(tmp_path, server.url, "one")
    assert tail.until("one") == ["one"]
    server.kill()
    again = serve("--data", str(tmp_path / "data"), port=str(server.port))
    said(tmp_path, again.url, "two", "three")
    assert tail.until("three") == ["two", "three"]


@pytest.mark.parametrize("follow", [True, False], ids=["follow", "once"])
@pytest.mark.parametrize("number", [1, 5], ids=["the id is not there", "the id is another line's"])
def test_a_cursor_of_another_log_goes_on_by_time(
    number: int, serve: Serve, tmp_path: Path, tails: list[Tail], *, follow: bool
) -> None:
    server = serve("--data", str(tmp_path / "data"))
    said(tmp_path, server.url, "one", "two", "three")
    cursor = ("--cursor", str(tmp_path / "cursor"), "--format", "{text}")
    assert lines(asynchat(tmp_path, server.url, "tail", "--once", *cursor)) == ["one", "two", "three"]
    server.kill()
    again = serve("--data", str(tmp_path / "new"), port=str(server.port))
    new = [f"new {each}" for each in range(number)]
    said(tmp_path, again.url, *new)
    if follow:
        tails.append(tail := Tail(tmp_path, again.url, *cursor))
        assert tail.until(new[-1]) == new
        return
    done = asynchat(tmp_path, again.url, "tail", "--once", *cursor)
    assert lines(done) == new
    assert b"!!! the server does not have what came last of #lobby; going on after 20" in done.stderr
    assert asynchat(tmp_path, again.url, "tail", "--once", *cursor).stderr == b""


def test_a_cursor_is_of_one_process_and_one_server(
    server: Process, serve: Serve, tmp_path: Path, tails: list[Tail]
) -> None:
    cursor = str(tmp_path / "cursor")
    tails.append(tail := Tail(tmp_path, server.url, "--cursor", cursor, "--since", "1h"))
    said(tmp_path, server.url, "one")
    tail.until("one")
    second = asynchat(tmp_path, server.url, "tail", "--once", "--cursor", cursor)
    assert second.returncode == 74
    assert b"another process" in second.stderr
    tail.end()
    other = serve("--memory")
    elsewhere = asynchat(tmp_path, other.url, "tail", "--once", "--cursor", cursor)
    assert elsewhere.returncode == 74
    assert b"is the cursor of" in elsewhere.stderr
    (tmp_path / "cursor").write_text("nonsense")
    assert asynchat(tmp_path, server.url, "tail", "--once", "--cursor", cursor).returncode == 74


def test_moments() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert moment("10m", now) == "timestamp=2026-11-20T11:50:00.000Z"
    assert moment("2d", now) == "timestamp=2026-11-18T12:00:00.000Z"
    assert moment("08:30", now) == "timestamp=2026-11-20T08:30:00.000Z"
    assert moment("2026-11-19T08:30:01Z", now) == "timestamp=2026-11-19T08:30:01.000Z"
    assert moment("1842", now) == "msgid=1842"
    assert moment("#1842", now) == "msgid=1842"
    assert moment("1w", now) == "timestamp=2026-11-13T12:00:00.000Z"
    assert moment("1.5h", now) == "timestamp=2026-11-20T10:30:00.000Z"
    assert moment("#yesterday", now) == "msgid=yesterday"
    assert moment("fqbxn9kx4b9s2", now) == "msgid=fqbxn9kx4b9s2"
    assert moment("RhvGGJHrSJ3W1nXbZt0qTA-R", now) == "msgid=RhvGGJHrSJ3W1nXbZt0qTA-R"


@pytest.mark.parametrize(
    "text",
    [
        "25:99",
        "2026-02-30",
        "2026-13",
        "13.5.2026",
        "yesterday",
        "abc",
        "10minutes",
        "99999999d",
        "0001-01-01",
        "",
        "#",
    ],
)
def test_what_is_no_moment_is_a_usage_error(text: str, tmp_path: Path) -> None:
    for arguments in (("history", "--after"), ("tail", "--once", "--since")):
        done = asynchat(tmp_path, "asynchat://127.0.0.1:1", *arguments, text)
        assert done.returncode == 2
        assert b"'%s'" % arguments[-1].encode() in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
def test_who_waits_for_a_server_can_be_ended(
    number: signal.Signals, code: int, tmp_path: Path, tails: list[Tail]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        tail = Tail(tmp_path, f"asynchat://127.0.0.1:{silent.getsockname()[1]}", "--wait", "60")
        tails.append(tail)
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(1)
            assert tail.end(number) == code


def test_who_has_an_account_and_never_left_the_room_misses_nothing(
    server: Process, tmp_path: Path, tails: list[Tail]
) -> None:
    """The server puts them into the room before they ask for it."""
    (tmp_path / "password").write_text("correct horse")
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as reader, reader.makefile("rw") as stream:
        stream.write("NICK reader\r\nUSER reader 0 * :reader\r\nREGISTER * * :correct horse\r\n")
        stream.flush()
        while "REGISTER SUCCESS" not in stream.readline():
            continue
    account = ("--account", "reader", "--password-file", str(tmp_path / "password"))
    for run in range(3):
        said(tmp_path, server.url, f"{run}.missed")
        tails.append(
            tail := Tail(tmp_path, server.url, *account, "--cursor", str(tmp_path / "cursor"), "--format", "{text}")
        )
        found = tail.until(f"{run}.missed")
        assert found == [f"{run}.missed"]
        tail.end(signal.SIGTERM)


def test_an_id_that_the_server_does_not_have_is_told(server: Process, tmp_path: Path) -> None:
    said(tmp_path, server.url, "one")
    done = asynchat(tmp_path, server.url, "tail", "--once", "--since", "99999")
    assert (done.returncode, done.stderr) == (0, b"asynchat: the server has no message 99999 in #lobby\n")
