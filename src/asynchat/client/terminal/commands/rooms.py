"""Commands about rooms, and who is there."""

from __future__ import annotations

from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING

from asynchat.chat.errors import Refused
from asynchat.client.terminal.commands.table import command, here, present, room_and_rest, write

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk


@command("join", "#room [key]", "j")
async def join(desk: Desk, argument: str) -> None:
    """Enter a room, or go back to it."""
    rooms, _, keys = argument.partition(" ")
    for room, key in zip_longest(rooms.split(","), keys.strip().split(","), fillvalue=""):
        if room:
            await _enter(desk, room, key)


async def _enter(desk: Desk, room: str, key: str) -> None:
    server = desk.server
    place = server.get(room)
    if place is not None:
        desk.look(place)
        return
    present(server.client)
    server.ask_for(room, lambda: not (desk.face.hides and desk.face.half_typed))
    with suppress(Refused):  # the server's words are shown
        await server.client.join(room, key)


@command("part", "[#room] [why]", "leave")
async def part(desk: Desk, argument: str) -> None:
    """Leave a room."""
    room, reason = room_and_rest(desk, argument)
    write(desk, "PART", room, *([reason] if reason else []))
    desk.server.ask_to_leave(room)


@command("rooms", "", "list")
async def rooms(desk: Desk, argument: str) -> None:
    """List the rooms of the server."""
    write(desk, "LIST", *([argument] if argument else []))


@command("names", "[#room]")
async def names(desk: Desk, argument: str) -> None:
    """Who is in a room."""
    write(desk, "NAMES", argument or here(desk).name)


@command("who", "[#room]")
async def who(desk: Desk, argument: str) -> None:
    """Who is in a room, and where from."""
    write(desk, "WHO", argument or here(desk).name)


@command("topic", "[text]")
async def topic(desk: Desk, argument: str) -> None:
    """Show the room's topic, or set it."""
    room, text = room_and_rest(desk, argument)
    write(desk, "TOPIC", room, *([text] if text else []))


@command("invite", "name [#room]")
async def invite(desk: Desk, argument: str) -> None:
    """Let somebody in."""
    nick, _, rest = argument.partition(" ")
    write(desk, "INVITE", nick, room_and_rest(desk, rest.strip())[0])


@command("kick", "name [why]")
async def kick(desk: Desk, argument: str) -> None:
    """Put somebody out of the room."""
    nick, _, reason = argument.partition(" ")
    write(desk, "KICK", here(desk).name, nick, *([reason] if reason else []))


@command("ban", "name|mask")
async def ban(desk: Desk, argument: str) -> None:
    """Keep somebody out of the room."""
    write(desk, "MODE", here(desk).name, "+b", _mask(argument))


@command("unban", "name|mask")
async def unban(desk: Desk, argument: str) -> None:
    """Take a ban back."""
    write(desk, "MODE", here(desk).name, "-b", _mask(argument))


def _mask(argument: str) -> str:
    name = argument.split(maxsplit=1)[0]
    return name if any(sign in name for sign in "*!@:") else f"{name}!*@*"


@command("mode", "[letters] [names]")
async def mode(desk: Desk, argument: str) -> None:
    """Show how the room is set, or set it: /mode +o bob."""
    room, rest = room_and_rest(desk, argument)
    write(desk, "MODE", room, *rest.split())


@command("op", "name")
async def op(desk: Desk, argument: str) -> None:
    """Let somebody run the room."""
    write(desk, "MODE", here(desk).name, "+o", argument)
