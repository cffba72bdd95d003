"""`asynchat admin`: a socket that only the server's owner can open."""

from __future__ import annotations

import json
import socket
import ssl
import stat
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from asynchat.net.certificates import fingerprint, make_certificate
from tests.net.conftest import IrcClient, LineClient, Process, Serve, Walk, clients, environment, serve, walk_in

__all__ = ["clients", "serve", "walk_in"]


@pytest.fixture
def server(serve: Serve, tmp_path: Path) -> Process:
    return serve("--data", str(tmp_path / "data"))


def admin(tmp_path: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asynchat", "admin", *arguments, "--data", str(tmp_path / "data")]
    return subprocess.run(
        command, input=stdin, env=environment(tmp_path), capture_output=True, text=True, timeout=15, check=False
    )


def test_an_account_is_made_while_the_server_runs_and_is_listed(server: Process, tmp_path: Path) -> None:
    made = admin(tmp_path, "account", "add", "Ann", "--password-stdin", stdin="sesame\n")
    assert (made.returncode, made.stdout) == (0, "")
    assert admin(tmp_path, "account", "list").stdout == "Ann\n"


def logs_in(port: int, certificate: Path, mechanism: str, response: bytes) -> str:
    """The numeric that answers a login with TLS and a certificate: 903 or 904."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    opening = f"CAP REQ sasl\r\nAUTHENTICATE {mechanism}\r\nAUTHENTICATE {b64encode(response).decode() or '+'}\r\n"
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain) as connection,
        connection.makefile("rw", newline="") as stream,
    ):
        stream.write(opening)
        stream.flush()
        return next(word for line in stream for word in line.split() if word in ("903", "904"))


def test_a_certificate_and_another_password_log_in_to_an_account(serve: Serve, tmp_path: Path) -> None:
    port = serve("--data", str(tmp_path / "data"), "--tls", "auto").port
    certificate = tmp_path / "client.pem"
    make_certificate(certificate, certificate.with_suffix(".key"), ["client"])
    admin(tmp_path, "account", "add", "ann", "--password-stdin", stdin="sesame")
    assert logs_in(port, certificate, "EXTERNAL", b"") == "904"
    change = ("account", "certificate", "Ann", fingerprint(certificate).upper())
    assert admin(tmp_path, *change).returncode == 0
    assert logs_in(port, certificate, "EXTERNAL", b"") == "903"
    assert admin(tmp_path, *change, "--remove").returncode == 0
    assert logs_in(port, certificate, "EXTERNAL", b"") == "904"
    assert admin(tmp_path, "account", "password", "ann", "--password-stdin", stdin="open it\n").returncode == 0
    assert logs_in(port, certificate, "PLAIN", b"\0ann\0sesame") == "904"
    assert logs_in(port, certificate, "PLAIN", b"\0ann\0open it") == "903"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("certificate", "nobody", "ab" * 32), "NO_SUCH_ACCOUNT"),
        (("certificate", "ann", "ab" * 31), "BAD_FINGERPRINT"),
        (("certificate", "ann", "ab" * 32, "--remove"), "NO_SUCH_CERTIFICATE"),
        (("password", "nobody", "--password-stdin"), "NO_SUCH_ACCOUNT"),
    ],
)
def test_what_cannot_be_changed_is_refused(
    arguments: tuple[str, ...], code: str, server: Process, tmp_path: Path
) -> None:
    admin(tmp_path, "account", "add", "ann", "--password-stdin", stdin="sesame")
    refused = admin(tmp_path, "account", *arguments, stdin="other")
    assert refused.returncode == 77
    assert code in refused.stderr


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [("ann", "again", "ACCOUNT_EXISTS"), ("9lives", "sesame", "BAD_ACCOUNT_NAME"), ("bob", "", "WEAK_PASSWORD")],
)
def test_what_cannot_be_made_is_refused_with_77(
    name: str, password: str, code: str, server: Process, tmp_path: Path
) -> None:
    admin(tmp_path, "account", "add", "ann", "--password-stdin", stdin="sesame")
    refused = admin(tmp_path, "account", "add", name, "--password-stdin", stdin=password)
    assert refused.returncode == 77
    assert code in refused.stderr


async def test_figures_are_json(server: Process, tmp_path: Path, walk_in: Walk) -> None:
    assert json.loads(admin(tmp_path, "stats").stdout).items() >= {"people": 0, "rooms": 0, "void": 0}.items()
    await walk_in(LineClient, server.port, "nat")
    await walk_in(IrcClient, server.port, "irene")
    await walk_in(LineClient, server.port)
    figures = json.loads(admin(tmp_path, "stats").stdout)
    assert figures.pop("uptime_s") >= 0
    assert figures.pop("memory_bytes") > 1_000_000
    assert figures.pop("last_id") > 0
    assert figures == {
        "people": 2,
        "sessions": 2,
        "wires": {"irc": 1, "line": 1},
        "connections": 3,
        "lagging": 0,
        "rooms": 1,
        "void": 0,
    }


def test_a_reload_says_what_cannot_be_used(serve: Serve, tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text("")
    serve("--data", str(tmp_path / "data"), "--config", str(config))
    assert admin(tmp_path, "reload").returncode == 0
    config.write_text("[server]\nmotd = 7\n")
    refused = admin(tmp_path, "reload")
    assert refused.returncode == 78
    assert "[server] motd" in refused.stderr


async def test_who_is_there_is_told_why_it_stops(server: Process, tmp_path: Path, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    assert admin(tmp_path, "stop", "--reason", "for a new disk").returncode == 0
    assert ("***", "for a new disk") in await nat.rest()
    assert server.popen.wait(10) == 0


def test_nobody_else_can_open_the_socket_and_it_goes_with_the_server(server: Process, tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    server.popen.terminate()
    assert server.popen.wait(10) == 0
    assert not path.exists()


def test_wherever_the_store_is_the_socket_is_in_the_folder_of_data(serve: Serve, tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text(f'[store]\npath = "{tmp_path / "elsewhere.db"}"\n')
    serve("--data", str(tmp_path / "data"), "--config", str(config))
    assert (tmp_path / "elsewhere.db").exists()
    assert admin(tmp_path, "stats").returncode == 0


def test_without_a_server_it_ends_with_69(tmp_path: Path) -> None:
    nobody = admin(tmp_path, "stats")
    assert nobody.returncode == 69
    assert "admin.sock" in nobody.stderr


def test_a_path_too_long_for_a_socket_costs_only_the_admin_socket(serve: Serve, tmp_path: Path) -> None:
    server = serve("--data", str(tmp_path / ("d" * 120)))
    assert "admin` will not work" in server.log
