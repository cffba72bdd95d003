"""Commands about what is open at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.names import casefold
from asynchat.client.show import error, news
from asynchat.client.terminal.commands.table import COMMANDS, command, here

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk


@command("help", "[command]", "h")
async def help_(desk: Desk, argument: str) -> None:
    """What can be done."""
    row = COMMANDS.get(casefold(argument.lstrip("/")))
    if argument and row is None:
        desk.tell(error(f"UNKNOWN {argument}; /help"))
        return
    rows = [row] if row is not None else dict.fromkeys(COMMANDS.values())
    desk.tell(*(news(f"/{each.name} {each.takes}".ljust(26) + f" {each.does}") for each in rows))


@command("switch", "name|number [text]", "s", "query", "go")
async def switch(desk: Desk, argument: str) -> None:
    """Look at another room, or person, and say something there."""
    name, _, text = argument.partition(" ")
    place = desk.find(name)
    if place is None:
        if name[:1] in desk.server.room_signs or name.isdecimal():
            desk.tell(error(f"NOT_IN_ROOM {name}; /join {name}"))
            return
        place = desk.server.open(name)
    desk.look(place)
    if text.strip():
        desk.say(text.strip(), to=place)


@command("next", "")
async def next_(desk: Desk, argument: str) -> None:
    """Look where something is unread: first where one was spoken to."""
    unread = sorted((place for place in desk.places if place.unread), key=lambda place: not place.mentions)
    if unread:
        desk.look(unread[0])


@command("close", "[name]")
async def close(desk: Desk, argument: str) -> None:
    """Close a conversation; a room is left."""
    place = desk.find(argument) if argument else here(desk)
    if place is None:
        desk.tell(error(f"there is no {argument}"))
    elif place.is_room:
        place.server.client.write("PART", place.name)
        place.server.ask_to_leave(place.name)
    else:
        place.server.close(place.name)
        desk.closed(place)


@command("connect", "url [#room]")
async def connect(desk: Desk, argument: str) -> None:
    """Be at one more server, under a URL or the name of a profile."""
    url, _, room = argument.partition(" ")
    desk.connecting.begin(url, room.strip())


@command("disconnect", "[server]")
async def disconnect(desk: Desk, argument: str) -> None:
    """Give up the last /connect, or leave a server; the last one ends it all."""
    if desk.connecting.give_up(argument):
        return
    server = desk.server
    if argument:
        found = [each for each in desk.servers if casefold(argument) in (casefold(each.label), str(each.client.url))]
        if not found:
            desk.tell(error(f"there is no {argument}; here are {', '.join(each.label for each in desk.servers)}"))
            return
        server = found[0]
    label = server.label
    desk.stand_up(server)
    await server.client.close()
    desk.tell(news(f"left {label}"))


@command("clear", "")
async def clear(desk: Desk, argument: str) -> None:
    """Let what was shown be gone."""
    desk.face.clear()


@command("typing", "on|off")
async def typing(desk: Desk, argument: str) -> None:
    """Whether others are told that you type."""
    desk.tells_typing = casefold(argument) != "off"
    desk.tell(news(f"typing {'on' if desk.tells_typing else 'off'}"))


@command("quit", "[why]", "exit")
async def quit_(desk: Desk, argument: str) -> None:
    """Go."""
    desk.reason = argument
    desk.leave()
