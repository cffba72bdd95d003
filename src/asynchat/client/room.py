"""A room, as a program that is in it has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asynchat.wire.irc.message import Message

if TYPE_CHECKING:
    from asynchat.client.bot import Client
    from asynchat.client.incoming import Incoming, Sent


@dataclass(frozen=True, slots=True)
class Room:
    """A room that a client has entered. Its methods are those of the client, without saying where."""

    name: str
    _client: Client = field(repr=False)

    async def send(self, text: str, *, key: str | None = None, kind: str = "message") -> Sent:
        """Say something, as `Client.send` does."""
        return await self._client.send(self.name, text, key=key, kind=kind)

    def history(self, **options: Any) -> AsyncIterator[Incoming]:
        """What was said, as `Client.history` tells it: `before`, `after`, `limit`."""
        return self._client.history(self.name, **options)

    def typing(self, state: str = "active") -> None:
        """Tell that one types, as `Client.typing` does."""
        self._client.typing(self.name, state)

    async def set_topic(self, topic: str) -> None:
        """Give it a topic.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self._client.ask(Message("TOPIC", [self.name, topic]))

    async def people(self) -> list[str]:
        """The names of who is there, in no order.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        lines = await self._client.ask(Message("NAMES", [self.name]))
        names = [name for line in lines if line.command == "353" for name in line.params[-1].split()]
        return [name.lstrip("~&@%+").partition("!")[0] for name in names]

    async def leave(self, reason: str = "") -> None:
        """Leave it.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self._client.leave(self.name, reason)
