"""What a talker hears when there is more than it can keep: everything, once and in order, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

import asynchat
from asynchat.client import catchup, ear, heard
from asynchat.client.errors import NotAcknowledged
from asynchat.client.notices import Back
from asynchat.client.patience import Patience
from asynchat.client.registration import Identity
from asynchat.client.show import talk
from asynchat.client.talker import Talker
from asynchat.client.url import Url
from asynchat.wire.irc.message import Message
from tests.client.proxy import Proxy
from tests.client.scripted import Scripted, welcome
from tests.net.conftest import settings

AT_ONCE = Patience(draw=lambda: 0.0, sleep=lambda _: asyncio.sleep(0), name_s=1_000_000)


@pytest.fixture
async def server() -> AsyncIterator[asynchat.Server]:
    async with asynchat.Server(settings(limits={"flood": False}, history={"max_request": 20, "replay": 0})) as running:
        yield running


def talker(port: int, name: str, **options: object) -> Talker:
    url = Url("127.0.0.1", port)
    return Talker(url, Identity(name=name), reconnect=True, patience=AT_ONCE, past=0, **options)  # type: ignore[arg-type]


async def texts_until(client: Talker, last: str) -> list[str]:
    """What was said in rooms, up to something."""
    found: list[str] = []
    async for each in client:
        if isinstance(each, Message) and (said := talk(each)) is not None and said[0][:1] == "#":
            found.append(said[1])
            if said[1] == last:
                return found
    raise AssertionError(found)


async def test_who_does_not_take_what_comes_falls_behind_and_reads_on(
    server: asynchat.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heard, "MOST_BYTES", 10_000)
    monkeypatch.setattr(ear, "MOST_HELD", 100_000)
    async with talker(server.port, "alice") as alice, talker(server.port, "bob") as bob:
        await alice.join("#lobby")
        await bob.join("#lobby")
        lines = [f"line {number}" for number in range(1000)]
        for each in [bob.start_sending("#lobby", line)[0] for line in lines]:
            await bob.answer(each)
        await alice.send("bob", "I can talk all the same")
        assert alice._ear.heard.size < 70_000  # of what comes together all is kept, or nothing
        assert await texts_until(alice, lines[-1]) == lines
        await bob.send("#lobby", "live again")
        assert await texts_until(alice, "live again") == ["live again"]


async def test_too_much_to_be_kept_is_read_as_it_is_taken_after_a_reconnect(
    server: asynchat.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "MOST", 50)
    monkeypatch.setattr(heard, "MOST_BYTES", 10_000)
    async with Proxy(server.port) as proxy, talker(server.port, "bob") as bob, talker(proxy.port, "alice") as alice:
        for room in ("#lobby", "#ops"):
            await alice.join(room)
            await bob.join(room)
        proxy.upstream = 1  # nobody listens there
        proxy.cut_all()
        for number in range(300):
            await bob.send("#lobby", f"line {number}")
        await bob.send("#ops", "meanwhile")
        proxy.upstream = server.port
        found: list[str] = []
        notices = []
        async for each in alice:
            if isinstance(each, Back):
                notices.append(each)
                await bob.send("#lobby", "the end")
            elif isinstance(each, Message) and (said := talk(each)) is not None:
                found.append(said[1])
            if {"the end", "meanwhile"} <= {*found}:
                break
    assert notices == [Back(None)]
    assert [text for text in found if text != "meanwhile"] == [*(f"line {number}" for number in range(300)), "the end"]


async def test_what_is_said_in_one_room_while_another_is_read_up_is_heard(server: asynchat.Server) -> None:
    async with talker(server.port, "bob") as bob, talker(server.port, "alice") as alice:
        await bob.join("#lobby")
        await bob.join("#ops")
        for number in range(100):
            await bob.send("#lobby", f"line {number}")
        await alice.join("#ops")
        lines = [f"op {number}" for number in range(20)]
        entering = alice.join("#lobby", after="timestamp=2020-01-01T00:00:00.000Z")
        async with asyncio.TaskGroup() as group:
            group.create_task(entering)
            for line in lines:
                await bob.send("#ops", line)
        await bob.send("#lobby", "the end")
        found = await texts_until(alice, "the end")
    assert [text for text in found if text.startswith("op")] == lines
    assert [text for text in found if text.startswith("line")] == [f"line {number}" for number in range(100)]


async def test_without_history_reading_goes_on_while_an_answer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "MOST_BYTES", 600)
    flood = "\n".join(f":bob!u@h PRIVMSG #lobby :line {number}" for number in range(50))
    answers = welcome(caps="") | {"JOIN ": f":{{nick}}!u@h JOIN {{first}}\n{flood}"}
    async with Scripted(answers) as scripted, talker(scripted.port, "alice") as alice:
        await alice.join("#lobby")
        await alice.send("#lobby", "I can talk")
        assert len(await texts_until(alice, "line 49")) == 50


async def test_who_takes_nothing_at_all_without_history_leaves_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ear, "MOST_HELD", 5000)
    flood = "\n".join(f":bob!u@h PRIVMSG #lobby :line {number}" for number in range(50))
    url = "127.0.0.1"
    answers = welcome(caps="") | {"PRIVMSG": flood}
    async with Scripted(answers) as scripted, Talker(Url(url, scripted.port), Identity(name="alice")) as alice:
        with pytest.raises(NotAcknowledged):
            await alice.send("#lobby", "hello")
        assert str(alice.ended_by) == "the server says more than is taken"


async def test_what_comes_without_a_time_has_that_when_it_came() -> None:
    """As from servers without IRCv3 server-time."""
    answers = welcome(caps="message-tags") | {"PING": ":bob!u@h PRIVMSG #lobby :hello"}
    async with Scripted(answers) as server, talker(server.port, "alice") as client:
        client.write("PING", "x")
        async for message in client:
            if isinstance(message, Message) and talk(message) is not None:
                break
    when = datetime.fromisoformat(message.tags["time"])
    assert timedelta(0) <= datetime.now(UTC) - when < timedelta(minutes=1)
