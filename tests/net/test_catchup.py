"""Who has fallen behind reads on from the log: everything, in order, and nobody else waits."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

import asynchat
from asynchat.chat.sessions import Session
from asynchat.net.pages import EVENTS, Pages
from asynchat.store.memory import MemoryLog
from tests.net.conftest import NEWS, PATIENCE_S, Ended, IrcClient, LineClient, Walk, on_both_loops, settings
from tests.store.author import Author

LIMITS = {"flood": False}
FILLER = "x" * 300
STORES = pytest.mark.parametrize("store", ["memory", "file"])


def store_settings(store: str, folder: Path, **more: Any) -> asynchat.Settings:
    path = {"path": "memory"} if store == "memory" else {"path": str(folder / "chat.db"), "durability": "process"}
    return settings(store=path, limits=LIMITS, history={"replay": 0}, **more)


class SlowClient(IrcClient):
    """An IRC client that reads no more than it is asked to, with next to no buffer of its own."""

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1", tls: bool = False) -> SlowClient:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
        context = ssl.create_default_context() if tls else None
        if context is not None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        name = "localhost" if tls else None
        return cls(*await asyncio.open_connection(sock=sock, limit=1024, ssl=context, server_hostname=name))


def session_of(server: asynchat.Server, nick: str) -> Session:
    user = server._life.house.hub.state.users[nick]
    return user.sessions[0]


async def has_fallen_behind(server: asynchat.Server, nick: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not session_of(server, nick).lagging:  # noqa: ASYNC110  # nobody is told of it
            await asyncio.sleep(0.01)


async def says(talker: IrcClient, texts: list[str]) -> None:
    """Say all of it, and see that it is stored."""
    await talker.command(*(f"PRIVMSG {talker.room} :{text}" for text in texts))
    await talker.ping()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@on_both_loops
@STORES
async def test_a_client_that_stops_for_10000_lines_reads_all_of_them_in_order(
    store: str, walk_in: Walk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with asynchat.Server(store_settings(store, tmp_path)) as server:
        talker, listener = await walk_in(IrcClient, server.port, "tom"), await walk_in(IrcClient, server.port, "lea")
        slow = await walk_in(SlowClient, server.port, "sue")
        lines = [f"{number} {FILLER}" for number in range(10_000)]
        for start in range(0, len(lines), 500):
            await says(talker, lines[start : start + 500])
            await listener.until("tom", lines[start + 499])
        assert session_of(server, "sue").lagging
        assert listener.said_by("tom") == lines
        await slow.until("tom", lines[-1])
        assert slow.said_by("tom") == lines
        await says(talker, ["level again"])
        await slow.until("tom", "level again")
        assert not session_of(server, "sue").lagging
        assert slow.said_by("tom")[-2:] == [lines[-1], "level again"]
    assert errors(caplog) == []


@on_both_loops
async def test_what_a_laggard_asks_is_answered_after_what_was_said_before(walk_in: Walk, tmp_path: Path) -> None:
    async with asynchat.Server(store_settings("memory", tmp_path)) as server:
        talker = await walk_in(IrcClient, server.port, "tom")
        slow = await walk_in(SlowClient, server.port)
        await slow.command("CAP REQ :echo-message labeled-response batch", "CAP END")
        await slow.enter("sue")
        lines = [f"{number} {FILLER}" for number in range(2000)]
        await says(talker, lines)
        await has_fallen_behind(server, "sue")
        await slow.command("@label=one PRIVMSG #lobby :hello", "PING two", "@label=three PING three", "TOPIC #lobby")
        await says(talker, ["last"])
        await slow.until(NEWS, " 331 sue #lobby ")
        await talker.until("sue", "hello")
        raw = [line for line in slow.raw if any(word in line for word in (" PRIVMSG #", " PONG ", " 331 "))]
        assert raw[:2000] == [f":tom!~tom@localhost PRIVMSG #lobby :{line}" for line in lines]
        assert raw[2000:] == [
            ":tom!~tom@localhost PRIVMSG #lobby :last",
            "@label=one :sue!~sue@localhost PRIVMSG #lobby :hello",
            ":asynchat PONG asynchat :two",
            "@label=three :asynchat PONG asynchat :three",
            ":asynchat 331 sue #lobby :No topic is set",
        ]


@on_both_loops
@STORES
async def test_a_laggard_is_shown_just_what_others_are_shown_at_once(
    store: str, walk_in: Walk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two members of the same rooms, one of whom does not read: in the end both have heard the same, in each room."""
    chance = random.Random(3)
    async with asynchat.Server(store_settings(store, tmp_path)) as server:
        tom, una = await walk_in(IrcClient, server.port, "tom"), await walk_in(IrcClient, server.port, "una")
        await tom.command("JOIN #a,#b", "MODE #lobby +v una")
        await una.command("JOIN #a,#b")
        lea, sue = await walk_in(IrcClient, server.port, "lea"), await walk_in(SlowClient, server.port, "sue")
        for each in (lea, sue):
            await each.command("JOIN #a", "JOIN #b")
            await each.until(NEWS, "#b :End of /NAMES list")
        await tom.command("MODE #a +v lea", "MODE #a +v sue", "PRIVMSG #lobby :begin")
        for each in (lea, sue):
            await each.until("tom", "begin")
        moves = [
            "PRIVMSG #lobby :{0}",
            "PRIVMSG #a :{0}",
            "NOTICE #b :{0}",
            "PRIVMSG @#lobby :{0} for operators",
            "PRIVMSG +#a :{0} for voices",
            "TOPIC #a :{0}",
            "MODE #b +m",
            "MODE #b -m",
            "PRIVMSG lea :{0}",
            "PRIVMSG sue :{0}",
        ]
        for number in range(3000):
            await tom.command(chance.choice(moves).format(f"{number} {FILLER[: chance.randint(1, 300)]}"))
            if number % 250 == 0:
                await una.command(f"NICK una{number}", "PART #b :gone", "JOIN #b", "PRIVMSG #lobby :me too")
                other = await walk_in(IrcClient, server.port, f"guest{number}")
                await other.command("JOIN #a", "QUIT :bye")
            await asyncio.sleep(0)
        await una.ping()
        await tom.ping()
        assert session_of(server, "sue").lagging
        await tom.command("PRIVMSG #a :end", "PRIVMSG #b :end", "PRIVMSG #lobby :end")
        for each in (lea, sue):
            await each.ping()
        for room in ("#lobby", "#a", "#b"):
            assert heard_of(sue, room) == heard_of(lea, room)
        quits = [[line for line in each.raw if " QUIT " in line or " NICK " in line] for each in (sue, lea)]
        assert quits[0] == quits[1]
        private = [
            [line.partition(" :")[2][:5] for line in each.raw if f"PRIVMSG {each.name} " in line] for each in (sue, lea)
        ]
        assert all(len(each) > 100 and each == sorted(each, key=lambda text: int(text.split()[0])) for each in private)
    assert errors(caplog) == []


def heard_of(client: IrcClient, room: str) -> list[str]:
    """What a client heard of a room since `begin`."""
    start = next(index for index, line in enumerate(client.raw) if line.endswith(":begin"))
    words = (f"PRIVMSG {room} ", f"PRIVMSG @{room} ", f"PRIVMSG +{room} ", f"NOTICE {room} ", f"TOPIC {room} ")
    words = (*words, f"MODE {room} ", f"JOIN {room}", f"PART {room} ")
    return [line for line in client.raw[start:] if any(f" {word}" in f" {line} " for word in words)]


@on_both_loops
async def test_a_laggard_that_is_kicked_reads_up_to_that_and_no_further(walk_in: Walk, tmp_path: Path) -> None:
    async with asynchat.Server(store_settings("memory", tmp_path)) as server:
        talker, slow = await walk_in(IrcClient, server.port, "tom"), await walk_in(SlowClient, server.port, "sue")
        await talker.command("JOIN #other")
        await slow.command("JOIN #other")
        await slow.until(NEWS, "#other :End of /NAMES list")
        lines = [f"{number} {FILLER}" for number in range(2000)]
        await says(talker, lines)
        await has_fallen_behind(server, "sue")
        await talker.command("KICK #lobby sue :enough", "PRIVMSG #lobby :secret", "PRIVMSG #other :end")
        await slow.until("tom", "end")
        kick = slow.raw.index(":tom!~tom@localhost KICK #lobby sue :enough")
        assert slow.said_by("tom") == [*lines, "end"]
        assert slow.raw[kick - 1].endswith(lines[-1])


@on_both_loops
async def test_a_laggard_whose_other_session_enters_and_leaves_rooms_reads_of_them_what_was_said_meanwhile(
    walk_in: Walk, tmp_path: Path
) -> None:
    accounts = {"mode": "optional", "kdf_cost": "test", "always_on": True}
    async with asynchat.Server(store_settings("memory", tmp_path, accounts=accounts)) as server:
        talker = await walk_in(IrcClient, server.port, "tom")
        await talker.command("JOIN #b")
        first = await walk_in(IrcClient, server.port, "sue")
        await first.command("REGISTER sue * :password", "QUIT")
        await first.rest()
        plain = b64encode(b"\0sue\0password").decode()
        login = ["CAP REQ sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain}", "CAP END"]
        slow, phone = await walk_in(SlowClient, server.port), await walk_in(IrcClient, server.port)
        for each in (slow, phone):
            await each.command(*login, "NICK sue", "USER sue 0 * :sue", *(["JOIN #lobby"] if each is slow else []))
            await each.until(NEWS, "#lobby :End of /NAMES list")
        lines = [f"{number} {FILLER}" for number in range(2000)]
        await says(talker, lines)
        await has_fallen_behind(server, "sue")
        await talker.command("PRIVMSG #b :before")
        await talker.ping()
        await phone.command("JOIN #b")
        await phone.until(NEWS, "#b :End of /NAMES list")
        await talker.command("PRIVMSG #b :while")
        await talker.ping()
        await phone.command("PART #b", "PRIVMSG tom :from the phone")
        await phone.ping()
        await talker.command("PRIVMSG #b :after", "PRIVMSG #lobby :end")
        await slow.until("tom", "end")
        assert slow.said_by("tom") == [*lines, "while", "end"]
        told = [line.split(" ", 1)[1] for line in slow.raw if line.startswith(":sue!")]
        assert told == ["JOIN #lobby", "JOIN #b", "PART #b", "PRIVMSG tom :from the phone"]


@on_both_loops
async def test_where_the_log_has_lost_something_the_laggard_is_told(
    walk_in: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asynchat.store.memory.MemoryLog", lambda: MemoryLog(ring=100))
    async with asynchat.Server(store_settings("memory", tmp_path)) as server:
        talker, slow = await walk_in(IrcClient, server.port, "tom"), await walk_in(SlowClient, server.port, "sue")
        lines = [f"{number} {FILLER}" for number in range(3000)]
        for start in range(0, 3000, 50):
            await says(talker, lines[start : start + 50])
        await slow.until("tom", lines[-1])
        notes = [index for index, line in enumerate(slow.raw) if line.startswith(":asynchat NOTICE sue :you were ")]
        said = slow.said_by("tom")
        position = 0
        assert notes
        for note in notes:  # each gap is as large as is told, and nothing else is missing
            before = len([line for line in slow.raw[:note] if " PRIVMSG #lobby :" in line])
            assert said[position:before] == lines[lines.index(said[position]) :][: before - position]
            lost = int(slow.raw[note].split(" of them are not kept")[0].split()[-1])
            assert lines.index(said[before]) - lines.index(said[before - 1]) - 1 == lost
            position = before
        assert said[position:] == lines[lines.index(said[position]) :]
        assert " lines behind in #lobby, and " in slow.raw[notes[0]]


@on_both_loops
async def test_a_laggard_inside_tls_reads_everything_too(walk_in: Walk, tmp_path: Path) -> None:
    async with asynchat.Server(store_settings("file", tmp_path, tls={"mode": "auto"})) as server:
        talker = await walk_in(IrcClient, server.port, "tom")
        slow = await SlowClient.connect(server.port, tls=True)
        await slow.enter("sue")
        lines = [f"{number} {FILLER}" for number in range(3000)]
        await says(talker, lines)
        await has_fallen_behind(server, "sue")
        await slow.command("PING one")
        await slow.until(NEWS, "PONG asynchat :one")
        assert slow.said_by("tom") == lines
        await slow.close()


@on_both_loops
async def test_a_netcat_that_stops_reading_reads_everything_too(walk_in: Walk, tmp_path: Path) -> None:
    class SlowLine(LineClient):
        connect = SlowClient.connect  # type: ignore[assignment]

    async with asynchat.Server(store_settings("memory", tmp_path)) as server:
        talker, slow = await walk_in(IrcClient, server.port, "tom"), await walk_in(SlowLine, server.port, "nat")
        lines = [f"{number} {FILLER}" for number in range(3000)]
        await says(talker, lines)
        await has_fallen_behind(server, "nat")
        await slow.say("hello")
        await slow.until("tom", lines[-1])
        assert slow.said_by("tom") == lines
        await talker.until("nat", "hello")


@on_both_loops
async def test_laggards_that_vanish_or_are_there_at_the_end_leave_nothing_behind(
    walk_in: Walk, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asynchat.net.connections.GRACE_S", 0.2)
    before = asyncio.all_tasks()
    async with asynchat.Server(store_settings("file", tmp_path)) as server:
        talker = await walk_in(IrcClient, server.port, "tom")
        slow = [await walk_in(SlowClient, server.port, f"sue{number}") for number in range(6)]
        await says(talker, [f"{number} {FILLER}" for number in range(1500)])
        for number in range(6):
            await has_fallen_behind(server, f"sue{number}")
        slow[0].reset()
        await slow[1].close()
        await talker.command("KICK #lobby sue2", "PRIVMSG sue3 :psst")
        await talker.until(NEWS, ":sue0!~sue0@localhost QUIT")
        await talker.until(NEWS, ":sue1!~sue1@localhost QUIT")
    assert errors(caplog) == []
    assert asyncio.all_tasks() == before


@on_both_loops
async def test_a_laggard_whose_log_cannot_be_read_is_put_out_and_nobody_else(
    walk_in: Walk, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asynchat.Server(store_settings("memory", tmp_path)) as server:
        talker, slow = await walk_in(IrcClient, server.port, "tom"), await walk_in(SlowClient, server.port, "sue")

        async def fail(*_: object, **__: object) -> None:
            raise asynchat.StoreError("injected")

        monkeypatch.setattr(server._life.house.history, "page", fail)
        await says(talker, [f"{number} {FILLER}" for number in range(1500)])
        await has_fallen_behind(server, "sue")
        with pytest.raises(Ended):
            await slow.until("tom", "no such line")
        await talker.until(NEWS, "sue!~sue@localhost QUIT :the log cannot be read")
        await says(talker, ["still here"])
    assert [text for text in errors(caplog) if "cannot catch up" in text]


async def test_those_who_stand_near_each_other_share_pages() -> None:
    reads = 0

    class Counted(MemoryLog):
        async def page(self, *arguments: Any, **more: Any) -> Any:
            nonlocal reads
            reads += 1
            await asyncio.sleep(0)
            return await super().page(*arguments, **more)

    log = Counted()
    author = Author(log)
    lines = [author.says(str(number)) for number in range(EVENTS * 4)]
    await log.append(lines)
    pages = Pages(log)
    first = log.last_id - len(lines)

    async def read_on(position: int) -> list[str]:
        texts: list[str] = []
        while position < log.last_id:
            page = await pages.page("#1", position, log.last_id)
            share = page.between(position, log.last_id)
            texts += [page.events[index].text for index in share]
            position = page.upto
        return texts

    found = await asyncio.gather(*(read_on(first + start) for start in (0, 3, 0, 10, EVENTS + 7, 200)))
    expected = [str(number) for number in range(EVENTS * 4)]
    assert found == [expected[start:] for start in (0, 3, 0, 10, EVENTS + 7, 200)]
    alone = reads
    found = await asyncio.gather(*(read_on(first + start) for start in range(200)))
    assert found == [expected[start:] for start in range(200)]
    assert reads == alone  # every page was there
    assert alone <= 5 * 4 + 1
