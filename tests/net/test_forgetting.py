"""`asynchat admin account forget` and what is kept no longer, with a server that runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import asynchat
from asynchat.net import keeping
from tests.net.conftest import NEWS, NO, PATIENCE_S, IrcClient, LineClient, Serve, Walk, environment, settings


def admin(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asynchat", "admin", *arguments, "--data", str(folder / "data")]
    return subprocess.run(
        command, env=environment(folder), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


async def test_who_is_forgotten_is_gone_with_every_word_and_others_stand_where_they_stood(
    serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    server = serve("--data", str(tmp_path / "data"), "--durability", "process")
    bob = await walk_in(IrcClient, server.port, "bob")
    await bob.command("CAP REQ :draft/chathistory message-tags server-time batch", "PRIVMSG #lobby :hello")
    alice = await walk_in(LineClient, server.port, "alice")
    await alice.say("/register secret-word")
    await alice.until(NEWS, "registered")
    await bob.command("MODE #lobby +o alice")
    await alice.until(NEWS, "made alice operator")
    await alice.say("xyzzy one")
    await alice.say("/topic xyzzy topic")
    await alice.say("/msg bob xyzzy alone")
    await bob.until(NEWS, "PRIVMSG bob :xyzzy alone")
    await bob.say("xyzzy says she")
    await alice.until("bob", "xyzzy says she")
    seen = next(line for line in bob.raw if "xyzzy one" in line).partition("msgid=")[2].split()[0].split(";")[0]
    done = await asyncio.to_thread(admin, tmp_path, "account", "forget", "ALICE")
    assert (done.returncode, done.stdout) == (0, "")
    assert "ALICE is forgotten, with what was said in" in done.stderr
    assert (await alice.rest())[-1] == (NEWS, "the account was removed")
    await bob.until(NEWS, ":alice!~line@localhost QUIT :the account was removed")
    await bob.until(NEWS, "TOPIC #lobby :")
    await bob.command(f"CHATHISTORY AFTER #lobby msgid={seen} 10", "CHATHISTORY LATEST #lobby * 10")
    await bob.ping()
    history = [line for line in bob.raw if "batch=" in line]
    assert [line.rpartition(" :")[2] for line in history if "PRIVMSG" in line] == [
        "xyzzy says she", "hello", "xyzzy says she",
    ]  # fmt: skip
    assert (await asyncio.to_thread(admin, tmp_path, "account", "list")).stdout == ""
    assert (await asyncio.to_thread(admin, tmp_path, "account", "forget", "alice")).returncode == 77
    everything = b"".join(each.read_bytes() for each in (tmp_path / "data").iterdir() if each.is_file())
    assert everything.count(b"xyzzy") == everything.count(b"xyzzy says she") > 0
    again = await walk_in(LineClient, server.port, "alice")  # the name is free
    assert again.said_by("alice") == []
    assert server.stop() == 0


async def test_what_is_too_old_or_too_much_goes_while_the_server_runs(
    walk_in: Walk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "FIRST_S", 0.05)
    monkeypatch.setattr(keeping, "EVERY_S", 0.05)
    caplog.set_level("INFO")
    store = {"keep": "1h", "keep_lines": 3}
    async with asynchat.Server(settings(store=store, limits={"flood": False}, history={"replay": 0})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        for number in range(10):
            await nat.say(f"line {number}")
        async with asyncio.timeout(PATIENCE_S):
            while "lines were to be kept no longer" not in caplog.text:  # noqa: ASYNC110  # the log is all there is
                await asyncio.sleep(0.01)
        await nat.say("/history 100")
        await nat.until(NEWS, "end")
        assert [what.rpartition("> ")[2] for _, what in nat.talk] == ["line 7", "line 8", "line 9"]
        await nat.say("/nonsense")
        await nat.until(NO, "UNKNOWN")
