"""Our client at a server that is not ours: ngIRCd, which knows hardly any IRCv3. And in tmux."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asynchat.net.certificates import make_certificate
from tests.cli.program import asynchat, lines
from tests.client.terminal.pty import Terminal, terminal
from tests.net.conftest import PATIENCE_S, Serve, environment, serve

__all__ = ["serve"]

pytestmark = pytest.mark.timeout(120)  # ngIRCd lets nobody ask much at a time

NGIRCD = shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin")
needs_ngircd = pytest.mark.skipif(NGIRCD is None, reason="ngircd is not installed")
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

CONFIG = """
[Global]
Name = irc.example.net
Info = test
Listen = 127.0.0.1
Ports = {port}
{password}
[Limits]
MaxConnectionsIP = 0
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = user
[SSL]
CertFile = {cert}
KeyFile = {key}
Ports = {tls}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Ngircd:
    """ngIRCd on two ports, the second with TLS."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        self.port, self.tls_port = free_port(), free_port()
        cert, key = folder / "server.pem", folder / "server.key"
        make_certificate(cert, key, ["localhost", "127.0.0.1"])
        folder.chmod(0o755)
        key.chmod(0o644)  # it gives up being root first
        self.cert = cert
        config = folder / "ngircd.conf"
        gate = f"Password = {password}" if password else ""
        config.write_text(CONFIG.format(port=self.port, tls=self.tls_port, cert=cert, key=key, password=gate))
        assert NGIRCD is not None
        self.config = config
        self.popen: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        assert NGIRCD is not None
        quiet = subprocess.DEVNULL
        self.popen = subprocess.Popen([NGIRCD, "-n", "-f", str(self.config)], stdout=quiet, stderr=quiet)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("ngircd does not listen")

    def stop(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(PATIENCE_S)

    @property
    def url(self) -> str:
        return f"irc://127.0.0.1:{self.port}#lobby"


@pytest.fixture
def ngircd() -> Iterator[Ngircd]:
    # The folders of pytest are its own: the user that ngIRCd becomes may not read there.
    with tempfile.TemporaryDirectory(prefix="ngircd-") as folder:
        server = Ngircd(Path(folder))
        yield server
        server.stop()


@needs_ngircd
def test_one_talks_there_as_anywhere(ngircd: Ngircd, tmp_path: Path) -> None:
    with (
        terminal(tmp_path, "join", ngircd.url, "-n", "alice") as alice,
        terminal(tmp_path, "join", ngircd.url, "-n", "bob") as bob,
    ):
        alice.until("joined #lobby", "*1:#lobby")
        bob.until("joined #lobby", "*1:#lobby")
        alice.enter("hello bob, how are you")
        bob.until("<alice> hello bob, how are you")
        alice.until("<alice> hello bob, how are you")
        bob.enter("/msg alice psst")
        alice.until("[dm bob] <bob> psst")
        alice.type("\x1b[200~one\ntwo\x1b[201~\r")
        bob.until("<alice> one", "<alice> two")
        alice.enter("/topic tea")
        bob.until('alice set the topic: "tea"')
        alice.enter("/history")
        alice.until("this server does not tell what was said before")
        alice.enter("/join #ops")
        alice.until("joined #ops", "*3:#ops")
        bob.enter("/quit bye all")
        assert bob.ended() == 0


@needs_ngircd
def test_a_lost_connection_is_made_again_and_the_rooms_are_entered(ngircd: Ngircd, tmp_path: Path) -> None:
    with terminal(tmp_path, "join", ngircd.url, "-n", "alice") as alice:
        alice.until("joined #lobby", "*1:#lobby")
        ngircd.stop()
        alice.until("connection lost")
        alice.enter("typed meanwhile")
        ngircd.start()
        alice.until("what was said meanwhile cannot be told")
        alice.until("<alice> typed meanwhile")
        assert sum("typed meanwhile" in line for line in alice.all) == 1


@needs_ngircd
def test_tls_is_checked(ngircd: Ngircd, tmp_path: Path) -> None:
    url = f"ircs://127.0.0.1:{ngircd.tls_port}"
    assert asynchat(tmp_path, url, "send", "hello").returncode == 77
    done = asynchat(tmp_path, url, "send", "hello", "--ca", str(ngircd.cert))
    assert (done.returncode, done.stderr) == (0, b"")
    wrong = asynchat(tmp_path, url, "send", "hello", "--pin", "0" * 64)
    assert wrong.returncode == 77
    assert b"another one than the one pinned" in wrong.stderr


@needs_ngircd
def test_scripts_work_there_too(ngircd: Ngircd, tmp_path: Path) -> None:
    tail = subprocess.Popen(
        [sys.executable, "-m", "asynchat", "tail", "-u", ngircd.url, "-n", "reader", "--json"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert tail.stdout is not None
        end = time.monotonic() + 3 * PATIENCE_S
        while lines(asynchat(tmp_path, ngircd.url, "who", "#lobby")) != ["@reader"]:
            assert time.monotonic() < end
        assert asynchat(tmp_path, ngircd.url, "send", "hello", "there").returncode == 0
        assert json.loads(tail.stdout.readline()).items() >= {"from": "bob", "text": "hello there", "id": ""}.items()
        assert "#lobby 1" in lines(asynchat(tmp_path, ngircd.url, "rooms"))
        assert asynchat(tmp_path, ngircd.url, "send", "--to", "nobody", "x").returncode == 77
        refused = asynchat(tmp_path, ngircd.url, "history")
        assert (refused.returncode, b"NO_HISTORY" in refused.stderr) == (77, True)
    finally:
        tail.terminate()
        tail.communicate(timeout=PATIENCE_S)


@needs_tmux
def test_in_tmux_what_is_typed_stays_while_lines_come(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    tmux = ["tmux", "-f", "/dev/null", "-S", str(tmp_path / "tmux")]
    command = f"{sys.executable} -m asynchat join {server.url} --name alice; echo ended with $?; read x"
    env = environment(tmp_path) | {"LANG": "C.UTF-8"}

    def run(*arguments: str) -> str:
        done = subprocess.run([*tmux, *arguments], env=env, capture_output=True, text=True, check=True)
        return done.stdout

    def until(*texts: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not all(text in (screen := run("capture-pane", "-p")) for text in texts):
            assert time.monotonic() < end, screen
            time.sleep(0.02)

    run("new-session", "-d", "-x", "90", "-y", "20", command)
    try:
        until("alice>", "*1:#lobby (1)")
        run("send-keys", "-l", "half typed 日本語 👋")
        until("alice> half typed 日本語 👋")
        for number in range(6):
            assert asynchat(tmp_path, server.url, "send", f"line {number}").returncode == 0
        until("<bob> line 5", "alice> half typed 日本語 👋")
        run("resize-window", "-x", "60", "-y", "12")
        until("alice> half typed 日本語 👋", "*1:#lobby")
        run("send-keys", "Enter")
        until("<@alice> half typed 日本語 👋")
        run("send-keys", "C-d")
        until("ended with 0")
    finally:
        subprocess.run([*tmux, "kill-server"], env=env, check=False)


def test_the_terminal_is_told_apart_from_a_pipe(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    with Terminal(tmp_path, "join", server.url, "-n", "alice", "--plain") as alice:
        alice.until("type and press Enter")
        alice.enter("hello")
        alice.enter("/quit")
        assert alice.ended() == 0
        assert b"\x1b[?2004h" not in alice.raw
