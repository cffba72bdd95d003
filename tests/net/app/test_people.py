"""People as code sees them: who is here, and what was said to one alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import asynchat
from tests.net.conftest import NEWS, IrcClient, LineClient, Walk, settings


async def test_who_is_called_so_is_here_or_nobody_is(server: asynchat.Server, walk_in: Walk) -> None:
    user = server.user("IRENE")
    assert user.person() is None
    irene = await walk_in(IrcClient, server.port, "irene")
    await irene.command("AWAY :tea", "JOIN #ops")
    await irene.until(NEWS, " 366 irene #ops ")
    assert user.person() == asynchat.Person(
        name="irene", account=None, away="tea", connected=True, bot=False, role=None, rooms=("#lobby", "#ops")
    )
    await irene.command("QUIT")
    await irene.rest()
    assert user.person() is None
    await server.room("#ops").send("hello", by="ci")
    assert [(each.name, each.connected, each.bot) for each in server.users()] == [("ci", True, True)]


async def test_who_has_an_account_and_no_connection_is_here_and_not_connected(walk_in: Walk) -> None:
    async with asynchat.Server(settings(accounts={"kdf_cost": "test"})) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/register secret")
        await nat.until(NEWS, "registered")
        await nat.say("/quit")
        await nat.rest()
        nat = await walk_in(LineClient, server.port)
        await nat.say("nat")
        await nat.say("secret")
        await nat.until(NEWS, "hello nat")
        await nat.say("/quit")
        await nat.rest()
        person = server.user("nat").person()
        assert person is not None
        assert (person.account, person.connected, person.away, person.rooms) == ("nat", False, "quit", ("#lobby",))


@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_what_was_said_to_one_alone_is_read_all_or_with_one_other(
    store: str, tmp_path: Path, walk_in: Walk
) -> None:
    path = store if store == "memory" else tmp_path / store
    async with asynchat.Server(port=0, store=path) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        ci, cd = server.user("ci"), server.user("cd")
        await server.room("#ops").join(by="cd")
        await server.user("nat").send("build 1 broke", by="ci")
        await nat.say("/msg ci which test?")
        await nat.until(NEWS, "to ci: delivered")
        await cd.send("build 1 broke", by="ci")
        await server.room("#lobby").send("build 1 broke", by="ci")

        async def texts(user: asynchat.User, other: str | None = None) -> list[tuple[str, str]]:
            return [(each.by, each.text) async for each in user.messages(other=other, follow=False)]

        with_nat = [("ci", "build 1 broke"), ("nat", "which test?")]
        assert await texts(ci) == [*with_nat, ("ci", "build 1 broke")]
        assert await texts(ci, "NAT") == await texts(server.user("nat"), "ci") == with_nat
        assert await texts(cd) == await texts(cd, "ci") == [("ci", "build 1 broke")]
        assert await texts(cd, "nat") == await texts(server.user("nobody")) == []
        assert [each.text for each in await ci.history(other="nat", limit=1)] == ["which test?"]
        assert [each.to for each in await ci.search("BUILD")] == ["nat", "cd"]
        assert [each.to for each in await ci.search("build", other="nat")] == ["nat"]
        with pytest.raises(ValueError, match="no id"):
            await ci.history(before="now")


async def test_what_is_said_to_one_alone_is_heard_as_it_comes(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    messages = server.user("ci").messages(other="nat")
    for name in ("ci", "cd"):
        await server.room("#ops").join(by=name)
    await server.user("cd").send("not for you", by="ci")
    await nat.say("/msg ci one")
    await nat.say("/msg ci two")
    assert [(await anext(messages)).text for _ in range(2)] == ["one", "two"]
    await server.close()
    with pytest.raises(StopAsyncIteration):
        await anext(messages)
