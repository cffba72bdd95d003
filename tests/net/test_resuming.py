"""`/resume`: who was cut off in netcat comes back as who they were, with no gap and no duplicate."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import pytest

import asynchat
from asynchat.store.memory import MemoryLog
from tests.net.conftest import NEWS, NO, Ended, IrcClient, LineClient, Walk, on_both_loops, settings

LIMITS = {"flood": False}


def in_memory(**limits: Any) -> asynchat.Settings:
    return settings(limits=LIMITS | limits, history={"replay": 0})


class IdClient(LineClient):
    """netcat with `/ids on`: the lines of talk with their ids, and the id of the last."""

    def __init__(self, *streams: Any) -> None:
        super().__init__(*streams)
        self.lines: list[tuple[int, str]] = []

    async def one(self) -> tuple[str, str]:
        who, what = await super().one()
        if match := re.fullmatch(r"#(\d+)", who):
            self.lines.append((int(match[1]), what))
        return who, what

    async def with_ids(self) -> IdClient:
        await self.say("/ids on")
        await self.until(NEWS, "ids on")
        return self


@on_both_loops
async def test_who_was_cut_off_is_who_they_were_and_sees_what_they_missed(walk_in: Walk) -> None:
    async with asynchat.Server(in_memory()) as server:
        nat = await (await walk_in(IdClient, server.port, "nat")).with_ids()
        bob = await walk_in(IrcClient, server.port, "bob")
        await nat.say("/join #dev")
        await nat.until(NEWS, "joined #dev")
        await bob.command("JOIN #dev", "PRIVMSG #lobby :one", "PRIVMSG #dev :two", "PRIVMSG nat :three")
        while len(nat.lines) < 3:
            await nat.hear()
        await bob.command("PRIVMSG #dev :four")
        nat.reset()
        await bob.until(NEWS, "nat!~line@localhost QUIT")
        await bob.command("PRIVMSG #lobby :five")
        await bob.ping()
        again = await walk_in(IdClient, server.port, "somebody")
        await again.say(f"/resume {nat.key} #{nat.lines[-1][0]}")
        await again.until(NEWS, "resumed, 2 missed")
        await again.say("/who")
        await again.until(NEWS, "#dev (2): bob, nat")
        assert [text for text in again.talk if "<bob>" in str(text)] == [
            ("[#dev]", "<bob> four"),
            ("[#lobby]", "<bob> five"),
        ]
        await again.say("back")
        await bob.until(NEWS, "nat!~line@localhost JOIN #dev")


@on_both_loops
async def test_a_connection_that_is_dead_though_nobody_has_noticed_is_taken_over(walk_in: Walk) -> None:
    async with asynchat.Server(in_memory()) as server:
        nat = await (await walk_in(IdClient, server.port, "nat")).with_ids()
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("one")
        while not nat.lines:
            await nat.hear()
        await bob.say("two")
        await bob.ping()
        again = await walk_in(IdClient, server.port, "nat2")
        await again.say(f"/resume {nat.key} {nat.lines[-1][0]}")
        await again.until(NEWS, "resumed, 1 missed")
        await again.say("it is me")
        await bob.until("nat", "it is me")
        while len(again.lines) < 1:
            await again.hear()
        assert [text for _, text in again.lines] == ["<bob> two"]
        with pytest.raises(Ended):
            await nat.until(NEWS, "never")
        joined = [line for line in bob.raw if "nat!" in line and "PRIVMSG" not in line]
        assert joined == []  # nobody saw them go
        assert any(":nat2!~line@localhost QUIT :is nat again" in line for line in bob.raw)
        assert len(server._life.house.hub.state.people) == 2


@on_both_loops
async def test_without_an_id_it_counts_from_the_last_line_handed_to_the_connection_and_says_so(walk_in: Walk) -> None:
    async with asynchat.Server(in_memory()) as server:
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(IrcClient, server.port, "bob")
        await bob.say("one")
        await nat.until("bob", "one")
        nat.reset()
        await bob.until(NEWS, "nat!~line@localhost QUIT")
        await bob.say("two")
        await bob.ping()
        again = await walk_in(LineClient, server.port, "somebody")
        await again.say(f"/resume {nat.key}")
        await again.until(NEWS, "resumed, 1 missed; counted from the last line handed to the connection")
        await again.until("bob", "two")
        assert again.said_by("bob") == ["two"]


@on_both_loops
async def test_a_key_is_good_once_for_a_while_and_not_to_be_guessed(walk_in: Walk) -> None:
    async with asynchat.Server(in_memory()) as server:
        house = server._life.house
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(IrcClient, server.port, "bob")
        assert re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", nat.key)
        nat.reset()
        await bob.until(NEWS, "nat!~line@localhost QUIT")
        first, second = [await walk_in(LineClient, server.port, name) for name in ("one", "two")]
        await first.say(f"/resume {nat.key} 99999999999999999")
        await first.until(NO, "UNKNOWN_ID")
        await first.say(f"/resume {first.key}")
        await first.until(NO, "NO_SUCH_KEY")
        await first.say(f"/resume {nat.key}")
        await first.until(NEWS, "resumed")
        for _ in range(3):
            await second.say(f"/resume {nat.key}")
            await second.until(NO, "NO_SUCH_KEY")
        await second.rest()
        house.resume_window_s = -1.0  # it is over before it begins
        first.reset()
        await bob.until(NEWS, "nat!~line@localhost QUIT")
        third = await walk_in(LineClient, server.port, "three")
        await third.say(f"/resume {first.key}")
        await third.until(NO, "NO_SUCH_KEY")


@on_both_loops
async def test_who_has_an_account_comes_back_by_its_password_and_not_by_a_key(walk_in: Walk) -> None:
    accounts = {"mode": "optional", "kdf_cost": "test"}
    async with asynchat.Server(settings(limits=LIMITS, accounts=accounts)) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/register secret")
        await nat.until(NEWS, "registered")
        await nat.say("quit")
        await nat.rest()
        nat = await walk_in(LineClient, server.port)
        await nat.send(b"nat\nsecret\n")
        await nat.until(NEWS, "hello nat, you are in #lobby. /help, /quit.")
        assert nat.key == ""


async def test_lines_that_the_memory_store_has_lost_are_told_of(walk_in: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asynchat.store.memory.MemoryLog", lambda: MemoryLog(ring=20))
    async with asynchat.Server(in_memory()) as server:
        nat = await (await walk_in(IdClient, server.port, "nat")).with_ids()
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("one")
        while not nat.lines:
            await nat.hear()
        await bob.command(*(f"PRIVMSG #lobby :line {number}" for number in range(100)))
        await bob.ping()
        again = await walk_in(LineClient, server.port, "somebody")
        await again.say(f"/resume {nat.key} {nat.lines[-1][0]}")
        await again.until(NEWS, "some lines of #lobby are not kept any more; showing from the next one")
        while not any("line 99" in str(each) for each in again.talk):
            await again.hear()


@on_both_loops
@pytest.mark.parametrize("store", ["memory", "file"])
async def test_cut_200_times_while_five_talk_there_is_no_gap_and_no_duplicate(
    store: str, walk_in: Walk, tmp_path: Path
) -> None:
    """The cut comes anywhere, also inside of a character: an unfinished line does not count as seen."""
    chance = random.Random(11)
    path = "memory" if store == "memory" else str(tmp_path / "chat.db")
    async with asynchat.Server(
        settings(limits=LIMITS, history={"replay": 0}, store={"path": path, "durability": "process"})
    ) as server:
        talkers = [await walk_in(IrcClient, server.port, f"t{number}") for number in range(5)]
        reader = await (await walk_in(IdClient, server.port, "nat")).with_ids()
        seen: list[tuple[int, str]] = []
        number = 0
        for cut in range(200):
            for talker in talkers:
                for _ in range(chance.randint(0, 3)):
                    number += 1
                    await talker.say(f"{number} größer 👋")
            while chance.random() < 0.8:
                try:
                    async with asyncio.timeout(0.02):
                        reader.data += await reader.reader.read(chance.randint(1, 200))
                        while b"\n" in reader.data:
                            await reader.hear()
                except TimeoutError:
                    break
            seen += reader.lines
            (reader.reset if cut % 2 else reader.writer.close)()
            key, reader = reader.key, await walk_in(IdClient, server.port, f"guest{cut}")
            await reader.with_ids()
            last = f"#{seen[-1][0]}" if seen else "0"
            await reader.say(f"/resume {key} {last}")
            try:
                await reader.until(NEWS, "resumed, ")
            except TimeoutError:
                raise AssertionError((cut, last, key, reader.news, reader.talk[-5:])) from None
        for talker in talkers:
            await talker.ping()
        await talkers[0].say("the end")
        while not reader.lines or "the end" not in reader.lines[-1][1]:
            await reader.hear()
        seen += reader.lines
        assert [ident for ident, _ in seen] == sorted({ident for ident, _ in seen})
        room = server._life.house.hub.state.rooms["#lobby"]
        kept, after = [], "0"
        while page := await server._life.house.history.page(room.place, after=after, limit=500):
            kept += [(int(line.id), f"<{line.by.nick}> {line.text}") for line in page]
            after = page[-1].id
        assert seen == kept
        assert len(kept) == number + 1
