"""TLS over memory: what is encrypted, what is answered, and how it ends. The other end is `ssl` over two buffers."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asynchat.net.certificates import make_certificate, server_context
from asynchat.wire.session import Session
from asynchat.wire.tls import RECORD, TlsSession
from tests.conversation import CLOSED, Town, packet, words

GREETING = b'*** asynchat "asynchat": type your name and press Enter\n'
NO_TLS = b"\x15\x03\x01\x00\x02\x02\x46"
ALICE = b"NICK alice\r\nUSER a 0 * :A\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two certificates: that of the server, and one of a client."""
    folder = tmp_path_factory.mktemp("tls")
    for who in ("server", "client"):
        make_certificate(folder / f"{who}.pem", folder / f"{who}.key", ["localhost"])
    return folder


@pytest.fixture(scope="module")
def context(folder: Path) -> ssl.SSLContext:
    return server_context(folder / "server.pem", folder / "server.key")


@pytest.fixture
async def town(context: ssl.SSLContext) -> AsyncIterator[Town]:
    async with secure_town(context) as town:
        yield town


def secure_town(context: ssl.SSLContext, **settings: Any) -> Town:
    town = Town(tls=context, **settings)
    town.broke = []  # type: ignore[attr-defined]
    town.house.broke = lambda session, why: town.broke.append((session.wire, why))  # type: ignore[attr-defined]
    return town


class TlsClient:
    """Somebody who speaks TLS; `client` is what the town sees."""

    def __init__(self, town: Town, *, certificate: tuple[Path, Path] | None = None, **versions: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for name, version in versions.items():
            setattr(context, name, version)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        self.client = town.connect("irc")
        self.client.secure, self.client.certificate = False, None  # type: ignore[attr-defined]
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    @property
    def session(self) -> Session:
        return self.client.session

    async def shakes(self, *, cut: int = 0, first: bytes = b"") -> TlsClient:
        """Go through the handshake, and say something as soon as it is done."""
        for _ in range(10):
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self.exchanges(cut=cut)
            else:
                if first:
                    self.tls.write(first)
                await self.exchanges(cut=cut)
                return self
        raise AssertionError("the handshake does not end")

    async def exchanges(self, *, cut: int = 0) -> None:
        await self.client.says(self.outgoing.read(), cut=cut)
        self.incoming.write(self.client.hears_bytes())

    async def says(self, data: bytes, *, cut: int = 0) -> None:
        self.tls.write(data)
        await self.exchanges(cut=cut)

    def hears(self) -> bytes:
        """What was said inside; `(closed)` after a `close_notify`."""
        self.incoming.write(self.client.hears_bytes())
        heard = b""
        try:
            while data := self.tls.read(1 << 20):
                heard += data
        except ssl.SSLWantReadError:
            return heard
        return heard + CLOSED.encode()


async def secured(town: Town, *, cut: int = 0, first: bytes = b"", **how: Any) -> TlsClient:
    return await TlsClient(town, **how).shakes(cut=cut, first=first)


@pytest.mark.parametrize("cut", [0, 1, 7, 500])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("wire", "opening", "answer"),
    [
        ("irc", ALICE, b":asynchat 001 alice :"),
        ("line", b"alice\n", b"*** hello alice"),
        ("frame", packet("alice"), b"3  "),
    ],
)
async def test_inside_every_wire_is_sniffed_however_the_stream_is_cut(
    town: Town, *, wire: str, opening: bytes, answer: bytes, version: ssl.TLSVersion, cut: int
) -> None:
    alice = await secured(town, cut=cut, first=opening, maximum_version=version)
    assert alice.hears().startswith(answer)
    assert isinstance(alice.session, TlsSession)
    assert alice.session.inner is not None
    assert alice.session.inner.wire == wire
    assert alice.session.user is not None


async def test_encrypted_and_plain_meet_in_one_room(town: Town) -> None:
    nat, alice = await town.person("nat"), await secured(town, first=ALICE)
    await alice.says(b"JOIN #lobby\r\nPRIVMSG #lobby :psst\r\n")
    assert nat.hears() == ["*** alice joined", "<alice> psst"]
    alice.hears()
    await nat.says("hello")
    assert alice.hears() == b":nat!~line@here PRIVMSG #lobby :hello\r\n"


async def test_nothing_of_what_is_said_can_be_read_on_the_way(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    alice.tls.write(b"PING secret\r\n")
    sent = alice.outgoing.read()
    await alice.client.says(sent)
    heard = alice.client.hears_bytes()
    assert len(heard) > 20
    assert b"secret" not in sent + heard


async def test_a_certificate_is_told_to_the_session_inside(town: Town, folder: Path) -> None:
    """Whoever signed it; for SASL EXTERNAL."""
    files = (folder / "client.pem", folder / "client.key")
    der = ssl.PEM_cert_to_DER_cert(files[0].read_text())
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        alice = await secured(town, first=b"QUIT\r\n", certificate=files, maximum_version=version)
        assert isinstance(alice.session, TlsSession)
        assert alice.session.inner is not None
        assert alice.session.inner.link.certificate == hashlib.sha256(der).hexdigest()
        assert alice.session.inner.link.secure


async def test_nobody_needs_a_certificate(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    assert isinstance(alice.session, TlsSession)
    assert alice.session.inner is not None
    assert alice.session.inner.link.certificate is None
    assert alice.session.inner.link.secure


async def test_who_has_a_certificate_and_not_its_key_does_not_come_in(town: Town, folder: Path) -> None:
    """A certificate is public: the handshake proves the key. (RFC 8446, 4.4.3)"""
    thief = TlsClient(town, certificate=(folder / "client.pem", folder / "client.key"))
    await thief.client.says(b"")
    with pytest.raises(ssl.SSLWantReadError):
        thief.tls.do_handshake()
    await thief.exchanges()
    thief.tls.do_handshake()
    flight = bytearray(thief.outgoing.read())
    flight[-70] ^= 1  # somewhere in the encrypted flight: the record with CertificateVerify or Finished
    await thief.client.says(bytes(flight))
    assert thief.client.closed
    assert not town.hub.state.people


async def test_there_is_no_tls_in_tls(town: Town) -> None:
    eve = await secured(town, first=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03NICK eve\r\n")
    assert eve.hears() == NO_TLS + CLOSED.encode()
    assert eve.client.closed


async def test_who_says_nothing_inside_is_greeted_inside(town: Town) -> None:
    nat = await secured(town)
    assert nat.hears() == b""
    await town.passes(1.5)
    assert nat.hears() == GREETING
    await nat.says(b"nat\n")
    assert nat.hears().startswith(b"*** hello nat")


async def test_the_greeting_of_an_address_is_given_inside(town: Town) -> None:
    nat = TlsClient(town)
    nat.client = town.connect("irc", greeting="nick")
    nat.client.secure, nat.client.certificate = False, None  # type: ignore[attr-defined]
    await nat.shakes()
    await town.passes(1.5)
    assert nat.hears() == b"NICK"


async def test_tls_after_the_greeting_is_closed(town: Town) -> None:
    """What was sent in the clear stands before the handshake already."""
    eve = TlsClient(town)
    await town.passes(1.5)
    with pytest.raises(ssl.SSLWantReadError):
        eve.tls.do_handshake()
    await eve.client.says(eve.outgoing.read())
    assert eve.client.hears_bytes() == GREETING
    assert eve.client.closed


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_an_old_tls_hears_the_alert_protocol_version(town: Town) -> None:
    """RFC 8446, 6: fatal, 70; RFC 8996: TLS 1.1 is no more."""
    old = TlsClient(town)
    with pytest.raises(ssl.SSLWantReadError):
        old.tls.do_handshake()
    hello = bytearray(old.outgoing.read())
    hello[9:11] = b"\x03\x02"  # the version of the ClientHello, and no extension that offers another:
    hello = _without_extensions(hello)
    await old.client.says(bytes(hello))
    heard = old.client.hears_bytes()
    assert (heard[0], heard[5:]) == (0x15, b"\x02\x46")
    assert old.client.closed
    assert town.broke == [("tls", "TLS: unsupported protocol")]  # type: ignore[attr-defined]


def _without_extensions(hello: bytearray) -> bytearray:
    at = 43 + 1 + hello[43]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at]
    body = hello[9:at]
    return bytearray(b"\x16\x03\x01") + (len(body) + 4).to_bytes(2) + b"\x01" + len(body).to_bytes(3) + body


@pytest.mark.parametrize(
    ("junk", "alert"),
    [
        pytest.param(b"\x16\x03\x01\x00\x05hello", b"\x15\x03", id="no message"),
        pytest.param(b"\x16\x03\x01\xff\xff" + b"x" * 20, b"\x15\x03", id="too long"),
        pytest.param(b"\x16" * 40, b"", id="not even a version, of which OpenSSL says nothing"),
    ],
)
async def test_what_is_no_tls_hears_an_alert_and_is_closed_and_told_once(town: Town, junk: bytes, alert: bytes) -> None:
    eve = town.connect("irc")
    eve.secure = False  # type: ignore[attr-defined]
    await eve.says(junk)
    assert eve.hears_bytes()[:2] == alert
    assert eve.closed
    assert [wire for wire, _ in town.broke] == ["tls"]  # type: ignore[attr-defined]


async def test_a_handshake_has_ten_seconds(town: Town) -> None:
    slow = TlsClient(town)
    with pytest.raises(ssl.SSLWantReadError):
        slow.tls.do_handshake()
    await slow.client.says(slow.outgoing.read()[:20])
    await town.passes(9.9)
    assert not slow.client.closed
    await town.passes(0.2)
    assert slow.client.closed
    assert town.broke == [("tls", "the TLS handshake took too long")]  # type: ignore[attr-defined]


async def test_a_handshake_that_is_broken_off_is_told(town: Town) -> None:
    eve = town.connect("irc")
    eve.secure = False  # type: ignore[attr-defined]
    await eve.says(b"\x16\x03")
    await eve.ends()
    assert town.broke == [("tls", "the TLS handshake was broken off")]  # type: ignore[attr-defined]


async def test_the_waits_inside_are_those_of_the_wire(town: Town) -> None:
    alice, nick = await secured(town, first=ALICE), await secured(town, first=b"NICK late\r\n")
    alice.hears()
    await town.passes(60.5)
    assert alice.hears() == b"PING asynchat\r\n"
    assert nick.hears() == b"ERROR :Registration timed out\r\n(closed)"
    await alice.says(b"PONG asynchat\r\n")
    await town.passes(59)
    assert alice.hears() == b""


async def test_a_line_without_its_end_is_flushed_inside(town: Town) -> None:
    nat, guest = await town.person("nat"), await secured(town, first=b"guest")
    await town.passes(0.5)
    await guest.says(b"hello there")
    await town.passes(0.5)
    assert nat.hears() == ["*** guest joined", "<guest> hello there"]


@pytest.mark.parametrize("cut", [0, 1])
async def test_after_its_close_notify_a_client_hears_what_it_asked_for(town: Town, cut: int) -> None:
    """A half-close: `printf … | openssl s_client`."""
    nat, guest = await town.person("nat"), await secured(town, first=b"guest\n")
    guest.hears()
    guest.tls.write(b"/who\nlast words")
    with pytest.raises(ssl.SSLWantReadError):
        guest.tls.unwrap()
    await guest.client.says(guest.outgoing.read(), cut=cut)
    assert nat.hears() == ["*** guest joined", "<guest> last words", "*** guest left (connection closed)"]
    guest.incoming.write(guest.client.hears_bytes())
    assert b"guest" in guest.tls.read(1 << 16)
    assert guest.client.closed


async def test_the_end_of_the_stream_without_close_notify_is_an_end_too(town: Town) -> None:
    nat, guest = await town.person("nat"), await secured(town, first=b"guest\nhello\nlast words")
    await guest.client.ends()
    assert nat.hears() == [
        "*** guest joined",
        "<guest> hello",
        "<guest> last words",
        "*** guest left (connection closed)",
    ]
    assert guest.hears().endswith(b"(closed)")


async def test_quit_is_answered_and_followed_by_close_notify(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    alice.hears()
    await alice.says(b"QUIT :bye\r\nPRIVMSG #lobby :after\r\n")
    assert alice.hears() == b"ERROR :Closing link: here (Quit: bye)\r\n(closed)"
    assert alice.client.closed


async def test_who_is_put_out_is_told_why_and_hears_nothing_after_close_notify(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    alice.hears()
    inner = alice.session.inner  # type: ignore[attr-defined]
    alice.session.put_out("the server is stopping")
    inner.peer.write(b"after the end\r\n")
    inner.peer.hold()
    inner.peer.write(b"after the end\r\n")
    inner.peer.release(b"after the end\r\n")
    await alice.client.end_if_closing()
    assert alice.hears() == b"ERROR :the server is stopping\r\n(closed)"
    assert alice.client.closed


async def test_who_is_dropped_is_gone_inside_and_outside(town: Town) -> None:
    nat, alice = await town.person("nat"), await secured(town, first=ALICE + b"JOIN #lobby\r\n")
    nat.hears()
    inner = alice.session.inner  # type: ignore[attr-defined]
    inner.drop("SendQ exceeded")
    assert alice.session.closing
    assert inner.closing
    await alice.client.end_if_closing()
    await town.settles()
    assert nat.hears() == ["*** alice left (SendQ exceeded)"]


async def test_why_somebody_leaves_is_one_with_the_session_inside(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    alice.session.leaving = "does not read"
    inner = alice.session.inner  # type: ignore[attr-defined]
    assert inner.leaving == "does not read"
    inner.leaving = "Quit"
    assert alice.session.leaving == "Quit"


async def test_talk_does_not_pay_for_the_certificates_of_clients(town: Town, folder: Path) -> None:
    """The context of the handshake calls back for each record; another one takes its place."""
    for files in (None, (folder / "client.pem", folder / "client.key")):
        alice = await secured(town, first=ALICE, certificate=files)
        context = alice.session._tls.context  # type: ignore[attr-defined]
        assert context is not town.house.tls
        assert context._msg_callback is None


async def test_what_is_unsent_counts_for_the_session_inside(town: Town) -> None:
    nat, alice = await town.person("nat"), await secured(town, first=ALICE + b"JOIN #lobby\r\n")
    alice.client.stalls(2 << 20)
    await nat.says("hello")
    await town.settles()
    assert nat.hears() == ["*** alice joined", "*** alice left (SendQ exceeded)"]


async def test_a_chunk_is_one_write_and_a_long_one_comes_whole(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    alice.hears()
    inner = alice.session.inner  # type: ignore[attr-defined]
    writes: list[bytes] = []
    transport = alice.client._writer.transport
    alice.client.peer.write = lambda data: (writes.append(data), transport.write(data))  # type: ignore[assignment,func-returns-value]
    for size in (1, RECORD, RECORD + 1, 5 * RECORD + 17):
        chunk = bytes(range(251)) * (size // 251 + 1)
        inner.peer.write(chunk[:size])
        assert alice.hears() == chunk[:size]
        assert len(writes) == 1
        writes.clear()


async def test_what_others_say_waits_while_a_command_runs(town: Town) -> None:
    alice = await secured(town, first=ALICE)
    alice.hears()
    peer = alice.session.inner.peer  # type: ignore[attr-defined]
    peer.hold()
    peer.write(b"two\r\n")
    assert alice.hears() == b""
    peer.release(b"one\r\n")
    assert alice.hears() == b"one\r\ntwo\r\n"
    peer.write(b"three\r\n")
    assert alice.hears() == b"three\r\n"


async def test_a_record_that_was_changed_on_the_way_ends_it_after_what_came_before(town: Town) -> None:
    """RFC 8446, 5.2: the alert `bad_record_mac`."""
    nat, alice = await town.person("nat"), await secured(town, first=ALICE + b"JOIN #lobby\r\n")
    alice.hears()
    nat.hears()
    alice.tls.write(b"PRIVMSG #lobby :one\r\nPING asked\r\nPRIVMSG #lobby :two\r\n")
    good = alice.outgoing.read()
    alice.tls.write(b"PRIVMSG #lobby :three\r\n")
    bad = bytearray(alice.outgoing.read())
    bad[-1] ^= 1
    await alice.client.says(good + bytes(bad))
    alice.incoming.write(alice.client.hears_bytes())
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        alice.tls.read(1 << 16)
    assert nat.hears()[:2] == ["<alice> one", "<alice> two"]
    assert nat.hears() == []
    assert alice.client.closed
    assert [wire for wire, _ in town.broke] == ["tls"]  # type: ignore[attr-defined]


async def test_without_a_certificate_tls_is_refused_as_ever() -> None:
    async with Town() as town:
        eve = TlsClient(town)
        with pytest.raises(ssl.SSLWantReadError):
            eve.tls.do_handshake()
        await eve.client.says(eve.outgoing.read())
        assert eve.client.hears_bytes() == NO_TLS
        assert eve.client.closed


async def test_http_inside_is_answered_inside(town: Town) -> None:
    browser = await secured(town, first=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    heard = browser.hears()
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    assert heard.endswith(b"port.\n" + CLOSED.encode())


SLOW = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(cuts=st.lists(st.integers(1, 400), max_size=30))
async def test_any_cuts_make_no_difference(context: ssl.SSLContext, cuts: list[int]) -> None:
    async with secure_town(context) as town:
        alice = TlsClient(town)
        said = [ALICE, b"JOIN #lobby\r\n", b"PRIVMSG #lobby :" + b"x" * 300 + b"\r\n", b"QUIT\r\n"]

        async def sends() -> None:
            data = alice.outgoing.read()
            while data:
                cut = cuts.pop() if cuts else len(data)
                await alice.client.sends(data[:cut])
                data = data[cut:]
            await town.settles()
            alice.incoming.write(alice.client.hears_bytes())

        for _ in range(3):
            try:
                alice.tls.do_handshake()
            except ssl.SSLWantReadError:
                await sends()
        for each in said:
            alice.tls.write(each)
            await sends()
        heard = alice.hears()
        assert heard.endswith(CLOSED.encode())
        lines = heard.removesuffix(CLOSED.encode()).decode().split("\r\n")[:-1]
        assert words(lines)[0] == "001"
        assert words(lines)[-1] == "ERROR"
        assert not town.broke  # type: ignore[attr-defined]


@SLOW
@given(pieces=st.lists(st.binary(max_size=60), max_size=6))
async def test_any_bytes_after_the_first_raise_nothing(context: ssl.SSLContext, pieces: list[bytes]) -> None:
    async with secure_town(context) as town:
        eve = town.connect("irc")
        eve.secure = False  # type: ignore[attr-defined]
        await eve.says(b"\x16\x03\x01", *pieces)
        await town.passes(11)
        assert eve.closed


@SLOW
@given(at=st.integers(0, 600), flip=st.integers(1, 255), plain=st.binary(max_size=50))
async def test_any_change_on_the_way_raises_nothing(context: ssl.SSLContext, at: int, flip: int, plain: bytes) -> None:
    async with secure_town(context) as town:
        alice = await secured(town, first=ALICE)
        alice.tls.write(b"JOIN #lobby\r\n" * 20 + plain)
        data = bytearray(alice.outgoing.read())
        data[at % len(data)] ^= flip
        await alice.client.says(bytes(data))
        await alice.client.ends()
        assert not town.hub.state.people
