"""Talk: what code says in a room, or to one person, and takes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from asynchat.chat.errors import NoSuchMessage, NoText
from asynchat.chat.events import Kind, Said
from asynchat.chat.names import is_room
from asynchat.chat.verbs.deciding import one_line
from asynchat.net.app.inside import Inside
from asynchat.net.app.receipt import Receipt
from asynchat.wire.irc.message import REACT, REPLY

Spoken = Literal["message", "notice", "action"]
"""What may be said; reactions and the like have methods of their own."""
EMOJI = 64
"""Bytes of a reaction; what is longer is cut."""


class Talk:
    """The part of a room and of a user that is about saying something there."""

    __slots__ = ("_inside", "name")

    def __init__(self, name: str, inside: Callable[[], Inside]) -> None:
        self.name = name
        self._inside = inside

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    async def send(self, text: str, *, by: str, key: str | None = None, kind: Spoken = "message") -> Receipt:
        """Say something there; returns once it is stored, and shown to who is connected.

        `text` may have several lines, parted by LF. What `by` has said before under the same `key`, of up to 128
        characters, is not said again. `kind` is `message`, `notice` or `action`.

        Raises:
            Refused: NO_SUCH_NAME, nobody of that name is here; or what policy, a hook or the store says no to.
            ValueError: there is no such kind.
        """
        if kind not in get_args(Spoken):
            raise ValueError(f"{kind!r} is no kind of message: {', '.join(get_args(Spoken))}")
        return await self._inside().speakers.send(self.name, text, Kind(kind), by=by, key=key)

    async def react(self, message: str, emoji: str, *, by: str, key: str | None = None) -> Receipt:
        """React to what was said there, by its id. `key` is that of `send`. (IRCv3 react)

        Raises:
            Refused: UNKNOWN_MSGID, it is not there; NO_TEXT; or as `send`.
            StoreError: the log cannot be read.
        """
        emoji = one_line(emoji, EMOJI)
        if not emoji:
            raise NoText
        tags = ((REACT, emoji), (REPLY, (await self._said(message)).id))
        return await self._inside().speakers.send(self.name, "", Kind.SIGNAL, by=by, key=key, tags=tags)

    async def redact(self, message: str, reason: str = "", *, by: str) -> None:
        """Take back what was said there, by its id, from the log too: one's own, or anybody's in a room that one runs.

        Raises:
            Refused: UNKNOWN_MSGID, it is not there; NOT_ALLOWED.
            StoreError: the log cannot be read.
        """
        said, hub = await self._said(message), self._inside().hub
        await self._inside().speakers.do(
            lambda session: hub.redact(session.present, said, reason, via=session),
            by=by,
            room=self.name if is_room(self.name) else None,
        )

    async def _said(self, message: str) -> Said:
        """What was said there under that id."""
        said = await self._inside().log.find(message)
        if not isinstance(said, Said) or not self._has(said):
            raise NoSuchMessage(message)
        return said

    def _has(self, said: Said) -> bool:
        """Whether it was said there."""
        raise NotImplementedError
