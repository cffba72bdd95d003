"""What an application says, reads and decides on a server that it runs: the part of `Server` that is not its life."""

from __future__ import annotations

from asynchat.chat.errors import BadName, BadRoomName
from asynchat.chat.names import is_room
from asynchat.net.app.inside import Inside
from asynchat.net.app.person import Person, person_of
from asynchat.net.app.room import Room
from asynchat.net.app.user import User


class Application:
    """Rooms and people as code holds them."""

    def __init__(self) -> None:
        self._inside: Inside | None = None

    def room(self, name: str) -> Room:
        """The room of that name, which begins with `#`: a handle, good before the server runs and after it.

        What is done in it is done `by` somebody, named at each call. That is a user like all others, whom everybody
        sees: it comes in under its name at its first word, marked as a bot, enters the rooms it speaks in, and stays
        until `leave` or the end of the server. Policy and hooks treat it as they do others. It needs no password:
        `by="alice"` is alice, if she has an account, here or not; a guest's name is refused with NAME_TAKEN.
        `by="server"` is the operator, who may do everything, as at the console; nobody comes in as that but by code.

        Raises:
            BadRoomName: it does not begin with `#`.
        """
        if not is_room(name):
            raise BadRoomName(name)
        return Room(name, self._running)

    def user(self, name: str) -> User:
        """The user of that name, here or not: a handle, good before the server runs and after it.

        Raises:
            BadName: it begins with `#`, as rooms do.
        """
        if is_room(name):
            raise BadName(name)
        return User(name, self._running)

    def rooms(self) -> list[Room]:
        """The rooms in which there is somebody, secret ones too; they come in the order in which they were made.

        Raises:
            RuntimeError: the server does not run.
        """
        rooms = self._running().hub.state.rooms.values()
        return [Room(room.name, self._running) for room in rooms if room.members]

    def users(self) -> list[Person]:
        """Everybody who is here, or away with an account.

        Raises:
            RuntimeError: the server does not run.
        """
        return [person_of(user) for user in self._running().hub.state.people.values()]

    @property
    def last_id(self) -> str:
        """The id up to which everything was stored and shown: `room.messages(after=server.last_id)` is what comes now.

        Raises:
            RuntimeError: the server does not run.
        """
        return str(self._running().position())

    async def leave(self, by: str) -> None:
        """Have somebody go whom this program speaks as; nothing if it has not spoken as them.

        Raises:
            RuntimeError: the server does not run.
        """
        await self._running().speakers.leave(by)

    def _running(self) -> Inside:
        if self._inside is None:
            raise RuntimeError("the server does not run: enter it first")
        return self._inside
