"""Messages: what was said, as an application reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asynchat.chat.events import Event, Kind, Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody said; it never changes.

    `id` is its name everywhere, a decimal number as text, that rises: a position to read on from. It is empty while a
    hook is asked whether it may be said. `text` may have several lines, parted by LF. `by` is the name of who said it,
    as it was then, and `account` what they were logged in to, if they were. `at` is its time, aware, in UTC. `to` is
    the name of the room, or of the person if it was said to one alone. `kind` is `message`, `notice` (which no machine
    answers) or `action` ("* alice waves").
    """

    id: str
    to: str
    text: str
    by: str
    account: str | None
    at: datetime
    kind: str = Kind.MESSAGE.value

    @property
    def room(self) -> str | None:
        """The name of the room in which it was said; None if it was said to one person."""
        return self.to if self.to[:1] == "#" else None


def message_of(said: Said) -> Message:
    """What was said, as an application reads it."""
    by = said.by
    return Message(
        id=said.id,
        to=said.to,
        text=said.text,
        by=by.nick,
        account=by.account,
        at=said.at,
        kind=said.kind.value,
    )


def messages_of(events: Iterable[Event]) -> list[Message]:
    """The words among some events."""
    return [message_of(event) for event in events if isinstance(event, Said) and event.kind is not Kind.SIGNAL]
