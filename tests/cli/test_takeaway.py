"""`asynchat admin backup`, `export`, `import`: what a server has, taken away and brought elsewhere."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.net.conftest import LineClient, Process, Serve, Walk, clients, environment, serve, walk_in

__all__ = ["clients", "serve", "walk_in"]  # the fixtures of tests/net serve here too

WITHOUT_LIMITS = '[accounts]\nkdf_cost = "test"\n[limits]\nflood = false\n'
STEP = 25
"""Lines that a talker says at once."""


def admin(tmp_path: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "asynchat", "admin", *arguments]
    return subprocess.run(
        command, input=stdin, env=environment(tmp_path), capture_output=True, timeout=15, check=False, cwd=tmp_path
    )


def refused(code: int, tmp_path: Path, *arguments: str, stdin: bytes = b"") -> str:
    """The one line that is said instead."""
    done = admin(tmp_path, *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("asynchat: ")
    return line


@pytest.fixture
def start(serve: Serve, tmp_path: Path) -> Callable[..., Process]:
    """A server on the data in a folder; nobody is slowed down, and passwords cost little."""
    config = tmp_path / "quick.toml"
    config.write_text(WITHOUT_LIMITS)

    def run(data: str, *arguments: str) -> Process:
        return serve("--insecure", "--config", str(config), "--data", str(tmp_path / data), *arguments)

    return run


def talk_in(path: Path) -> dict[int, str]:
    """What was said, by id, in order."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        rows = database.execute("SELECT id, body FROM events WHERE talk = 1 ORDER BY id").fetchall()
    return {id_: json.loads(body)[4] for id_, body in rows}


# Backup.


class Talker:
    """Says line after line and notes under which id each was stored."""

    def __init__(self, client: LineClient) -> None:
        self._client = client
        self.acknowledged: dict[int, str] = {}

    async def talk(self, enough: asyncio.Event, more: asyncio.Event) -> None:
        name, said = self._client.name, 0
        while not enough.is_set():
            lines = [f"{name} {number}" for number in range(said, said + STEP)]
            said += STEP
            await self._client.send("".join(f"{line}\n" for line in lines).encode())
            for line in lines:
                ((_, id_),) = [heard for heard in await self._client.until("+OK", "") if heard[0] == "+OK"]
                self.acknowledged[int(id_)] = line
            more.set()


@pytest.mark.parametrize("durability", ["sync", "process"])
async def test_a_backup_while_people_talk_is_the_log_up_to_one_moment(
    durability: str, start: Callable[..., Process], walk_in: Walk, tmp_path: Path
) -> None:
    server = start("data", "--durability", durability)
    talkers = []
    for name in ("ann", "bob", "cid"):
        client = await walk_in(LineClient, server.port, name)
        await client.say("/acks on")
        await client.until("***", "acks on")
        talkers.append(Talker(client))
    enough, more = asyncio.Event(), asyncio.Event()

    def acknowledged() -> dict[int, str]:
        return {id_: text for talker in talkers for id_, text in talker.acknowledged.items()}

    async def count_to(number: int) -> None:
        while len(acknowledged()) < number:
            more.clear()
            await more.wait()

    async with asyncio.TaskGroup() as group:
        for talker in talkers:
            group.create_task(talker.talk(enough, more))
        await count_to(500)
        before = acknowledged()
        made = await asyncio.to_thread(admin, tmp_path, "backup", "copy.db", "--data", "data")
        await count_to(len(acknowledged()) + 500)
        enough.set()
    assert (made.returncode, made.stdout) == (0, b""), made.stderr
    assert server.stop() == 0
    copied, final = talk_in(tmp_path / "copy.db"), talk_in(tmp_path / "data" / "asynchat.db")
    assert before.items() <= copied.items()
    assert acknowledged() == final
    assert list(copied.items()) == list(final.items())[: len(copied)]  # no holes
    assert len(copied) < len(final)
    assert made.stderr.decode().startswith(f"asynchat: copy.db has {len(copied)} messages, up to #{max(copied)}")

    (tmp_path / "restored").mkdir()
    shutil.copy(tmp_path / "copy.db", tmp_path / "restored" / "asynchat.db")
    restored = start("restored")
    nora = await walk_in(LineClient, restored.port, "nora")
    last = list(copied.values())[-1]
    await nora.until(last.partition(" ")[0], last)


def test_a_backup_of_a_server_that_is_not_running_is_what_it_had(start: Callable[..., Process], tmp_path: Path) -> None:
    for end in (Process.stop, Process.kill):
        server = start("data")
        sent = subprocess.run(
            [sys.executable, "-m", "asynchat", "send", "hello", "--url", server.url],
            env=environment(tmp_path),
            timeout=15,
            check=False,
        )
        assert sent.returncode == 0
        end(server)
        done = admin(tmp_path, "backup", f"{end.__name__}.db", "--data", "data")
        assert (done.returncode, done.stdout) == (0, b"")
    assert list(talk_in(tmp_path / "stop.db").values()) == ["hello"]
    assert list(talk_in(tmp_path / "kill.db").values()) == ["hello"] * 2


def test_the_store_is_found_where_the_server_has_it(start: Callable[..., Process], tmp_path: Path) -> None:
    start("data").stop()
    (tmp_path / "data" / "asynchat.db").rename(tmp_path / "data" / "own.db")
    config = tmp_path / "server.toml"
    config.write_text('[store]\npath = "own.db"\n')
    assert "no such file" in refused(74, tmp_path, "backup", "copy.db", "--data", "data")
    assert admin(tmp_path, "backup", "copy.db", "--data", "data", "--config", str(config)).returncode == 0
    usual = tmp_path / ".local" / "share" / "asynchat"
    usual.parent.mkdir(parents=True)
    (tmp_path / "data").rename(usual)
    assert admin(tmp_path, "backup", "usual.db", "--config", str(config)).returncode == 0


def test_without_a_file_or_a_good_configuration_one_line_says_so(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text('[store]\npath = "memory"\n')
    bad = tmp_path / "bad.toml"
    bad.write_text("[stor]\n")
    assert "no such file" in refused(74, tmp_path, "backup", "copy.db", "--data", "data")
    assert "in memory" in refused(74, tmp_path, "backup", "copy.db", "--config", str(config))
    assert "[stor]" in refused(78, tmp_path, "backup", "copy.db", "--config", str(bad))
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_there_is_not_written_over(start: Callable[..., Process], tmp_path: Path) -> None:
    start("data")
    (tmp_path / "copy.db").write_text("mine")
    assert "is there already" in refused(74, tmp_path, "backup", "copy.db", "--data", "data")
    assert (tmp_path / "copy.db").read_text() == "mine"
