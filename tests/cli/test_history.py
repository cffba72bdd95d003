"""`asynchat history`, `who` and `rooms`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import asynchat, lines, said
from tests.net.conftest import Process, Serve, environment, serve
from tests.netcat import Netcat

__all__ = ["serve"]


@pytest.fixture
def server(serve: Serve, tmp_path: Path) -> Process:
    server = serve("--memory")
    said(tmp_path, server.url, *(f"line {number}" for number in range(250)))
    said(tmp_path, server.url, "and tea", name="tom")
    return server


def texts(folder: Path, server: Process, *arguments: str) -> list[str]:
    return [line.partition("> ")[2] for line in lines(asynchat(folder, server.url, "history", *arguments))]


def ids(folder: Path, server: Process) -> list[str]:
    done = asynchat(folder, server.url, "history", "--json", "--limit", "0")
    return [json.loads(line)["id"] for line in lines(done)]


def test_the_last_lines_in_order(server: Process, tmp_path: Path) -> None:
    assert texts(tmp_path, server, "--limit", "3") == ["line 248", "line 249", "and tea"]
    assert len(texts(tmp_path, server)) == 100
    assert texts(tmp_path, server, "#lobby", "--limit", "0") == [*(f"line {n}" for n in range(250)), "and tea"]


def test_before_after_and_around(server: Process, tmp_path: Path) -> None:
    known = ids(tmp_path, server)
    assert texts(tmp_path, server, "--before", known[10], "--limit", "2") == ["line 8", "line 9"]
    assert texts(tmp_path, server, "--after", known[10], "--limit", "2") == ["line 11", "line 12"]
    assert texts(tmp_path, server, "--after", known[10], "--before", known[13]) == ["line 11", "line 12"]
    assert texts(tmp_path, server, "--after", known[13], "--before", known[10]) == []
    assert texts(tmp_path, server, "--around", known[10], "--limit", "3") == ["line 9", "line 10", "line 11"]
    assert texts(tmp_path, server, "--after", "1h", "--limit", "1") == ["line 0"]
    assert texts(tmp_path, server, "--after", "2200-01-01") == []
    assert texts(tmp_path, server, "--before", "2001-01-01T12:00") == []


def test_what_somebody_said_and_what_is_found_in_it(server: Process, tmp_path: Path) -> None:
    assert texts(tmp_path, server, "--from", "TOM") == ["and tea"]
    assert texts(tmp_path, server, "--grep", r"line \d7$", "--limit", "2") == ["line 87", "line 97"]
    assert texts(tmp_path, server, "--search", "tea") == ["and tea"]


@pytest.mark.parametrize("most", [1000, 100])
def test_the_server_searches_page_by_page(serve: Serve, tmp_path: Path, most: int) -> None:
    (tmp_path / "server.toml").write_text(f"[history]\nmax_request = {most}\n")
    server = serve("--memory", "--config", str(tmp_path / "server.toml"))
    said(tmp_path, server.url, *(f"line {number} of tea" for number in range(250)), "the line")
    said(tmp_path, server.url, "a line", name="tom")
    tea = [f"line {number} of tea" for number in range(250)]
    assert texts(tmp_path, server, "--search", "LINE tea", "--limit", "0") == tea
    assert texts(tmp_path, server, "--search", "line tea") == tea[-100:]
    assert texts(tmp_path, server, "--search", "line", "--grep", " .7 ", "--limit", "3") == [
        tea[n] for n in (77, 87, 97)
    ]
    assert texts(tmp_path, server, "--search", "line", "--from", "Tom", "--limit", "0") == ["a line"]
    assert texts(tmp_path, server, "--search", "coffee", "--limit", "0") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--grep", "("), 2),
        (("--around", "5", "--before", "6"), 2),
        (("--format", "{nothing}"), 2),
        (("#nowhere", "--limit", "x"), 2),
    ],
)
def test_what_makes_no_sense_is_told(server: Process, tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    done = asynchat(tmp_path, server.url, "history", *arguments)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr


def test_an_account_is_in_no_other_rooms_afterwards(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    said(tmp_path, server.url, "tea", room="#ops")
    with Netcat(server.port, "alice") as alice:
        alice.say("/register correct horse")
        alice.until("registered")
    (tmp_path / "password").write_text("correct horse\n")
    login = ("--name", "alice", "--password-file", str(tmp_path / "password"))
    assert texts(tmp_path, server, "#ops", *login) == ["tea"]
    with Netcat(server.port, "bob") as bob:
        bob.say("/who #ops")
        assert "NO_SUCH_ROOM" in bob.until("ops")


def test_a_format_and_objects(server: Process, tmp_path: Path) -> None:
    form = "{time:%Y} {from}\\t{text} in {place}"
    done = asynchat(tmp_path, server.url, "history", "--limit", "1", "--format", form)
    assert lines(done)[0].partition(" ")[2] == "tom\tand tea in #lobby"
    (line,) = lines(asynchat(tmp_path, server.url, "history", "--limit", "1", "--json"))
    assert json.loads(line).items() >= {"from": "tom", "text": "and tea", "kind": "message", "place": "#lobby"}.items()


def test_nothing_hostile_is_printed(server: Process, tmp_path: Path) -> None:
    said(tmp_path, server.url, "\x1b]52;c;aGk=\x07 \u202etxt")
    for more in ((), ("--format", "{text}")):
        done = asynchat(tmp_path, server.url, "history", "--limit", "1", *more)
        assert not set(done.stdout.decode()) & set("\x1b\x07\u202e")


def test_a_closed_pipe_is_quiet(server: Process, tmp_path: Path) -> None:
    script = f"{sys.executable} -m asynchat history -u {server.url} --limit 0 --format {'x' * 5000} | head -c 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"], env=environment(tmp_path), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, b"x", b"")


def test_who_and_rooms(server: Process, tmp_path: Path) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as nat:
        nat.sendall(b"nat\n/join #ops\n/topic tea\n")
        with nat.makefile("rb") as heard:
            while b"topic" not in heard.readline():
                pass
        assert lines(asynchat(tmp_path, server.url, "who", "#ops")) == ["@nat"]
        (person,) = lines(asynchat(tmp_path, server.url, "who", "#ops", "--json"))
        assert json.loads(person).items() >= {"name": "nat", "operator": True, "away": False}.items()
        assert lines(asynchat(tmp_path, server.url, "rooms")) == ["#lobby 1", "#ops 1 tea"]
        rooms = [json.loads(line) for line in lines(asynchat(tmp_path, server.url, "rooms", "--json"))]
        assert {"name": "#ops", "people": 1, "topic": "tea"} in rooms


@pytest.mark.parametrize("command", [["history"], ["tail", "--once"], ["join"]])
def test_what_the_terminal_cannot_show_ends_nothing(command: list[str], server: Process, tmp_path: Path) -> None:
    said(tmp_path, server.url, "日本 tea")
    env = environment(tmp_path) | {"ASYNCHAT_URL": server.url, "PYTHONIOENCODING": "ascii"}
    run = [sys.executable, "-m", "asynchat", *command]
    done = subprocess.run(run, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1].partition(b"> ")[2]) == (0, b"?? tea"), done.stderr
    if command != ["join"]:
        done = subprocess.run([*run, "--json"], env=env, capture_output=True, timeout=20, check=False)
        assert json.loads(done.stdout.splitlines()[-1])["text"] == "日本 tea"


def test_a_message_that_the_server_does_not_have_is_told(server: Process, tmp_path: Path) -> None:
    said(tmp_path, server.url, "one", "two")
    for option in ("--before", "--after", "--around"):
        done = asynchat(tmp_path, server.url, "history", option, "99999")
        assert done.returncode == 0
        assert done.stderr == b"asynchat: the server has no message 99999 in #lobby\n"
    known = json.loads(lines(asynchat(tmp_path, server.url, "history", "--json", "--limit", "1"))[0])["id"]
    assert asynchat(tmp_path, server.url, "history", "--before", known).stderr == b""
