"""A room, as a program that is in it has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from asynchat.client.bot import Client
    from asynchat.client.incoming import Incoming, Sent


@dataclass(frozen=True, slots=True)
class ClientRoom:
    """A room that a client has entered, as `Client.join` gives it; `name` is as it was given.

    Its methods are those of the client, without saying where. (`Room` is one of a server in the same program.)
    """

    name: str
    _client: Client = field(repr=False)

    async def send(
        self, text: str, *, key: str | None = None, kind: Literal["message", "action", "notice"] = "message"
    ) -> Sent:
        """Say something, as `Client.send` does."""
        return await self._client.send(self.name, text, key=key, kind=kind)

    def history(
        self,
        *,
        before: str | datetime | Incoming | None = None,
        after: str | datetime | Incoming | None = None,
        limit: int | None = 100,
    ) -> AsyncIterator[Incoming]:
        """What was said, as `Client.history` tells it."""
        return self._client.history(self.name, before=before, after=after, limit=limit)

    def typing(self, state: Literal["active", "paused", "done"] = "active") -> None:
        """Tell that one types, as `Client.typing` does."""
        self._client.typing(self.name, state)

    async def set_topic(self, topic: str) -> None:
        """Give it a topic.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self._client.ask("TOPIC", self.name, topic)

    async def people(self) -> list[str]:
        """The names of who is there, in no order.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        lines = await self._client.ask("NAMES", self.name)
        names = [name for line in lines if line[0] == "353" for name in line[-1].split()]
        return [name.lstrip("~&@%+").partition("!")[0] for name in names]

    async def leave(self, reason: str = "") -> None:
        """Leave it.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self._client.leave(self.name, reason)
