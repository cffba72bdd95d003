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


# Rooms and people.


async def test_rooms_are_listed_with_their_people_secret_ones_too_and_nothing_moves_the_cursor(
    server: Process, tmp_path: Path, walk_in: Walk
) -> None:
    irene = await walk_in(IrcClient, server.port, "irene")
    await walk_in(LineClient, server.port, "nat")
    await irene.command("JOIN #dev", "MODE #dev +s", "TOPIC #dev :tea \x1b[2J \u202e")
    await irene.ping()
    listed = admin(tmp_path, "room", "list")
    assert listed.stdout.splitlines() == ["#lobby  @irene nat", '#dev  (secret)  @irene  "tea \ufffd[2J \ufffd"']


async def test_a_topic_a_kick_and_a_closed_room_are_seen_by_who_is_there(
    server: Process, tmp_path: Path, walk_in: Walk
) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    irene = await walk_in(IrcClient, server.port, "irene")
    assert admin(tmp_path, "room", "topic", "#lobby", "Tea").returncode == 0
    await nat.until("***", 'server set the topic: "Tea"')
    assert admin(tmp_path, "kick", "#lobby", "irene", "spam").returncode == 0
    await nat.until("***", "irene was kicked by server (spam)")
    await irene.until("***", ":server!server@localhost KICK #lobby irene :spam")
    closed = admin(tmp_path, "room", "close", "#lobby", "--reason", "over")
    assert closed.stderr == "1 put out of #lobby\n"
    await nat.until("***", "nat was kicked by server (over)")
    await nat.say("/join #lobby")
    await nat.until("***", 'topic of #lobby: "Tea"')


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("room", "topic", "#nowhere", "Tea"), "NO_SUCH_ROOM"),
        (("room", "close", "#nowhere"), "NO_SUCH_ROOM"),
        (("kick", "#nowhere", "nat"), "NO_SUCH_ROOM"),
        (("ban", "remove", "nat"), "NO_SUCH_BAN"),
        (("ban", "add", "two words"), "BAD_SETTING"),
        (("ban", "add", ""), "BAD_MASK"),
        (("ban", "add", "10.0.0.0/33"), "BAD_MASK"),
        (("ban", "add", "server"), "NOT_ALLOWED"),
        (("ban", "add", "nat", "--for", "0s"), "BAD_DURATION"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments: tuple[str, ...], code: str, server: Process, tmp_path: Path) -> None:
    refused = admin(tmp_path, *arguments)
    assert refused.returncode == 77
    assert code in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [("ban", "add", "nat", "--for", "ever"), ("ban", "add", "nat", "--for", "999999w"), ("drain", "--timeout", "soon")],
)
def test_what_is_no_duration_is_a_usage_error(arguments: tuple[str, ...], server: Process, tmp_path: Path) -> None:
    assert admin(tmp_path, *arguments).returncode == 2


async def test_a_ban_puts_out_who_is_there_and_holds_after_a_kill(serve: Serve, tmp_path: Path, walk_in: Walk) -> None:
    data = str(tmp_path / "data")
    server = serve("--data", data)
    nat = await walk_in(LineClient, server.port, "nat")
    bob = await walk_in(LineClient, server.port, "bob")
    assert admin(tmp_path, "ban", "add", "nat").stderr == "nat is banned; 1 put out\n"
    assert ("!!!", "BANNED you are banned from this server") in await nat.rest()
    added = admin(tmp_path, "ban", "add", "127.0.0.0/8", "--for", "1h", "--reason", "no \x1b[2J way")
    assert added.stderr == "127.0.0.0/8 is banned; 1 put out\n"
    await bob.rest()
    server.kill()
    server = serve("--data", data)
    listed = admin(tmp_path, "ban", "list").stdout.splitlines()
    assert listed[0] == "nat!*@*  for ever"
    assert listed[1].startswith("127.0.0.0/8  until ")
    assert listed[1].endswith("  no \ufffd[2J way")
    again = await walk_in(LineClient, server.port)
    await again.say("eve")
    assert ("!!!", "BANNED you are banned from this server (no \ufffd[2J way)") in await again.rest()
    assert admin(tmp_path, "ban", "remove", "127.0.0.0/8").returncode == 0
    await walk_in(LineClient, server.port, "eve")
    nat = await walk_in(LineClient, server.port)
    await nat.say("nat")
    assert ("!!!", "BANNED you are banned from this server") in await nat.rest()


async def test_a_ban_ends_by_itself(server: Process, tmp_path: Path, walk_in: Walk) -> None:
    admin(tmp_path, "ban", "add", "nat", "--for", "1s")
    while admin(tmp_path, "ban", "list").stdout:
        pass
    await walk_in(LineClient, server.port, "nat")


# The end.


async def test_a_drained_server_takes_nobody_more_waits_and_is_gone_when_the_command_is(
    server: Process, tmp_path: Path, walk_in: Walk
) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    irene = await walk_in(IrcClient, server.port, "irene")
    command = [sys.executable, "-m", "asynchat", "admin", "drain", "--data", str(tmp_path / "data"), "--reason", "bye"]
    with subprocess.Popen(command, env=environment(tmp_path)) as draining:
        await nat.until("***", "bye")
        await irene.until("***", ":asynchat NOTICE irene :bye")
        with pytest.raises(OSError):  # noqa: PT011  (refused or reset, as the system likes)
            await (await LineClient.connect(server.port)).rest()
        await nat.say("one more word")
        await irene.until("nat", "one more word")
        assert draining.poll() is None
        await nat.say("/quit")
        await irene.command("QUIT")
        await irene.rest()
        assert draining.wait(10) == 0
    assert server.popen.wait(10) == 0


async def test_who_does_not_leave_is_put_out_in_time(server: Process, tmp_path: Path, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    assert admin(tmp_path, "drain", "--timeout", "0s").returncode == 0
    await nat.rest()
    assert server.popen.wait(10) == 0


def test_once_a_stop_is_done_another_may_start(serve: Serve, tmp_path: Path) -> None:
    for _ in range(3):
        serve("--data", str(tmp_path / "data"))
        assert admin(tmp_path, "stop").returncode == 0
