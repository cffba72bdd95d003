"""Running a room from code: what who runs it may do, and others may not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import asynchat
from asynchat.chat.events import FLAGS, ROLES, Setting
from asynchat.net.app.settings import NAMES
from tests.net.conftest import NEWS, NO, IrcClient, LineClient, Walk

Verb = Callable[[asynchat.Room], Awaitable[object]]

VERBS: dict[str, Verb] = {
    "give_role": lambda room: room.give_role("nat", "voice", by="ci"),
    "take_role": lambda room: room.take_role("nat", "operator", by="ci"),
    "ban": lambda room: room.ban("nat", by="ci"),
    "unban": lambda room: room.unban("bad", by="ci"),
    "mute": lambda room: room.mute("nat", by="ci"),
    "unmute": lambda room: room.unmute("bad", by="ci"),
    "rename": lambda room: room.rename("#ours", by="ci"),
    "change": lambda room: room.change(moderated=True, by="ci"),
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
    await room.change(invite_only=True, by="ci")
    with pytest.raises(asynchat.Refused, match="INVITE_ONLY"):
        await room.send("may I?", by="cd")
    await nat.say("/join #ops")
    await nat.until(NEWS, "joined #ops")


async def test_into_a_closed_room_only_who_runs_it_or_helps_invites(server: asynchat.Server, walk_in: Walk) -> None:
    await walk_in(LineClient, server.port, "nat")
    room = server.room("#ops")
    for name in ("ci", "cd"):
        await room.send("hello", by=name)
    await room.change(invite_only=True, by="ci")
    with pytest.raises(asynchat.Refused) as refused:
        await room.invite("nat", by="cd")
    assert refused.value.code == "NOT_ALLOWED"
    await room.give_role("cd", "helper", by="ci")
    await room.invite("nat", by="cd")


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


async def test_what_is_set_in_a_room_is_changed_at_once_and_can_be_had_back(
    server: asynchat.Server, walk_in: Walk
) -> None:
    irene = await walk_in(IrcClient, server.port, "irene")
    room = server.room("#lobby")
    before = room.settings()
    assert before == asynchat.RoomSettings(
        topic_locked=True,
        no_outsiders=True,
        moderated=False,
        no_requests=False,
        invite_only=False,
        members_only=False,
        secret=False,
        key=None,
        limit=None,
        ban_exceptions=(),
        invite_exceptions=(),
    )
    await room.change(moderated=True, key="tea", limit=9, ban_exceptions=("ci", "*@there"), by="server")
    await irene.until(NEWS, "MODE #lobby +mklee tea 9 ci!*@* *!*@there")
    assert room.settings() == {
        **before,
        "moderated": True,
        "key": "tea",
        "limit": 9,
        "ban_exceptions": ("ci!*@*", "*!*@there"),
    }
    await room.change(ban_exceptions=["CD", "ci!*@*"], by="server")  # type: ignore[typeddict-item]
    await irene.until(NEWS, "MODE #lobby -e+e *!*@there CD!*@*")
    await room.change(**before, by="server")
    await irene.until(NEWS, "MODE #lobby -mklee * ci!*@* CD!*@*")
    assert room.settings() == before


async def test_every_setting_of_a_room_has_its_name_and_is_told_from_the_others(server: asynchat.Server) -> None:
    assert {*NAMES.values()} | {*ROLES, Setting.BAN} == {*Setting}
    assert NAMES.keys() == asynchat.RoomSettings.__annotations__.keys()
    assert [name for name in NAMES if f"`{name}`" not in (asynchat.RoomSettings.__doc__ or "")] == []
    room = server.room("#ops")
    await room.send("hello", by="ci")
    for name in (name for name, setting in NAMES.items() if setting in FLAGS):
        before = room.settings()
        wanted = {name: not before[name]}  # type: ignore[literal-required]
        await room.change(**wanted, by="ci")  # type: ignore[typeddict-item]
        assert room.settings() == {**before, **wanted}


@pytest.mark.parametrize(
    "value", [{"key": "a b"}, {"key": ""}, {"limit": 0}, {"limit": -1}, {"ban_exceptions": ["a b"]}]
)
async def test_a_value_that_does_not_fit_is_refused_and_so_is_all_with_it(
    value: dict[str, Any], server: asynchat.Server
) -> None:
    room = server.room("#ops")
    await room.send("hello", by="ci")
    with pytest.raises(asynchat.Refused, match="BAD_SETTING"):
        await room.change(secret=True, **value, by="ci")
    assert not room.settings()["secret"]
    with pytest.raises(TypeError, match="colour"):
        await room.change(colour="red", by="ci")  # type: ignore[call-arg]


async def test_a_room_that_is_renamed_is_the_same_for_every_wire(server: asynchat.Server, walk_in: Walk) -> None:
    irene = await walk_in(IrcClient, server.port, "irene")
    nat = await walk_in(LineClient, server.port, "nat")
    lobby = server.room("#lobby")
    await lobby.send("before", by="ci")
    hall = await lobby.rename("#hall", "more room", by="server")
    assert hall.name == "#hall"
    await irene.until(NEWS, "PART #lobby :more room")
    await irene.until(NEWS, " 366 irene #hall ")
    await nat.say("after")
    await irene.until("nat", "after")
    assert [message.text for message in await hall.history()] == ["before", "after"]
    await server.room("#ops").send("hello", by="cd")
    with pytest.raises(asynchat.Refused, match="NAME_TAKEN"):
        await hall.rename("#ops", by="server")
    with pytest.raises(asynchat.Refused, match="BAD_ROOM_NAME"):
        await hall.rename("ops", by="server")
