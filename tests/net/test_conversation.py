"""A conversation: what has come is taken at once, in order, and no more is kept than was agreed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asynchat.net.conversation import Conversation

MOST = 10


class FakeTransport:
    """A transport that notes whether it is read from."""

    def __init__(self) -> None:
        self.reading = True
        self.closed = False
        self.protocol: Any = FakeProtocol()
        self.write = lambda chunk: None

    def get_protocol(self) -> Any:
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class FakeProtocol:
    def connection_lost(self, error: Exception | None) -> None:
        pass


class FakeWriter:
    def __init__(self, transport: FakeTransport) -> None:
        self.transport = transport

    def close(self) -> None:
        self.transport.closed = True


class FakeSession:
    """A session that waits, after all it takes, until it may go on."""

    closing = False
    wake_at = float("inf")
    heard_at = 0.0

    def __init__(self) -> None:
        self.took: list[bytes] = []
        self.may_go_on: asyncio.Event | None = None
        self.fails: Exception | None = None

    def at_once(self, data: bytes) -> bool:
        return False

    async def receive(self, data: bytes) -> None:
        self.took.append(data)
        if self.fails is not None:
            raise self.fails
        if self.may_go_on is not None:
            await self.may_go_on.wait()

    async def eof(self) -> None:
        self.took.append(b"EOF")

    async def wake(self, now: float) -> None:
        self.took.append(b"WOKEN")


def talk(session: FakeSession, over: Callable[[Conversation, str], None]) -> tuple[Conversation, FakeTransport]:
    transport = FakeTransport()
    writer: Any = FakeWriter(transport)
    conversation = Conversation(
        writer,
        loop=asyncio.get_running_loop(),
        address="127.0.0.1",
        host="localhost",
        throttle=None,
        read_buffer=MOST,
        schedule=lambda conversation: None,
        over=over,
    )
    conversation.session = session  # type: ignore[assignment]
    return conversation, transport


class Ends:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def __call__(self, conversation: Conversation, reason: str) -> None:
        self.reasons.append(reason)


async def test_what_comes_is_taken_in_the_turn_in_which_it_comes_and_without_a_task() -> None:
    session = FakeSession()
    conversation, _ = talk(session, Ends())
    before = len(asyncio.all_tasks())
    conversation.data_received(b"one")
    conversation.data_received(b"two")
    assert session.took == [b"one", b"two"]
    assert len(asyncio.all_tasks()) == before


async def test_no_more_is_kept_of_who_must_wait_than_the_read_buffer_and_what_is_kept_comes_in_order() -> None:
    session = FakeSession()
    session.may_go_on = asyncio.Event()
    conversation, transport = talk(session, Ends())
    conversation.data_received(b"first")
    conversation.data_received(b"123456789")
    assert transport.reading
    conversation.data_received(b"abcdef")
    assert not transport.reading
    assert session.took == [b"first"]
    session.may_go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert session.took == [b"first", b"123456789a", b"bcdef"]
    assert transport.reading


async def test_the_end_comes_after_everything_that_came_before_it() -> None:
    session, ends = FakeSession(), Ends()
    session.may_go_on = asyncio.Event()
    conversation, _ = talk(session, ends)
    conversation.data_received(b"first")
    conversation.data_received(b"last")
    assert conversation.eof_received() is True  # the transport stays open for the answers
    session.may_go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert session.took == [b"first", b"last", b"EOF"]
    assert ends.reasons == ["connection closed"]
    conversation.connection_lost(None)
    conversation.data_received(b"too late")
    assert session.took[-1] == b"EOF"
    assert ends.reasons == ["connection closed"]


async def test_who_is_at_work_is_not_woken() -> None:
    session = FakeSession()
    session.may_go_on = asyncio.Event()
    conversation, _ = talk(session, Ends())
    conversation.data_received(b"first")
    assert conversation.wake(1.0) is False
    session.may_go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert conversation.wake(1.0) is True
    assert session.took == [b"first", b"WOKEN"]


async def test_a_bug_and_a_lost_connection_end_it_each_in_its_words(caplog: Any) -> None:
    session, ends = FakeSession(), Ends()
    session.fails = KeyError("bug")
    talk(session, ends)[0].data_received(b"x")
    assert "failed" in caplog.text
    session.fails = ConnectionResetError(104, "Connection reset by peer")
    talk(session, ends)[0].data_received(b"x")
    session.fails = TimeoutError()
    talk(session, ends)[0].data_received(b"x")
    talk(FakeSession(), ends)[0].connection_lost(BrokenPipeError(32, "Broken pipe"))
    assert ends.reasons == ["internal error", "connection reset by peer", "does not read", "broken pipe"]


async def test_who_is_cancelled_does_no_more() -> None:
    session, ends = FakeSession(), Ends()
    session.may_go_on = asyncio.Event()
    conversation, _ = talk(session, ends)
    conversation.data_received(b"first")
    await conversation.cancel()
    session.may_go_on.set()
    conversation.data_received(b"second")
    conversation.connection_lost(None)
    assert session.took == [b"first"]
    assert ends.reasons == []
