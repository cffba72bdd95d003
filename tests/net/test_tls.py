"""TLS over sockets: real clients on both loops, the certificates, and the command line."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

import asynchat
from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.net import certificates
from asynchat.net.certificates import fingerprint, make_certificate, own_certificate, server_context
from tests.net.conftest import (
    NEWS,
    PATIENCE_S,
    Client,
    FrameClient,
    IrcClient,
    LineClient,
    Serve,
    Walk,
    environment,
    on_both_loops,
    settings,
)

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
MAKERS = {
    "cryptography": certificates._make_with_cryptography,
    "openssl": certificates._make_with_openssl,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for who in ("server", "client", "other"):
        make_certificate(folder / f"{who}.pem", folder / f"{who}.key", ["localhost", "127.0.0.1"])
    return folder


@pytest.fixture
def secure(folder: Path) -> Settings:
    return settings(tls={"cert": str(folder / "server.pem"), "key": str(folder / "server.key")})


def trusting(cert: Path, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """What a client speaks TLS with that knows the server's certificate."""
    context = ssl.create_default_context(cafile=cert)
    if own is not None:
        context.load_cert_chain(*own)
    return context


class Secure(Client):
    """A client with TLS; `context` is set for each test."""

    context: ssl.SSLContext

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1") -> Self:
        async with asyncio.timeout(PATIENCE_S):
            return cls(*await asyncio.open_connection(host, port, ssl=cls.context))


class SecureIrc(Secure, IrcClient):
    """An IRC client with TLS."""


class SecureLine(Secure, LineClient):
    """`openssl s_client`, or as good as that."""


@pytest.fixture(autouse=True)
def known(folder: Path) -> None:
    Secure.context = trusting(folder / "server.pem")


async def end_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


@on_both_loops
async def test_encrypted_and_plain_clients_meet_on_one_port(walk_in: Walk, secure: Settings) -> None:
    async with asynchat.Server(secure) as server:
        alice = await walk_in(SecureIrc, server.port, "alice")
        fred = await walk_in(FrameClient, server.port, "fred")
        nat = await walk_in(SecureLine, server.port, "nat")
        for speaker, name in ((alice, "alice"), (fred, "fred"), (nat, "nat")):
            await speaker.say(f"hello from {name}")
            for other in (alice, fred, nat):
                if other is not speaker:
                    await other.until(name, f"hello from {name}")
        assert alice.writer.get_extra_info("ssl_object").version() == "TLSv1.3"


@on_both_loops
async def test_long_lines_and_much_history_come_whole(walk_in: Walk, secure: Settings) -> None:
    """Several records in one write, and in several reads."""
    async with asynchat.Server(secure.with_values({"limits": {"flood": False}}, "test")) as server:
        nat, alice = await walk_in(SecureLine, server.port, "nat"), await walk_in(SecureLine, server.port, "alice")
        texts = [f"{number} " + "xyzzy" * 3000 for number in range(10)]
        for text in texts:
            await nat.say(text)
        await alice.until("nat", texts[-1])
        assert alice.said_by("nat") == texts


@on_both_loops
async def test_stopping_tells_encrypted_clients_and_ends_with_close_notify(walk_in: Walk, secure: Settings) -> None:
    """Without `close_notify` the end is an error to `ssl`: somebody may have cut it off."""
    async with asynchat.Server(secure) as server:
        alice = await walk_in(SecureIrc, server.port, "alice")
        await server.close("good night")
        await alice.rest()
        assert alice.raw[-1] == "ERROR :good night"
    with socket.socket() as gone:
        assert gone.connect_ex(("127.0.0.1", server.port)) != 0


@on_both_loops
async def test_the_end_is_no_cut(folder: Path, secure: Settings) -> None:
    async with asynchat.Server(secure) as server:
        said = await asyncio.to_thread(_quit_strictly, server.port, trusting(folder / "server.pem"))
        assert said.startswith(b"ERROR :")


def _quit_strictly(port: int, context: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as sock,
    ):
        sock.sendall(b"QUIT\r\n")
        said = b""
        while data := sock.recv(4096):  # raises SSLEOFError at an end without close_notify
            said += data
        return said


@on_both_loops
async def test_the_certificate_of_a_client_reaches_its_session(folder: Path, secure: Settings, walk_in: Walk) -> None:
    Secure.context = trusting(folder / "server.pem", (folder / "client.pem", folder / "client.key"))
    async with asynchat.Server(secure) as server:
        await walk_in(SecureIrc, server.port, "alice")
        await walk_in(LineClient, server.port, "nat")
        links = {user.nick: user.sessions[0].link for user in server._life.house.hub.state.people.values()}
        assert links["alice"].secure
        assert links["alice"].certificate == fingerprint(folder / "client.pem")
        assert not links["nat"].secure
        assert links["nat"].certificate is None


async def test_irc_clients_are_told_where_tls_is_and_what_changes(secure: Settings, folder: Path) -> None:
    """IRCv3 sts, and cap-notify through TLS."""
    now = secure.with_values({"tls": {"sts_duration": "30d", "sts_port": 6697}}, "test")
    async with asynchat.Server(now, read_settings=lambda: now) as server:
        trusted = trusting(folder / "server.pem")
        clients = [
            IrcClient(*await asyncio.open_connection("localhost", server.port, ssl=tls)) for tls in (None, trusted)
        ]
        for client, told in zip(clients, ("sts=port=6697", "sts=duration=2592000"), strict=True):
            await client.command("CAP LS 302", "PING x")
            await client.until(NEWS, "PONG")
            assert [word for line in client.raw for word in line.split() if word.startswith("sts")] == [told]
        now = secure.with_values({"accounts": {"mode": "off"}}, "test")
        await server.reload()
        for client in clients:
            await client.until(NEWS, " CAP * DEL :draft/account-registration sasl")
            await client.close()


@on_both_loops
async def test_a_handshake_that_does_not_go_on_is_ended(secure: Settings) -> None:
    async with asynchat.Server(secure.with_values({"tls": {"handshake_timeout": 0.2}}, "test")) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x16\x03\x01")
        assert await end_of(reader) == b""
        assert server.broke == {"tls": 1}
        writer.close()


@on_both_loops
async def test_a_client_that_does_not_trust_us_is_counted_once(secure: Settings) -> None:
    async with asynchat.Server(secure) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("localhost", server.port, ssl=ssl.create_default_context())
        async with asyncio.timeout(PATIENCE_S):
            await server._life.connections.emptied()
        assert server.broke == {"tls": 1}


@on_both_loops
async def test_tls_at_a_server_without_a_certificate_hears_an_alert(server: asynchat.Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x16\x03\x01\x00\x05hello")
    assert await end_of(reader) == b"\x15\x03\x01\x00\x02\x02\x46"
    writer.close()


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_s_client_comes_in_with_a_certificate(folder: Path, secure: Settings, version: str) -> None:
    async with asynchat.Server(secure) as server:
        said = b"NICK sam\r\nUSER s 0 * :S\r\nQUIT :bye\r\n"
        ran = await asyncio.to_thread(
            subprocess.run,
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version, "-quiet", "-verify_return_error",
             "-CAfile", folder / "server.pem", "-cert", folder / "client.pem", "-key", folder / "client.key"],
            input=said, capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert b" 001 sam :" in ran.stdout, ran.stderr
        assert ran.stdout.endswith(b"ERROR :Closing link: localhost (Quit: bye)\r\n")
        assert not server.broke


# Certificates.


@pytest.mark.parametrize("maker", [pytest.param(name, marks=needs_openssl) for name in MAKERS])
def test_a_certificate_of_our_own_fits_its_key_and_its_names(tmp_path: Path, maker: str) -> None:
    MAKERS[maker](tmp_path / "c", tmp_path / "k", ["localhost", "127.0.0.1", "::1", "chat.example"])
    server_context(tmp_path / "c", tmp_path / "k")
    made = ssl._ssl._test_decode_cert(str(tmp_path / "c"))  # type: ignore[attr-defined]  # how else to read it
    assert ("DNS", "localhost") in made["subjectAltName"]
    assert ("DNS", "chat.example") in made["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in made["subjectAltName"]
    assert int(made["notAfter"].split()[3]) - int(made["notBefore"].split()[3]) in (9, 10)


@needs_openssl
def test_openssl_is_asked_where_cryptography_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    cert, key = own_certificate(tmp_path)
    server_context(cert, key)


def test_where_there_is_neither_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadConfig, match=r"pip install 'asynchat\[tls\]'"):
        own_certificate(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_of_our_own_is_kept_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    cert, key = own_certificate(tmp_path)
    first = cert.read_bytes(), key.read_bytes()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cert, key)] == [0o600, 0o600]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tls-cert.pem", "tls-key.pem"]
    assert own_certificate(tmp_path) == (cert, key)
    assert (cert.read_bytes(), key.read_bytes()) == first


def test_a_fingerprint_is_that_of_the_first_certificate(folder: Path, tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_text("made by hand\n" + (folder / "client.pem").read_text() + (folder / "other.pem").read_text())
    der = ssl.PEM_cert_to_DER_cert((folder / "client.pem").read_text())
    assert fingerprint(chain) == hashlib.sha256(der).hexdigest()


def test_the_key_may_stand_beside_the_certificate(folder: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())
    server_context(both)


@pytest.mark.parametrize(
    ("tls", "why"),
    [
        ({"cert": "none.pem"}, "none.pem: No such file or directory"),
        ({"cert": "server.pem", "key": "none.key"}, "none.key: No such file or directory"),
        ({"cert": "server.pem"}, r"server.pem: "),
        ({"cert": "server.pem", "key": "other.key"}, "key values mismatch"),
        ({"cert": "empty", "key": "server.key"}, "empty, .*server.key: "),
        ({"cert": "server.pem", "key": "locked.key"}, "the key has a password"),
        ({"key": "server.key"}, "cert is missing"),
        ({"cert": "server.pem", "mode": "auto"}, "either a certificate and a key, or auto"),
        ({"mode": "auto", "sts_duration": "1d"}, "a certificate that clients trust"),
        ({"sts_duration": "1d"}, "a certificate that clients trust"),
        ({"cert": "server.pem", "key": "server.key", "sts_duration": "1d"}, "a port to send clients to"),
    ],
)
@needs_openssl
async def test_what_cannot_be_used_is_said_at_the_start(folder: Path, tls: dict[str, str], why: str) -> None:
    (folder / "empty").write_text("")
    subprocess.run(
        [
            "openssl",
            "pkey",
            "-in",
            folder / "server.key",
            "-aes256",
            "-passout",
            "pass:secret",
            "-out",
            folder / "locked.key",
        ],
        check=True,
        capture_output=True,
    )
    named = {name: str(folder / value) if name in ("cert", "key") else value for name, value in tls.items()}
    with pytest.raises(BadConfig, match=why):
        async with asynchat.Server(settings(tls=named)):
            pass


async def test_in_memory_a_certificate_of_our_own_lives_as_long_as_the_server() -> None:
    prints = []
    for _ in range(2):
        async with asynchat.Server(settings(tls={"mode": "auto"})) as server:
            pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", server.port))
            prints.append(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest())
            assert server.fingerprint == prints[-1]
    assert prints[0] != prints[1]


def test_serve_tls_auto_shows_the_fingerprint_and_keeps_the_certificate(serve: Serve, tmp_path: Path) -> None:
    shown = []
    for _ in range(2):
        process = serve("--tls", "auto", "--data", str(tmp_path / "data"), "--console")
        assert process.popen.stdout is not None
        while b"SHA-256" not in (line := process.popen.stdout.readline()):
            assert line
        shown.append(line.split()[-1].decode())
        pem = ssl.get_server_certificate(("127.0.0.1", process.port), timeout=PATIENCE_S)
        assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() == shown[-1]
        assert process.stop() == 0
    assert shown[0] == shown[1] == fingerprint(tmp_path / "data" / "tls-cert.pem")


def test_serve_with_files_speaks_tls_and_a_bad_file_is_a_matter_of_configuration(
    serve: Serve, folder: Path, tmp_path: Path
) -> None:
    process = serve("--memory", "--tls-cert", str(folder / "server.pem"), "--tls-key", str(folder / "server.key"))
    said = _quit_strictly(process.port, trusting(folder / "server.pem"))
    assert said.startswith(b"ERROR :")
    ran = subprocess.run(
        [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", "0", "--tls-cert", "/nonexistent"],
        env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (
        78,
        "asynchat: [tls] /nonexistent: No such file or directory",
    )
