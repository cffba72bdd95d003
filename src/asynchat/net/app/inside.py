"""The inside of a server that runs, as an application's handles reach it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asynchat.chat.errors import NoSuchRoom
from asynchat.chat.hub import Hub
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Room
from asynchat.chat.users import SERVER, lasting_id
from asynchat.net.app.arrivals import Arrivals
from asynchat.net.app.speakers import Speakers
from asynchat.store import Log


@dataclass(slots=True)
class Inside:
    """Its parts. `position` gives the id up to which everything is stored and shown."""

    hub: Hub
    log: Log
    speakers: Speakers
    arrivals: Arrivals
    position: Callable[[], int]

    def room(self, name: str) -> Room:
        """The room of that name, with people in it or not: it has a past.

        Raises:
            NoSuchRoom
        """
        room = self.hub.state.rooms.get(casefold(name))
        if room is None:
            raise NoSuchRoom(name)
        return room

    def user_id(self, name: str) -> str:
        """The id of who is called so; of nobody who is here, that of the account of that name."""
        user = self.hub.state.users.get(casefold(name))
        if user is not None:
            return user.id
        return SERVER.user if casefold(name) == SERVER.nick else lasting_id(name)
