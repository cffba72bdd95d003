"""Nobody waits for somebody else: what one client does or suffers costs the others nothing."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest

import asynchat
from asynchat.net.connections import LINGERING
from asynchat.wire.talk.session import TalkSession
from tests.net.conftest import (
    NEWS,
    NO,
    PATIENCE_S,
    FrameClient,
    IrcClient,
    LineClient,
    Walk,
    on_both_loops,
    settings,
)

SMALL_QUEUE = {"send_queue": 64 * 1024, "flood": False}
BIG = "x" * 15_000


@pytest.fixture
def stalled() -> Iterator[list[socket.socket]]:
    """Sockets that nobody reads."""
    sockets: list[socket.socket] = []
    yield sockets
    for sock in sockets:
        sock.close()


async def stall(port: int, name: bytes, stalled: list[socket.socket], first: bytes = b"") -> socket.socket:
    """Connect, say who one is, and never read."""
    sock = socket.socket()
    stalled.append(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await loop.sock_sendall(sock, name + b"\n" + first)
    return sock


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# Who does not read.


@on_both_loops
async def test_a_member_that_never_reads_delays_nobody_and_is_dropped_with_the_others_told(
    walk_in: Walk, stalled: list[socket.socket], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line is heard before the next is said, so that a server which waits for the stalled one never gets on."""
    monkeypatch.setattr("asynchat.net.conversation.STALLED_S", 0.5)
    async with asynchat.Server(settings(limits=SMALL_QUEUE)) as server:
        talker = await walk_in(LineClient, server.port, "nat")
        others = [await walk_in(kind, server.port, name) for kind, name in ((LineClient, "ben"), (IrcClient, "irene"))]
        await stall(server.port, b"stan", stalled)
        await talker.until(NEWS, "stan joined")
        line, irc = others
        # She reads all the while, or she would be put out too.
        reading = asyncio.ensure_future(irc.until(NEWS, "stan!~line@localhost QUIT :SendQ exceeded: does not read"))
        while "stan left (SendQ exceeded: does not read)" not in line.news:
            await talker.say(f"{len(line.talk)} {BIG}")
            await line.until("nat", f"{len(line.talk)} {BIG}")
            await line.say("/topic")  # whatever came besides is heard now
            await line.until(NEWS, "no topic")
        await reading
        said = len(line.said_by("nat"))
        await talker.say("all well?")
        await line.until("nat", "all well?")
        assert len(line.said_by("nat")) == said + 1
    assert errors(caplog) == []


@on_both_loops
async def test_many_stalled_members_hide_no_line_from_a_healthy_one(
    walk_in: Walk, stalled: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asynchat.net.conversation.STALLED_S", 0.5)
    async with asynchat.Server(settings(limits={"send_queue": 512 * 1024, "flood": False})) as server:
        talker = await walk_in(LineClient, server.port, "nat")
        listener = await walk_in(FrameClient, server.port, "fred")
        for number in range(10):
            await stall(server.port, b"stan%d" % number, stalled)
            await talker.until(NEWS, f"stan{number} joined")
        lines = [f"{number} {BIG}" for number in range(100)]
        for number, line in enumerate(lines):
            await talker.say(line)
            if number % 10 == 9:  # 150 KB at once are nothing to who reads
                await listener.until("nat", line)
        assert listener.said_by("nat") == lines
        while len([text for text in talker.news if "left (SendQ exceeded: does not read)" in text]) < 10:
            await talker.hear()
        await talker.say("/who")
        who = (await talker.until(NEWS, "#lobby ("))[-1]
        assert who == (NEWS, "#lobby (2): @nat, fred")


@on_both_loops
@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        pytest.param(b"/help\n", 256 * 1024, id="help"),
        pytest.param(b"/history 100\n", 4 * 1024 * 1024, id="history"),
    ],
)
async def test_who_asks_and_never_reads_is_not_read_from_any_further(
    asked: bytes, limit: int, walk_in: Walk, stalled: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packet of questions has megabytes of answers: they are given as they are taken, not all at once.

    At any time no more is unsent than the high-water mark and the answer to one question.
    """
    monkeypatch.setattr("asynchat.net.connections.GRACE_S", 0.1)
    async with asynchat.Server(settings(limits={"flood": False}, history={"replay": 0})) as server:
        other = await walk_in(LineClient, server.port, "nat")
        for _ in range(100):
            await other.say(BIG)
        await other.say("/topic")  # answered once all of that is said
        await other.until(NEWS, "no topic")
        sock = await stall(server.port, b"stan", stalled)
        await other.until(NEWS, "stan joined")
        await asyncio.get_running_loop().sock_sendall(sock, asked * 4000)
        for _ in range(60):
            await other.say("/topic")
            await other.until(NEWS, "no topic")
            most = max(each.peer.unsent() for each in server._life.connections)
            if most > limit:
                sock.close()
            assert most <= limit


# Who vanishes.


@on_both_loops
async def test_resets_in_the_middle_of_fan_out_cost_the_others_nothing(
    walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    async with asynchat.Server(settings(limits={"flood": False})) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        talker = await walk_in(IrcClient, server.port, "irene")
        victims = [
            await walk_in((LineClient, FrameClient, IrcClient)[number % 3], server.port, f"v{number}")
            for number in range(12)
        ]
        lines = [f"line {number}" for number in range(300)]
        for number, line in enumerate(lines):
            await talker.say(line)
            if number % 25 == 24:
                victims.pop().reset()
            if number % 7 == 0:
                await asyncio.sleep(0)
        assert not victims
        await listener.until("irene", lines[-1])
        assert listener.said_by("irene") == lines
        while len([text for text in listener.news if "left" in text]) < 12:
            await listener.hear()
        await talker.ping()
        assert len([line for line in talker.raw if " QUIT " in line]) == 12
    assert errors(caplog) == []


@on_both_loops
async def test_a_reset_while_it_is_being_answered_is_no_error_of_the_server(
    walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    """It vanishes while its own commands still run, each of which writes to a connection that is no more."""
    async with asynchat.Server(settings(limits={"flood": False})) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        for number in range(5):
            for kind, asked in (
                (LineClient, b"/help\n/who\nhm\n" * 200),
                (IrcClient, b"WHO #lobby\r\nPING x\r\n" * 200),
            ):
                name = f"{kind.__name__}{number}"
                client = await walk_in(kind, server.port, name)
                await client.send(asked)
                await asyncio.sleep(0.01)
                client.reset()
                await listener.until(NEWS, f"{name} left")
    assert errors(caplog) == []


@on_both_loops
async def test_who_floods_and_vanishes_is_seen_to_leave(walk_in: Walk, caplog: pytest.LogCaptureFixture) -> None:
    """Its lines may be slowed down, but nobody talks to a ghost for minutes."""
    async with asynchat.Server(port=0) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        flooder = await walk_in(LineClient, server.port, "flo")
        await flooder.send(b"x\n" * 30_000)  # at 50 a second ten minutes
        await listener.until("flo", "x")
        flooder.reset()
        async with asyncio.timeout(PATIENCE_S):
            await listener.until(NEWS, "flo left")
    assert errors(caplog) == []


# Who says no more, but listens.


@on_both_loops
@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        pytest.param(b"ben\n/who\n", [b"*** hello ben", b"*** #lobby (2): @nat, ben"], id="line"),
        pytest.param(b"ben\n/acks on\nhello\n", [b"*** acks on", b"+OK "], id="talk is acknowledged"),
        pytest.param(b"ben\n/who", [b"*** #lobby (2): @nat, ben"], id="without the last newline"),
        pytest.param(b"3         ben4         /who", [b"#lobby (2): @nat, ben"], id="frame"),
        pytest.param(b"NICK ben\r\nUSER b 0 * b\r\nPING last\r\n", [b" 001 ben ", b"PONG asynchat :last"], id="irc"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", [b"HTTP/1.1 200 OK", b"chat server"], id="http"),
        pytest.param(b"GET /none HTTP/1.0\r\n\r\n", [b"HTTP/1.1 404 "], id="http without such a page"),
    ],
)
async def test_what_was_asked_before_the_end_of_input_is_answered(
    request_: bytes, answers: list[bytes], walk_in: Walk
) -> None:
    """`printf ... | nc -N`."""
    async with asynchat.Server(port=0) as server:
        await walk_in(LineClient, server.port, "nat")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            heard = await reader.read()
        writer.close()
        await writer.wait_closed()
        for answer in answers:
            before, found, heard = heard.partition(answer)
            assert found, before


@on_both_loops
async def test_what_was_said_before_the_end_of_input_is_heard_before_the_leaving(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        leaver = await walk_in(LineClient, server.port)
        leaver.writer.write(b"ben\none\ntwo")
        leaver.writer.write_eof()
        heard = await listener.until(NEWS, "ben left")
        assert heard == [
            (NEWS, "ben joined"),
            ("ben", "one"),
            ("ben", "two"),
            (NEWS, "ben left (connection closed)"),
        ]


# Who says too much.


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """After ten lines a flood waits for this event, instead of for the time it is to wait."""
    event = asyncio.Event()

    async def sleep(seconds: float) -> None:
        assert seconds > 0
        await event.wait()

    monkeypatch.setattr("asynchat.net.throttle.BURST", 10)
    monkeypatch.setattr("asynchat.net.throttle.PER_SECOND", 1)
    monkeypatch.setattr("asynchat.net.throttle.asyncio", SimpleNamespace(sleep=sleep))
    return event


@on_both_loops
@pytest.mark.parametrize("kind", [LineClient, FrameClient, IrcClient])
async def test_a_flood_is_slowed_down_and_nothing_of_it_is_lost(
    kind: type[LineClient | FrameClient | IrcClient], walk_in: Walk, gate: asyncio.Event
) -> None:
    async with asynchat.Server(port=0) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        flooder = await walk_in(kind, server.port, "flo")
        lines = [f"line {number}" for number in range(100)]
        for line in lines:
            await flooder.say(line)
        try:
            await listener.until("flo", "line 5")
            await listener.say("/me is not slowed down")
            await listener.say("/topic")
            await listener.until(NEWS, "no topic")
            assert 6 <= len(listener.said_by("flo")) < 50
        finally:
            gate.set()
        await listener.until("flo", "line 99")
        assert listener.said_by("flo") == lines


async def test_a_flood_that_is_slowed_down_is_not_read_into_memory(walk_in: Walk, gate: asyncio.Event) -> None:
    """The server stops reading, so that the sender is held up by its own connection."""
    async with asynchat.Server(port=0) as server:
        flooder = await walk_in(LineClient, server.port, "flo")

        async def flood() -> None:
            for _ in range(64):  # 64 MB, where the kernel takes some 10
                flooder.writer.write(b"x\n" * 500_000)
                await flooder.writer.drain()

        try:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(flood(), 1)
        finally:
            flooder.reset()
            gate.set()


async def test_nobody_is_slowed_down_where_flood_is_false(walk_in: Walk, gate: asyncio.Event) -> None:
    async with asynchat.Server(settings(limits={"flood": False})) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        flooder = await walk_in(LineClient, server.port, "flo")
        await flooder.send(b"".join(b"line %d\n" % number for number in range(100)))
        await listener.until("flo", "line 99")
        assert len(listener.said_by("flo")) == 100


@on_both_loops
@pytest.mark.parametrize("flood", [True, False])
async def test_a_flood_of_short_lines_does_not_stop_anothers_ping(flood: bool, walk_in: Walk) -> None:
    """The answer comes in the middle of the flood, not after it: a read is worked off in turns of 64 lines."""
    lines = 8_000
    async with asynchat.Server(settings(limits={"flood": flood})) as server:
        client = await walk_in(IrcClient, server.port, "irene")
        flooder = await walk_in(LineClient, server.port, "flo")
        await flooder.send(b"x\n" * lines)
        await client.until("flo", "x")
        await client.ping()
        assert len(client.said_by("flo")) < lines
        if not flood:
            while len(client.said_by("flo")) < lines:
                await client.hear()


# Whose code breaks.


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug: to say `boom` raises."""
    say_here = TalkSession.say_here

    async def broken(self: TalkSession, text: str, *arguments: object) -> None:
        if text == "boom":
            raise ZeroDivisionError("injected")
        await say_here(self, text, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TalkSession, "say_here", broken)


@pytest.fixture
async def three(walk_in: Walk) -> AsyncIterator[tuple[asynchat.Server, LineClient, LineClient, IrcClient]]:
    """A server, and three people in it."""
    async with asynchat.Server(settings(server={"greeting_after": 0.05})) as server:
        people = [
            await walk_in(kind, server.port, name)
            for kind, name in ((LineClient, "ben"), (LineClient, "nat"), (IrcClient, "irene"))
        ]
        yield server, *people


Three = tuple[asynchat.Server, LineClient, LineClient, IrcClient]


async def assert_well(server: asynchat.Server, nat: LineClient, irene: IrcClient, walk_in: Walk) -> None:
    """People talk, and others come in."""
    await nat.say("still here")
    await irene.until("nat", "still here")
    newcomer = await walk_in(LineClient, server.port, "zoe")
    await newcomer.say("hello")
    await nat.until("zoe", "hello")


@on_both_loops
@pytest.mark.usefixtures("bug")
async def test_a_session_whose_handler_raises_ends_alone_with_one_record(
    three: Three, walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    server, ben, nat, irene = three
    await ben.say("boom")
    await nat.until(NEWS, "ben left (internal error)")
    await irene.until(NEWS, "QUIT :internal error")
    await ben.rest()
    assert not ben.said_by("ben")
    await assert_well(server, nat, irene, walk_in)
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "<line ben 127.0.0.1> failed" in caplog.text
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@on_both_loops
async def test_a_session_that_raises_while_it_is_woken_ends_alone_with_one_record(
    three: Three, walk_in: Walk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _, nat, irene = three

    async def wake(self: object, now: float) -> None:
        raise ZeroDivisionError("injected")

    with monkeypatch.context() as patch:
        patch.setattr("asynchat.wire.door.Door.wake", wake)
        silent = await walk_in(LineClient, server.port)
        await silent.rest()
    await assert_well(server, nat, irene, walk_in)
    assert len(errors(caplog)) == 1


async def test_a_session_that_raises_while_it_ends_ends_alone_with_one_record(
    three: Three, walk_in: Walk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On stock asyncio only: where this fails on uvloop, nothing ends the test."""
    server, ben, nat, irene = three

    async def gone(self: object, reason: str) -> None:
        raise ZeroDivisionError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(TalkSession, "gone", gone)
        await ben.send(b"/quit\n")
        await ben.rest()
    await nat.say("still here")  # first: where the server ended its listening socket is in a bad way
    await irene.until("nat", "still here")
    await assert_well(server, nat, irene, walk_in)
    assert len(errors(caplog)) == 1


@on_both_loops
async def test_a_session_that_cannot_be_told_that_the_server_stops_stops_nobody(
    walk_in: Walk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on uvloop, where writing to a connection that was reset a moment ago raises."""
    async with asynchat.Server(port=0) as server:
        ben, nat = [await walk_in(LineClient, server.port, name) for name in ("ben", "nat")]
        put_out = TalkSession.put_out

        def broken(self: TalkSession, reason: str) -> None:
            assert self.user is not None
            if self.user.nick == "ben":
                raise RuntimeError("injected: the handler is closed")
            put_out(self, reason)

        monkeypatch.setattr(TalkSession, "put_out", broken)
        monkeypatch.setattr("asynchat.net.connections.GRACE_S", 0.1)
        await server.close()
        await nat.until(NEWS, "the server is stopping")
        await ben.rest()


# Too many.


@on_both_loops
async def test_past_the_cap_a_newcomer_is_told_server_full_and_gets_in_once_somebody_left(
    walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    async with asynchat.Server(settings(limits={"max_clients": 3})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        ben = await walk_in(LineClient, server.port, "ben")
        silent = await walk_in(LineClient, server.port)
        await nat.say("/topic")
        await nat.until(NEWS, "no topic")
        for _ in range(20):
            refused = await walk_in(LineClient, server.port)
            await refused.rest()
            assert refused.talk == [("ERROR", ":Server full, try again later\r")]
        await nat.say("we are few")
        await ben.until("nat", "we are few")
        await ben.send(b"quit\n")
        await nat.until(NEWS, "ben left")
        await ben.rest()
        zoe = await walk_in(LineClient, server.port, "zoe")
        await zoe.say("hello")
        await nat.until("zoe", "hello")
        assert not silent.news
    assert errors(caplog) == []


@on_both_loops
async def test_who_is_not_let_in_can_read_why_though_it_has_said_much(walk_in: Walk) -> None:
    """To close with something unread resets a connection, and what was written to it is lost (RFC 9112 9.6)."""
    async with asynchat.Server(settings(limits={"max_clients": 1})) as server:
        await walk_in(LineClient, server.port, "nat")
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            async with asyncio.timeout(PATIENCE_S):
                for _ in range(50):
                    writer.write(b"NICK irene\r\n" * 100)
                    await asyncio.sleep(0)
                assert await reader.read() == b"ERROR :Server full, try again later\r\n"
            writer.close()


@on_both_loops
async def test_a_server_does_not_wait_for_those_whom_it_does_not_let_in(
    walk_in: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asynchat.net.connections.LINGER_S", 10 * PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S), asynchat.Server(settings(limits={"max_clients": 1})) as server:
        await walk_in(LineClient, server.port, "nat")
        for count in range(LINGERING + 5):
            refused = await walk_in(LineClient, server.port)
            await refused.until("ERROR", "Server full")
            if count >= LINGERING:
                await refused.rest()


@on_both_loops
async def test_those_who_are_sent_home_but_do_not_go_still_count(
    walk_in: Walk, stalled: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that lingers, as its client takes nothing, is a descriptor like any other."""
    monkeypatch.setattr("asynchat.net.connections.GRACE_S", PATIENCE_S)
    async with asynchat.Server(settings(limits={"max_clients": 2, "flood": False})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        sock = await stall(server.port, b"stan", stalled, b"/help\n" * 2000 + b"quit\n")
        await nat.until(NEWS, "stan joined")
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        refused = await walk_in(LineClient, server.port)
        await refused.until("ERROR", "Server full")
        sock.close()
        monkeypatch.undo()


# Bad input.


@on_both_loops
async def test_what_a_framed_client_hides_in_a_line_gives_irc_one_line(walk_in: Walk) -> None:
    """A packet may hold line ends; an event is one line on every wire, or lines of talk."""
    async with asynchat.Server(port=0) as server:
        fred = await walk_in(FrameClient, server.port, "fred")
        irene = await walk_in(IrcClient, server.port, "irene")
        for hostile in ("/topic a\nQUIT :x", "/ban a\nQUIT!*@*", "/kick nobody a\nQUIT", "/me a\nQUIT", "a\nQUIT"):
            await fred.say(hostile)
        await fred.say("/quit a\nERROR :x")
        await irene.until(NEWS, "fred!~line@localhost QUIT")
        for line in irene.raw:
            assert line.startswith((":", "PING ")), line


@on_both_loops
async def test_an_over_long_line_is_answered_once_and_its_tail_is_no_command(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        ben = await walk_in(LineClient, server.port, "ben")
        await ben.send(b"x" * 100_000)
        await ben.send(b"x" * 100_000 + b" quit\n")
        await ben.until(NO, "TOO_LONG")
        await ben.say("still here")
        heard = await nat.until("ben", "still here")
        assert heard == [(NEWS, "ben joined"), ("ben", "still here")]
        assert len([text for text in ben.news if text.startswith("TOO_LONG")]) == 1
