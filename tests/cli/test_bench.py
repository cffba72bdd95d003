"""`asynchat bench`: what it prints, what it refuses, and the code with which it ends."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from asynchat.cli import bench, group
from asynchat.client.figures import Figures, Spread
from asynchat.client.url import Url
from tests.client.twisted import Twisted
from tests.net.conftest import Process, Serve, environment, serve

__all__ = ["serve"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bench.md"
QUICK = ("--clients", "4", "--seconds", "0.2", "--rate", "0")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "asynchat", "bench", *arguments]


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = environment(tmp_path)
    return subprocess.run(command(*arguments), env=env, capture_output=True, text=True, timeout=15, check=False)


@pytest.fixture
def server(serve: Serve) -> Process:
    return serve("--memory")


def test_it_prints_a_table_and_nothing_else(server: Process, tmp_path: Path) -> None:
    done = run(tmp_path, "--url", server.url, *QUICK, "--rooms", "2")
    assert (done.returncode, done.stderr) == (0, "")
    head, empty, *rows = done.stdout.splitlines()
    assert head.startswith(f"{server.url}: 4 clients in 2 rooms, as many lines as it takes, 100 bytes, ")
    assert empty == ""
    rows = rows[: rows.index("lost 0, duplicated 0, reordered 0")]  # what follows depends on the machine
    names = [row.split()[0] for row in rows if row]
    assert names == ["p50", "latency", "entering", "count", "sent", "delivered", "received"]


def test_json_has_every_figure_under_its_documented_name(server: Process, tmp_path: Path) -> None:
    done = run(tmp_path, "--url", server.url, *QUICK, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    documented = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert list(figures) == documented
    assert set(Figures.__dataclass_fields__) < figures.keys()
    assert figures["latency_us"].keys() == set(Spread.__dataclass_fields__) == figures["enter_us"].keys()
    assert (figures["clients"], figures["entered"], figures["lost"]) == (4, 4, 0)
    assert figures["delivered"] == figures["sent"] * 3 > 0


async def test_a_server_that_loses_a_line_ends_it_with_1(server: Process, tmp_path: Path) -> None:
    async with Twisted(server.port, lambda _, number, line: [] if number == 3 else [line]) as twisted:
        arguments = command("--url", f"tcp://127.0.0.1:{twisted.port}", *QUICK)
        done = await asyncio.create_subprocess_exec(*arguments, env=environment(tmp_path), stdout=subprocess.PIPE)
        output, _ = await done.communicate()
    assert done.returncode == 1
    assert "lost 4, duplicated 0, reordered 0" in output.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--clients", "5", "--rooms", "3"], "3 rooms need 6 clients", id="too few clients"),
        pytest.param(["--bytes", "47"], "48<=x<=350", id="too few bytes"),
        pytest.param(["--bytes", "351"], "48<=x<=350", id="too many bytes"),
        pytest.param(["--seconds", "0"], "0<x<=86400", id="no time"),
        pytest.param(["--rate", "-1"], "0<=x<=1000000", id="a negative rate"),
        pytest.param(["--url", "asynchat://192.0.2.1"], "is not on this machine", id="another machine"),
        pytest.param(["--url", "asynchat://[2001:db8::1]"], "is not on this machine", id="another machine, IPv6"),
        pytest.param(["--url", "ircs://127.0.0.1"], "TLS", id="TLS"),
    ],
)
def test_what_makes_no_sense_is_a_mistake(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert done.stdout == ""


@pytest.mark.parametrize(("limit", "code"), [(131, 2), (132, 69)])
def test_more_clients_than_descriptors_are_a_mistake(limit: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "raise_descriptor_limit", lambda: limit)
    done = CliRunner().invoke(group, ["bench", "--url", "unix:///nonexistent", "--clients", "100"])
    assert done.exit_code == code
    assert ("need 132 descriptors, and this process may have 131" in done.output) == (code == 2)


@pytest.mark.parametrize(
    ("addresses", "here"),
    [
        (["127.0.0.1"], True),
        (["127.8.0.1", "::1"], True),
        (["::ffff:127.0.0.1"], True),
        (["127.0.0.1", "192.0.2.1"], False),
        (["::ffff:192.0.2.1"], False),
        (["fe80::1%2"], False),
        (["0.0.0.0"], False),
    ],
)
def test_a_name_is_here_if_all_its_addresses_are(
    addresses: list[str], here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert bench.is_here(Url("chat.example", 1)) == here


def test_a_unix_socket_is_here(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    serve("--memory", "--listen", f"unix://{path}", port=None)
    assert run(tmp_path, "--url", f"unix://{path}", *QUICK).returncode == 0


@pytest.mark.parametrize(("yes", "code"), [([], 2), (["--yes"], 0)])
def test_who_says_yes_may_load_another_machine(
    yes: list[str], code: int, server: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "is_here", lambda _: False)
    assert CliRunner().invoke(group, ["bench", "--url", server.url, *QUICK, *yes]).exit_code == code


def test_without_a_server_it_ends_with_69(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run(tmp_path, "--url", f"asynchat://127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith(f"asynchat: asynchat://127.0.0.1:{port}: ")


def test_a_no_of_the_server_is_told_in_its_words(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory", "--max-clients", "3")
    done = run(tmp_path, "--url", server.url, *QUICK)
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr == "asynchat: ERROR Server full, try again later (the server to client 4 of 4)\n"


def test_the_password_is_read_from_a_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('[server]\npassword = "sesame"\n')
    (tmp_path / "right").write_text("sesame\n")
    (tmp_path / "wrong").write_text("simsim\n")
    server = serve("--memory", "--config", str(tmp_path / "server.toml"))
    for file, code in (("right", 0), ("wrong", 77)):
        done = run(tmp_path, "--url", server.url, *QUICK, "--password-file", str(tmp_path / file))
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_whoever_interrupts_it_sees_what_was_measured(form: list[str], server: Process, tmp_path: Path) -> None:
    terminal, inside = pty.openpty()
    arguments = command("--url", server.url, "--clients", "4", "--seconds", "3600", "--rate", "100", *form)
    with subprocess.Popen(
        arguments, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=inside, text=True
    ) as running:
        os.close(inside)
        shown = ""
        while not re.search(r"/3600 s   4/4 connected   [1-9]\d* sent   \d+ delivered/s   p99 ", shown):
            shown += os.read(terminal, 1000).decode()
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=15)
    os.close(terminal)
    assert running.returncode == 130
    assert "Traceback" not in shown
    if form:
        figures: dict[str, Any] = json.loads(output)
        assert figures["interrupted"]
        assert 0 < figures["sent"] * 3 == figures["delivered"] + figures["undelivered"]
    else:
        assert "lost 0, duplicated 0, reordered 0" in output
        assert "\nit was interrupted\n" in output


FLOOD = (
    "each client said 250 lines/s: asynchat slows down who says more than 100 for long, unless [limits] flood = false"
)


def spread(us: int) -> Spread:
    return Spread(p50=us, p90=us, p99=us, p99_9=us, max=us)


def figures(**different: Any) -> Figures:
    values: dict[str, Any] = dict.fromkeys(Figures.__dataclass_fields__, 0)
    values |= {"latency_us": spread(1500), "enter_us": spread(12_000_000), "server_said": {}, "interrupted": False}
    return Figures(**(values | {"sent": 1000, "sent_per_s": 10.0, "cpu_share": 0.1} | different))


@pytest.mark.parametrize(
    ("different", "remarks"),
    [
        ({}, []),
        ({"interrupted": True}, ["it was interrupted"]),
        ({"put_out": 2}, ["clients that were put out: 2"]),
        ({"undelivered": 3}, ["deliveries still on their way after 10 s: 3"]),
        ({"unsent": 4}, ["lines that were due and not said: 4"]),
        ({"server_said": {"404 no": 5}}, ["the server said (5x): 404 no"]),
        ({"cpu_share": 0.95}, ["the generator was the limit: it used 95% of a processor"]),
        ({"sent": 2001, "sent_per_s": 100.0}, []),
        ({"sent": 2001, "sent_per_s": 500.0}, [FLOOD]),
    ],
)
def test_what_must_be_known_besides_is_said(different: dict[str, Any], remarks: list[str]) -> None:
    assert bench.remarks(figures(**different), 2) == remarks


def test_durations_have_a_readable_unit() -> None:
    rows = [row.split() for row in bench.table(figures(latency_us=spread(250_000)))]
    assert rows[1] == ["latency"] + ["250", "ms"] * 5
    assert rows[2] == ["entering"] + ["12.0", "s"] * 5
