"""Keeping people off the server, from code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import asynchat
from tests.net.conftest import NEWS, NO, Ended, IrcClient, LineClient, Walk


async def test_who_is_banished_is_put_out_and_stays_out_until_pardoned(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    irene = await walk_in(IrcClient, server.port, "irene")
    await server.banish("nat", "spam", by="server")
    await irene.until(NEWS, " QUIT :banned")
    with pytest.raises(Ended):
        await nat.until("nobody", "nothing")
    assert nat.news[-1].endswith("banned from this server (spam)")
    [ban] = server.bans()
    assert (ban.mask, ban.reason, ban.by, ban.until) == ("nat!*@*", "spam", "server", None)
    again = await walk_in(LineClient, server.port)
    await again.say("nat")
    await again.until(NO, "BANNED")
    await server.pardon(ban.mask, by="server")
    assert server.bans() == []
    await walk_in(LineClient, server.port, "nat")


async def test_whom_code_speaks_as_can_be_banished_for_some_time(server: asynchat.Server) -> None:
    await server.banish("a:ci", seconds=3600, by="server")
    with pytest.raises(asynchat.Refused, match="BANNED"):
        await server.room("#ops").send("hello", by="ci")
    await server.banish("192.0.2.0/24", by="server")
    account, network = server.bans()
    assert account.until is not None
    assert timedelta(minutes=59) < account.until - datetime.now(UTC) <= timedelta(hours=1)
    assert (network.mask, network.until) == ("192.0.2.0/24", None)


async def test_only_the_server_itself_says_who_may_be_here(server: asynchat.Server) -> None:
    await server.banish("mallory", by="server")
    for verb in (server.banish("nat", by="ci"), server.pardon("mallory", by="ci")):
        with pytest.raises(asynchat.Refused) as refused:
            await verb
        assert refused.value.code == "NOT_SERVER"
    assert [ban.mask for ban in server.bans()] == ["mallory!*@*"]
    with pytest.raises(asynchat.Refused, match="NO_SUCH_BAN"):
        await server.pardon("nat", by="server")
    with pytest.raises(asynchat.Refused, match="BAD_SETTING"):
        await server.banish("no such mask", by="server")


async def test_who_is_dropped_is_told_why_and_may_come_again(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    irene = await walk_in(IrcClient, server.port, "irene")
    await server.user("NAT").drop("flooding", by="server")
    assert (NEWS, "dropped: flooding") in await nat.rest()
    await irene.until(NEWS, " QUIT :dropped: flooding")
    await walk_in(LineClient, server.port, "nat")
    await server.room("#lobby").send("hello", by="ci")
    await server.user("ci").drop(by="server")
    await irene.until(NEWS, " QUIT :dropped")


async def test_only_the_server_drops_and_not_itself(server: asynchat.Server, walk_in: Walk) -> None:
    await walk_in(LineClient, server.port, "nat")
    await server.room("#lobby").send("hello", by="server")
    for name, by, code in (
        ("nat", "ci", "NOT_SERVER"),
        ("server", "server", "NOT_ALLOWED"),
        ("x", "ci", "NO_SUCH_NAME"),
    ):
        with pytest.raises(asynchat.Refused) as refused:
            await server.user(name).drop(by=by)
        assert refused.value.code == code
    with pytest.raises(asynchat.Refused, match="BAD_TEXT"):
        await server.user("nat").drop("enough\r\nERROR", by="server")
    assert sorted(person.name for person in server.users()) == ["ci", "nat", "server"]
