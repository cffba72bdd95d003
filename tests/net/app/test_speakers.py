"""Names that are kept for a program to speak under."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

import asynchat
from tests.net.conftest import NEWS, NO, FrameClient, IrcClient, LineClient, Walk, settings


async def test_a_guest_of_any_wire_is_refused_a_name_that_the_program_speaks_under(walk_in: Walk) -> None:
    async with asynchat.Server(port=0, speakers=["ci", "deploy"]) as server:
        for kind in (LineClient, FrameClient):
            guest = await walk_in(kind, server.port)
            await guest.say("CI")
            await guest.until(NO, "NAME_RESERVED CI is a name that only the server has")
            await guest.enter(kind.__name__)
        irene = await walk_in(IrcClient, server.port)
        await irene.command("NICK deploy", "USER irene 0 * :irene")
        await irene.until(NEWS, " 432 * deploy :deploy is a name that only the server has")
        await irene.enter("irene")
        await server.room("#lobby").send("deploy done", by="ci")
        await irene.until("ci", "deploy done")


async def test_nobody_takes_such_a_name_later(walk_in: Walk) -> None:
    async with asynchat.Server(port=0, speakers="ci") as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/name ci")
        await nat.until(NO, "NAME_RESERVED")
        irene = await walk_in(IrcClient, server.port, "irene")
        await irene.command("NICK ci")
        await irene.until(NEWS, " 432 irene ci :")
        await server.room("#lobby").send("here", by="ci")
        assert [person.name for person in server.users()] == ["nat", "irene", "ci"]


async def test_who_has_the_account_of_such_a_name_comes_in_by_its_password(tmp_path: Path, walk_in: Walk) -> None:
    store = {"path": str(tmp_path / "chat.db")}
    values = settings(store=store)
    async with asynchat.Server(values) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/register secret")
        await nat.until(NEWS, "registered")
    async with asynchat.Server(values, speakers=["nat"]) as server:
        nat = await walk_in(LineClient, server.port)
        await nat.say("nat")
        await nat.until(NEWS, "password:")
        await nat.say("secret")
        await nat.until(NEWS, "hello nat")
        await server.room("#lobby").send("from code", by="nat")
        await nat.until("nat", "from code")
        irene = await walk_in(IrcClient, server.port)
        await irene.command("CAP REQ :sasl", "NICK nat", "USER nat 0 * :nat", "AUTHENTICATE PLAIN")
        await irene.command(f"AUTHENTICATE {b64encode(b'nat\0nat\0secret').decode()}", "CAP END")
        await irene.until(NEWS, " 001 nat ")


async def test_who_took_such_a_name_before_it_was_kept_has_another_after_a_restart(
    tmp_path: Path, walk_in: Walk
) -> None:
    values = settings(store={"path": str(tmp_path / "chat.db")})
    async with asynchat.Server(values) as server:
        nat = await walk_in(LineClient, server.port, "nat")
        await nat.say("/register secret")
        await nat.until(NEWS, "registered")
        await nat.say("/quit")
        await nat.rest()
        nat = await walk_in(LineClient, server.port)
        await nat.say("nat")
        await nat.say("secret")
        await nat.until(NEWS, "hello nat")
        await nat.say("/name ci")
        await nat.until(NEWS, "you are now ci")
    async with asynchat.Server(values, speakers=["ci"]) as server:
        assert [(person.name, person.account) for person in server.users()] == [("ci2", "nat")]
        await server.room("#lobby").send("deploy done", by="ci")


@pytest.mark.parametrize("name", ["", "no name", "#ci", "9", "server", "x" * 33])
def test_a_name_that_nobody_can_have_is_not_kept(name: str) -> None:
    with pytest.raises(asynchat.BadConfig, match="speakers"):
        asynchat.Server(port=0, speakers=[name])
