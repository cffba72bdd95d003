"""What every session shares, whatever its wire: its user, its waits, its end."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.chat.sessions import Dialect, History, Peer, Pending

if TYPE_CHECKING:
    from asynchat.chat.events import Event, Kind
    from asynchat.chat.hub import Hub
    from asynchat.chat.users import User

NEVER = float("inf")


@dataclass(slots=True)
class House:
    """What the sessions of one server know of it. Times are in seconds."""

    hub: Hub
    history: History
    name: str = "asynchat"
    network: str = "asynchat"
    version: str = "0"
    started_ms: int = 0
    room: str = "#lobby"
    """Where people without a client come in."""
    motd: tuple[str, ...] = ()
    password: str | None = None
    greeting: str = "text"
    """For people who say nothing: text, nick (the four bytes that some tutorial clients wait for) or none."""
    greeting_after_s: float = 1.0
    replay: int = 20
    max_line: int = 16 * 1024
    read_buffer: int = 64 * 1024
    """The most that one read brings."""
    ping_interval_s: float = 60.0
    register_timeout_s: float = 60.0
    most_users: int = 0
    unknown: Callable[[], int] = field(default=lambda: 0)
    """How many connections have not come in yet."""
    came: Callable[[Session], None] = field(default=lambda session: None)
    went: Callable[[Session, str], None] = field(default=lambda session, reason: None)

    def opens(self, given: str | None) -> bool:
        """Whether this password, if any, opens the gate. It takes as long whatever is given."""
        if self.password is None:
            return True
        return hmac.compare_digest((given or "").encode(), self.password.encode())


class Link(Protocol):
    """The connection under a session, as `net` provides it."""

    @property
    def peer(self) -> HeldPeer: ...

    @property
    def address(self) -> str:
        """The IP address of the other end, or what there is instead."""

    @property
    def host(self) -> str:
        """What others are shown of the address."""

    @property
    def pace(self) -> Callable[[], Awaitable[None] | None] | None:
        """To be called for each line; what it returns, if anything, is to be awaited. None: nobody is slowed down."""

    def become(self, session: Session) -> None:
        """Another session takes over what comes next."""

    def close(self, reason: str = "") -> None:
        """End the connection once what was written is sent."""

    def abort(self, reason: str) -> None:
        """Drop the connection now."""


class HeldPeer(Peer, Protocol):
    """A peer that can keep back what others say."""

    def hold(self) -> None: ...

    def release(self, first: bytes = b"", /) -> None: ...


class Session:
    """One connection of a user. `began`, `heard_at` and `wake_at` are on the monotonic clock, in seconds."""

    wire = "?"
    """The name of the wire, for the log."""

    __slots__ = (
        "began",
        "closing",
        "dialect",
        "heard_at",
        "house",
        "hub",
        "leaving",
        "link",
        "peer",
        "user",
        "wake_at",
    )

    dialect: Dialect

    def __init__(self, house: House, link: Link, now: float) -> None:
        self.house = house
        self.hub = house.hub
        self.link = link
        self.peer = link.peer
        self.user: User | None = None
        self.began = self.heard_at = now
        self.wake_at = NEVER
        self.closing = False
        self.leaving = ""  # what the others are told

    # What the server calls.

    async def receive(self, data: bytes) -> None:
        """Take what has come; any cut of the stream."""
        raise NotImplementedError

    async def eof(self) -> None:
        """The other end says no more: answer what it asked."""

    async def wake(self, now: float) -> None:
        """It is `wake_at`, or later."""

    async def gone(self, reason: str) -> None:
        """The connection is over; the last session of a user takes the user along."""
        self.closing = True
        user = self.user
        if user is None:
            return
        await self.settle(user.last)
        self.hub.detach(self, user)
        self.leaving = self.leaving or reason
        self.house.went(self, self.leaving)
        self.user = None
        if not user.sessions:
            await self.settle(self.hub.depart(user, self.leaving))

    # What the hub calls, through the fan-out.

    def own(self, event: Event, via_me: bool) -> Any:
        """What this session hears of what its own user did."""
        raise NotImplementedError

    def failed(self, event: Event, refused: Refused) -> None:
        """Something this session said could not be stored."""

    def repeated(self, event: Event, first: Event) -> None:
        """Something this session said was stored before."""

    def put_out(self, reason: str) -> None:
        """End this connection, telling why."""
        self.leaving = self.leaving or reason
        self.closing = True
        self.link.close(reason)

    def drop(self, reason: str) -> None:
        """End this connection now, whatever it has not been sent yet."""
        self.leaving = self.leaving or reason
        self.link.abort(reason)

    # What wires build on.

    async def settle(self, pending: Pending | None) -> None:
        """Wait until that is stored and shown, or refused, which whoever asked for it is told."""
        if pending is not None and not pending.done:
            try:
                await pending
            except Refused:
                return

    async def enter(self, nick: str, ident: str, realname: str) -> User:
        """Come in under a name.

        Raises:
            BadName, NameTaken
        """
        pending = self.hub.enter(nick, ident, self.link.host, realname, via=self)
        event = await pending
        self.user = user = self.hub.attach(self, event.by.user)
        self.house.came(self)
        return user

    async def say(
        self, to: str, text: str, kind: Kind, *, tags: tuple[tuple[str, str], ...] = (), key: str | None = None
    ) -> Pending:
        """The one door for talk on every wire.

        Raises:
            NoText, BadText, TooLong, NoSuchRoom, CannotSpeak, NoSuchName
        """
        user = self.user
        assert user is not None
        if user.changing is not None and not user.changing.done:
            await self.settle(user.changing)
        try:
            return self.hub.say(user, to, text, kind=kind, tags=tags, key=key, via=self)
        except Refused:
            await self.settle(user.last)  # the no must not overtake the echo of what was said before
            raise

    @property
    def address(self) -> str:
        return self.link.address

    def __repr__(self) -> str:
        return f"<{self.wire} {self.user.nick if self.user else '-'} {self.link.address}>"


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same."""
    return casefold(one) == casefold(other)
