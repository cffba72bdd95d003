"""Commands about what is said, and was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.errors import Refused
from asynchat.client.positions import is_talk, reference
from asynchat.client.show import Line, error, news, show
from asynchat.client.terminal.commands.table import command, here, present, write
from asynchat.client.terminal.places import Place
from asynchat.wire.irc.message import Message

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk

PAGE = 20
MOST = 1000
"""Lines of history that one command shows."""


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
