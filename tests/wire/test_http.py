"""HTTP on the chat port: a page, and a way out for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conversation import Client, Town


async def asks(town: Town, request: bytes, cut: int = 0) -> tuple[Client, bytes]:
    client = town.connect("line")
    await client.says(request, cut=cut)
    return client, client.hears_bytes()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK", id="the page"),
        pytest.param(b"GET /?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK", id="with a query"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", b"200 OK", id="HTTP 1.0"),
        pytest.param(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK", id="only the head"),
        pytest.param(b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", b"404 Not Found", id="only the head of nothing"),
        pytest.param(b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n", b"404 Not Found", id="nothing else is there"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"405 Method Not Allowed", id="POST"
        ),
        pytest.param(b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", b"405 Method Not Allowed", id="DELETE"),
        pytest.param(b"GET /\r\n\r\n", b"400 Bad Request", id="HTTP 0.9"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request", id="no Host"),
        pytest.param(b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"400 Bad Request", id="no header"),
        pytest.param(b"GET /" + b"x" * 20_000, b"431 Request Header Fields Too Large", id="too long"),
    ],
)
async def test_a_request_is_answered_and_the_connection_closed(town: Town, request_: bytes, status: bytes) -> None:
    client, heard = await asks(town, request_)
    assert heard.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert b"\r\nConnection: close\r\n" in heard
    assert client.closed


async def test_the_page_says_how_to_come_in_and_forbids_what_it_does_not_need(town: Town) -> None:
    _, heard = await asks(town, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", cut=1)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert b"<code>nc</code>" in body
    assert f"Content-Length: {len(body)}".encode() in head
    for header in (b"default-src 'none'", b"nosniff", b"no-referrer", b"text/html; charset=utf-8"):
        assert header in head


async def test_a_head_has_no_body(town: Town) -> None:
    """RFC 9110, 9.3.2."""
    _, heard = await asks(town, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heard.endswith(b"\r\n\r\n")
    assert heard.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"NICK eve\r\nUSER e 0 * :E\r\nJOIN #lobby\r\nPRIVMSG #lobby :spam\r\n",
        b"eve\nspam\n",
        b"3         eve4         spam",
    ],
)
@pytest.mark.parametrize("verb", [b"POST", b"PUT", b"GET"])
@pytest.mark.parametrize("cut", [0, 1, 50])
async def test_a_body_never_reaches_another_wire(town: Town, verb: bytes, body: bytes, cut: int) -> None:
    """A web page in somebody's browser can POST to this port."""
    nat = await town.person("nat")
    head = b"%b / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (verb, len(body))
    client, heard = await asks(town, head + body, cut=cut)
    assert heard.count(b"HTTP/1.1 ") == 1
    assert client.closed
    assert nat.hears() == []
    assert list(town.hub.state.users) == ["nat"]


async def test_who_is_too_slow_is_told_so(town: Town) -> None:
    client, heard = await asks(town, b"GET / HT")
    assert heard == b""
    await town.passes(61)
    assert client.hears_bytes().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert client.closed


@given(
    st.sampled_from([b"GET ", b"HEAD ", b"POST ", b"PRI "]),
    st.lists(st.binary(max_size=20) | st.just(b"\r\n"), max_size=8),
)
@settings(deadline=None, max_examples=60)
async def test_any_bytes_after_a_verb_raise_nothing(verb: bytes, pieces: list[bytes]) -> None:
    async with Town() as town:
        client = town.connect("line")
        await client.sends(verb)
        for piece in pieces:
            await client.sends(piece)
        await town.passes(61)
        assert client.hears_bytes().startswith(b"HTTP/1.1 ")
