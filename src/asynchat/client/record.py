"""A line of talk as an object, for programs: the one shape of `--json` everywhere."""

from __future__ import annotations

from typing import Any

from asynchat.chat.names import casefold
from asynchat.client.positions import place_of
from asynchat.client.show import talk
from asynchat.wire.irc.message import Message

KINDS = {"PRIVMSG": "message", "NOTICE": "notice"}


def record(message: Message, me: str) -> dict[str, Any]:
    """The object of a line of talk.

    `id` and `time` are the server's; where it tells no time that is when it came, and "" is what nobody knows. `place`
    is the room or the person that it belongs to, `from` and `to` are names, `account` is who has said it if they are
    logged in, `kind` is message, action or notice. `text` is as it was said, with its line breaks: whoever prints it
    has to take care.
    """
    said = talk(message)
    assert said is not None
    to, text = said
    kind = KINDS[message.command]
    if text.startswith("\x01ACTION "):
        kind, text = "action", text[8:].rstrip("\x01")
    place = place_of(message, me)
    name = to.lstrip("~&@%+") if place[:1] == "#" else message.source.partition("!")[0]
    if place[:1] != "#" and casefold(name) == casefold(me):
        name = to
    found = {
        "id": message.tags.get("msgid", ""),
        "time": message.tags.get("time", ""),
        "place": name,
        "from": message.source.partition("!")[0],
        "to": to,
        "kind": kind,
        "text": text,
    }
    if "account" in message.tags:
        found["account"] = message.tags["account"]
    return found
