"""Talking from code: what an application says, as whom, and what it is told about rooms and people."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import asynchat
from asynchat.wire.banishing import banish
from tests.net.conftest import NEWS, IrcClient, LineClient, Walk, settings


def code_of(refused: pytest.ExceptionInfo[asynchat.Refused]) -> str:
    return refused.value.code


async def test_what_code_says_everybody_in_the_room_hears_and_it_is_given_a_receipt(
    server: asynchat.Server, walk_in: Walk
) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    irene = await walk_in(IrcClient, server.port, "irene")
    receipt = await server.room("#lobby").send("deploy done", by="ci")
    assert receipt.new
    assert timedelta() <= datetime.now(UTC) - receipt.at < timedelta(minutes=1)
    for client in (nat, irene):
        await client.until("ci", "deploy done")
    [message] = await server.room("#LOBBY").history()
    assert message == asynchat.Message(
        id=receipt.id, to="#lobby", text="deploy done", by="ci", account="ci", at=receipt.at, kind="message"
    )
    assert message.room == "#lobby"


async def test_what_is_sent_again_under_its_key_is_said_once(server: asynchat.Server) -> None:
    room = server.room("#ops")
    first = await room.send("deploy done", by="ci", key="deploy-81")
    again = await room.send("deploy done", by="ci", key="deploy-81")
    assert (again.id, again.at, again.new) == (first.id, first.at, False)
    assert (await room.send("deploy done", by="cd", key="deploy-81")).new, "another's keys are others"
    assert [message.by for message in await room.history()] == ["ci", "cd"]


async def test_a_key_is_known_again_after_a_restart(tmp_path: Path) -> None:
    receipts = []
    for _ in range(2):
        async with asynchat.Server(port=0, store=tmp_path / "chat.db") as server:
            receipts.append(await server.room("#ops").send("done", by="ci", key="81"))
    assert receipts[0].new
    assert receipts[1] == asynchat.Receipt(id=receipts[0].id, at=receipts[0].at, new=False)


async def test_who_code_speaks_as_is_seen_in_the_room_as_a_bot_and_leaves_when_told(
    server: asynchat.Server, walk_in: Walk
) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    await server.room("#lobby").send("hello", by="ci")
    await nat.until(NEWS, "ci joined")
    assert [(each.name, each.role, each.bot) for each in server.room("#lobby").members()] == [
        ("nat", "operator", False),
        ("ci", None, True),
    ]
    await server.leave("CI")
    await nat.until(NEWS, "ci left (left)")
    await server.leave("ci")
    assert [each.name for each in server.users()] == ["nat"]
    await server.room("#lobby").send("back", by="ci")
    await nat.until("ci", "back")


async def test_many_who_begin_to_speak_as_one_name_are_one_and_their_words_keep_their_order(
    server: asynchat.Server,
) -> None:
    room = server.room("#ops")
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(room.send(str(number), by="ci"))
    assert [message.text for message in await room.history()] == [str(number) for number in range(20)]
    assert [each.name for each in room.members()] == ["ci"]


@pytest.mark.parametrize("turns", range(8))
async def test_who_was_coming_in_when_the_caller_was_cancelled_is_known_by_their_name(
    turns: int, server: asynchat.Server
) -> None:
    task = asyncio.create_task(server.room("#ops").send("hello", by="ci"))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await server.room("#lobby").send("hello", by="other")  # who comes in after that
    await server.leave("ci")
    assert [each.name for each in server.users()] == ["other"]


async def test_who_comes_in_while_the_server_closes_goes_again(tmp_path: Path) -> None:
    for turns in range(12):
        async with asynchat.Server(listen=(), store=tmp_path / "chat.db") as server:
            task = asyncio.create_task(server.room("#ops").send("hello", by="ci"))
            closing = asyncio.create_task(server.close())
            for _ in range(turns):
                await asyncio.sleep(0)
            late = asyncio.create_task(server.room("#ops").send("hello", by="late"))
            await closing
        outcomes = await asyncio.gather(task, late, return_exceptions=True)
        assert all(isinstance(each, asynchat.Receipt | asynchat.Refused | RuntimeError) for each in outcomes), outcomes
    async with asynchat.Server(listen=(), store=tmp_path / "chat.db") as server:
        assert server.users() == []


async def test_who_code_speaks_as_enters_a_room_by_its_key_and_leaves_one_of_several(server: asynchat.Server) -> None:
    ops, lobby = server.room("#ops"), server.room("#lobby")
    await ops.change(key="tea", by="ci")
    for key in (None, "coffee"):
        with pytest.raises(asynchat.Refused) as refused:
            await ops.join(key=key, by="cd")
        assert code_of(refused) == "BAD_KEY"
    await ops.join(key="tea", by="cd")
    await ops.join(by="cd")
    await lobby.join(by="cd")
    await ops.leave("done", by="cd")
    assert [person.name for person in ops.members()] == ["ci"]
    assert [person.name for person in lobby.members()] == ["cd"]
    for room, code in ((ops, "NOT_IN_ROOM"), (server.room("#none"), "NO_SUCH_ROOM")):
        with pytest.raises(asynchat.Refused) as refused:
            await room.leave(by="cd")
        assert code_of(refused) == code


async def test_a_guests_name_is_refused(server: asynchat.Server, walk_in: Walk) -> None:
    await walk_in(LineClient, server.port, "nat")
    with pytest.raises(asynchat.Refused) as refused:
        await server.room("#lobby").send("I am not nat", by="Nat")
    assert code_of(refused) == "NAME_TAKEN"
    with pytest.raises(asynchat.Refused) as refused:
        await server.room("#lobby").send("nor this", by="no name")
    assert code_of(refused) == "BAD_NAME"


async def test_who_has_an_account_is_the_same_person_from_code(walk_in: Walk) -> None:
    async with asynchat.Server(settings(accounts={"kdf_cost": "test"})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/register secret")
        await nat.until(NEWS, "registered")
        await nat.say("/quit")
        await nat.rest()
        await server.room("#lobby").send("from my page", by="nat")
        [person] = server.users()
        assert (person.name, person.account, person.bot, person.rooms) == ("nat", "nat", False, ("#lobby",))
        nat = await LineClient.connect(server.port)
        await nat.say("nat")
        await nat.until(NEWS, "password:")
        await nat.say("secret")
        await nat.until(NEWS, "hello nat")
        await server.room("#lobby").send("from my page again", by="nat")
        await nat.until("nat", "from my page again")
        assert [each.name for each in server.users()] == ["nat"]
        await nat.close()


async def test_what_policy_refuses_code_is_refused_too_but_not_the_server_itself(
    server: asynchat.Server, walk_in: Walk
) -> None:
    nat = await walk_in(IrcClient, server.port, "nat")
    await nat.command("MODE #lobby +m", "MODE #lobby +b bad!*@*")
    await nat.ping()
    room = server.room("#lobby")
    for name, code in (("ci", "CANNOT_SPEAK"), ("bad", "BANNED")):
        with pytest.raises(asynchat.Refused) as refused:
            await room.send("hello", by=name)
        assert code_of(refused) == code
    with pytest.raises(asynchat.Refused) as refused:
        await room.kick("nat", by="ci")
    assert code_of(refused) == "NOT_ALLOWED"
    with pytest.raises(asynchat.Refused) as refused:
        await room.set_topic("mine", by="ci")
    assert code_of(refused) == "NOT_ALLOWED"
    await room.send("I may", by="server")
    await nat.until("server", "I may")
    await room.set_topic("what we do", by="server")
    assert room.topic() == "what we do"
    await room.kick("nat", "enough", by="server")
    await nat.until(NEWS, "KICK #lobby nat :enough")


async def test_the_server_runs_a_room_from_outside(server: asynchat.Server) -> None:
    room = server.room("#ops")
    await room.send("hello", by="ci")
    await room.set_topic("news", by="server")
    await room.kick("ci", by="server")
    assert room.topic() == "news"
    assert room.members() == []


async def test_a_text_that_is_none_too_long_or_of_no_kind_is_refused(server: asynchat.Server) -> None:
    room = server.room("#ops")
    for text, code in (("", "NO_TEXT"), ("a\0b", "BAD_TEXT"), ("x" * 100_000, "TOO_LONG")):
        with pytest.raises(asynchat.Refused) as refused:
            await room.send(text, by="ci")
        assert code_of(refused) == code
    for kind in ("shout", "signal"):
        with pytest.raises(ValueError, match=kind):
            await room.send("hello", by="ci", kind=kind)
    for name in ("ops", "#a b"):
        with pytest.raises(asynchat.Refused, match="BAD_ROOM_NAME"):
            await server.room(name).send("hello", by="ci")


async def test_a_text_of_several_lines_a_notice_and_an_action_are_shown_as_such(
    server: asynchat.Server, walk_in: Walk
) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    room = server.room("#lobby")
    await room.send("one\ntwo", by="ci")
    await nat.until("ci", "one")
    await nat.until("ci", "two")
    await room.send("waves", by="ci", kind="action")
    await nat.until("*", "ci waves")
    await room.send("for people", by="ci", kind="notice")
    await nat.until("-ci-", "for people")
    assert [message.kind for message in await room.history()] == ["message", "action", "notice"]


async def test_code_speaks_to_one_person_alone(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    receipt = await server.user("NAT").send("psst", by="ci", key="1")
    await nat.until("[dm", "ci] psst")
    assert (await server.user("nat").send("psst", by="ci", key="1")).id == receipt.id
    assert await server.room("#lobby").history() == []
    with pytest.raises(asynchat.Refused) as refused:
        await server.user("nobody").send("psst", by="ci")
    assert code_of(refused) == "NO_SUCH_NAME"
    with pytest.raises(asynchat.Refused):
        server.user("#lobby")


async def test_rooms_people_history_and_search(server: asynchat.Server) -> None:
    lobby, ops = server.room("#lobby"), server.room("#ops")
    with pytest.raises(asynchat.Refused) as refused:
        await ops.history()
    assert code_of(refused) == "NO_SUCH_ROOM"
    ids = [(await ops.send(f"deploy {number}", by="ci")).id for number in range(5)]
    await lobby.send("deploy here", by="alice")
    assert [room.name for room in server.rooms()] == ["#ops", "#lobby"]
    assert sorted(each.name for each in server.users()) == ["alice", "ci"]

    async def texts(**bounds: str | int) -> list[str]:
        return [message.text for message in await ops.history(**bounds)]  # type: ignore[arg-type]

    assert await texts(limit=2) == ["deploy 3", "deploy 4"]
    assert await texts(after=ids[1], limit=2) == ["deploy 2", "deploy 3"]
    assert await texts(before=ids[2]) == ["deploy 0", "deploy 1"]
    assert await texts(after=ids[0], before=ids[2]) == ["deploy 1"]
    assert [message.text for message in await ops.search("deploy 3")] == ["deploy 3"]
    assert [message.text for message in await ops.search("DEPLOY", limit=2)] == ["deploy 3", "deploy 4"]
    with pytest.raises(ValueError, match="no id"):
        await ops.history(after="yesterday")
    await server.leave("ci")
    assert [room.name for room in server.rooms()] == ["#lobby"]
    assert len(await ops.history()) == 5, "a room that is empty has its past"
    assert ops.members() == []
    assert ops.topic() is None


async def test_who_is_put_out_by_a_ban_may_not_come_again(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    await server.room("#lobby").send("spam", by="spammer")
    assert await banish(server._running().hub, "spammer!*@*") == 1
    await nat.until(NEWS, "spammer left (banned)")
    with pytest.raises(asynchat.Refused) as refused:
        await server.room("#lobby").send("spam", by="spammer")
    assert code_of(refused) == "BANNED"


async def test_a_handle_is_good_while_the_server_runs_and_no_longer() -> None:
    server = asynchat.Server(port=0)
    room = server.room("#ops")
    with pytest.raises(RuntimeError, match="does not run"):
        await room.send("too early", by="ci")
    async with server:
        await room.send("in time", by="ci")
    for use in (room.members, room.topic, server.rooms, server.users, room.messages):
        with pytest.raises(RuntimeError, match="does not run"):
            use()
    with pytest.raises(RuntimeError, match="does not run"):
        await room.send("too late", by="ci")
