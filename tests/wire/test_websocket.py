"""WebSocket without sockets: who may open one, what frames carry, and how it ends. The other end is `websockets`."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.uri import parse_uri

from asynchat.wire.websocket import MOST, WebSocketSession, frames
from tests.conversation import Client, Town, words

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, 1.3
TEXT, BINARY = "text.ircv3.net", "binary.ircv3.net"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with watched_town() as town:
        yield town


def watched_town(**settings: Any) -> Town:
    town = Town(**settings)
    town.broke = []  # type: ignore[attr-defined]
    town.house.broke = lambda session, why: town.broke.append((session.wire, why))  # type: ignore[attr-defined]
    return town


def request(*more: str, without: str = "", method: str = "GET", path: str = "/", version: str = "1.1") -> bytes:
    """A handshake; `more` headers, `without` one that it has otherwise."""
    headers = {
        "Host": "chat.example:12345",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    lines = [f"{name}: {value}" for name, value in headers.items() if name != without]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, *more, "", ""]).encode()


def masked(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    """A frame as a client sends it, by hand."""
    size = len(data)
    if size < 126:
        length = bytes([0x80 | size])
    else:
        length = b"\xfe" + struct.pack("!H", size) if size < 1 << 16 else b"\xff" + struct.pack("!Q", size)
    hidden = bytes(byte ^ b"mask"[index % 4] for index, byte in enumerate(data))
    return bytes([(0x80 if fin else 0) | opcode]) + length + b"mask" + hidden


class Browser:
    """Somebody with a WebSocket."""

    def __init__(self, town: Town) -> None:
        self.client: Client = town.connect("irc")
        self.client.secure, self.client.certificate = False, None  # type: ignore[attr-defined]
        self.protocol = ClientProtocol(parse_uri("ws://chat.example:12345/"), max_size=None)

    async def opens(self, *subprotocols: str, cut: int = 0) -> Browser:
        asked = self.protocol.connect()
        if subprotocols:
            asked.headers["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
            self.protocol.available_subprotocols = list(subprotocols)  # type: ignore[arg-type]  # they are strings
        self.protocol.send_request(asked)
        await self.exchanges(cut=cut)
        assert self.protocol.handshake_exc is None
        self.protocol.events_received()
        return self

    async def exchanges(self, *, cut: int = 0) -> None:
        await self.client.says(b"".join(self.protocol.data_to_send()), cut=cut)
        self.protocol.receive_data(self.client.hears_bytes())

    async def says(self, *lines: str, cut: int = 0) -> None:
        for line in lines:
            self.protocol.send_text(line.encode())
        await self.exchanges(cut=cut)

    def frames(self) -> list[Frame]:
        self.protocol.receive_data(self.client.hears_bytes())
        return [each for each in self.protocol.events_received() if isinstance(each, Frame)]

    def hears(self) -> list[str]:
        """The messages, each of which must be one whole frame."""
        heard = self.frames()
        assert all(frame.fin for frame in heard)
        return [bytes(frame.data).decode() for frame in heard if frame.opcode in (Opcode.TEXT, Opcode.BINARY)]

    @property
    def closed_with(self) -> tuple[int, str] | None:
        self.frames()
        end = self.protocol.close_rcvd
        return (int(end.code), end.reason) if end is not None else None


async def browser(town: Town, name: str, *rooms: str, cut: int = 0) -> Browser:
    """Somebody with a WebSocket who is in these rooms."""
    browser = await Browser(town).opens(TEXT)
    await browser.says(f"NICK {name}", f"USER {name} 0 * :{name}", *(f"JOIN {room}" for room in rooms), cut=cut)
    browser.hears()
    return browser


async def asks(town: Town, data: bytes, cut: int = 0) -> tuple[Client, bytes]:
    client = town.connect("irc")
    client.secure, client.certificate = False, None  # type: ignore[attr-defined]
    await client.says(data, cut=cut)
    return client, client.hears_bytes()


# The handshake.


@pytest.mark.parametrize("path", ["/", "/webirc/websocket?x=1"])
@pytest.mark.parametrize("cut", [0, 1, 50])
async def test_a_websocket_opens_on_any_path(town: Town, path: str, cut: int) -> None:
    client, heard = await asks(town, request(path=path), cut)
    assert heard.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: " + ACCEPT in heard
    assert b"Sec-WebSocket-Extensions" not in heard
    assert isinstance(client.session, WebSocketSession)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([TEXT], TEXT),
        ([BINARY], BINARY),
        ([BINARY, TEXT], BINARY),
        ([TEXT, BINARY], TEXT),
        (["irc", BINARY, TEXT], BINARY),
        (["irc"], None),
        ([], None),
    ],
)
async def test_the_first_subprotocol_that_is_known_is_spoken(
    town: Town, offered: Sequence[str], chosen: str | None
) -> None:
    """IRCv3 websocket: "respecting the client's order of preference"; without any, text."""
    alice = await Browser(town).opens(*offered)
    assert alice.protocol.subprotocol == chosen
    await alice.says("PING x")
    wanted = Opcode.BINARY if chosen == BINARY else Opcode.TEXT
    assert {frame.opcode for frame in alice.frames()} == {wanted}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(request(without="Sec-WebSocket-Key"), b"400", id="no key"),
        pytest.param(request(without="Host"), b"400", id="no host"),
        pytest.param(request("Sec-WebSocket-Key: x", without="Sec-WebSocket-Key"), b"400", id="a bad key"),
        pytest.param(request(without="Connection"), b"426", id="no Connection: Upgrade"),
        pytest.param(request(without="Sec-WebSocket-Version"), b"426", id="no version"),
        pytest.param(request("Sec-WebSocket-Version: 8", without="Sec-WebSocket-Version"), b"426", id="an old version"),
        pytest.param(request(version="1.0"), b"505", id="HTTP 1.0"),
        pytest.param(request(method="POST"), b"405", id="POST"),
        pytest.param(request("Content-Length: 9") + b"NICK eve\n", b"400", id="a body"),
        pytest.param(
            request("Transfer-Encoding: chunked") + b"9\r\nNICK eve\n\r\n0\r\n\r\n", b"400", id="a chunked body"
        ),
        pytest.param(request("Sec-WebSocket-Protocol: ,;,"), b"400", id="no list of subprotocols"),
        pytest.param(request("Origin: http://evil.example"), b"403", id="a page of somebody else's"),
    ],
)
@pytest.mark.parametrize("cut", [0, 1])
async def test_what_is_no_handshake_is_answered_by_http_and_closed(
    town: Town, asked: bytes, status: bytes, cut: int
) -> None:
    client, heard = await asks(town, asked, cut)
    assert heard.startswith(b"HTTP/1.1 " + status)
    assert heard.count(b"HTTP/1.1 ") == 1
    assert client.closed
    assert not town.hub.state.people


async def test_an_old_client_is_told_the_version(town: Town) -> None:
    """RFC 6455, 4.4."""
    _, heard = await asks(town, request("Sec-WebSocket-Version: 8", without="Sec-WebSocket-Version"))
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in heard


@pytest.mark.parametrize(
    ("host", "origin", "may"),
    [
        ("chat.example:12345", "http://chat.example:12345", True),
        ("chat.example:12345", "https://chat.example:12345", True),
        ("Chat.Example:12345", "http://chat.example:12345", True),
        ("chat.example:12345", "HTTP://CHAT.example:12345", True),
        ("chat.example", "https://chat.example", True),
        ("chat.example", "http://chat.example", True),
        ("chat.example:443", "https://chat.example", True),
        ("chat.example", "https://chat.example:443", True),
        ("[::1]:12345", "http://[::1]:12345", True),
        ("[::1]", "http://[::1]", True),
        ("[::1]", "http://[::1]:80", True),
        ("127.0.0.1:12345", "http://127.0.0.1:12345", True),
        ("chat.example:12345", None, True),
        ("chat.example:12345", "http://chat.example", False),
        ("chat.example:12345", "http://chat.example:1234", False),
        ("chat.example:80", "https://chat.example", False),
        ("chat.example:12345", "http://evil.example:12345", False),
        ("chat.example:12345", "http://chat.example:12345.evil.example", False),
        ("chat.example:12345", "http://evil@chat.example:12345", False),
        ("chat.example:12345", "http://chat.example:12345/", False),
        ("chat.example:12345", "chat.example:12345", False),
        ("chat.example:12345", "ftp://chat.example:12345", False),
        ("chat.example:12345", "null", False),
        ("chat.example:12345", "", False),
        ("[::1]:12345", "http://[::1", False),
        ("127.0.0.1:12345", "http://localhost:12345", False),
        ("chat.example", "https://web.example", True),
        ("chat.example", "https://WEB.example", True),
        ("chat.example", "http://web.example", False),
        ("chat.example", "capacitor://localhost", True),
    ],
)
async def test_a_page_may_open_one_on_its_own_host_or_if_it_is_listed(host: str, origin: str | None, may: bool) -> None:
    async with watched_town(allowed_origins=("https://web.example/", "capacitor://localhost")) as town:
        named = [] if origin is None else [f"Origin: {origin}"]
        client, heard = await asks(town, request(f"Host: {host}", *named, without="Host"))
        assert heard.startswith(b"HTTP/1.1 101" if may else b"HTTP/1.1 403")
        assert isinstance(client.session, WebSocketSession) == may
        assert [wire for wire, _ in town.broke] == ([] if may else ["http"])  # type: ignore[attr-defined]


async def test_several_origins_are_none() -> None:
    async with watched_town() as town:
        own = "Origin: http://chat.example:12345"
        _, heard = await asks(town, request(own, own))
        assert heard.startswith(b"HTTP/1.1 403")


async def test_a_star_allows_any_page() -> None:
    async with watched_town(allowed_origins=("*",)) as town:
        _, heard = await asks(town, request("Origin: null"))
        assert heard.startswith(b"HTTP/1.1 101")


async def test_after_the_greeting_it_is_refused_like_all_http(town: Town) -> None:
    client = town.connect("irc")
    client.secure = False  # type: ignore[attr-defined]
    await town.passes(1.5)
    client.hears_bytes()
    await client.says(request())
    assert client.hears_bytes().startswith(b"HTTP/1.1 400")
    assert client.closed


async def test_frames_may_come_with_the_request(town: Town) -> None:
    _, heard = await asks(town, request() + masked(1, b"PING x"))
    assert heard.partition(b"\r\n\r\n")[2] == b"\x81\x1a:asynchat PONG asynchat :x"


# Lines and frames.


@pytest.mark.parametrize("cut", [0, 1, 2, 7])
async def test_a_line_is_a_message_and_a_message_is_a_line(town: Town, cut: int) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby", cut=cut)
    await nat.says("grüß dich", "two")
    assert alice.hears() == [":nat!~line@here PRIVMSG #lobby :grüß dich", ":nat!~line@here PRIVMSG #lobby :two"]
    await alice.says("PRIVMSG #lobby :hällo", "PRIVMSG #lobby :two", cut=cut)
    assert nat.hears() == ["*** alice joined", "<alice> hällo", "<alice> two"]


async def test_each_of_the_lines_of_one_chunk_is_a_message(town: Town) -> None:
    alice = await Browser(town).opens(TEXT)
    await alice.says("NICK alice", "USER a 0 * :A")
    heard = alice.hears()
    assert words(heard)[:5] == ["001", "002", "003", "004", "005"]
    assert not any("\r" in line or "\n" in line for line in heard)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
async def test_a_line_end_in_a_message_is_forgiven(town: Town, end: str) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    await alice.says(f"PRIVMSG #lobby :hi{end}", end)
    assert nat.hears() == ["*** alice joined", "<alice> hi"]
    assert alice.hears() == []


async def test_a_message_of_several_lines_is_rejected(town: Town) -> None:
    """Else a text that somebody pasted would run as commands."""
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    await alice.says("PRIVMSG #lobby :before", "PRIVMSG #lobby :one\r\nQUIT :pasted", "PRIVMSG #lobby :after")
    assert nat.hears() == ["*** alice joined", "<alice> before", "<alice> after"]
    assert alice.hears() == [":asynchat FAIL * BAD_MESSAGE :Message rejected: a message is one line"]
    assert not alice.client.closed


@pytest.mark.parametrize("cut", [0, 1])
async def test_a_message_may_come_in_fragments_with_a_ping_among_them(town: Town, cut: int) -> None:
    """RFC 6455, 5.4."""
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    pieces = [b"PRIVMSG #lob", b"by :gr\xc3", b"\xbc", b"n"]
    data = masked(1, pieces[0], fin=False) + masked(0, pieces[1], fin=False) + masked(9, b"now?")
    data += masked(0, b"", fin=False) + masked(0, pieces[2], fin=False) + masked(0, pieces[3])
    await alice.client.says(data, cut=cut)
    assert nat.hears() == ["*** alice joined", "<alice> grün"]
    assert [(frame.opcode, bytes(frame.data)) for frame in alice.frames()] == [(Opcode.PONG, b"now?")]


async def test_a_binary_message_on_text_is_taken_and_judged_as_irc_does(town: Town) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    await alice.client.says(masked(2, b"PRIVMSG #lobby :hi") + masked(2, b"PRIVMSG #lobby :caf\xe9"))
    assert nat.hears() == ["*** alice joined", "<alice> hi"]
    assert alice.hears() == [":asynchat FAIL PRIVMSG INVALID_UTF8 :Message rejected: it is not valid UTF-8"]


async def test_text_frames_hold_nothing_that_is_no_utf8() -> None:
    """IRCv3 websocket: "Servers MUST NOT relay non-UTF-8 content to clients using text messages"."""
    chunk = b"PRIVMSG a :caf\xe9\r\nPRIVMSG a :b\r\n"
    assert frames(chunk, False) == b"\x81\x0cPRIVMSG a :b"
    assert frames(chunk, True) == b"\x82\x0fPRIVMSG a :caf\xe9\x82\x0cPRIVMSG a :b"


async def test_what_is_shared_by_a_room_is_framed_once(town: Town) -> None:
    nat = await town.person("nat")
    everybody = [await browser(town, f"w{index}", "#lobby") for index in range(5)]
    await nat.says("hello")
    before = frames.cache_info()
    await nat.says("again")
    after = frames.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 4)
    for each in everybody:
        assert each.hears()[-1] == ":nat!~line@here PRIVMSG #lobby :again"


async def test_what_others_say_waits_while_a_labelled_command_runs(town: Town) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice")
    await alice.says("CAP REQ :labeled-response batch", "@label=1 JOIN #lobby")
    heard = alice.hears()
    assert heard[1].startswith("@label=1 ")
    assert nat.hears() == ["*** alice joined"]
    assert alice.client.session.closing is False


@pytest.mark.parametrize("size", [1, 125, 126, 500, 65535, 65536, 70_000])
async def test_frames_of_any_size_are_read_by_the_other_end(town: Town, size: int) -> None:
    alice = await browser(town, "alice")
    alice.client.session.inner.peer.write(b"x" * size + b"\r\n")  # type: ignore[attr-defined]
    assert [len(line) for line in alice.hears()] == [size]


# What is not to be.


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\x81\x05hello", CloseCode.PROTOCOL_ERROR, id="not masked"),
        pytest.param(masked(0x3, b"x"), CloseCode.PROTOCOL_ERROR, id="no such opcode"),
        pytest.param(masked(0x41, b"x"), CloseCode.PROTOCOL_ERROR, id="a reserved bit"),
        pytest.param(masked(0, b"x"), CloseCode.PROTOCOL_ERROR, id="a fragment of nothing"),
        pytest.param(
            masked(1, b"x", fin=False) + masked(1, b"y"), CloseCode.PROTOCOL_ERROR, id="a message in a message"
        ),
        pytest.param(masked(9, b"x", fin=False), CloseCode.PROTOCOL_ERROR, id="half a ping"),
        pytest.param(masked(9, b"x" * 126), CloseCode.PROTOCOL_ERROR, id="a long ping"),
        pytest.param(masked(8, b"\x03"), CloseCode.PROTOCOL_ERROR, id="half a close code"),
        pytest.param(masked(8, b"\x03\xed"), CloseCode.PROTOCOL_ERROR, id="a close code that is never sent"),
        pytest.param(masked(1, b"PRIVMSG #lobby :caf\xe9"), CloseCode.INVALID_DATA, id="text that is no UTF-8"),
        pytest.param(masked(1, "ü".encode()[:1]), CloseCode.INVALID_DATA, id="half a character"),
        pytest.param(masked(1, b"x" * (MOST + 1)), CloseCode.MESSAGE_TOO_BIG, id="too long"),
        pytest.param(b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"mask", CloseCode.MESSAGE_TOO_BIG, id="absurdly long"),
        pytest.param(
            masked(1, b"x" * 40_000, fin=False) + masked(0, b"x" * 40_000),
            CloseCode.MESSAGE_TOO_BIG,
            id="too long in sum",
        ),
    ],
)
@pytest.mark.parametrize("cut", [0, 1000])
async def test_hostile_frames_end_it_with_a_code_after_what_came_before(
    town: Town, data: bytes, code: CloseCode, cut: int
) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    nat.hears()
    after = masked(1, b"PRIVMSG #lobby :after")
    await alice.client.says(masked(1, b"PRIVMSG #lobby :before") + data + after, cut=cut)
    assert alice.closed_with is not None
    assert alice.closed_with[0] == code
    assert alice.client.closed
    heard = nat.hears()
    assert heard[0] == "<alice> before"
    assert [line[:15] for line in heard[1:]] == ["*** alice left "]
    assert [wire for wire, _ in town.broke] == ["websocket"]  # type: ignore[attr-defined]


async def test_a_message_as_long_as_may_be_is_answered_by_irc(town: Town) -> None:
    alice = await browser(town, "alice")
    await alice.client.says(masked(1, b"x" * MOST))
    assert words(alice.hears()) == ["417"]
    assert not alice.client.closed


async def test_tiny_frames_give_others_their_turn(town: Town) -> None:
    alice = await browser(town, "alice")
    turns = 0
    breathe = town.journal.breathe

    async def counted() -> None:
        nonlocal turns
        turns += 1
        await breathe()

    town.journal.breathe = counted  # type: ignore[method-assign]
    await alice.client.sends(masked(10, b"") * 10_000)
    assert turns >= 50


async def test_pings_and_fragments_are_paced_like_lines(town: Town) -> None:
    alice = await browser(town, "alice")
    calls: list[None] = []
    alice.client.pace = lambda: calls.append(None)  # type: ignore[assignment,func-returns-value]
    await alice.client.says(masked(9, b"") * 3 + masked(10, b"") * 2 + masked(1, b"PI", fin=False) + masked(0, b"NG x"))
    assert len(calls) == 7


# The end.


async def test_the_client_closes_and_is_answered(town: Town) -> None:
    """RFC 6455, 5.5.1: the code comes back."""
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    await alice.says("PRIVMSG #lobby :bye")
    alice.protocol.send_close(CloseCode.GOING_AWAY, "tab closed")
    await alice.exchanges()
    assert alice.closed_with == (1001, "tab closed")
    assert alice.client.closed
    assert nat.hears() == ["*** alice joined", "<alice> bye", "*** alice left (connection closed)"]


async def test_what_comes_after_the_close_frame_is_not_heard(town: Town) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    await alice.client.says(masked(8, b"") + masked(1, b"PRIVMSG #lobby :after"))
    assert nat.hears() == ["*** alice joined", "*** alice left (connection closed)"]


async def test_the_stream_may_end_without_a_close_frame(town: Town) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    await alice.client.sends(masked(1, b"PRIVMSG #lobby :bye") + b"\x81")
    await alice.client.ends()
    assert nat.hears() == ["*** alice joined", "<alice> bye", "*** alice left (connection closed)"]


async def test_quit_is_answered_and_followed_by_a_close_frame(town: Town) -> None:
    alice = await browser(town, "alice")
    await alice.says("QUIT :bye", "NICK other")
    assert alice.hears() == ["ERROR :Closing link: here (Quit: bye)"]
    assert alice.closed_with == (1000, "Quit: bye")
    assert alice.client.closed


async def test_who_is_put_out_hears_the_reason_twice_and_nothing_after_it(town: Town) -> None:
    alice = await browser(town, "alice")
    alice.client.session.put_out("ü" * 100)
    alice.client.session.inner.peer.write(b"after\r\n")  # type: ignore[attr-defined]
    await alice.client.end_if_closing()
    assert alice.hears() == ["ERROR :" + "ü" * 100]
    assert alice.closed_with == (1001, "ü" * 61)  # RFC 6455, 5.5: 123 bytes


async def test_the_waits_are_those_of_irc(town: Town) -> None:
    alice, late = await browser(town, "alice"), await Browser(town).opens(TEXT)
    await town.passes(60.5)
    assert alice.hears() == ["PING asynchat"]
    assert late.hears() == ["ERROR :Registration timed out"]
    assert late.closed_with == (1000, "")
    await town.passes(31)
    assert alice.closed_with is not None
    assert alice.closed_with[1].startswith("Ping timeout")


async def test_who_is_dropped_is_gone(town: Town) -> None:
    nat, alice = await town.person("nat"), await browser(town, "alice", "#lobby")
    alice.client.session.inner.drop("SendQ exceeded")  # type: ignore[attr-defined]
    await town.settles()
    assert nat.hears() == ["*** alice joined", "*** alice left (SendQ exceeded)"]


# Anything.


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=40) | st.builds(masked, st.integers(0, 15), st.binary(max_size=130)), max_size=8))
async def test_any_bytes_raise_nothing(pieces: list[bytes]) -> None:
    async with watched_town() as town:
        eve = await Browser(town).opens(TEXT)
        await eve.client.says(*pieces)
        await eve.client.ends()
        assert not town.hub.state.people


@settings(deadline=None, max_examples=60)
@given(
    lines=st.lists(
        st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=30), max_size=5
    ),
    cuts=st.lists(st.integers(1, 20), min_size=1, max_size=20),
)
async def test_any_cuts_and_fragments_make_no_difference(lines: list[str], cuts: list[int]) -> None:
    async with watched_town() as town:
        alice, bob = await browser(town, "alice", "#lobby"), await browser(town, "bob", "#lobby")
        alice.hears()
        whole = [f"PRIVMSG #lobby :{line}".encode() for line in lines]
        data = b""
        for index, line in enumerate(whole):
            at = cuts[index % len(cuts)]
            data += masked(1, line[:at], fin=False) + masked(0, line[at:]) if len(line) > at else masked(1, line)
        for cut in cuts:
            await bob.client.sends(data[:cut])
            data = data[cut:]
        await bob.client.says(data)
        assert alice.hears() == [f":bob!~bob@here {line.decode()}" for line in whole if line != b"PRIVMSG #lobby :"]


@given(
    st.lists(st.binary(max_size=300).filter(lambda line: b"\r\n" not in line and not line.endswith(b"\r")), max_size=5)
)
def test_what_is_framed_is_read_by_the_library(lines: list[bytes]) -> None:
    protocol = ClientProtocol(parse_uri("ws://x/"), state=1)  # type: ignore[arg-type]  # OPEN
    protocol.receive_data(frames(b"".join(line + b"\r\n" for line in lines), True))
    assert [bytes(frame.data) for frame in protocol.events_received()] == [line for line in lines if line]  # type: ignore[union-attr]
