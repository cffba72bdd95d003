"""The admin socket of a server in this program."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

import asynchat
from asynchat.store.sqlite import SqliteLog
from tests.net.conftest import PATIENCE_S


async def test_who_stops_a_server_hears_the_end_once_its_data_is_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, may_close = asyncio.Event(), asyncio.Event()
    close = SqliteLog.close

    async def close_slowly(log: SqliteLog) -> None:
        closing.set()
        await may_close.wait()
        await close(log)

    monkeypatch.setattr(SqliteLog, "close", close_slowly)
    async with asyncio.timeout(PATIENCE_S):
        server = asynchat.Server(port=0, store=tmp_path / "log.db", admin=tmp_path / "admin.sock")
        async with server, asyncio.TaskGroup() as group:
            reader, writer = await asyncio.open_unix_connection(tmp_path / "admin.sock")
            writer.write(b'{"verb": "stop"}\n')
            assert json.loads(await reader.readline()) == {"ok": "stopping"}
            end = group.create_task(reader.read())
            await closing.wait()
            for _ in range(20):
                await asyncio.sleep(0)
            assert not end.done()
            may_close.set()
            assert await end == b""
            writer.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense",
        b"[]",
        b"{}",
        b'{"verb": 7}',
        b'{"verb": "fly"}',
        b'{"verb": "kick"}',
        b'{"verb": "kick", "room": "#lobby"}',
        b'{"verb": "room-topic", "room": "#lobby"}',
        b'{"verb": "ban-add"}',
        b'{"verb": "ban-add", "mask": "x", "how_long_ms": "long"}',
        b'{"verb": "ban-add", "mask": "x", "how_long_ms": Infinity}',
        b'{"verb": "ban-add", "mask": "x", "how_long_ms": 0.5}',
        b'{"verb": "drain", "timeout_s": "soon"}',
        b'{"verb": "drain", "timeout_s": "nan"}',
        b'{"verb": "drain", "timeout_s": NaN}',
        b'{"verb": "drain", "timeout_s": -1}',
        b'{"verb": "drain", "reason": 7}',
        b'{"verb": "account-add", "name": null, "password": "sesame"}',
        b'{"verb": "room-topic", "room": "#lobby", "text": null}',
        b'{"verb": "ban-add", "mask": null}',
    ],
)
async def test_what_is_no_request_is_answered_and_another_may_follow(tmp_path: Path, request_: bytes) -> None:
    async with asyncio.timeout(PATIENCE_S), asynchat.Server(port=0, admin=tmp_path / "admin.sock") as server:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "admin.sock")
        writer.write(request_ + b'\n{"verb": "stats"}\n')
        assert json.loads(await reader.readline())["error"]["code"] == "BAD_REQUEST"
        assert json.loads(await reader.readline())["ok"]["people"] == 0
        writer.close()
        await writer.wait_closed()
        *_, end = await asyncio.open_connection("127.0.0.1", server.port)  # it takes people still
        end.close()
