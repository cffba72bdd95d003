"""IRC clients that people have: irssi, epic5 and WeeChat, with TLS and a password where they can."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.net.conftest import PATIENCE_S, Process, Serve, environment
from tests.net.programs import Program, Screen, needs, wait_for

PASSWORD = "correct horse"
Open = Callable[..., Screen]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server_process(serve: Serve, data: Path) -> Process:
    return serve("--data", str(data), "--durability", "process", "--tls", "auto")


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Open]:
    """`screen("irssi", ...)`: a program in a terminal, ended with the test."""
    opened: list[Screen] = []

    def run(*command: str) -> Screen:
        opened.append(Screen(tmp_path / f"screen-{len(opened)}", *command))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.fixture
def nc(server_process: Process, tmp_path: Path) -> Iterator[Program]:
    """Somebody in the lobby with netcat."""
    program = Program("nc", "127.0.0.1", str(server_process.port), output=tmp_path / "nc")
    program.type("nat")
    program.see("*** hello nat")
    yield program
    program.close()


@needs("irssi", "tmux", "nc")
def test_irssi_in_a_terminal(server_process: Process, screen: Open, nc: Program, tmp_path: Path) -> None:
    config = tmp_path / "irssi.config"
    config.write_text('settings = { "irc/core" = { cmd_queue_speed = "10msec"; }; };\n')  # else two seconds for each
    irssi = screen("irssi", f"--config={config}", "-c", "127.0.0.1", "-p", str(server_process.port), "-n", "irma")
    irssi.see("Welcome to the asynchat Network")
    irssi.type("/join #lobby")
    irssi.see("Irssi: #lobby: Total of 2 nicks")
    nc.see("*** irma joined")
    irssi.type("hi from irssi, grüße 👋")
    assert nc.see("hi from irssi") == "<irma> hi from irssi, grüße 👋"
    irssi.see("< irma> hi from irssi")
    nc.type("hi from netcat")
    irssi.see("<@nat> hi from netcat")
    irssi.type("/topic tea at five")
    irssi.see("You're not channel operator")
    nc.type("/op irma")
    irssi.see("mode/#lobby [+o irma] by nat")
    irssi.type("/topic tea at five")
    nc.see('*** irma set the topic: "tea at five"')
    irssi.type("/msg nat psst")
    nc.see("[dm irma] psst")
    irssi.type("/me waves")
    nc.see("* irma waves")
    irssi.type("/ban nat")
    irssi.see("mode/#lobby [+b *!*line@localhost] by irma")
    irssi.type("/names")
    irssi.see("Total of 2 nicks [2 ops")
    irssi.type("/nick irene")
    nc.see("*** irma is now irene")
    irssi.type("/quit so long")
    nc.see("*** irene left (Quit: so long)")


@needs("epic5", "tmux", "nc")
def test_epic_in_a_terminal(server_process: Process, screen: Open, nc: Program) -> None:
    epic = screen("epic5", "-q", "-n", "eppie", f"127.0.0.1:{server_process.port}")
    epic.see("There is no MOTD")
    epic.type("/join #lobby")
    nc.see("*** eppie joined")
    epic.see("Users on #lobby: @nat eppie")
    epic.type("hi from epic")
    assert nc.see("hi from epic") == "<eppie> hi from epic"
    nc.type("hi from netcat")
    epic.see("hi from netcat")
    nc.type("/kick eppie enough")
    epic.see("enough")
    epic.type("/join #lobby")
    nc.see("*** eppie kicked")
    epic.type("/quit so long")
    nc.see("*** eppie left (Quit: so long)")


class WeeChat:
    """WeeChat without a screen, run through its FIFO; what it shows is in its log files."""

    def __init__(self, folder: Path, *settings: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._fifo = folder / "fifo"
        commands = ["/set logger.file.flush_delay 0", f"/set fifo.file.path {self._fifo}"]
        commands += ["/fifo disable", "/fifo enable", *settings]
        run = [part for command in commands for part in ("-r", command)]
        self._program = Program("weechat-headless", "-d", str(folder), *run, output=folder.with_suffix(".out"))

    def type(self, buffer: str, line: str) -> None:
        self._fifo.write_text(f"irc.{buffer} *{line}\n")

    def see(self, buffer: str, text: str) -> str:
        return wait_for(self._folder / "logs" / f"irc.{buffer}.weechatlog", text)

    def close(self) -> None:
        self._program.close()


@needs("weechat-headless", "nc")
def test_weechat_with_tls_and_a_password(server_process: Process, data: Path, tmp_path: Path, nc: Program) -> None:
    """It pins the certificate, logs in by SCRAM-SHA-256, is cut off, and comes back to its room."""
    added = [sys.executable, "-m", "asynchat", "admin", "account", "add", "wilma", "--data", str(data)]
    subprocess.run(
        [*added, "--password-stdin"],
        input=PASSWORD.encode(),
        env=environment(tmp_path),
        check=True,
        timeout=PATIENCE_S,
        capture_output=True,
    )
    certificate = ssl.PEM_cert_to_DER_cert((data / "tls-cert.pem").read_text())
    fingerprint = hashlib.sha256(certificate).hexdigest()
    settings = {"nicks": "wilma", "sasl_mechanism": "scram-sha-256", "sasl_username": "wilma"}
    settings |= {"sasl_password": PASSWORD, "sasl_fail": "disconnect", "autojoin": "#lobby"}
    settings |= {"capabilities": '"*"', "autoreconnect_delay": "1"}
    for word in ("ssl", "tls"):  # as it was called before version 4, and is now; the other is refused
        settings |= {word: "on", f"{word}_fingerprint": fingerprint}
    weechat = WeeChat(
        tmp_path / "weechat",
        f"/server add a 127.0.0.1/{server_process.port}",
        *(f"/set irc.server.a.{name} {value}" for name, value in settings.items()),
        "/connect a",
    )
    try:
        weechat.see("server.a", "certificate fingerprint matches")
        weechat.see("server.a", "SASL authentication successful")
        weechat.see("server.a", "You are now logged in as wilma")
        nc.see("*** wilma joined")
        weechat.see("a.#lobby", "Channel #lobby: 2 nicks")
        weechat.type("a.#lobby", "hi from weechat, grüße 👋")
        assert nc.see("hi from weechat") == "<wilma> hi from weechat, grüße 👋"
        nc.type("hi from netcat")
        weechat.see("a.#lobby", "hi from netcat")
        weechat.type("server.a", "/disconnect a")
        weechat.see("server.a", "irc: disconnected from server")
        nc.type("/who")
        assert "wilma" in nc.see("*** #lobby (2):")  # who has an account stays
        weechat.type("server.a", "/connect a")
        weechat.see("a.#lobby", "hi from netcat")
        nc.type("welcome back")
        weechat.see("a.#lobby", "welcome back")
        assert nc.shown is not None
        assert nc.shown.read_text().count("wilma joined") == 1
    finally:
        weechat.close()


@needs("weechat-headless")
def test_weechat_with_another_certificate_pinned_stays_out(server_process: Process, tmp_path: Path) -> None:
    settings = {"ssl": "on", "tls": "on", "ssl_fingerprint": "00" * 32, "tls_fingerprint": "00" * 32}
    weechat = WeeChat(
        tmp_path / "weechat",
        f"/server add a 127.0.0.1/{server_process.port}",
        *(f"/set irc.server.a.{name} {value}" for name, value in settings.items()),
        "/connect a",
    )
    try:
        weechat.see("server.a", "certificate fingerprint does NOT match")
        weechat.see("server.a", "TLS handshake failed")
    finally:
        weechat.close()
    assert " + " not in server_process.log  # nobody came in
