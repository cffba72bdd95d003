"""The session of somebody who is not connected: the application that runs the server speaks under a name.

It is a user like all others, whom policy, bans and hooks concern; but nobody listens at its end, so it hears nothing.
What an application wants to know it reads from the log.
"""

from __future__ import annotations

from collections.abc import Sequence

from asynchat.chat.errors import Refused
from asynchat.chat.events import Event, Flag
from asynchat.chat.names import RESERVED, casefold
from asynchat.chat.users import SERVER, User, lasting_id
from asynchat.wire.house import House
from asynchat.wire.session import Link, Session

APP = "app"


class Silent:
    """A dialect in which nothing is spoken of."""

    __slots__ = ()
    ordered = False

    def render(self, event: Event) -> bytes:
        return b""

    def join(self, rendered: Sequence[bytes]) -> bytes:
        return b""


SILENT = Silent()


class AppSession(Session):
    """A user that the application is.

    It needs no password: who runs the server can be everybody. So it is logged in to the account of its name, whether
    that is registered or not, which keeps its keys apart from those of others; and whoever is here as that account it
    joins, as another of its sessions would.
    """

    wire = APP

    __slots__ = ()

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self.dialect = SILENT

    async def come_in(self, name: str) -> User:
        """Be somebody.

        Raises:
            BadName, NameTaken: a guest has the name. KeptOut
        """
        if casefold(name) in RESERVED:
            self.user = user = await attach_server(self)
            self.house.note_came(self)
            return user
        self.logged_out = not self.house.is_owned(name)  # else it goes with this session: nobody can come back as it
        there = await self._settled(lasting_id(name))
        if there is not None:
            await self.return_to(there.id)
            return there
        user = await self.enter(name, "~app", name, account=name, lasting=True)
        if self.logged_out:
            await self.settle(self.hub.set_flags(user, [Flag.BOT], via=self))
        return user

    async def _settled(self, user_id: str) -> User | None:
        """The user of that id, if it is here to stay and not about to depart."""
        people = self.hub.state.people
        while (user := people.get(user_id)) is not None and user.last is not None and not user.last.done:
            await self.settle(user.last)
        return user

    async def be_in(self, name: str, key: str | None = None) -> None:
        """Enter a room, unless it is there.

        Raises:
            BadRoomName, TooManyRooms, Banned, MembersOnly, InviteOnly, BadKey, RoomFull
        """
        user = self.present
        room = self.hub.state.rooms.get(casefold(name))
        if room is not None and user in room.members:
            return
        await self.settle(user.last)
        pending = self.hub.join(user, name, key, via=self)
        if pending is not None:
            await pending

    @property
    def present(self) -> User:
        """The user that it is.

        Raises:
            Refused: PUT_OUT, in this moment.
        """
        if self.user is None:
            raise Refused("PUT_OUT", "it was put out of the server")
        return self.user

    # What the fan-out calls.

    def own(self, event: Event, via_me: bool) -> bytes:
        return b""

    def told(self, event: Event) -> bytes:
        return b""


async def attach_server(session: Session) -> User:
    """The user that the server itself is, with this session.

    Raises:
        Refused: it could not come in.
    """
    people = session.hub.state.people
    while True:
        user = people.get(SERVER.user)
        if user is None:
            await session.hub.enter_as_server(via=session)
        elif user.last is not None and not user.last.done:
            await session.settle(user.last)  # it may be its departure
        else:
            return session.hub.attach(session, SERVER.user)
