"""The /commands of the desk: one function and one row each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from asynchat.chat.errors import BadMessage, Refused
from asynchat.chat.names import casefold
from asynchat.client.errors import Lost
from asynchat.client.positions import is_talk, reference
from asynchat.client.show import Line, error, news, show
from asynchat.client.terminal.places import Place
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from asynchat.client.talker import Talker
    from asynchat.client.terminal.desk import Desk

Function = Callable[["Desk", str], Coroutine[Any, Any, None]]

PAGE = 20
MOST = 1000
"""Lines of history that one command shows."""


class Command(NamedTuple):
    """A row: what it is called and takes, for /help, and what it does."""

    name: str
    takes: str
    does: str
    function: Function
    needs: bool
    """Whether it is nothing without its argument."""


COMMANDS: dict[str, Command] = {}


def command(name: str, takes: str, *aliases: str) -> Callable[[Function], Function]:
    """Put a function into the table; a bracket begins what is optional, and /help shows its docstring."""

    def enter(function: Function) -> Function:
        does = (function.__doc__ or "").rstrip(".")
        row = Command(name, takes, does[:1].lower() + does[1:], function, bool(takes) and takes[0] != "[")
        for each in (name, *aliases):
            COMMANDS[each] = row
        return function

    return enter


async def run(desk: Desk, text: str) -> None:
    """Run a line that begins with a slash."""
    name, _, argument = text[1:].partition(" ")
    row = COMMANDS.get(casefold(name.strip()))
    if row is None:
        desk.tell(error(f"UNKNOWN /{name}; /help"))
    elif row.needs and not argument.strip():
        desk.tell(error(f"NEED_MORE /{row.name} {row.takes}"))
    else:
        await row.function(desk, argument.strip("\n ") if row.name in ("say", "me", "msg") else argument.strip())


def here(desk: Desk) -> Place:
    """Where one looks.

    Raises:
        Refused: NOT_IN_ROOM
    """
    if desk.here is None:
        raise Refused("NOT_IN_ROOM", "you look at no room; /join #room, /switch name")
    return desk.here


def present(client: Talker) -> None:
    """See that there is a connection: whoever waits for one can type nothing meanwhile.

    Raises:
        Lost
    """
    if not client.connected:
        raise Lost("there is no connection")


def write(desk: Desk, *words: str) -> None:
    """Say a command to the server where one looks; it answers by what is shown.

    Raises:
        Lost, BadMessage
    """
    if not desk.servers:
        raise Lost("there is no connection")
    desk.server.client.write(*words)


def _room_and_rest(desk: Desk, argument: str) -> tuple[str, str]:
    """The room that an argument begins with, else the one where one looks; and what follows."""
    if argument[:1] and desk.servers and argument[:1] in desk.server.room_signs:
        room, _, rest = argument.partition(" ")
        return room, rest.strip()
    return here(desk).name, argument


# The desk.


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
    desk.tell(news(f"connecting to {url}"))
    client, rooms = await desk.connect(url)
    await desk.sit_down(client, (room.strip(),) if room.strip() else rooms)


@command("disconnect", "[server]")
async def disconnect(desk: Desk, argument: str) -> None:
    """Leave a server; the last one ends it all."""
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


# Rooms.


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
    server.ask_for(room)
    with suppress(Refused):  # the server's words are shown
        await server.client.join(room, key)


@command("part", "[#room] [why]", "leave")
async def part(desk: Desk, argument: str) -> None:
    """Leave a room."""
    room, reason = _room_and_rest(desk, argument)
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
    room, text = _room_and_rest(desk, argument)
    write(desk, "TOPIC", room, *([text] if text else []))


@command("invite", "name [#room]")
async def invite(desk: Desk, argument: str) -> None:
    """Let somebody in."""
    nick, _, rest = argument.partition(" ")
    write(desk, "INVITE", nick, _room_and_rest(desk, rest.strip())[0])


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
    room, rest = _room_and_rest(desk, argument)
    write(desk, "MODE", room, *rest.split())


@command("op", "name")
async def op(desk: Desk, argument: str) -> None:
    """Let somebody run the room."""
    write(desk, "MODE", here(desk).name, "+o", argument)


# Talk.


@command("msg", "name text", "m")
async def msg(desk: Desk, argument: str) -> None:
    """Say something to one person."""
    to, _, text = argument.partition(" ")
    if not text.strip():
        desk.tell(error("NEED_MORE /msg name text"))
        return
    server = desk.server
    desk.say(text.strip(), to=server.get(to) or Place(server, to))


@command("reply", "text", "r")
async def reply(desk: Desk, argument: str) -> None:
    """Answer who last spoke to you alone."""
    if desk.replies_to is None:
        desk.tell(error("NO_SUCH_NAME nobody has spoken to you alone yet"))
    else:
        desk.say(argument, to=desk.replies_to)


@command("me", "text")
async def me(desk: Desk, argument: str) -> None:
    """* alice waves."""
    desk.say(argument, action=True)


@command("say", "text")
async def say(desk: Desk, argument: str) -> None:
    """Say exactly this."""
    desk.say(argument)


@command("delete", "")
async def delete(desk: Desk, argument: str) -> None:
    """Take back what you said last."""
    if not desk.server.last_said:
        desk.tell(error("there is nothing to take back"))
    else:
        write(desk, "REDACT", here(desk).name, desk.server.last_said)


@command("history", "[number]")
async def history(desk: Desk, argument: str) -> None:
    """What was said before what is shown; each time further back."""
    number = min(int(argument[:9]), MOST) if argument.isdecimal() else PAGE
    place = here(desk)
    client = place.server.client
    present(client)
    if not client.resumes:
        desk.tell(error("this server does not tell what was said before"))
        return
    counted = client.isupport.get("CHATHISTORY", "")[:9]
    most = int(counted) if counted.isdecimal() and int(counted) else 100
    lines: list[Line] = []
    while number > 0:
        before = f"BEFORE {place.name} {place.oldest}" if place.oldest else f"LATEST {place.name} *"
        limit = min(number, most)
        try:
            page = await client.request(Message("CHATHISTORY", [*before.split(" "), str(limit)]), quiet=True)
        except Refused as refused:
            desk.tell(error(str(refused)))
            return
        said = [message for message in page if is_talk(message)]
        if not said:
            break
        place.oldest = reference(said[0])
        lines = [line for message in said for line in show(message, client.nick)] + lines
        number -= len(said)
    if not lines:
        desk.tell(news(f"{place.name} begins here"))
        return
    desk.tell(news(f"earlier in {place.name}:"))
    desk.put([line._replace(mention=False) for line in lines])
    desk.tell(news("end"))


@command("search", "words")
async def search(desk: Desk, argument: str) -> None:
    """What was said here with these words in it."""
    place = here(desk)
    client = place.server.client
    present(client)
    if "soju.im/search" not in client.capabilities:
        desk.tell(error("this server cannot search"))
        return
    try:
        page = await client.request(Message("SEARCH", [_attributes(place.name, argument)]), quiet=True)
    except Refused as refused:
        desk.tell(error(str(refused)))
        return
    found = [line for message in page if is_talk(message) for line in show(message, client.nick)]
    desk.put([line._replace(mention=False) for line in found])
    desk.tell(news("end"))


def _attributes(place: str, words: str) -> str:
    """What is searched for, as tags are written. (soju.im/search)"""
    from asynchat.wire.irc.message import encode_tags

    return encode_tags({"in": place, "text": words, "limit": str(PAGE)})


# Oneself.


@command("nick", "newname", "name")
async def nick(desk: Desk, argument: str) -> None:
    """Take another name."""
    write(desk, "NICK", argument)


@command("away", "[why]")
async def away(desk: Desk, argument: str) -> None:
    """Say that you are away; without a reason, that you are back."""
    write(desk, "AWAY", *([argument] if argument else []))


@command("whois", "name")
async def whois(desk: Desk, argument: str) -> None:
    """Who somebody is."""
    write(desk, "WHOIS", argument)


@command("register", "", "passwd")
async def register(desk: Desk, argument: str) -> None:
    """Make your name yours; you are asked for a password."""
    client = desk.server.client
    present(client)
    if "draft/account-registration" not in client.capabilities:
        desk.tell(error("accounts are not made here; see what the server says"))
        return
    password = await desk.face.ask(f"a password for {client.nick}")
    again = await desk.face.ask("once more")
    if password != again or not password:
        desk.tell(error("those were two; nothing was done"))
        return
    try:
        await client.register(password)
    except (Refused, BadMessage) as refused:
        if isinstance(refused, BadMessage):
            desk.tell(error("that cannot be a password"))
    else:
        desk.tell(news(f"registered; {client.nick} is yours"))


@command("ignore", "[name]")
async def ignore(desk: Desk, argument: str) -> None:
    """Show nothing of somebody any more; again takes it back."""
    name = casefold(argument)
    if not argument:
        desk.tell(news(f"ignored: {', '.join(sorted(desk.ignored)) or 'nobody'}"))
    elif name in desk.ignored:
        desk.ignored.discard(name)
        desk.tell(news(f"{plain(argument)} is heard again"))
    else:
        desk.ignored.add(name)
        desk.tell(news(f"{plain(argument)} is ignored until you leave"))


@command("quote", "line")
async def quote(desk: Desk, argument: str) -> None:
    """Say this to the server as it stands, in IRC's words."""
    message = Message.parse(argument)
    write(desk, message.command, *message.params)
