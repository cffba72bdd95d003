"""What the hub sees of a connection, and the ports through which the domain speaks to the outside."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asynchat.chat.errors import KeptOut, Refused
    from asynchat.chat.events import Event, Place, Said
    from asynchat.chat.rooms import Room
    from asynchat.chat.search import Search
    from asynchat.chat.users import User


class Dialect(Hashable, Protocol):
    """A wire as one session speaks it. Sessions of equal dialects share what is rendered.

    Order is promised per room and per conversation; a session whose dialect is `ordered` is shown everything in one
    order, that of the log, so that one id says what it has seen.
    """

    @property
    def ordered(self) -> bool: ...

    def render(self, event: Event, /) -> Any:
        """One event as this dialect puts it; falsy if it does not speak of it. The same live and from history."""

    def join(self, rendered: Sequence[Any], /) -> Any:
        """Several rendered events as one chunk for a peer."""


class Peer(Protocol):
    """Where rendered chunks go, and how far behind it is."""

    def write(self, chunk: Any, /) -> None:
        """Take the chunk at once, never waiting.

        Raises:
            OSError, RuntimeError: it is gone.
        """

    def unsent(self) -> int:
        """How many bytes are waiting to be sent."""

    @property
    def holding(self) -> bool:
        """Whether what is written is kept back until a command's replies are out."""


class Session(Protocol):
    """One connection of a user."""

    wire: str
    """The name of its wire."""
    user: User | None
    lagging: bool
    """Whether it is pushed nothing, but reads on from the log until it is level."""

    @property
    def address(self) -> str:
        """The IP address of the other end, or what there is instead."""

    @property
    def secure(self) -> bool:
        """Whether nobody can listen in."""

    @property
    def talked_at(self) -> float:
        """When it last did something, on the monotonic clock."""

    def moved(self, room: Room, old: str, reason: str, /) -> None:
        """A room that its user is in has another name now."""

    @property
    def peer(self) -> Peer: ...

    @property
    def dialect(self) -> Dialect: ...

    def own(self, event: Event, via_me: bool, /) -> Any:
        """What this session hears of what its own user did, through this session or another; falsy for nothing."""

    def told(self, event: Event, /) -> Any:
        """What this session hears of an event that is for its user alone."""

    def watched(self, event: Event, told: bool, /) -> Any:
        """What this session hears of somebody whom it watches; `told`: it hears the event in a room as well."""

    def failed(self, event: Event, refused: Refused, /) -> None:
        """Something this session said could not be stored."""

    def repeated(self, event: Event, first: Event, /) -> None:
        """Something this session said was stored before under the same key, as `first`."""

    def doubt(self) -> None:
        """Somebody wants the name that its user bears: if it does not answer within seconds, it is gone."""

    def put_out(self, reason: str, /) -> None:
        """End this connection, telling why."""

    def keep_out(self, refused: KeptOut, /) -> None:
        """End this connection, whose other end is banned, and have its user go even if it usually stays."""

    def dismiss(self, reason: str, /) -> None:
        """End this connection, and have its user go even if it usually stays."""

    def drop(self, reason: str, /) -> None:
        """End this connection now, whatever it has not been sent yet."""


class Pending(Protocol):
    """An event on its way: awaiting it returns when it is stored and shown.

    Raises:
        Refused: it could not be stored, and nobody saw it.
    """

    event: Event

    @property
    def done(self) -> bool: ...

    def __await__(self) -> Generator[Any, None, Event]: ...


class Journal(Protocol):
    """The way of every event into the log and to the people."""

    def put(self, event: Event, via: Session | None, /) -> Pending:
        """Take an event that a verb has decided; its order is final."""

    @property
    def crowded(self) -> bool:
        """Whether more is waiting than should be."""

    async def caught_up(self, user: User | None = None) -> None:
        """Wait until everything that was put so far is shown, or, if a crowd is being shown it, does not concern this
        user any more.
        """

    async def breathe(self) -> None:
        """Let others have their turn; longer when more is waiting to be stored than should be."""


class History(Protocol):
    """What can be read of the log."""

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

        Unless it is said, they are the oldest if `after` is given and the newest if not. They come in order.
        """

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
