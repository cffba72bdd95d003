"""`serve --trace`: each step of what comes in, and never a password."""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64encode
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

import asynchat
from asynchat.chat.errors import StoreError
from asynchat.net.certificates import make_certificate
from asynchat.net.fanout import Fanout
from asynchat.net.tracing import Trace, TracedFanout
from asynchat.wire.irc.session import IrcSession
from tests.conversation import Town, packet
from tests.net.conftest import PATIENCE_S, FrameClient, IrcClient, LineClient, Serve, Walk, serve, settings

__all__ = ["serve"]


def steps(lines: list[str]) -> list[str]:
    """The lines with single spaces."""
    return [" ".join(line.split()) for line in lines]


async def test_each_step_of_a_line_is_told_with_who_heard_it(walk_in: Walk) -> None:
    told: list[str] = []
    async with asynchat.Server(port=0, trace=told.append) as server:
        irene = await walk_in(IrcClient, server.port, "irene")
        nat = await walk_in(LineClient, server.port, "nat")
        fred = await walk_in(FrameClient, server.port, "fred")
        told.clear()
        await irene.say("hello")
        await nat.until("irene", "hello")
        await fred.until("irene", "hello")
        assert re.sub(r"#\d+ Said", "#9 Said", "\n".join(steps(told))).split("\n") == [
            '#1 irc bytes 23 B "PRIVMSG #lobby :hello\\r\\n"',
            "#1 irc line PRIVMSG #lobby :hello",
            "#1 irc verb PRIVMSG #lobby hello",
            "#1 - event #9 Said by irene in #lobby: hello",
            "#1 - told 2 sessions: nat, fred",
        ]
        told.clear()
        await fred.say("/me waves")
        await nat.until("*", "fred waves")
        assert steps(told)[:3] == [
            '#3 frame bytes 19 B "9 /me waves"',
            "#3 frame frame /me waves",
            "#3 frame verb /me",
        ]
        told.clear()
        await walk_in(LineClient, server.port, "bob")
        assert steps(told)[:3] == ["#4 line bytes 4 B", "#4 line line bob", "#4 line verb name"]
        told.clear()
        await nat.say("/quit bye")
        await irene.until("***", "QUIT")
        assert "#2 line verb /quit" in steps(told)
        assert any(re.fullmatch(r"- - event #\d+ Departed by nat: bye", line) for line in steps(told))


async def test_the_columns_are_aligned(walk_in: Walk) -> None:
    told: list[str] = []
    async with asynchat.Server(port=0, trace=told.append) as server:
        await walk_in(IrcClient, server.port, "irene")
        await walk_in(LineClient, server.port, "nat")
    assert len({re.match(r"\S+ +\S+ +\S+ +", line).end() for line in told if line[30:]}) == 1  # type: ignore[union-attr]


async def test_under_tls_it_is_shown_what_is_inside(walk_in: Walk, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(certificate, key, ["localhost"])
    told: list[str] = []
    tls = settings(tls={"cert": str(certificate), "key": str(key)})
    async with asynchat.Server(tls, trace=told.append) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=context, server_hostname="localhost"
        )
        writer.write(b"NICK irene\r\nUSER i 0 * :I\r\nQUIT\r\n")
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
        writer.close()
    assert '#1 irc bytes 33 B "NICK irene\\r\\nUSER i 0 * :I\\r\\nQUIT\\r\\n"' in steps(told)
    assert "#1 irc verb QUIT" in steps(told)


async def test_in_a_websocket_it_is_shown_what_is_inside(walk_in: Walk) -> None:
    told: list[str] = []
    async with asynchat.Server(port=0, trace=told.append) as server, connect(f"ws://127.0.0.1:{server.port}") as client:
        await client.send("NICK irene")
        await client.send("USER i 0 * :I")
        async with asyncio.timeout(PATIENCE_S):
            while " 001 " not in str(await client.recv()):
                pass
        assert [line for line in steps(told) if " bytes " not in line][:4] == [
            "#1 http verb GET / WebSocket",
            "#1 http answer 101 WebSocket",
            "#1 irc line NICK irene",
            "#1 irc verb NICK irene",
        ]
        told.clear()
        await client.send("QUIT")
        await walk_in(LineClient, server.port, "nat")
        assert any(line.startswith("#1 irc end") for line in steps(told))
        assert "#2 line line nat" in steps(told)


HANDSHAKE = (
    "GET /?token=qzxjvwk HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cXp4anZ3a3F6eGp2d2txeg==\r\n"
)


@pytest.mark.parametrize(
    ("request_", "told_of"),
    [
        ("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic qzxjvwk\r\n\r\n", ["verb GET /", "answer 200"]),
        ("GET /no?x=qzxjvwk HTTP/1.1\r\nHost: x\r\n\r\n", ["verb GET /no?***", "answer 404 not found"]),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nqzxjvwk",
            ["verb POST /", "answer 405 there is nothing to post to"],
        ),
        ("GET http://a:qzxjvwk@x/ HTTP/1.1\r\nHost: x\r\n\r\n", ["verb GET ***", "answer 404 not found"]),
        ("GET qzxjvwk\r\n\r\n", ["answer 400 bad request"]),
        (
            f"{HANDSHAKE}Origin: https://evil.example\r\n\r\n",
            [
                "verb GET /?*** WebSocket from https://evil.example",
                "answer 403 pages of https://evil.example may not open a WebSocket here",
            ],
        ),
    ],
    ids=["a page", "no page", "POST", "a proxy's", "no HTTP", "a WebSocket of another page"],
)
async def test_a_browser_is_told_of_with_its_answer_and_without_its_secrets(request_: str, told_of: list[str]) -> None:
    told: list[str] = []
    async with Town(sessions=Trace(told.append).sessions()) as town:
        browser = town.connect("http")
        await browser.sends(request_.encode())
        await town.settles()
        heard = steps(told)
        assert heard[0] == f"#1 http bytes {len(request_)} B"
        assert heard[1 : 1 + len(told_of)] == [f"#1 http {each}" for each in told_of]
        assert "qzxjvwk" not in "".join(told)


async def test_a_browser_that_has_its_answer_has_no_number_any_more(walk_in: Walk) -> None:
    told: list[str] = []
    async with asynchat.Server(port=0, trace=told.append) as server:
        browser = await walk_in(LineClient, server.port)
        await browser.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await browser.rest()
        await walk_in(LineClient, server.port, "nat")
        assert [line for line in steps(told) if line.startswith("#1 http end")]
        assert server._plan.trace is not None
        assert list(server._plan.trace._numbers.values()) == [2]


async def test_what_could_not_be_stored_is_told() -> None:
    told: list[str] = []
    trace = Trace(told.append)
    async with Town(sessions=trace.sessions()) as town:
        fanout = TracedFanout(trace, town.hub, send_queue=1 << 20, over=lambda session: None)
        town.journal._deliver = fanout.deliver
        nat = await town.person("nat")
        town.log.broken = StoreError("disk on fire")
        await nat.says("hello")
        assert steps(told)[-1].endswith("Said could not be stored: STORAGE_ERROR")


PLAIN = b64encode(b"\0alice\0qzxjvwk").decode()
SECRETS = {
    *(word[at : at + 2] for word in ("qzxjvwk", "QZXJVWK") for at in range(6)),
    *(PLAIN[at : at + 4] for at in range(len(PLAIN) - 3)),
}
"""Not even a piece may be seen."""
IRC_SCRIPTS = [
    ["PASS qzxjvwk", "NICK alice", "USER a 0 * :A"],
    ["NICK alice", "paß qzxjvwk", "USER a 0 * :A"],
    ["@label=x PASS :qzxjvwk", "NICK alice", "USER a 0 * :A", " PASS qzxjvwk", "PASSWORD qzxjvwk", "qzxjvwk"],
    ["CAP REQ sasl", "NICK alice", "USER a 0 * :A", "AUTHENTICATE PLAIN", f"AUTHENTICATE {PLAIN}", "CAP END"],
    ["NICK bob", "USER b 0 * :B", "OPER root qzxjvwk", "REGISTER * * qzxjvwk", "REGISTER bob * :qzxjvwk"],
    [
        "NICK bob",
        "USER b 0 * :B",
        "JOIN #a qzxjvwk",
        "MODE #a +k qzxjvwk",
        "MODE #a +lk 3 qzxjvwk",
        "JOIN #b,#c :,qzxjvwk",
    ],
    [
        "NICK bob",
        "USER b 0 * :B",
        "PRIVMSG NickServ :IDENTIFY qzxjvwk",
        "NS IDENTIFY qzxjvwk",
        "PASS qzx\0jvwk qzxjvwk",
    ],
]
LINE_SCRIPTS = [
    [
        "bob",
        "/register qzxjvwk",
        "/login qzxjvwk",
        "/resume qzxjvwk",
        "/LOGIN qzxjvwk",
        "/lgoin qzxjvwk",
        "/login\tqzxjvwk",
    ],
    ["alice", "qzxjvwk", "hello"],
    ["bob", "/join #a qzxjvwk", "/key qzxjvwk", "/join  #a  qzxjvwk"],
    ["two words", "qzxjvwk", "bob", "qzxjvwk"],
    ["PASSWORD qzxjvwk", "bob", "qzxjvwk"],
    ["alice", "wrong", "qzxjvwk"],
]


@pytest.mark.parametrize("gate", [None, "qzxjvwk"])
@pytest.mark.parametrize("cut", [0, 1, 3, 7])
@pytest.mark.parametrize("script", [*IRC_SCRIPTS, *LINE_SCRIPTS], ids=" | ".join)
@pytest.mark.parametrize("wire", ["irc", "line", "frame"])
async def test_no_password_is_ever_shown(wire: str, script: list[str], cut: int, gate: str | None) -> None:
    if (script in IRC_SCRIPTS) is not (wire == "irc"):
        return
    if gate is None and " " in script[0]:
        return  # then what comes last is said to everybody
    told: list[str] = []
    trace = Trace(told.append)
    async with Town(
        accounts={"alice": "qzxjvwk"}, operators={"root": "qzxjvwk"}, password=gate, sessions=trace.sessions()
    ) as town:
        client = town.connect(wire)
        data = b"".join(packet(line) for line in script) if wire == "frame" else "\r\n".join([*script, ""]).encode()
        await client.sends(data, cut=cut)
        await town.settles()
        assert told
        assert [line for line in told if any(secret in line for secret in SECRETS)] == []


@pytest.mark.parametrize(("wire", "begun"), [("irc", b"NICK bob\r\nPASS :one "), ("line", b"bob\n/login one ")])
async def test_the_rest_of_a_line_is_not_taken_for_one(wire: str, begun: bytes) -> None:
    told: list[str] = []
    async with Town(sessions=Trace(told.append).sessions()) as town:
        client = town.connect(wire)
        await client.sends(begun)
        await client.sends(b"NOTICE qzxjvwk\r\n")
        assert "bytes 16 B" in steps(told)[-3]
        assert "qzxjvwk" not in "".join(told)


async def test_nothing_that_people_send_moves_the_cursor() -> None:
    told: list[str] = []
    trace = Trace(told.append)
    async with Town(sessions=trace.sessions()) as town:
        nat = await town.person("nat")
        fred = await town.framed("fred")
        irene = await town.irc("irene", "#lobby")
        hostile = "a\x1b[2J\x07\u202e\x85\u2028 \x9b31mb"
        await nat.says(hostile, f"/part {hostile}", b"\xff\xfe\x1b[2J\n")
        await fred.says(f"one\n{hostile}")
        await irene.says(f"PRIVMSG #lobby :{hostile}", f"\x1b[2J {hostile}", f"QUIT :{hostile}")
        assert len(told) > 10
        assert [line for line in told if not line.isprintable()] == []


def test_a_server_that_is_not_traced_has_nothing_of_it() -> None:
    import subprocess
    import sys

    code = "import sys, asynchat; asynchat.Server; print([name for name in sys.modules if name.endswith('.tracing')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
    assert Fanout is not TracedFanout
    assert IrcSession.quick.__qualname__ == "IrcSession.quick"


async def test_serve_writes_it_to_its_log_whatever_the_level(serve: Serve, walk_in: Walk) -> None:
    server = serve("--memory", "--trace", "--log-level", "error")
    nat = await walk_in(LineClient, server.port, "nat")
    await nat.say("hello")
    line = server.logged("Said by nat")
    assert re.fullmatch(r"\d\d:\d\d:\d\d #1 +- +event +#\d+ Said by nat in #lobby: hello", line)
    assert "INFO" not in server.log
