"""What survives: the log of events and the snapshot of what it adds up to.

An engine is one file that keeps these promises; `tests/store/test_conformance.py` asks them of every engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple, Protocol

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Kind, Place, Said
from asynchat.chat.search import Search

Position = int
"""Where an event stands within one place. Ordered there; nothing else is promised, density least of all."""


class Stored(NamedTuple):
    """An event that is in the log. Not `new`: the same sender had stored it before under the same key."""

    position: Position
    event: Event
    new: bool = True


class Had(NamedTuple):
    """How many events a place has had since the engine began to count, how many of them are not kept any more, and the
    id of the last of those; all 0 where everything is kept.
    """

    events: int = 0
    lost: int = 0
    last_lost: int = 0


def is_words(event: Event) -> bool:
    """Whether an event is what people read back: talk, but no reaction or the like."""
    return event.talk and getattr(event, "kind", None) is not Kind.SIGNAL


class Snapshot(NamedTuple):
    """The state as it was when every event up to and with `last_id` was applied; JSON values only."""

    last_id: int
    state: dict[str, Any]


class Log(Protocol):
    """The events kept, per place, in order.

    Ids are decimal numbers that rise in the order of `append`; they stay unique over restarts of a store that survives.
    """

    @property
    def last_id(self) -> int:
        """The highest id ever stored; ids are drawn after it."""

    @property
    def last_ms(self) -> int:
        """The time of the last event stored, in milliseconds of UTC; 0 if there is none."""

    async def open(self) -> None:
        """Make ready; called once, before anything else.

        Raises:
            StoreError: it is damaged, of a newer version, or in use by another process (whose pid is told).
        """

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        """Store events in order; one answer for each, in order. What is answered `Stored` is durable.

        One that cannot be stored is answered with its error and does not keep the others out. An event with a key
        that its sender (`by.account`, none for guests) has used before is not stored again: the answer is the first,
        not `new`. A `Redacted` takes the words it names out of the log.
        """

    def append_at_once(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError] | None:
        """What `append` does, in this turn of the loop; None, and nothing done, if it has to wait for something."""

    async def page(
        self,
        place: Place,
        /,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int,
        newest: bool | None = None,
        talk_only: bool = True,
    ) -> Sequence[Event]:
        """Up to `limit` events of a place between two ids, neither included: the `newest` of them or the oldest.

        Unless it is said, they are the oldest if `after` is given and the newest if not. They come in order. What was
        taken back is not among them.

        Raises:
            StoreError
        """

    def had(self, place: Place, /) -> Had:
        """What a place has had, of which an engine may keep the last only."""

    async def last_until(self, at_ms: int, /) -> str:
        """The id of the last event not after a time, in milliseconds of UTC; "0" if there is none."""

    async def find(self, event_id: str, /) -> Event | None:
        """The event of that id, if it is kept and was not taken back."""

    async def search(self, search: Search, /) -> Sequence[Said]:
        """What was said and fits, in order.

        Raises:
            Refused: not now, or it takes too long.
            StoreError
        """

    async def trim(self, *, before_ms: int | None, most: int | None) -> int:
        """Forget talk from before a time, in milliseconds of UTC, and of each room all but the last `most` lines.

        The last of all stays. Others' appends go on meanwhile. Gives how many events went.

        Raises:
            StoreError
        """

    async def forget(self, account: str) -> Sequence[Event]:
        """Erase what an account has said, and its words in everything else; gives what that was, as it was.

        Ids stay what they are. To be followed by `wipe`.

        Raises:
            StoreError
        """

    async def wipe(self) -> None:
        """Leave nothing in any file of what was taken out.

        Raises:
            StoreError
        """

    async def snapshot(self) -> Snapshot | None:
        """The last snapshot that was saved."""

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep this snapshot instead of the one before."""

    def replay(self, after: int) -> AsyncIterator[Sequence[Event]]:
        """The events that are not talk, after an id, in order, in pages.

        Raises:
            StoreError
        """

    async def close(self) -> None:
        """Let go of everything; what was appended stays."""
