"""What survives the end of the server's process, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.net.conftest import (
    NEWS,
    NO,
    PATIENCE_S,
    FrameClient,
    IrcClient,
    LineClient,
    Process,
    Serve,
    Walk,
    environment,
)

ENDS: dict[str, Callable[[Process], object]] = {"kill -9": Process.kill, "a clean stop": Process.stop}
after_any_end = pytest.mark.parametrize("end", list(ENDS.values()), ids=list(ENDS))


@after_any_end
async def test_lines_topic_modes_and_bans_are_there_again(
    end: Callable[[Process], object], serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    first = serve("--data", str(tmp_path / "data"))
    irene = await walk_in(IrcClient, first.port, "irene")
    await irene.command(
        "TOPIC #lobby :alerts, and nothing else",
        "MODE #lobby +bb mallory!*@* *!*@evil",
        "MODE #lobby +lm 50",
        "JOIN #dev",
        "MODE #dev +k sesame",
        *(f"PRIVMSG #lobby :line {number}" for number in range(25)),
    )
    await irene.ping()
    end(first)

    second = serve("--data", str(tmp_path / "data"))
    newcomer = await walk_in(IrcClient, second.port, "nora")
    await newcomer.until("irene", "line 24")
    assert newcomer.said_by("irene") == [f"line {number}" for number in range(5, 25)]  # the last 20
    again = await walk_in(IrcClient, second.port, "irene")
    await again.ping()
    assert again.said_by("irene") == []  # nothing is shown twice
    assert any(" 332 irene #lobby :alerts, and nothing else" in line for line in again.raw)
    await again.command("MODE #lobby", "MODE #lobby b", "JOIN #dev")
    await again.ping()
    modes = next(line for line in again.raw if " 324 " in line)
    (letters,) = re.fullmatch(r".* 324 irene #lobby \+(\w+) 50", modes).groups()  # type: ignore[union-attr]
    assert set("ntml") <= set(letters)
    assert [line.split()[4] for line in again.raw if " 367 " in line] == ["mallory!*@*", "*!*@evil"]
    assert any(" 475 irene #dev " in line for line in again.raw)
    mallory = await walk_in(LineClient, second.port)
    await mallory.send(b"mallory\n")
    await mallory.until(NO, "BANNED")


@after_any_end
async def test_a_newcomer_on_any_wire_sees_the_last_20_lines_and_who_was_there_nothing_twice(
    end: Callable[[Process], object], serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    first = serve("--data", str(tmp_path / "data"))
    nat = await walk_in(LineClient, first.port, "nat")
    await nat.say("/acks on")
    for number in range(30):
        await nat.say(f"line {number}")
    for _ in range(30):
        await nat.until("+OK", "")
    end(first)

    second = serve("--data", str(tmp_path / "data"))
    for kind, name in ((LineClient, "nora"), (FrameClient, "fred"), (IrcClient, "irene")):
        client = await walk_in(kind, second.port, name)
        await client.until("nat", "line 29")
        assert client.said_by("nat") == [f"line {number}" for number in range(10, 30)]
    await client.say("new")
    nat = await walk_in(LineClient, second.port, "nat")
    await nat.until("irene", "new")
    assert nat.talk == [("irene", "new")]


async def test_an_acknowledged_line_survives_a_kill_in_the_very_next_moment(
    serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    for durability in ("sync", "process"):
        first = serve("--data", str(tmp_path / durability), "--durability", durability)
        nat = await walk_in(LineClient, first.port, "nat")
        await nat.say("/acks on")
        await nat.until(NEWS, "acks on")
        await nat.send(b"".join(b"line %d\n" % number for number in range(200)))
        await nat.until("+OK", "")
        first.kill()
        await nat.rest()
        acknowledged = len([sign for sign, _ in nat.talk if sign == "+OK"])
        second = serve("--data", str(tmp_path / durability))
        again = await walk_in(LineClient, second.port, "nat")
        await again.say("/history 100")
        await again.until(NEWS, "end")
        kept = [text for text in (f"{who} {text}" for who, text in again.talk) if text.startswith("#")]
        assert len(kept) >= min(acknowledged, 100)
        second.kill()


async def test_guests_who_were_in_at_the_kill_have_left(serve: Serve, walk_in: Walk, tmp_path: Path) -> None:
    """Nobody is a ghost: their names are free, the room is empty, and whoever comes first runs it."""
    first = serve("--data", str(tmp_path / "data"))
    people = [
        await walk_in(kind, first.port, name)
        for kind, name in ((IrcClient, "irene"), (LineClient, "nat"), (FrameClient, "fred"))
    ]
    await people[1].say("hello")
    await people[0].until("nat", "hello")
    first.kill()

    for round_ in range(2):  # and they have left once: the next start finds nobody to see off
        second = serve("--data", str(tmp_path / "data"))
        nat = await walk_in(LineClient, second.port, "nat")
        assert "hello nat, you are in #lobby. /help, /quit." in nat.news, round_
        await nat.say("/who")
        await nat.until(NEWS, "#lobby (1): @nat")
        for kind, name in ((IrcClient, "irene"), (FrameClient, "fred")):
            await walk_in(kind, second.port, name)
        second.kill()


@after_any_end
async def test_who_has_an_account_is_away_after_it_and_in_its_rooms_with_its_roles(
    end: Callable[[Process], object], serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    first = serve("--data", str(tmp_path / "data"), "--durability", "process")
    alice = await walk_in(LineClient, first.port, "alice")
    await alice.say("/register secret-word")
    await alice.until(NEWS, "registered")
    await alice.say("quit")
    await alice.rest()
    alice = await walk_in(LineClient, first.port)
    await alice.send(b"alice\n")
    await alice.until(NEWS, "password:")
    await alice.send(b"secret-word\n")
    await alice.until(NEWS, "hello alice")
    end(first)
    second = serve("--data", str(tmp_path / "data"), "--durability", "process")
    irene = await walk_in(IrcClient, second.port, "irene")
    await irene.command("WHO #lobby", "PRIVMSG alice :are you there?")
    heard = await irene.until(NEWS, " 301 irene alice :the server ")
    assert any(" 352 " in line and " alice G@ " in line for _, line in heard)


@after_any_end
async def test_who_has_an_account_and_was_in_no_room_is_there_with_what_is_kept_for_them(
    end: Callable[[Process], object], serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    first = serve("--data", str(tmp_path / "data"), "--durability", "process")
    alice = await walk_in(IrcClient, first.port)
    await alice.command("NICK alice", "USER a 0 * :Alice", "REGISTER alice * :secret-word", "QUIT")
    await alice.rest()
    plain = b64encode(b"\0alice\0secret-word").decode()
    login = ["CAP REQ :sasl draft/read-marker", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain}", "CAP END"]
    alice = await walk_in(IrcClient, first.port)
    await alice.command(*login, "NICK alice", "USER a 0 * :Alice", "MARKREAD bob timestamp=2026-01-02T03:04:05.678Z")
    await alice.until(NEWS, "MARKREAD bob timestamp=")
    end(first)
    second = serve("--data", str(tmp_path / "data"), "--durability", "process")
    alice = await walk_in(IrcClient, second.port)
    await alice.command(*login, "NICK alice", "USER a 0 * :Alice", "MARKREAD bob")
    await alice.until(NEWS, "MARKREAD bob timestamp=2026-01-02T03:04:05.678Z")


@after_any_end
async def test_who_has_registered_just_now_can_be_written_to_after_it(
    end: Callable[[Process], object], serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    first = serve("--data", str(tmp_path / "data"), "--durability", "process")
    alice = await walk_in(LineClient, first.port, "alice")
    await alice.say("/register secret-word")
    await alice.until(NEWS, "registered")
    end(first)
    second = serve("--data", str(tmp_path / "data"), "--durability", "process")
    bob = await walk_in(LineClient, second.port, "bob")
    await bob.say("/msg alice are you there?")
    await bob.until(NEWS, "to alice: queued, alice is offline")
    alice = await walk_in(LineClient, second.port)
    await alice.send(b"alice\nsecret-word\n")
    while (await alice.one())[1] != "[dm bob] are you there?":
        pass


async def test_damage_ends_it_with_74_and_one_line_until_it_is_accepted(
    serve: Serve, walk_in: Walk, tmp_path: Path
) -> None:
    first = serve("--data", str(tmp_path / "data"))
    nat = await walk_in(LineClient, first.port, "nat")
    await nat.say("hello")
    first.stop()
    database = tmp_path / "data" / "asynchat.db"
    database.write_bytes(b"no database" * 1000)
    command = [sys.executable, "-m", "asynchat", "serve", "--port", "0", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        command, env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 74
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"asynchat: {database} is damaged: ")
    assert "--accept-loss" in line
    second = serve("--data", str(tmp_path / "data"), "--accept-loss")
    await walk_in(LineClient, second.port, "nat")
    assert list(database.parent.glob("asynchat.db.damaged-*"))


def test_a_second_server_on_the_same_data_ends_with_74_and_names_the_first(serve: Serve, tmp_path: Path) -> None:
    first = serve("--data", str(tmp_path / "data"))
    command = [sys.executable, "-m", "asynchat", "serve", "--port", "0", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, env=environment(tmp_path), check=False)
    assert done.returncode == 74
    assert re.search(rf"\bpid {first.popen.pid}\b", done.stderr)
    assert "Traceback" not in done.stderr
    assert first.popen.poll() is None
    first.kill()
    serve("--data", str(tmp_path / "data"))


# How it ends.


@pytest.fixture
def stuck(walk_in: Walk) -> Iterator[Callable[[int], None]]:
    """Clients that do not read: two at the door, three in the room with more than they take."""
    sockets: list[socket.socket] = []

    def connect(port: int) -> None:
        for number in range(5):
            sock = socket.socket()
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", port))
            if number > 1:
                sock.sendall(b"stan%d\n" % number + b"/help\n" * 500)

    yield connect
    for sock in sockets:
        sock.close()


async def test_sigterm_ends_it_with_0_though_clients_are_stuck(
    serve: Serve, walk_in: Walk, stuck: Callable[[int], None], tmp_path: Path
) -> None:
    process = serve("--data", str(tmp_path / "data"))
    nat = await walk_in(LineClient, process.port, "nat")
    stuck(process.port)
    for _ in range(3):
        await nat.until(NEWS, "joined")
    process.popen.send_signal(signal.SIGTERM)
    await nat.until(NEWS, "stopping")
    assert process.popen.wait(PATIENCE_S) == 0
    assert "Traceback" not in process.log
    assert "error" not in process.log


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGINT], id="Ctrl-C"),
        pytest.param([signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGINT], id="an impatient operator"),
    ],
)
async def test_signals_once_and_again_end_it_without_a_traceback(
    signals: list[signal.Signals], serve: Serve, walk_in: Walk, stuck: Callable[[int], None], tmp_path: Path
) -> None:
    """With somebody stuck it takes a moment to end, in which the next signal comes."""
    process = serve("--memory")
    nat = await walk_in(LineClient, process.port, "nat")
    if len(signals) > 1:
        stuck(process.port)
        await nat.until(NEWS, "joined")
    for number in signals:
        process.popen.send_signal(number)
        await nat.rest()
    assert process.popen.wait(PATIENCE_S) in (0, 130)
    assert "Traceback" not in process.log
    assert "error" not in process.log


async def test_a_stop_is_told_on_every_wire(serve: Serve, walk_in: Walk) -> None:
    process = serve("--memory")
    nat = await walk_in(LineClient, process.port, "nat")
    fred = await walk_in(FrameClient, process.port, "fred")
    irene = await walk_in(IrcClient, process.port, "irene")
    assert process.stop() == 0
    for client in (nat, fred):
        await client.until(NEWS, "the server is stopping")
    await irene.until(NEWS, "ERROR :the server is stopping")
