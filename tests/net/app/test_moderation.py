"""Running a room from code: what who runs it may do, and others may not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

import asynchat
from tests.net.conftest import NEWS, NO, IrcClient, LineClient, Walk

Verb = Callable[[asynchat.Room], Awaitable[object]]

VERBS: dict[str, Verb] = {
    "give_role": lambda room: room.give_role("nat", "voice", by="ci"),
    "take_role": lambda room: room.take_role("nat", "operator", by="ci"),
    "ban": lambda room: room.ban("nat", by="ci"),
    "unban": lambda room: room.unban("bad", by="ci"),
    "mute": lambda room: room.mute("nat", by="ci"),
    "unmute": lambda room: room.unmute("bad", by="ci"),
}
"""What only who runs the room may do, by somebody who does not."""


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_who_does_not_run_the_room_may_not(verb: Verb, server: asynchat.Server, walk_in: Walk) -> None:
    await walk_in(LineClient, server.port, "nat")
    with pytest.raises(asynchat.Refused) as refused:
        await verb(server.room("#lobby"))
    assert refused.value.code == "NOT_ALLOWED"


def roles(room: asynchat.Room) -> dict[str, str | None]:
    return {person.name: person.role for person in room.members()}


async def test_roles_are_given_and_taken(server: asynchat.Server, walk_in: Walk) -> None:
    irene = await walk_in(IrcClient, server.port, "irene")
    await walk_in(LineClient, server.port, "nat")
    room = server.room("#lobby")
    await room.give_role("NAT", "voice", by="server")
    await irene.until(NEWS, "MODE #lobby +v nat")
    await room.give_role("nat", "helper", by="server")
    assert roles(room) == {"irene": "operator", "nat": "helper"}
    await room.take_role("nat", "helper", by="server")
    await room.take_role("nat", "helper", by="server")
    assert roles(room) == {"irene": "operator", "nat": "voice"}


async def test_who_runs_a_room_gives_roles_and_gives_up_its_own(server: asynchat.Server, walk_in: Walk) -> None:
    room = server.room("#ops")
    await room.send("first", by="ci")
    await room.send("second", by="cd")
    await room.give_role("cd", "operator", by="ci")
    await room.take_role("ci", "operator", by="ci")
    assert roles(room) == {"ci": None, "cd": "operator"}


async def test_a_role_is_one_that_there_is_and_for_a_member(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    room = server.room("#ops")
    for name, code in (("nobody", "NO_SUCH_NAME"), (nat.name, "NOT_THEIR_ROOM")):
        with pytest.raises(asynchat.Refused) as refused:
            await room.give_role(name, "voice", by="ci")
        assert refused.value.code == code
    with pytest.raises(ValueError, match="king"):
        await room.give_role("ci", "king", by="ci")  # type: ignore[arg-type]


async def test_who_is_invited_may_enter(server: asynchat.Server, walk_in: Walk) -> None:
    nat = await walk_in(LineClient, server.port, "nat")
    irene = await walk_in(IrcClient, server.port, "irene")
    room = server.room("#ops")
    await room.send("first", by="ci")
    await irene.command("JOIN #ops")
    await irene.until(NEWS, " 366 irene #ops ")
    await room.invite("nat", by="ci")
    await nat.until(NEWS, "ci invites you to #ops")
    with pytest.raises(asynchat.Refused, match="ALREADY_IN_ROOM"):
        await room.invite("irene", by="ci")


async def test_who_is_banned_from_a_room_does_not_enter_it_until_that_is_taken_back(server: asynchat.Server) -> None:
    room = server.room("#ops")
    await room.send("first", by="ci")
    await room.ban("mallory", by="ci")
    with pytest.raises(asynchat.Refused, match="BANNED"):
        await room.send("spam", by="mallory")
    [ban] = room.bans()
    assert (ban.mask, ban.by, ban.until, ban.reason) == ("mallory!*@*", "ci", None, "")
    assert timedelta() <= datetime.now(UTC) - ban.at < timedelta(minutes=1)
    await room.unban(ban.mask, by="ci")
    await room.unban("mallory", by="ci")
    assert room.bans() == []
    await room.send("sorry", by="mallory")


async def test_who_is_muted_hears_and_says_nothing_until_that_is_taken_back(
    server: asynchat.Server, walk_in: Walk
) -> None:
    irene = await walk_in(IrcClient, server.port, "irene")
    nat = await walk_in(LineClient, server.port, "nat")
    room = server.room("#lobby")
    await room.mute("nat", by="server")
    await irene.until(NEWS, "MODE #lobby +b m:nat!*@*")
    await nat.say("hello?")
    await nat.until(NO, "CANNOT_SPEAK")
    await irene.say("quiet now")
    await nat.until("irene", "quiet now")
    assert [ban.mask for ban in room.mutes()] == ["nat!*@*"]
    assert room.bans() == []
    await room.unmute("nat", by="server")
    await nat.say("thank you")
    await irene.until("nat", "thank you")
    assert room.mutes() == []


async def test_a_ban_holds_as_long_as_is_said_last(server: asynchat.Server) -> None:
    room = server.room("#ops")
    await room.send("first", by="ci")
    await room.ban("mallory", by="ci")
    await room.ban("MALLORY", seconds=3600, by="ci")
    [ban] = room.bans()
    assert ban.until is not None
    assert timedelta(minutes=59) < ban.until - datetime.now(UTC) <= timedelta(hours=1)
    with pytest.raises(asynchat.Refused, match="BAD_SETTING"):
        await room.ban("no such mask", by="ci")
