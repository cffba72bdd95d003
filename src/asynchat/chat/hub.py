"""The hub: all rooms and users; every change is one verb.

A verb looks things up, asks policy, builds the event with the places it belongs to and hands it to the journal. It
changes nothing: `State.apply` does, once the event is stored. What must be unique, a person's name and the place of a
new room, is claimed when the verb decides, so that two sessions cannot both pass; a claim ends when the event is
applied or could not be stored.
"""

from __future__ import annotations

from asynchat.chat.events import Entered, Event, Joined, Renamed, RoomRenamed
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Audience, Room
from asynchat.chat.users import User
from asynchat.chat.verbs.deciding import Limits
from asynchat.chat.verbs.people import PeopleVerbs
from asynchat.chat.verbs.rooms import RoomVerbs
from asynchat.chat.verbs.talk import TalkVerbs

__all__ = ["Hub", "Limits"]


class Hub(PeopleVerbs, RoomVerbs, TalkVerbs):
    """All the verbs, and what the journal calls.

    `applied` is the id of the last event that was; `showing`, while a crowd is being shown a batch, that of the last
    before it.
    """

    applied = "0"
    showing: str | None = None
    crowded: frozenset[Room] | None = frozenset()
    """The rooms that are being shown it; None: not only rooms are."""
    apart: frozenset[User] = frozenset()
    """Those who came, went or spoke in it there."""

    @property
    def shown(self) -> str:
        """The id up to which everything is shown to all who do not lag."""
        return self.showing or self.applied

    def concerns(self, user: User) -> bool:
        """Whether what a crowd is being shown may be for this user too."""
        return self.crowded is None or user in self.apart or not self.crowded.isdisjoint(user.rooms)

    def apply(self, event: Event) -> Audience:
        """Change the state as the stored event says, and name who is to hear of it. Total."""
        audience = self.state.apply(event)
        self.applied = event.id
        if not event.talk:
            self.withdraw(event)
        return audience

    def withdraw(self, event: Event) -> None:
        """End the claims that were made for an event: it is applied, or it could not be stored."""
        if isinstance(event, Entered | Renamed):
            nick = event.nick if isinstance(event, Renamed) else event.by.nick
            if self.claims.get(casefold(nick)) == event.by.user:
                del self.claims[casefold(nick)]
        elif isinstance(event, Joined):
            place = event.places[0]
            coming = self._coming.pop(place, 1) - 1
            if coming:
                self._coming[place] = coming
            else:
                self._opened(event.room, place)
        elif isinstance(event, RoomRenamed):
            self._opened(event.name, event.places[0])

    def _opened(self, name: str, place: str) -> None:
        if self._opening.get(casefold(name)) == place:
            del self._opening[casefold(name)]
