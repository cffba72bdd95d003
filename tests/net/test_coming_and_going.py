"""What comes between: lines on their way while somebody goes, comes back, lags, or is taken over."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

import asynchat
from asynchat.net.forgetting import forget
from asynchat.store import flushing
from asynchat.wire.irc import session as irc_session
from tests.net.conftest import NEWS, NO, Ended, IrcClient, LineClient, Walk, on_both_loops, settings
from tests.net.test_catchup import FILLER, SlowClient, has_fallen_behind, says
from tests.net.test_resuming import IdClient

ACCOUNTS = {"mode": "optional", "kdf_cost": "test", "always_on": True}


def house(folder: Path | None = None, *, durability: str = "process", **more: Any) -> asynchat.Settings:
    path = {"path": "memory"} if folder is None else {"path": str(folder / "chat.db"), "durability": durability}
    sections: dict[str, Any] = {"history": {"replay": 0}, "accounts": ACCOUNTS, "store": path} | more
    return settings(**sections | {"limits": {"flood": False} | more.get("limits", {})})


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flushing, "PATIENCE_S", 0.0)
    flush = flushing._flush

    def slow(descriptor: int) -> None:
        time.sleep(0.2)
        flush(descriptor)

    monkeypatch.setattr(flushing, "_flush", slow)


async def registered(walk_in: Walk, port: int, name: str) -> None:
    client = await walk_in(LineClient, port, name)
    await client.say("/register secret")
    await client.until(NEWS, "registered")
    await client.say("quit")
    await client.rest()


async def logged_in(walk_in: Walk, port: int, name: str, kind: type[IrcClient] = IrcClient) -> IrcClient:
    """Somebody who has given the password, and not the name."""
    client: IrcClient = await walk_in(kind, port)
    plain = b64encode(f"\0{name}\0secret".encode()).decode()
    await client.command("CAP REQ sasl", "AUTHENTICATE PLAIN", f"AUTHENTICATE {plain}")
    await client.until(NEWS, " 903 ")
    return client


async def in_as(client: IrcClient, name: str) -> IrcClient:
    client.name = name
    await client.command("CAP END", f"NICK {name}", f"USER {name} 0 * :{name}", "JOIN #lobby")
    await client.ping()
    return client


# Connections that are gone while something for them is on its way: on uvloop a write to one raises.


@on_both_loops
async def test_a_repeat_of_who_is_gone_costs_nobody_a_line(walk_in: Walk, tmp_path: Path, slow_disk: None) -> None:
    async with asynchat.Server(house(tmp_path, durability="sync")) as server:
        bob, lea = await walk_in(IrcClient, server.port, "bob"), await walk_in(IrcClient, server.port, "lea")
        eve = await walk_in(IrcClient, server.port)
        await eve.command("CAP REQ :message-tags", "CAP END")
        await eve.enter("eve")
        line = f"@+asynchat/key={'k' * 20} PRIVMSG #lobby :first"
        await eve.command(line)
        await eve.ping()
        await eve.command(line)
        await bob.say("from bob")
        await asyncio.sleep(0.05)
        eve.reset()
        await bob.until(NEWS, ":eve!~eve@localhost QUIT")
        await bob.say("after")
        await lea.until("bob", "after")
        assert lea.said_by("bob") == ["from bob", "after"]
        assert server._life.house.hub.claims == {}


@on_both_loops
async def test_a_room_is_renamed_though_a_member_is_gone(walk_in: Walk, tmp_path: Path, slow_disk: None) -> None:
    async with asynchat.Server(house(tmp_path, durability="sync")) as server:
        op, eve = await walk_in(IrcClient, server.port, "op"), await walk_in(IrcClient, server.port, "eve")
        lea = await walk_in(IrcClient, server.port, "lea")
        await eve.say("on its way")
        await asyncio.sleep(0.05)
        eve.reset()
        await op.command("RENAME #lobby #hall :why")
        await lea.until(NEWS, "JOIN #hall")
        await op.ping()


# Who lags.


async def test_a_client_that_only_listens_has_time_to_answer_after_it_lagged(
    walk_in: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(irc_session, "GRACE_S", 5.0)
    async with asynchat.Server(house(limits={"ping_interval": 1.0})) as server:
        tom, sue = await walk_in(IrcClient, server.port, "tom"), await walk_in(SlowClient, server.port, "sue")
        await says(tom, [f"{number} {FILLER}" for number in range(3000)])
        await has_fallen_behind(server, "sue")
        for _ in range(15):
            await asyncio.sleep(0.1)  # longer than a PING is waited with
            await tom.ping()
        await sue.until(NEWS, "PING asynchat")
        await says(tom, ["still there?"])
        await sue.until("tom", "still there?")


async def test_a_laggard_whose_other_session_goes_and_comes_back_misses_nothing(walk_in: Walk) -> None:
    async with asynchat.Server(house()) as server:
        tom = await walk_in(IrcClient, server.port, "tom")
        await registered(walk_in, server.port, "sue")
        slow = await in_as(await logged_in(walk_in, server.port, "sue", SlowClient), "sue")
        lines = [f"{number} {FILLER}" for number in range(3000)]
        await says(tom, lines)
        await has_fallen_behind(server, "sue")
        phone = await in_as(await logged_in(walk_in, server.port, "sue"), "sue")
        await phone.command("PART #lobby")
        await tom.until(NEWS, ":sue!~line@localhost PART #lobby")
        await tom.command("MODE #lobby -n")
        await says(tom, ["not for sue"])
        await phone.command("JOIN #lobby")
        await tom.until(NEWS, ":sue!~line@localhost JOIN #lobby")
        await says(tom, ["the end"])
        await slow.until("tom", "the end")
        assert slow.said_by("tom") == [*lines, "the end"]
        assert len([line for line in slow.raw if " PART #lobby" in line]) == 1


async def test_what_fitted_no_more_when_it_was_applied_is_not_shown_to_a_laggard(
    walk_in: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "QUICK_S", 0.0)  # so that a thread waits for the disk
    monkeypatch.setattr(flushing, "PATIENCE_S", 0.0)
    async with asynchat.Server(house(tmp_path, durability="sync")) as server:
        tom, una = await walk_in(IrcClient, server.port, "tom"), await walk_in(IrcClient, server.port, "una")
        vic, sue = await walk_in(IrcClient, server.port, "vic"), await walk_in(SlowClient, server.port, "sue")
        await tom.command("MODE #lobby +o una")
        await una.until(NEWS, "MODE #lobby +o una")
        await says(tom, [f"{number} {FILLER}" for number in range(5000)])
        await has_fallen_behind(server, "sue")
        for each in (una, vic):  # else they lag, too
            await each.ping()
        flush = flushing._flush
        monkeypatch.setattr(flushing, "_flush", lambda descriptor: (time.sleep(0.2), flush(descriptor)))
        await tom.command("KICK #lobby vic :one")
        await una.command("KICK #lobby vic :two")
        await vic.command("PART #lobby")
        for each in (tom, una, vic):
            await each.ping()
        await says(tom, ["the end"])
        await sue.until("tom", "the end")
        gone = [line for line in sue.raw if " KICK #lobby vic" in line or " PART #lobby" in line]
        assert len(gone) == 1
        assert server._life.house.hub.state.void > 0


# Who was cut off.


async def test_what_was_stored_between_the_end_of_a_connection_and_the_leaving_is_shown_to_who_comes_back(
    walk_in: Walk, tmp_path: Path, slow_disk: None
) -> None:
    async with asynchat.Server(house(tmp_path, durability="sync", history={"replay": 20})) as server:
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(IrcClient, server.port, "bob")
        nat.reset()
        await asyncio.sleep(0.05)
        await bob.command("PRIVMSG #lobby :one", "PRIVMSG #lobby :two")
        await bob.until(NEWS, ":nat!~line@localhost QUIT")
        again = await walk_in(LineClient, server.port, "nat")
        await again.until("bob", "two")
        assert again.said_by("bob") == ["one", "two"]


@on_both_loops
async def test_what_the_new_connection_was_shown_already_is_not_shown_again_on_resuming(walk_in: Walk) -> None:
    async with asynchat.Server(house(history={"replay": 20})) as server:
        nat = await (await walk_in(IdClient, server.port, "nat")).with_ids()
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("one")
        while not nat.lines:
            await nat.hear()
        nat.reset()
        await bob.until(NEWS, "nat!~line@localhost QUIT")
        await bob.say("two")
        await bob.ping()
        again = await walk_in(LineClient, server.port, "somebody")
        await again.until("bob", "two")  # the past that a newcomer is shown
        await bob.say("three")
        await again.until("bob", "three")
        await again.say(f"/resume {nat.key} {nat.lines[-1][0]}")
        await again.until(NEWS, "resumed, 0 missed")
        await bob.say("four")
        await again.until("bob", "four")
        assert again.said_by("bob") == ["one", "two", "three", "four"]


async def test_a_name_that_is_somebody_elses_by_now_does_not_come_back_with_a_key(walk_in: Walk) -> None:
    async with asynchat.Server(house()) as server:
        bob, nat = await walk_in(IrcClient, server.port, "bob"), await walk_in(LineClient, server.port, "nat")
        nat.reset()
        await bob.until(NEWS, "nat!~line@localhost QUIT")
        await registered(walk_in, server.port, "nat")
        evil = await walk_in(LineClient, server.port, "evil")
        await evil.say(f"/resume {nat.key}")
        await evil.until(NO, "NAME_RESERVED")
        await evil.until(NEWS, "resumed, 0 missed")
        assert server._life.house.hub.state.users["nat"].id == "a:nat"  # who is away


async def test_who_is_logged_in_becomes_nobody_else_and_a_wrong_id_is_told(walk_in: Walk) -> None:
    async with asynchat.Server(house()) as server:
        old, nat = await walk_in(LineClient, server.port, "old"), await walk_in(LineClient, server.port, "nat")
        await nat.say("/register secret")
        await nat.until(NEWS, "registered")
        await nat.say(f"/resume {old.key}")
        await nat.until(NO, "NOT_YOURS")
        await nat.say(f"/resume {old.key} {'9' * 5000}")
        await nat.until(NO, "UNKNOWN_ID")
        guest = await walk_in(LineClient, server.port, "guest")
        await guest.say(f"/resume {old.key}")  # it was not used up
        await guest.until(NEWS, "resumed")


async def test_the_end_of_input_waits_for_what_was_announced(walk_in: Walk) -> None:
    async with asynchat.Server(house()) as server:
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(IrcClient, server.port, "bob")
        nat.reset()
        await bob.until(NEWS, "QUIT")
        await bob.say("missed")
        await bob.ping()
        again = await walk_in(LineClient, server.port)
        await again.send(f"nat\n/resume {nat.key}\n".encode())
        again.writer.write_eof()
        assert ("bob", "missed") in await again.rest()


async def test_who_is_taken_over_in_the_middle_of_a_command_is_no_error(
    walk_in: Walk, tmp_path: Path, slow_disk: None, caplog: pytest.LogCaptureFixture
) -> None:
    async with asynchat.Server(house(tmp_path, durability="sync")) as server:
        nat, bob = await walk_in(LineClient, server.port, "nat"), await walk_in(LineClient, server.port, "bob")
        await nat.say("/name newnat")
        await asyncio.sleep(0.05)
        await bob.say(f"/resume {nat.key}")
        await bob.until(NEWS, "resumed")
        with pytest.raises(Ended):
            await nat.until(NEWS, "never")
    assert "failed" not in caplog.text


# Accounts.


async def test_who_comes_back_is_welcomed_before_anything_else_is_said(walk_in: Walk, tmp_path: Path) -> None:
    async with asynchat.Server(house(tmp_path, history={"replay": 20})) as server:
        tom = await walk_in(IrcClient, server.port, "tom")
        await registered(walk_in, server.port, "sue")
        sue = await in_as(await logged_in(walk_in, server.port, "sue"), "sue")
        await sue.command("QUIT")
        await sue.rest()
        await says(tom, ["while away"])
        back = await logged_in(walk_in, server.port, "sue")
        await back.command("NICK sue", "USER sue 0 * :sue")
        lines = "".join(f"PRIVMSG #lobby :live {number}\r\n" for number in range(200)).encode()
        await asyncio.gather(tom.send(lines), back.command("CAP END"))
        await back.until("tom", "live 199")
        shown = [line for line in back.raw if " PRIVMSG " in line or " 001 " in line]
        assert " 001 " in shown[0]
        texts = [line.rpartition("] ")[2].rpartition(" :")[2] for line in shown[1:]]
        assert texts[0] == "while away" or texts[0].startswith("live")
        assert sorted(texts, key=lambda text: int(text.split()[-1]) if "live" in text else -1) == texts
        assert len(texts) == len(set(texts))


async def test_a_netcat_user_with_an_account_is_shown_the_lobby_once(walk_in: Walk) -> None:
    async with asynchat.Server(house(history={"replay": 20})) as server:
        tom = await walk_in(IrcClient, server.port, "tom")
        await registered(walk_in, server.port, "sue")

        async def login() -> LineClient:
            client: LineClient = await walk_in(LineClient, server.port)
            await client.send(b"sue\nsecret\n")
            await client.until(NEWS, "hello sue")
            return client

        sue = await login()
        for line in ("/join #dev", "/part #lobby", "quit"):
            await sue.say(line)
        await sue.rest()
        await says(tom, ["hello"])
        sue = await login()
        await sue.say("/who")
        await sue.until(NEWS, "(2)")
        assert len([what for _, what in sue.talk if "hello" in what]) == 1


async def test_forgetting_can_be_done_again_after_it_failed_and_reaches_words_kept_with_rooms(
    walk_in: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asynchat.Server(house(tmp_path)) as server:
        await registered(walk_in, server.port, "nat")
        nat = await in_as(await logged_in(walk_in, server.port, "nat"), "nat")
        late = await logged_in(walk_in, server.port, "nat")
        await nat.command("METADATA #lobby SET url :plugh-word", "PRIVMSG #lobby :xyzzy")
        await nat.ping()
        chat = server._life.house
        assert chat.logins is not None
        parts: dict[str, Any] = {"hub": chat.hub, "journal": chat.hub.journal, "store": chat.history}

        async def fail(account: str) -> None:
            raise asynchat.StoreError("disk full")

        with monkeypatch.context() as patched:
            patched.setattr(chat.history, "forget", fail)
            with pytest.raises(asynchat.StoreError):
                await forget("nat", logins=chat.logins, **parts)  # type: ignore[arg-type]
        assert await forget("nat", logins=chat.logins, **parts) > 0  # type: ignore[arg-type]
        for word in (b"plugh-word", b"xyzzy"):
            assert [each.name for each in tmp_path.iterdir() if each.is_file() and word in each.read_bytes()] == []
        with pytest.raises(asynchat.Refused, match="NO_SUCH_ACCOUNT"):
            await forget("nat", logins=chat.logins, **parts)  # type: ignore[arg-type]
        await in_as(late, "nat")  # had given the password before
        assert [user.source.account for user in chat.hub.state.people.values()] == [None]
