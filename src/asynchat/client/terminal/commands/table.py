"""The table of commands, and what all of them need."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.client.errors import Lost
from asynchat.client.show import error
from asynchat.client.terminal.places import Place
from asynchat.wire.slashes import Command, enter

if TYPE_CHECKING:
    from asynchat.client.talker import Talker
    from asynchat.client.terminal.desk import Desk

Function = Callable[["Desk", str], Coroutine[Any, Any, None]]


COMMANDS: dict[str, Command[Function]] = {}


def command(name: str, takes: str, *aliases: str) -> Callable[[Function], Function]:
    """Put a function into the table."""
    return enter(COMMANDS, name, takes, *aliases)


async def run(desk: Desk, text: str) -> None:
    """Run a line that begins with a slash."""
    name, _, argument = text[1:].partition(" ")
    row = COMMANDS.get(casefold(name.strip()))
    if row is None:
        desk.tell(error(f"UNKNOWN /{name}; /help"))
    elif row.needs and not argument.strip():
        desk.tell(error(f"NEED_MORE {row.usage}"))
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


def room_and_rest(desk: Desk, argument: str) -> tuple[str, str]:
    """The room that an argument begins with, else the one where one looks; and what follows."""
    if argument[:1] and desk.servers and argument[:1] in desk.server.room_signs:
        room, _, rest = argument.partition(" ")
        return room, rest.strip()
    return here(desk).name, argument
