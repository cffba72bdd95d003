"""Commands about oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.errors import BadMessage, Refused
from asynchat.chat.names import casefold
from asynchat.client.show import error, news
from asynchat.client.terminal.commands.table import command, present, write
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk


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
    if argument:
        desk.tell(error("whoever sees this terminal has seen that; choose another password"))
    password = await desk.face.ask(f"a password for {client.nick}")
    again = await desk.face.ask("once more") if password else ""
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
