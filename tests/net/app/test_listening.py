"""Where a server listens, who may come in, how it ends: what its constructor and `close` say."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop

import asynchat
from tests.net.conftest import (
    NEWS,
    Client,
    Ended,
    FrameClient,
    IrcClient,
    LineClient,
    Walk,
    on_both_loops,
    settings,
)

FIRST_BYTES = {
    "line": b"nat\n",
    "frame": b"3         nat",
    "irc": b"NICK nat\r\nUSER nat 0 * :nat\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
}
WELCOMES = {"line": b"hello nat", "frame": b"hello nat", "irc": b" 001 nat ", "http": b"200 OK"}


async def heard(port: int, said: bytes) -> bytes:
    """All that comes back until the other end of what is said is reached."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    writer.write_eof()
    data = await reader.read()
    writer.close()
    return data


async def everything(client: Client) -> None:
    while True:
        await client.more()


def eager_on_uvloop(loop: asyncio.AbstractEventLoop, coro: Any, *, eager_start: object = None, **more: Any) -> Any:
    """What `asyncio.eager_task_factory` does; up to Python 3.13.2 that does not know what uvloop gives it."""
    return asyncio.Task(coro, loop=loop, eager_start=True, **more)


EAGER = {"asyncio": asyncio.eager_task_factory, "uvloop": eager_on_uvloop}


async def test_a_socket_that_is_bound_already_is_listened_on_and_closed_in_the_end(walk_in: Walk) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    async with asynchat.Server(sockets=[sock]) as server:
        assert server.url == f"asynchat://127.0.0.1:{port}"
        assert server.addresses == (f"127.0.0.1:{port}",)
        await walk_in(LineClient, port, "nat")
    assert sock.fileno() == -1


async def test_sockets_are_listened_on_beside_a_port(tmp_path: Path, walk_in: Walk) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "chat.sock"))
        async with asynchat.Server(port=0, sockets=[sock]) as server:
            assert server.addresses[0] == f"unix://{tmp_path / 'chat.sock'}"
            assert server.port
            nat = LineClient(*await asyncio.open_unix_connection(tmp_path / "chat.sock"))
            await nat.enter("nat")
            await walk_in(LineClient, server.port, "ben")
            await nat.close()
    assert (tmp_path / "chat.sock").exists(), "its file is not ours"


async def test_sockets_that_were_given_are_closed_when_the_start_fails(tmp_path: Path) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    with pytest.raises(asynchat.StoreError):
        async with asynchat.Server(sockets=[sock], store=tmp_path / "there" / "is" / "none.db"):
            pytest.fail("it has no store")
    assert sock.fileno() == -1


async def test_without_a_listener_only_the_program_is_there() -> None:
    for listen in ((), []):
        async with asynchat.Server(listen=listen) as server:
            assert server.addresses == ()
            with pytest.raises(RuntimeError, match="does not listen"):
                _ = server.url
            assert (await server.room("#ops").send("hello", by="ci")).new


async def test_addresses_are_given_whole(walk_in: Walk) -> None:
    async with asynchat.Server(listen=["127.0.0.1:0", "127.0.0.1:0?greeting=nick"]) as server:
        assert len(set(server.addresses)) == 2
        await walk_in(LineClient, server.port, "nat")


async def test_one_address_and_one_wire_need_no_list(walk_in: Walk) -> None:
    async with asynchat.Server(listen="127.0.0.1:0", wires="line") as server:
        assert len(server.addresses) == 1
        await walk_in(LineClient, server.port, "nat")


def test_a_value_that_does_not_fit_is_told_at_once() -> None:
    for wrong in ({"wires": {"smoke"}}, {"accounts": "some"}, {"port": 70_000}, {"room": "lobby"}):
        with pytest.raises(asynchat.BadConfig, match=r"smoke|some|70000|lobby"):
            asynchat.Server(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wire", FIRST_BYTES)
async def test_a_wire_that_is_not_spoken_is_told_so_and_the_others_are_spoken(wire: str) -> None:
    async with asynchat.Server(port=0, wires=FIRST_BYTES.keys() - {wire}) as server:
        for each, said in FIRST_BYTES.items():
            answer = await heard(server.port, said)
            assert (WELCOMES[each] in answer) is (each != wire), each
            assert (f"{each} is not spoken here".encode() in answer) is (each == wire), each
        assert server.broke[wire] == 1
        assert [person.name for person in server.users() if person.name == "nat"] == []


async def test_accounts_are_required_where_that_is_said() -> None:
    async with asynchat.Server(port=0, accounts="required") as server:
        assert b"ACCOUNT_REQUIRED" in await heard(server.port, b"nat\n")
    async with asynchat.Server(port=0, accounts="off") as server:
        assert b"NO_ACCOUNTS" in await heard(server.port, b"nat\n/register secret\n")


async def test_a_close_waits_no_longer_than_its_grace(walk_in: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that reads nothing would be waited for."""
    async with asynchat.Server(settings(limits={"send_queue": 64 * 1024 * 1024, "flood": False})) as server:
        stuck = await walk_in(IrcClient, server.port, "stuck")
        stuck.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.writer.transport.pause_reading()
        room = server.room("#lobby")
        for _ in range(300):
            await room.send("x" * 50_000, by="ci")
        allowed: list[float | None] = []
        timeout = asyncio.timeout

        def noted(delay: float | None) -> asyncio.Timeout:
            allowed.append(delay)
            return timeout(delay)

        monkeypatch.setattr(asyncio, "timeout", noted)
        await server.close(grace=0.01)
        monkeypatch.undo()
        assert set(allowed) == {0.01}
        stuck.writer.transport.resume_reading()
        with pytest.raises(Ended):
            await everything(stuck)


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.mark.parametrize("eager", [False, True], ids=["lazy", "eager"])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("store", ["memory", "chat.db"])
def test_it_runs_on_any_loop_whether_its_tasks_begin_at_once_or_not(
    loop: str, store: str, eager: bool, tmp_path: Path
) -> None:
    async def several() -> None:
        where = store if store == "memory" else tmp_path / store
        async with asynchat.Server(port=0, store=where) as one, asynchat.Server(port=0) as other:
            kinds: list[type[Client]] = [LineClient, IrcClient, FrameClient]
            people = [await kind.connect(one.port) for kind in kinds]
            for name, client in zip(("nat", "irene", "fred"), people, strict=True):
                await client.enter(name)
            for client in people:
                await client.say(f"from {client.name}")
            for client in people:
                for by in people:
                    if by is not client and (by.name, f"from {by.name}") not in client.talk:
                        await client.until(by.name, f"from {by.name}")
            reader = asyncio.create_task(anext(aiter(one.room("#lobby").messages(after=one.last_id))))
            await one.room("#lobby").send("from code", by="ci")
            assert (await reader).text == "from code"
            await people[0].until("ci", "from code")
            await people[1].until("ci", "from code")
            assert other.users() == []
            await people[0].say("quit")
            await people[0].until(NEWS, "bye")
            for client in people:
                await client.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        if eager:
            runner.get_loop().set_task_factory(EAGER[loop])
        runner.run(several())
        assert asyncio.all_tasks(runner.get_loop()) == set()
    gc.collect()


@on_both_loops
async def test_serve_forever_returns_when_the_server_is_closed_and_tells_what_ended_it() -> None:
    async with asynchat.Server(port=0) as server:
        serving = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0)
        await server.close()
        await serving
