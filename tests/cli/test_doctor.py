"""`asynchat doctor`: what it says of a machine, a disk, a log and a server, and that it changes nothing."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asynchat.cli import group
from asynchat.cli.doctor import disk, machine, ports, reaching
from asynchat.cli.doctor.finding import Finding, ok
from asynchat.cli.doctor.reaching import Target
from asynchat.client.trust import Trust
from asynchat.config.server import Settings
from asynchat.net.certificates import fingerprint, make_certificate
from asynchat.store.schema import VERSION
from tests.net.conftest import Process, Serve, serve

__all__ = ["serve"]


def of(findings: Iterator[Finding] | list[Finding], about: str) -> list[tuple[str, str]]:
    """The state and the text of all that is about something."""
    return [(each.state, each.text) for each in findings if each.about == about]


def doctor(folder: Path, *arguments: str, **env: str | None) -> Result:
    """What it says with a home of its own."""
    clean: dict[str, str | None] = {
        "HOME": str(folder), "XDG_CONFIG_HOME": None, "XDG_DATA_HOME": None, "ASYNCHAT_PORT": "0",
    }  # fmt: skip
    done = CliRunner().invoke(group, ["doctor", *arguments], env=clean | env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file, with its size and when it was changed."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in [folder, *folder.rglob("*")]}


# What it prints.


def test_a_line_for_each_and_0_if_nothing_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    before = everything_in(tmp_path)
    done = doctor(tmp_path, "--data", str(tmp_path / "data"))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert {line[:4] for line in lines} == {"ok  ", "--  "}
    everything = [
        "asynchat",
        "Python",
        "loop",
        "SQLite",
        "OpenSSL",
        "package",
        "configuration",
        "descriptors",
        "address",
    ]
    everything += ["data", "locks", "flush", "space", "file system", "log", "clock"]
    assert list(dict.fromkeys(line[4:17].rstrip() for line in lines)) == everything
    assert everything_in(tmp_path) == before


def test_json_has_the_same(tmp_path: Path) -> None:
    found = [json.loads(line) for line in doctor(tmp_path, "--json").stdout.splitlines()]
    assert all(each.keys() == {"state", "about", "text"} for each in found)
    assert {each["state"] for each in found} == {"ok", "note"}


def test_what_is_wrong_ends_it_with_1_and_is_marked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = doctor(tmp_path, "--data", str(tmp_path / "file"))
    assert done.exit_code == 1
    assert f"!!  data          {tmp_path / 'file'} is no folder\n" in done.stdout


def test_the_marks_may_be_coloured(tmp_path: Path) -> None:
    assert "\x1b[32mok\x1b[0m  Open" in doctor(tmp_path, "--color", "always").stdout
    assert "\x1b[" not in doctor(tmp_path).stdout


# The machine.


def test_sqlite_has_to_be_new_enough_and_able_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.sqlite().state == "ok"
    monkeypatch.setattr(machine, "LEAST_SQLITE", (99, 0, 0))
    assert machine.sqlite().text.endswith("it has to be 99.0.0 or later")
    assert machine.sqlite().state == "wrong"


def test_sqlite_that_cannot_search_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(sqlite3.Connection):
        def execute(self, *_: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("no such module: fts5")

    monkeypatch.setattr(sqlite3, "connect", Plain)
    found = machine.sqlite()
    assert (found.state, found.text.endswith(", without FTS5: there is no searching")) == ("wrong", True)


def test_without_uvloop_it_is_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.loop().text == f"uvloop {metadata.version('uvloop')}"
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert (machine.loop().state, machine.loop().text[:7]) == ("note", "asyncio")


def test_a_package_that_is_needed_is_missed_and_another_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["click>=8", "no-such-one>=1", "nor-that-one; sys_platform == 'x'", 'nor.this>=1; extra == "tls"']
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    assert [(each.state, each.text) for each in machine.packages()] == [
        ("ok", f"click {metadata.version('click')}"),
        ("wrong", "no-such-one is not installed"),
        ("note", "nor-that-one is not installed"),
        ("note", "nor.this is not installed; asynchat[tls] brings it"),
    ]


@pytest.mark.parametrize(
    ("hard", "max_clients", "state"),
    [(1024, 0, "ok"), (255, 0, "wrong"), (1024, 1000, "wrong"), (1032, 1000, "ok"), (-1, 10**6, "ok")],
)
def test_descriptors_are_enough_for_all_clients(
    hard: int, max_clients: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (64, hard))
    assert machine.descriptors(max_clients).state == state


def test_the_clock_is_after_the_release_and_the_last_message(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.clock(0).state == "ok"
    future = machine.clock(32_503_680_000_000)
    assert (future.state, "behind the last message" in future.text) == ("wrong", True)
    monkeypatch.setattr(machine, "RELEASED", machine.datetime(3000, 1, 1, tzinfo=machine.UTC))
    assert machine.clock(0).state == "wrong"


# The disk.


def test_a_folder_that_is_there_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    before = everything_in(tmp_path)
    found = list(disk.folder(tmp_path))
    assert of(found, "data") == [("ok", f"{tmp_path} can be written")]
    assert of(found, "locks") == [("ok", "flock works")]
    assert [text for _, text in of(found, "flush") if text.startswith("fdatasync takes ")]
    assert everything_in(tmp_path) == before


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = tmp_path / "a" / "b"
    assert of(disk.folder(wanted), "data") == [("note", f"{wanted} is not there; the first start makes it")]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert of(disk.folder(wanted), "data") == [("wrong", f"{wanted} is not there, and {tmp_path} cannot be written")]


def test_a_folder_that_takes_no_file_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert of(disk.folder(tmp_path), "data") == [("wrong", f"{tmp_path} cannot be written: Read-only file system")]


def test_locks_and_flushes_that_do_not_work_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr(disk, "_flush", refuse)
    found = list(disk.folder(tmp_path))
    assert [state for about in ("locks", "flush") for state, _ in of(found, about)] == ["wrong", "wrong"]


def test_a_disk_that_is_slow_or_full_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "SLOW_S", -1.0)
    monkeypatch.setattr(disk, "LITTLE_SPACE", 1 << 62)
    found = list(disk.folder(tmp_path))
    assert [state for about in ("flush", "space") for state, _ in of(found, about)] == ["wrong", "wrong"]


MOUNTS = "/dev/a / ext4 rw 0 0\nhost:/x /far nfs4 rw 0 0\ntmpfs /far/a\\040b tmpfs rw 0 0\n/dev/b / xfs rw 0 0\n"


@pytest.mark.parametrize(
    ("place", "kind"),
    [("/", "xfs"), ("/farther", "xfs"), ("/far", "nfs4"), ("/far/x", "nfs4"), ("/far/a b/c", "tmpfs")],
)
def test_the_file_system_is_the_one_mounted_last_and_deepest(place: str, kind: str) -> None:
    assert disk.file_system(Path(place), MOUNTS) == kind
    assert disk.file_system(Path(place), "") == ""


@pytest.mark.parametrize(("kind", "state"), [("ext4", "ok"), ("nfs4", "wrong"), ("tmpfs", "wrong"), ("", "note")])
def test_a_file_system_on_which_nothing_is_safe_is_wrong(
    kind: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_mounts", lambda: f"x / {kind} rw 0 0" if kind else "")
    assert [each for each, _ in of(disk.folder(tmp_path), "file system")] == [state]


# The log.


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def said_to(server: Process) -> None:
    """Have something in the log."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client, client.makefile("rw") as stream:
        stream.write("ann\nhello\n/quit\n")
        stream.flush()
        assert "bye" in stream.read()


@pytest.fixture
def stopped(serve: Serve, data: Path) -> Path:
    """The log of a server that was stopped."""
    server = serve("--data", str(data))
    said_to(server)
    assert server.stop() == 0
    return data / "asynchat.db"


IN_ORDER = [f"(schema {VERSION} of {VERSION})", "it is not damaged, as far as a quick look tells"]


def test_a_log_is_looked_at_and_stays_what_it_is(stopped: Path, data: Path) -> None:
    before = everything_in(data)
    found, last_ms = disk.database(stopped, running=False)
    assert [each.state for each in found] == ["ok", "ok"]
    assert all(each.text.endswith(words) for each, words in zip(found, IN_ORDER, strict=True))
    assert last_ms > 1_700_000_000_000
    assert everything_in(data) == before


def test_the_log_of_a_server_that_runs_is_looked_at_too(serve: Serve, data: Path, tmp_path: Path) -> None:
    server = serve("--data", str(data))
    said_to(server)
    before = everything_in(data).keys()
    done = doctor(tmp_path, "--data", str(data), ASYNCHAT_PORT=str(server.port), ASYNCHAT_HOST="127.0.0.1")
    assert done.exit_code == 0, done.output
    assert f"--  server        one is running with the data in {data}\n" in done.stdout
    assert f"ok  address       127.0.0.1:{server.port}: an asynchat is there already\n" in done.stdout
    assert IN_ORDER[1] in done.stdout
    assert everything_in(data).keys() == before


def test_the_log_of_a_server_that_was_killed_is_in_order(serve: Serve, data: Path) -> None:
    server = serve("--data", str(data))
    said_to(server)
    server.kill()
    before = everything_in(data).keys()
    assert [each.state for each in disk.database(data / "asynchat.db", running=False).findings] == ["ok", "ok"]
    assert everything_in(data).keys() == before
    (data / "asynchat.db-shm").unlink()
    before = everything_in(data).keys()
    (found,) = disk.database(data / "asynchat.db", running=False).findings
    assert (found.state, "was not closed" in found.text) == ("note", True)
    assert everything_in(data).keys() == before


def test_a_log_that_is_damaged_is_wrong(stopped: Path) -> None:
    size = stopped.stat().st_size
    with stopped.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    assert disk.database(stopped, running=False).findings[-1].state == "wrong"
    stopped.write_bytes(b"nothing of the kind" * 1000)
    (found,) = disk.database(stopped, running=False).findings
    assert (found.state, str(stopped) in found.text) == ("wrong", True)


def test_damage_that_is_only_found_on_looking_through_is_wrong(stopped: Path) -> None:
    with closing(sqlite3.connect(stopped)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'placed'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with stopped.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert [each.state for each in disk.database(stopped, running=False).findings] == ["wrong"]


def test_a_clock_that_is_behind_the_log_is_wrong(stopped: Path, data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(stopped, isolation_level=None)) as connection:
        connection.execute("UPDATE events SET at_ms = 32503680000000")
    done = doctor(tmp_path, "--data", str(data))
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1].endswith(" s behind the last message in the log")


@pytest.mark.parametrize(("version", "words"), [(0, "is no log of asynchat"), (99, "by a newer asynchat (schema 99)")])
def test_a_database_of_somebody_else_is_wrong(version: int, words: str, stopped: Path) -> None:
    with closing(sqlite3.connect(stopped)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    (found,) = disk.database(stopped, running=False).findings
    assert (found.state, words in found.text) == ("wrong", True)


def test_messages_that_are_missing_are_wrong(stopped: Path) -> None:
    mark = stopped.with_name("asynchat.db.mark")
    _, rest = mark.read_text().split(" ", 1)
    mark.write_text(f"{10**6:020d} {rest}")
    assert [each.state for each in disk.database(stopped, running=False).findings] == ["ok", "wrong", "ok"]
    assert [each.state for each in disk.database(stopped, running=True).findings] == ["ok", "ok"]


def test_a_log_that_is_large_is_not_looked_through(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LARGE", 0)
    assert [each.state for each in disk.database(stopped, running=False).findings] == ["ok", "note"]


def test_a_log_that_is_not_there_or_not_ours_is_told(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert disk.database(tmp_path / "none.db", running=False).findings[0].state == "note"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert disk.database(stopped, running=False).findings[0].state == "wrong"


# The configuration.


def test_the_files_that_are_read_are_named_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    config = tmp_path / ".config" / "asynchat"
    config.mkdir(parents=True)
    (config / "server.toml").write_text("[server]\nport = 0\n")
    (config / "client.toml").write_text("[default]\nnme = 1\n")
    done = doctor(tmp_path)
    assert done.exit_code == 1
    assert f"ok  configuration server: {config}/server.toml\n" in done.stdout
    assert f"!!  configuration {config}/client.toml: [default] has no nme; did you mean name?\n" in done.stdout


def test_what_the_settings_name_has_to_be_there(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('[server]\nport = 0\nmotd = "/none"\n[tls]\ncert = "/none.pem"\n')
    wrong = [line for line in doctor(tmp_path, "--config", str(file)).stdout.splitlines() if line.startswith("!!")]
    assert [words in line for line, words in zip(wrong, ["motd", "/none.pem"], strict=True)] == [True, True]
    motd, cert = tmp_path / "motd", tmp_path / "cert.pem"
    motd.write_text("hello")
    make_certificate(cert, tmp_path / "key.pem", ["localhost"])
    file.write_text(f'[server]\nport = 0\nmotd = "{motd}"\n[tls]\ncert = "{cert}"\nkey = "{tmp_path / "key.pem"}"\n')
    done = doctor(tmp_path, "--config", str(file))
    assert done.exit_code == 0, done.output
    assert f"[server] motd: {motd}" in done.stdout
    assert f"[tls] cert: {cert}" in done.stdout


def test_settings_that_cannot_be_used_do_not_keep_it_from_the_rest(tmp_path: Path) -> None:
    done = doctor(tmp_path, ASYNCHAT_SERVE_GREETING="rude")
    assert done.exit_code == 1
    assert "!!  configuration option: " in done.stdout
    assert "clock" in done.stdout


def test_a_store_in_memory_needs_no_disk(tmp_path: Path) -> None:
    file = tmp_path / "server.toml"
    file.write_text('[store]\npath = "memory"\n')
    done = doctor(tmp_path, "--config", str(file))
    assert "--  data          it is kept in memory only\n" in done.stdout
    assert "flush" not in done.stdout


# Addresses.


def addresses(*listen: str, **server: object) -> list[tuple[str, str]]:
    settings = Settings().with_values({"server": {"listen": listen} | server}, "test")
    return [(each.state, each.text) for each in ports.addresses(settings.server)]


def test_an_address_is_free_or_somebody_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def hang_up() -> None:
            other.accept()[0].close()

        closing_at_once = threading.Thread(target=hang_up, daemon=True)
        closing_at_once.start()
        assert addresses(f"127.0.0.1:{port}") == [("wrong", f"127.0.0.1:{port}: something else listens there")]
        closing_at_once.join()
    assert addresses(f"127.0.0.1:{port}") == [("ok", f"127.0.0.1:{port} is free")]
    assert addresses("127.0.0.1:0") == [("note", "127.0.0.1:0: any port")]
    assert addresses("192.0.2.1:1")[0][0] == "wrong"


def test_a_machine_without_ipv6_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert [state for state, _ in addresses(host=["127.0.0.1", "::1"])] == ["wrong", "note"]
    assert [state for state, _ in addresses("[::1]:1")] == ["wrong"]


def test_a_unix_socket_is_free_left_over_or_taken(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    listen = f"unix://{path}"
    assert addresses(listen) == [("ok", f"{listen} is free")]
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert addresses(listen)[0][1].endswith("left by a server that was killed")
    assert path.exists()
    path.unlink()
    path.write_text("")
    assert addresses(listen) == [("wrong", f"{listen}: there is a file that is no socket")]
    path.unlink()
    serve("--memory", "--listen", listen, port=None)
    assert addresses(listen) == [("ok", f"{listen}: an asynchat is there already")]
    assert addresses(f"unix://{tmp_path}/none/chat.sock")[0][0] == "wrong"


# A server somewhere.


def test_a_url_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    assert doctor(tmp_path, "gopher://x").exit_code == 2
    assert doctor(tmp_path, "ircs://").exit_code == 2


def test_a_server_that_answers_is_described(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory", "--server-name", "lab")
    done = doctor(tmp_path, server.url)
    assert done.exit_code == 0, done.output
    assert f"ok  connect       127.0.0.1 port {server.port} (127.0.0.1) after " in done.stdout
    assert "IRC, from lab: " in done.stdout
    assert "logging in with PLAIN,SCRAM-SHA-256,EXTERNAL\n" in done.stdout
    assert "--  round trip" in done.stdout
    assert "Python" not in done.stdout


def test_a_server_at_a_unix_socket_is_described(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    serve("--memory", "--listen", f"unix://{path}", "--accounts", "off", port=None)
    done = doctor(tmp_path, f"unix://{path}")
    assert done.exit_code == 0, done.output
    assert "no logging in\n" in done.stdout


def test_a_certificate_that_nobody_trusts_is_wrong_and_told(serve: Serve, tmp_path: Path) -> None:
    server = serve("--data", str(tmp_path / "data"), "--tls", "auto")
    (certificate,) = (path for path in (tmp_path / "data").glob("*.pem") if b"BEGIN CERT" in path.read_bytes())
    done = doctor(tmp_path, f"asynchats://127.0.0.1:{server.port}")
    assert done.exit_code == 1
    assert "!!  certificate   it is not trusted: " in done.stdout
    assert f"--  certificate   its SHA-256 is {fingerprint(certificate)}\n" in done.stdout
    assert "ok  TLS           TLSv1.3, " in done.stdout
    assert "ok  answer        IRC, from asynchat: " in done.stdout


def test_a_certificate_that_is_trusted_is_in_order(serve: Serve, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(cert, key, ["localhost"])
    server = serve("--memory", "--tls-cert", str(cert), "--tls-key", str(key))
    done = doctor(tmp_path, f"ircs://localhost:{server.port}", SSL_CERT_FILE=str(cert))
    assert done.exit_code == 0, done.output
    assert "ok  certificate   trusted, until " in done.stdout


def client_file(folder: Path, content: str) -> None:
    (folder / ".config" / "asynchat").mkdir(parents=True, exist_ok=True)
    (folder / ".config" / "asynchat" / "client.toml").write_text(content)


def test_a_profile_says_where_and_whom_to_believe(serve: Serve, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(cert, key, ["localhost"])
    server = serve("--memory", "--tls-cert", str(cert), "--tls-key", str(key))
    url = f'[profile.lab]\nurl = "asynchat://localhost:{server.port}"\ntls = true\n'
    client_file(tmp_path, f'{url}pin = "{fingerprint(cert)}"\n')
    pinned = doctor(tmp_path, "lab")
    assert pinned.exit_code == 0, pinned.output
    assert "ok  certificate   it is the one that is pinned\n" in pinned.stdout
    client_file(tmp_path, f'{url}pin = "{"0" * 64}"\n')
    other = doctor(tmp_path, "lab")
    assert other.exit_code == 1
    assert "!!  certificate   it is not the one that is pinned: its SHA-256 is " in other.stdout
    client_file(tmp_path, f'{url}ca = "{cert}"\n')
    assert "ok  certificate   trusted, until " in doctor(tmp_path, "lab").stdout
    client_file(tmp_path, f'{url}ca = "/none.pem"\n')
    assert "!!  TLS           /none.pem: " in doctor(tmp_path, "lab").stdout
    client_file(tmp_path, f'{url}pin = "short"\n')
    assert "!!  configuration short is no SHA-256" in doctor(tmp_path, "lab").stdout


def test_a_websocket_is_asked_for(serve: Serve, tmp_path: Path) -> None:
    port = serve("--memory").port
    done = doctor(tmp_path, f"ws://127.0.0.1:{port}/")
    assert done.exit_code == 0, done.output
    assert "ok  answer        a WebSocket\n" in done.stdout
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")

        refusing = threading.Thread(target=refuse, daemon=True)
        refusing.start()
        done = doctor(tmp_path, f"ws://127.0.0.1:{listening.getsockname()[1]}/")
        refusing.join()
    assert done.exit_code == 1
    assert "no WebSocket: HTTP/1.1 404 Not Found\n" in done.stdout


def test_a_server_without_tls_is_told(serve: Serve, tmp_path: Path) -> None:
    done = doctor(tmp_path, f"asynchats://127.0.0.1:{serve('--memory').port}")
    assert done.exit_code == 1
    assert "!!  TLS " in done.stdout


def test_where_nobody_is_there_is_no_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = doctor(tmp_path, f"127.0.0.1:{port}")
    assert (done.exit_code, done.stdout) == (1, f"!!  connect       127.0.0.1 port {port}: Connection refused\n")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it says 'HTTP/1.1 400 Bad Request' and no more"),
        (b"", "it ends the connection"),
        (b"ERROR :Server full\r\n", "Server full"),
        (b"x" * (reaching.MOST + 1), "it says more than anybody would read"),
    ],
)
def test_what_answers_otherwise_is_told(answer: bytes, told: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        speaking = threading.Thread(target=speak, daemon=True)
        speaking.start()
        found = list(reaching.reach(Target("127.0.0.1", listening.getsockname()[1], "", secure=False), Trust()))
        speaking.join()
    assert of(found, "answer") == [("wrong", f"it does not answer as IRC: {told}")]


def test_what_a_hostile_server_says_moves_no_cursor() -> None:
    assert ok("answer", "IRC, from \x1b[2Jx").as_line().endswith("IRC, from \ufffd[2Jx")


def test_who_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = list(reaching.reach(Target("127.0.0.1", silent.getsockname()[1], "", secure=False), Trust()))
    assert of(found, "answer") == [("wrong", "it does not answer as IRC: timed out")]
