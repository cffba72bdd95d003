"""What every session shares, whatever its wire: its user, its waits, its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from asynchat.chat.errors import KeptOut, Refused
from asynchat.chat.events import Role
from asynchat.chat.names import casefold
from asynchat.chat.sessions import Dialect, Pending
from asynchat.wire.house import House
from asynchat.wire.peer import HeldPeer

if TYPE_CHECKING:
    from asynchat.chat.events import Event, Kind, Place
    from asynchat.chat.rooms import Room
    from asynchat.chat.users import User

NEVER = float("inf")
HIGH_WATER = 64 * 1024
"""Unsent bytes past which a session waits for its own client."""
GONE = "disconnected"
"""Why somebody is away whose last session has gone without a word."""
TURN = 64
"""Lines after which others have their turn."""


class Pace(Protocol):
    """How fast may be talked on a connection."""

    @property
    def free(self) -> bool:
        """Whether the next line need not wait."""

    def __call__(self) -> Awaitable[None] | None:
        """To be called for each line; what it returns, if anything, is to be awaited."""


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
    def secure(self) -> bool:
        """Whether nobody on the way can read what is said."""

    @property
    def certificate(self) -> str | None:
        """The SHA-256 of the client's certificate (DER), in hex. The client has its key; who signed it is not asked."""

    @property
    def pace(self) -> Pace | None:
        """How fast may be talked here. None: nobody is slowed down."""

    @property
    def lost(self) -> bool:
        """Whether the other end cannot be reached any more, so that nothing it has sent need be done."""

    async def drained(self) -> None:
        """Return once most of what was written is sent."""

    def become(self, session: Session) -> None:
        """Another session takes over what comes next."""

    def rouse(self) -> None:
        """The session's `wake_at` was changed while it was not at work."""

    def close(self, reason: str = "") -> None:
        """End the connection once what was written is sent."""

    def abort(self, reason: str) -> None:
        """Drop the connection now."""


class Gap(NamedTuple):
    """What was not heard: what comes after one id (None: from the beginning) and before another."""

    after: str | None
    before: str


class Session:
    """One connection of a user. `began`, `heard_at` and `wake_at` are on the monotonic clock, in seconds."""

    wire = "?"
    """The name of the wire, for the log."""

    __slots__ = (
        "began",
        "closing",
        "dialect",
        "ended_at",
        "heard_at",
        "house",
        "hub",
        "lagging",
        "leaving",
        "level",
        "link",
        "logged_out",
        "peer",
        "shown",
        "superseded",
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
        self.lagging = False
        self.level: Callable[[], Awaitable[object]] | None = None  # what a session that lags waits with
        self.shown: Callable[[], int] | None = (
            None  # of a session that lags: the id up to which it was shown everything
        )
        self.ended_at: str | None = None  # the same, once its user is without it
        self.superseded = False  # another session is the user in its stead
        self.logged_out = False

    # What the server calls.

    def at_once(self, data: bytes) -> bool:
        """Take what has come, if it is one line of the commonest sort and nothing has to be waited for.

        False leaves it, untouched, to `receive`.
        """
        return False

    async def receive(self, data: bytes) -> None:
        """Take what has come; any cut of the stream."""
        raise NotImplementedError

    async def line(self, line: bytes | None) -> None:
        """Take one line; None is one that was too long."""
        raise NotImplementedError

    def quick(self, line: bytes) -> bool:
        """Take a line that needs no waiting, of the commonest sort; False leaves it, untouched, to `line`."""
        return False

    async def run(self, lines: Sequence[bytes | None]) -> None:
        """Take lines one by one, as long as there is somebody to take them from.

        Whoever talks too fast waits here, and whoever asks and does not read the answers; after each `TURN` of them
        others have theirs.
        """
        pace, waited = self.link.pace, True
        for turn, line in enumerate(lines, 1):
            if pace is not None and (pause := pace()) is not None:
                await pause
                waited = True
            if waited and not await self._may_go_on():
                return
            waited = line is None or not self.quick(line)
            if waited:
                await self.line(line)
            if turn % TURN == 0:
                await self.hub.journal.breathe()
                waited = True

    async def _may_go_on(self) -> bool:
        """Wait until the client has read enough, and is level; whether it is still there."""
        if self.peer.unsent() > HIGH_WATER:
            await self.link.drained()
        if self.level is not None:
            await self.leveled()  # else an answer would overtake what was said before it was asked
        if self.hub.journal.crowded:
            await self.hub.journal.breathe()
        return not (self.closing or self.link.lost)

    async def eof(self) -> None:
        """The other end says no more: answer what it asked."""

    async def wake(self, now: float) -> None:
        """It is `wake_at`, or later."""

    async def gone(self, reason: str) -> None:
        """The connection is over; the last session of a user takes the user along."""
        self.closing = True
        user = self.user
        if user is None or self.superseded:
            return
        await self.settle(user.last)
        seen = self.ended_at = self.seen
        self.hub.detach(self, user)
        self.leaving = self.leaving or reason
        self.house.note_went(self, self.leaving)
        self.user = None
        if user.sessions:
            return
        if self.house.always_on and user.lasting and not self.logged_out:
            await self.settle(self.hub.set_away(user, self.leaving or GONE, gone=True, seen=seen))
            return
        await self.settle(self.hub.depart(user, self.leaving, seen=seen))
        if self.house.always_on and not self.logged_out:
            await self.settle(self.hub.stay(user, self.leaving or GONE, seen=seen))

    @property
    def seen(self) -> str:
        """The id up to which it was shown everything."""
        if self.ended_at is not None:
            return self.ended_at
        if self.shown is not None:
            return str(self.shown())
        return self.hub.shown if self.user is None or self.hub.concerns(self.user) else self.hub.applied

    # What the hub calls, through the fan-out.

    def own(self, event: Event, via_me: bool) -> Any:
        """What this session hears of what its own user did."""
        raise NotImplementedError

    def told(self, event: Event) -> Any:
        """What this session hears of an event that is for its user alone."""
        return self.dialect.render(event)

    def watched(self, event: Event, told: bool) -> Any:
        """What this session hears of somebody whom it watches."""
        return b""

    def failed(self, event: Event, refused: Refused) -> None:
        """Something this session said could not be stored."""

    def repeated(self, event: Event, first: Event) -> None:
        """Something this session said was stored before."""

    def was_behind(self, name: str, lines: int | None, lost: int | None) -> None:
        """This session lagged by so many lines of a room that the first of them are not kept; None: nobody knows."""

    def saw_come(self, session: Session) -> None:
        """Of a console: somebody has come in."""

    def saw_go(self, session: Session, reason: str) -> None:
        """Of a console: somebody has gone."""

    def moved(self, room: Room, old: str, reason: str) -> None:
        """A room that this session's user is in has another name now."""

    @property
    def talked_at(self) -> float:
        """When it last did something."""
        return self.heard_at

    @property
    def secure(self) -> bool:
        """Whether nobody can listen in."""
        return self.link.secure

    def doubt(self) -> None:
        """Somebody wants the name that its user bears."""

    def refurnished(self, before: Mapping[str, str]) -> None:
        """The settings were read again; IRC clients were offered these capabilities until now."""

    def tell(self, text: str) -> None:
        """Tell something that the server has to say, now, whatever else is going on."""

    def put_out(self, reason: str) -> None:
        """End this connection, telling why."""
        self.leaving = self.leaving or reason
        self.closing = True
        self.link.close(reason)

    def keep_out(self, refused: KeptOut) -> None:
        """End this connection, whose other end is banned."""
        self.leaving = self.leaving or "banned"
        self.dismiss(refused.text)

    def dismiss(self, reason: str) -> None:
        """End this connection, and have its user go even if it usually stays."""
        self.logged_out = True
        self.put_out(reason)

    def told_only[Line: Event](self, lines: Sequence[Line]) -> list[Line]:
        """Those of the lines that this session's user may read: some in a room are for members with a role."""
        return [line for line in lines if not getattr(line, "least", Role.NONE) or self._has_role(line)]

    def _has_role(self, line: Event) -> bool:
        room = self.hub.state.places.get(line.places[0])
        member = room.members.get(self.user) if room is not None and self.user is not None else None
        return member is not None and getattr(line, "least", Role.NONE) <= member.roles

    def drop(self, reason: str) -> None:
        """End this connection now, whatever it has not been sent yet."""
        self.leaving = self.leaving or reason
        self.link.abort(reason)

    # What wires build on.

    async def leveled(self) -> None:
        """Wait until this session does not lag."""
        while self.level is not None:
            await self.level()

    async def settle(self, pending: Pending | None) -> None:
        """Wait until that is stored and shown, or refused, which whoever asked for it is told."""
        if pending is not None and not pending.done:
            try:
                await pending
            except Refused:
                return

    async def enter(
        self, nick: str, ident: str, realname: str, *, account: str | None = None, lasting: bool = False
    ) -> User:
        """Come in under a name.

        Raises:
            BadName, NameTaken, KeptOut
        """
        pending = self.hub.enter(nick, ident, self.link.host, realname, account=account, lasting=lasting, via=self)
        event = await pending
        self.user = user = self.hub.attach(self, event.by.user)
        self.house.note_came(self)
        return user

    async def return_to(self, user_id: str) -> Gap | None:
        """Come in as a user who is here already; returns what it has missed, if it had no session.

        Raises:
            KeptOut
        """
        self.hub.admit(self.hub.state.people[user_id].source, self.address)
        gap = Gap(self.hub.state.people[user_id].absent, str(int(self.hub.applied) + 1))
        self.user = user = self.hub.attach(self, user_id)
        self.house.note_came(self)
        alone = len(user.sessions) == 1
        if alone and user.away is not None:
            await self.settle(self.hub.set_away(user, None))
        return gap if alone and gap.after is not None else None

    async def missed(self, place: Place, gap: Gap) -> list[Event]:
        """What was said last in a gap: no more than is shown of the past."""
        limit = self.house.replay
        if not limit:
            return []
        page = self.house.history.page
        return self.told_only(await page(place, after=gap.after, before=gap.before, limit=limit, newest=True))

    async def say(self, to: str, text: str, kind: Kind, **more: Any) -> Pending:
        """The one door for talk on every wire; `more` is that of the hub's `say`.

        Raises:
            NoText, BadText, TooLong, InvalidKey, NoSuchRoom, CannotSpeak, NoSuchName
        """
        user = self.user
        assert user is not None
        if user.changing is not None and not user.changing.done:
            await self.settle(user.changing)
        try:
            return self.hub.say(user, to, text, kind=kind, via=self, **more)
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


def behind(name: str, lines: int | None, lost: int | None) -> str:
    """How a session that lagged is told that it missed something."""
    if lines is None:
        return f"some lines of {name} are not kept any more"
    return f"you were {lines} lines behind in {name}, and {lost} of them are not kept"
