"""`asynchat admin backup`, `export`, `import`: what a server has, taken away and brought elsewhere."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.net.conftest import IrcClient, LineClient, Process, Serve, Walk, clients, environment, serve, walk_in

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


# Export and import.

CAPS = "message-tags server-time batch echo-message labeled-response draft/chathistory draft/read-marker"
ALL_TIME = "timestamp=2020-01-01T00:00:00.000Z timestamp=2099-01-01T00:00:00.000Z"
GUESTS_KEY, HERS = "0123456789abcdef", "k"


async def enter(walk_in: Walk, port: int, name: str, *, password: str = "", caps: str = CAPS) -> IrcClient:
    """Somebody who is in no room yet, and is logged in if there is a password."""
    client = await walk_in(IrcClient, port)
    client.name = name
    if password:
        secret = b64encode(f"{name}\0{name}\0{password}".encode()).decode()
        await client.command("CAP REQ :sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {secret}")
        await client.until("***", " 903 ")
    await client.command(f"CAP REQ :{caps}", f"NICK {name}", f"USER {name} 0 * :{name}", "CAP END")
    await client.until("***", " 422 ")
    return client


async def answers(client: IrcClient, *lines: str) -> list[str]:
    """What is heard until all of these lines are answered."""
    before = len(client.raw)
    await client.command(*lines)
    await client.ping()
    return client.raw[before:]


def said_under(lines: list[str], text: str) -> str:
    """The msgid of what was said."""
    line = next(line for line in lines if line.endswith(f" :{text}"))
    return dict(tag.partition("=")[::2] for tag in line.split(" ")[0][1:].split(";"))["msgid"]


async def live(walk_in: Walk, port: int) -> dict[str, str]:
    """What people do; and the ids of what they said under keys."""
    bob = await enter(walk_in, port, "bob")
    alice = await enter(walk_in, port, "alice", password="sesame")
    await answers(alice, "JOIN #lobby", "JOIN #dev", "TOPIC #lobby :tea at four", "MODE #lobby +bb mal!*@* *!*@evil")
    heard = await answers(bob, "JOIN #lobby", f"@+asynchat/key={GUESTS_KEY} PRIVMSG #lobby :from bob")
    heard += await answers(alice, f"@+asynchat/key={HERS} PRIVMSG #lobby :from alice", "PRIVMSG #lobby :oops")
    await answers(
        alice, f"REDACT #lobby {said_under(heard, 'oops')} :never mind", "MODE #lobby +v bob", "MODE #dev +ks tea"
    )
    await answers(alice, "PRIVMSG bob :psst", "MARKREAD #lobby timestamp=2026-01-02T03:04:05.678Z", "INVITE bob #dev")
    await answers(
        bob, *(f"PRIVMSG #lobby :\x01ACTION counts {number}\x01" for number in range(30)), "PRIVMSG alice :hi"
    )
    await answers(bob, "PART #lobby :bye", "JOIN #lobby")
    return {text: said_under(heard, text) for text in ("from bob", "from alice")}


async def seen(walk_in: Walk, port: int) -> list[str]:
    """What a newcomer sees, and then alice, but for the times of what happens only now."""
    carol = await enter(walk_in, port, "carol")
    lines = await answers(carol, "JOIN #lobby", "JOIN #dev", "JOIN #dev tea", "LIST")
    for room in ("#lobby", "#dev"):
        lines += await answers(carol, f"MODE {room}", f"MODE {room} b", f"NAMES {room}", f"WHO {room}", f"TOPIC {room}")
        lines += await answers(carol, f"CHATHISTORY LATEST {room} * 100")
    lines += await answers(carol, f"@+asynchat/key={GUESTS_KEY} PRIVMSG #lobby :from bob")
    alice = await enter(walk_in, port, "alice", password="sesame")
    lines += await answers(alice, "MARKREAD #lobby", f"CHATHISTORY TARGETS {ALL_TIME} 10")
    lines += await answers(alice, f"@+asynchat/key={HERS} PRIVMSG #lobby :from alice", "WHOIS alice", "NAMES #lobby")
    lines += await answers(alice, "CHATHISTORY LATEST bob * 10", "CHATHISTORY LATEST #lobby * 100")
    return [
        re.sub(r"^@time=[^ ;]*", "@", line) if "batch=" not in line else line for line in lines if " 317 " not in line
    ]


async def test_a_server_on_an_import_is_to_everybody_what_it_was(
    start: Callable[..., Process], walk_in: Walk, tmp_path: Path
) -> None:
    first = start("data")
    added = admin(tmp_path, "account", "add", "alice", "--password-stdin", "--data", "data", stdin=b"sesame\n")
    assert added.returncode == 0
    under = await live(walk_in, first.port)
    assert first.stop() == 0
    exported = admin(tmp_path, "export", "chat.jsonl", "--data", "data")
    assert (exported.returncode, exported.stdout) == (0, b"")
    assert stat.S_IMODE((tmp_path / "chat.jsonl").stat().st_mode) == 0o600
    imported = admin(tmp_path, "import", "chat.jsonl", "--data", "elsewhere")
    assert (imported.returncode, imported.stdout) == (0, b"")
    assert exported.stderr.replace(b"exported", b"imported") == imported.stderr
    again = admin(tmp_path, "export", "--data", "elsewhere")
    assert again.stdout == (tmp_path / "chat.jsonl").read_bytes()
    assert b"oops" not in again.stdout

    there = await seen(walk_in, start("elsewhere").port)
    assert there == await seen(walk_in, start("data").port)
    text = "\n".join(there)
    for sight in (" 332 carol #lobby :tea at four", " 475 carol #dev ", " 367 carol #lobby mal!*@* ", "counts 29"):
        assert sight in text
    assert any(" 352 " in line and " alice G" in line for line in there)
    assert "MARKREAD #lobby timestamp=2026-01-02T03:04:05.678Z" in text
    assert [f"@msgid={id_} :asynchat ACK" in there for id_ in under.values()] == [True, True]


async def test_an_export_is_made_while_the_server_runs_and_an_import_is_not(
    start: Callable[..., Process], walk_in: Walk, tmp_path: Path
) -> None:
    server = start("data")
    nat = await walk_in(LineClient, server.port, "nat")
    await nat.say("/acks on")
    await nat.say("hello")
    await nat.until("+OK", "")
    exported = admin(tmp_path, "export", "-", "--data", "data")
    assert exported.returncode == 0
    assert b'"text":"hello"' in exported.stdout
    told = refused(74, tmp_path, "import", "-", "--data", "data", stdin=exported.stdout)
    assert f"in use by the process with pid {server.popen.pid}" in told
    assert server.stop() == 0
    assert "is not empty" in refused(74, tmp_path, "import", "-", "--data", "data", stdin=exported.stdout)
    start("empty").stop()
    assert admin(tmp_path, "import", "-", "--data", "empty", stdin=exported.stdout).returncode == 0
    nora = await walk_in(LineClient, start("empty").port, "nora")
    await nora.until("nat", "hello")


def test_what_cannot_be_exported_or_imported_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"asynchat": "export", "version": 1}\nhello\n')
    told = refused(65, tmp_path, "import", "bad.jsonl", "--data", "data")
    assert told.startswith("asynchat: bad.jsonl: line 2: no JSON")
    assert refused(65, tmp_path, "import", "-", "--data", "data").startswith("asynchat: standard input: line 1: ")
    assert "none.jsonl: No such file" in refused(74, tmp_path, "import", "none.jsonl", "--data", "data")
    assert "no such file" in refused(74, tmp_path, "export", "chat.jsonl", "--data", "data")
    assert admin(tmp_path, "import", "-", "--data", "data", stdin=EMPTY).returncode == 0
    assert "is there already" in refused(74, tmp_path, "export", "bad.jsonl", "--data", "data")
    assert admin(tmp_path, "export", "--data", "data").stdout == EMPTY
    assert list(tmp_path.glob("*.part*")) == []


def test_whoever_reads_an_export_may_have_enough(tmp_path: Path) -> None:
    rows = [said(number) for number in range(1, 3000)]
    end = {"asynchat": "end", "events": len(rows), "accounts": 0, "certificates": 0}
    lines = [EMPTY.splitlines()[0], *map(json.dumps, rows), json.dumps(end)]
    text = "\n".join(line.decode() if isinstance(line, bytes) else line for line in lines)
    assert admin(tmp_path, "import", "-", "--data", "data", stdin=f"{text}\n".encode()).returncode == 0
    command = [sys.executable, "-m", "asynchat", "admin", "export", "--data", "data"]
    with subprocess.Popen(
        command, env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"asynchat":"export"')
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(15) == 141


EMPTY = b'{"asynchat":"export","version":1}\n{"asynchat":"end","events":0,"accounts":0,"certificates":0}\n'


def said(id_: int) -> dict[str, object]:
    by = {"user": "g1", "nick": "alice", "ident": "i", "host": "h"}
    basics = {"id": str(id_), "at": "2026-01-02T03:04:05.678Z", "event": "Said", "by": by, "places": ["#1"]}
    return {**basics, "to": "#a", "text": "x" * 100}
