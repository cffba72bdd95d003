"""Reading a room from code: each line once, in order, however slow the reader is, and then what comes."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import aclosing
from pathlib import Path

import pytest

import asynchat
from asynchat.net.app.arrivals import Arrivals
from asynchat.net.app.messages import PAGE
from tests.net.conftest import LineClient, Walk, on_both_loops, settings


async def taken(messages: asynchat.Room, number: int, **how: object) -> list[str]:
    texts = []
    async for message in messages.messages(**how):  # type: ignore[arg-type]
        texts.append(message.text)
        if len(texts) == number:
            break
    return texts


@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_the_past_is_read_page_by_page_and_ends(store: str, tmp_path: Path) -> None:
    where = store if store == "memory" else tmp_path / store
    async with asynchat.Server(port=0, store=where) as server:
        room = server.room("#ops")
        texts = [str(number) for number in range(2 * PAGE + 5)]
        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(room.send(text, by="ci")) for text in texts]
        assert [message.text async for message in room.messages(follow=False)] == texts
        after = sent[9].result().id
        assert [message.text async for message in room.messages(after=after, follow=False)] == texts[10:]
        assert [message async for message in room.messages(after=server.last_id, follow=False)] == []


@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_what_is_no_id_and_no_number_of_lines_is_refused_by_every_store(store: str, tmp_path: Path) -> None:
    async with asynchat.Server(listen=(), store=store if store == "memory" else tmp_path / store) as server:
        room = server.room("#ops")
        await room.send("hello", by="ci")
        for wrong in ({"before": "nope"}, {"after": "1" * 5000}, {"limit": -1}, {"limit": 10**30}):
            with pytest.raises(ValueError, match="is no"):
                await room.history(**wrong)  # type: ignore[arg-type]
        assert await room.history(limit=0) == []
        async with aclosing(room.messages(follow=False)) as messages:  # type: ignore[type-var]  # it has what it takes
            assert [message.text async for message in messages] == ["hello"]


@on_both_loops
@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_the_past_and_what_comes_are_one_stream_without_a_gap(store: str, tmp_path: Path) -> None:
    where = store if store == "memory" else tmp_path / store
    async with asynchat.Server(port=0, store=where) as server:
        room = server.room("#ops")
        texts = [str(number) for number in range(300)]
        await room.send(texts[0], by="ci")

        async def speak() -> None:
            for text in texts[1:]:
                await room.send(text, by="ci")

        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(taken(room, len(texts))) for _ in range(3)]
            group.create_task(speak())
        assert all(reader.result() == texts for reader in readers)


async def test_what_is_said_elsewhere_wakes_nobody_and_is_not_shown(server: asynchat.Server) -> None:
    ops, lobby = server.room("#ops"), server.room("#lobby")
    await ops.send("first", by="ci")
    reader = asyncio.create_task(taken(ops, 2))
    for number in range(10):
        await lobby.send(str(number), by="ci")
    assert not reader.done()
    await ops.send("second", by="ci")
    assert await reader == ["first", "second"]


async def test_a_room_that_does_not_exist_yet_is_waited_for(server: asynchat.Server) -> None:
    reader = asyncio.create_task(taken(server.room("#later"), 1))
    await server.room("#other").send("not this", by="ci")
    assert not reader.done()
    await server.room("#later").send("this", by="ci")
    assert await reader == ["this"]
    with pytest.raises(asynchat.Refused, match="NO_SUCH_ROOM"):
        await taken(server.room("#never"), 1, follow=False)


async def test_who_takes_their_time_keeps_nothing_in_memory_and_misses_nothing(tmp_path: Path) -> None:
    async with asynchat.Server(port=0, store=tmp_path / "chat.db", durability="process") as server:
        room = server.room("#ops")
        text = "x" * 10_000
        stream = room.messages()
        await room.send(f"0 {text}", by="ci")
        assert (await anext(stream)).text == f"0 {text}"
        tracemalloc.start()
        for number in range(1, 1000):
            await room.send(f"{number} {text}", by="ci")
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 5_000_000, "ten megabytes were said since"
        assert [(await anext(stream)).text.split()[0] for _ in range(999)] == [str(n) for n in range(1, 1000)]


@on_both_loops
@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_it_ends_with_the_server_and_the_last_words_are_read_still(store: str, tmp_path: Path) -> None:
    where = store if store == "memory" else tmp_path / store
    async with asynchat.Server(port=0, store=where) as server:
        room = server.room("#ops")
        await room.send("first", by="ci")
        reader = asyncio.create_task(taken(room, 99))
        slow = room.messages()
        assert (await anext(slow)).text == "first"
        await asyncio.sleep(0)
        await room.send("last", by="ci")
    assert await reader == ["first", "last"]
    with pytest.raises(StopAsyncIteration):
        await anext(slow)


async def test_who_reads_when_the_server_is_cancelled_comes_to_the_end(tmp_path: Path) -> None:
    ready: asyncio.Future[asynchat.Server] = asyncio.get_running_loop().create_future()

    async def live() -> None:
        async with asynchat.Server(port=0, store=tmp_path / "chat.db") as server:
            ready.set_result(server)
            await server.serve_forever()

    life = asyncio.create_task(live())
    server = await ready
    await server.room("#ops").send("first", by="ci")
    readers = [asyncio.create_task(taken(server.room("#ops"), 9)) for _ in range(3)]
    await asyncio.sleep(0)
    readers[0].cancel()
    life.cancel()
    assert await asyncio.gather(*readers[1:]) == [["first"], ["first"]]
    with pytest.raises(asyncio.CancelledError):
        await life


async def test_what_was_taken_back_and_what_nobody_said_is_not_read(walk_in: Walk) -> None:
    async with asynchat.Server(settings(history={"replay": 0})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("hello")
        await nat.say("/topic new")
        await nat.until("***", "topic")
        assert await taken(server.room("#lobby"), 1) == ["hello"]
        assert await taken(server.room("#lobby"), 9, follow=False) == ["hello"]


async def test_an_id_that_is_none_is_told(server: asynchat.Server) -> None:
    for wrong in ("", "x", "-1", "²"):
        with pytest.raises(ValueError, match="no id"):
            server.room("#ops").messages(after=wrong)


async def test_the_log_stays_open_for_who_is_reading_it_and_no_longer() -> None:
    arrivals = Arrivals()
    with arrivals.reading():
        closing = asyncio.create_task(arrivals.close())
        await asyncio.sleep(0)
        assert arrivals.closed
        assert not closing.done()
    await closing
