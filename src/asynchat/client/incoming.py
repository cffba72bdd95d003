"""What a program hears: messages, and what else happens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from asynchat.chat.names import casefold
from asynchat.client.positions import ROOMS, is_talk
from asynchat.client.show import mentions
from asynchat.wire.irc import message
from asynchat.wire.irc.message import Message

if TYPE_CHECKING:
    from asynchat.client.bot import Client

STATUS = "~&@%+"
"""What stands before a room's name when only those of a role are spoken to."""
REACT, UNREACT, REPLY, TYPING = (
    (message.REACT, "+react"),
    ("+draft/unreact",),
    (message.REPLY, "+reply"),
    ("+typing",),
)
"""Tags, as they are written and as they may be called one day. (IRCv3 react, reply, typing)"""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and is stored: in the room or to the person `to`.

    `id` is the server's name for it, "" if it gives none. A text that is too long for one message is several: `ids` are
    those of all.
    """

    to: str
    ids: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id of the message, of the first if it became several."""
        return self.ids[0] if self.ids else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A message, as a program has it that is a client.

    `id` is the server's name for it, "" if it gives none. `at` is when it was said by the server's clock (aware, UTC),
    else when it came. `room` is where it was said, None if it is `direct`, which is to one person; `place` is the room,
    or the person at the other end. `by` is the name of
    who said it, `account` theirs if they are logged in and the server tells. `text` is as it was said, with its line
    breaks: whoever prints it to a terminal has to take care. `kind` is message, action or notice. `mention`: our name
    is in the text, as a word. `own`: we said it.
    """

    id: str
    at: datetime
    room: str | None
    by: str
    account: str | None
    text: str
    kind: Literal["message", "action", "notice"]
    direct: bool
    mention: bool
    own: bool
    place: str
    _client: Client = field(repr=False, compare=False)
    _replies: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False, compare=False)

    async def reply(self, text: str, *, key: str | None = None) -> Sent:
        """Answer where it was said, and wait until that is stored.

        Unless a `key` is given, it is `self.key("reply/1")` for the first reply, then `"reply/2"` and so on. So a
        handler that is run again for the same message, since the program was killed before it was done, says nothing
        twice: what it says again under the same number was said already, even if the words are others now.

        Raises:
            Refused: we may not speak there (any more).
            Lost, NotAcknowledged: without `reconnect`, or on a server that does not know keys.
            BadMessage: it cannot be written.
        """
        number = next(self._replies)
        return await self._client.send(
            self.place, text, key=key or self.key(f"reply/{number}"), reply_to=self.id or None
        )

    async def react(self, emoji: str) -> None:
        """React to it, once. (IRCv3 react)

        Raises:
            Refused: NO_REACTIONS, the server knows no tags or gives no ids.
            Lost, NotAcknowledged
        """
        await self._client.react(self.place, self.id, emoji, key=self.key(f"react/{emoji}"))

    def key(self, what: str) -> str:
        """A key for something that follows from this message: the same after a restart, if the client has a cursor.

        For a message without an id it is one that never comes again.
        """
        return self._client.key_for(self.id, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something besides messages, as it happens; what happens while we are away is not told.

    | `kind` | `by` | `text` | `about` |
    |---|---|---|---|
    | join | has come into `room` | | |
    | leave | has left `room`, or the server (None), or put out | the reason | who was put out |
    | topic | of `room` | the topic | |
    | rename | had this name | the new name | |
    | invite | invites us to `room` | | |
    | reaction | reacts in `room`, or to us (None) | the emoji | the message's id |
    | unreaction | takes one back | the emoji | the message's id |
    | typing | in `room`, or to us (None) | active, paused or done | |
    | lost | | | |
    | back | | how many messages were missed, "" if nobody can tell | |

    `id`, `at` and `account` are as in a message, `own` is whether we did it. `lost` and `back` are about a connection
    that is made again: an outage is told once when it begins, and when it is over; what was missed comes after `back`.
    """

    kind: str
    id: str
    at: datetime
    room: str | None
    by: str
    account: str | None
    text: str
    about: str
    own: bool


def incoming(message: Message, me: str, client: Client) -> Incoming | None:
    """A line of talk as a program has it, and None for a request of one program to another (CTCP) or no talk."""
    if not is_talk(message):
        return None
    target, text = message.params[0], message.params[1]
    kind: Literal["message", "action", "notice"] = "notice" if message.command == "NOTICE" else "message"
    if text.startswith("\x01ACTION "):
        kind, text = "action", text[8:].removesuffix("\x01")
    elif text[:1] == "\x01":
        return None
    by = nick(message)
    own = casefold(by) == casefold(me)
    bare = target.lstrip(STATUS) if target.lstrip(STATUS)[:1] == "#" else target
    room = bare if bare[:1] in ROOMS else None
    return Incoming(
        id=message.tags.get("msgid", ""),
        at=time(message),
        room=room,
        by=by,
        account=message.tags.get("account"),
        text=text,
        kind=kind,
        direct=room is None,
        mention=not own and mentions(me, text),
        own=own,
        place=room or (target if own else by),
        _client=client,
    )


def happening(message: Message, me: str) -> Happening | None:
    """What a message of the server means, if it is something that a program can ask to be told of."""
    params = [*message.params, "", "", ""]
    match message.command:
        case "JOIN":
            return _happening(message, me, "join", params[0])
        case "PART":
            return _happening(message, me, "leave", params[0], params[1])
        case "QUIT":
            return _happening(message, me, "leave", None, params[0])
        case "KICK":
            return _happening(message, me, "leave", params[0], params[2], about=params[1])
        case "TOPIC":
            return _happening(message, me, "topic", params[0], params[1])
        case "NICK":
            return _happening(message, me, "rename", None, params[0])
        case "INVITE":
            return _happening(message, me, "invite", params[1])
        case "TAGMSG":
            return _signal(message, me, params[0])
    return None


def _signal(message: Message, me: str, target: str) -> Happening | None:
    room = target.lstrip(STATUS) if target.lstrip(STATUS)[:1] in ROOMS else None
    for kind, names in (("reaction", REACT), ("unreaction", UNREACT), ("typing", TYPING)):
        text = next((message.tags[name] for name in names if name in message.tags), None)
        if text is not None:
            about = next((message.tags[name] for name in REPLY if name in message.tags), "")
            return _happening(message, me, kind, room, text, about=about)
    return None


def _happening(message: Message, me: str, kind: str, room: str | None, text: str = "", *, about: str = "") -> Happening:
    by = nick(message)
    return Happening(
        kind=kind,
        id=message.tags.get("msgid", ""),
        at=time(message),
        room=room,
        by=by,
        account=message.tags.get("account"),
        text=text,
        about=about,
        own=casefold(by) == casefold(me),
    )


def of_connection(kind: str, text: str = "") -> Happening:
    """Something that happened to the connection."""
    return Happening(
        kind=kind, id="", at=datetime.now(UTC), room=None, by="", account=None, text=text, about="", own=False
    )


def nick(message: Message) -> str:
    """Whom a message comes from."""
    return message.source.partition("!")[0]


def time(message: Message) -> datetime:
    """When it was said. (IRCv3 server-time)"""
    try:
        at = datetime.fromisoformat(message.tags.get("time", ""))
    except ValueError:
        return datetime.now(UTC)
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
