"""What is open at the desk: servers, and at each the rooms and the people one talks to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from asynchat.chat.names import casefold
from asynchat.client.outbox import Saying
from asynchat.client.positions import reference
from asynchat.client.show import Line
from asynchat.client.talker import Talker
from asynchat.client.terminal.typists import Typists
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

HELD = 500
"""Lines of a place that are kept for when somebody looks; what was before is in the server's history."""
MOST_PEOPLE = 20_000
"""People of one place whose names are kept; a server of good will tells no more."""
MOST_PLACES = 200
"""Places at one server; talk of others is shown, but kept nowhere."""


class Place:
    """A room, or a person, at one server.

    `unread` lines came while one looked elsewhere, of which `mentions` are for the reader; the last of them are `held`.
    `oldest` is the first line that is shown, as CHATHISTORY refers to it.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.people: dict[str, str] = {}  # casefolded name to name, who spoke last comes last
        self.roles: dict[str, str] = {}  # casefolded name to sign, of those who have a role
        self.unread = 0
        self.mentions = 0
        self.held: deque[Line] = deque(maxlen=HELD)
        self.typing = Typists()  # on the loop's clock
        self.oldest = ""

    @property
    def is_room(self) -> bool:
        """Whether it is a room."""
        return self.name[:1] in self.server.room_signs

    def hold(self, lines: Sequence[Line]) -> None:
        """Keep lines for later."""
        self.held += lines
        self.unread += len(lines)
        self.mentions += sum(line.mention for line in lines)

    def take(self) -> tuple[list[Line], int]:
        """What was held, and how many lines before that are not."""
        lines, before = list(self.held), self.unread - len(self.held)
        self.held.clear()
        self.unread = self.mentions = 0
        return lines, max(before, 0)

    def meet(self, names: Iterable[str]) -> None:
        """They are here."""
        for name in names:
            if len(self.people) < MOST_PEOPLE:
                self.people.setdefault(casefold(name), name)

    def leave(self, name: str) -> bool:
        """Somebody has gone; whether they were here."""
        self.typing.stops(name)
        self.roles.pop(casefold(name), None)
        return self.people.pop(casefold(name), None) is not None

    def rename(self, name: str, to: str) -> bool:
        """Somebody is called otherwise; whether they are here."""
        role = self.role_of(name)
        if not self.leave(name):
            return False
        self.meet([to])
        self.give(to, role)
        return True

    def give(self, name: str, role: str) -> None:
        """Somebody here has that role now, "" for none."""
        folded = casefold(name)
        if role and folded in self.people:
            self.roles[folded] = role
        else:
            self.roles.pop(folded, None)

    def role_of(self, name: str) -> str:
        """The sign of somebody's role, "" if they have none."""
        return self.roles.get(casefold(name), "") if self.roles else ""

    def spoke(self, names: Sequence[str]) -> None:
        """They have said something, in this order."""
        if len(names) > 1:  # each once, where they spoke last
            names = list(dict.fromkeys(reversed(names)))[::-1]
        for name in names:
            if self.typing:
                self.typing.stops(name)
            folded = casefold(name)
            if self.people.pop(folded, None) is not None:
                self.people[folded] = name

    def note(self, message: Message) -> None:
        """A line of it is shown."""
        if not self.oldest:
            self.oldest = reference(message)

    @property
    def waiting(self) -> list[Saying]:
        """What was said here and is not known to be stored."""
        here = casefold(self.name)
        return [saying for saying in self.server.client.outbox if casefold(saying.to) == here]


class Server:
    """A server that one is at, and what is open there. `label` is what it is called where there are several."""

    def __init__(self, client: Talker) -> None:
        self.client = client
        self.away = False  # there is no connection now
        self.last_said = ""  # the id of what one said last
        self._places: dict[str, Place] = {}
        self._asked: dict[str, Callable[[], bool]] = {}  # casefolded name to whether one looks there then
        self._leaves: set[str] = set()  # casefolded

    def ask_for(self, room: str, looks: Callable[[], bool]) -> None:
        """One wants to go to a room, and to look at it if it still `looks` so when one is there."""
        self._asked[casefold(room)] = looks

    def asked_for(self, place: Place) -> Callable[[], bool] | None:
        """What tells whether one looks at a room that one is in now; None if one did not ask for it."""
        return self._asked.pop(casefold(place.name), None)

    def ask_to_leave(self, room: str) -> None:
        """One wants to leave a room."""
        self._leaves.add(casefold(room))

    def asked_to_leave(self, room: str) -> bool:
        """Whether one wanted to leave a room that one is not in any more."""
        asked = casefold(room) in self._leaves
        self._leaves.discard(casefold(room))
        return asked

    @property
    def label(self) -> str:
        """Its name, harmless to a terminal."""
        url = self.client.url
        return plain(self.client.isupport.get("NETWORK", "") or url.host or url.path.rpartition("/")[2])

    @property
    def room_signs(self) -> str:
        """How names of rooms begin. (Modern IRC, CHANTYPES)"""
        return self.client.isupport.get("CHANTYPES", "#") or "#"

    @property
    def places(self) -> list[Place]:
        """What is open, in the order in which it was opened."""
        return list(self._places.values())

    def get(self, name: str) -> Place | None:
        """The place of that name, if it is open."""
        return self._places.get(name) or self._places.get(casefold(name))

    def open(self, name: str) -> Place:
        """The place of that name, opened if need be."""
        place = self._places.get(casefold(name))
        if place is None:
            place = Place(self, name)
            if len(self._places) < MOST_PLACES:
                self._places[casefold(name)] = place
        return place

    def close(self, name: str) -> None:
        """Close a place."""
        self._places.pop(casefold(name), None)

    def renamed(self, name: str, to: str) -> None:
        """A place has another name; it stays where it is."""
        place = self._places.get(casefold(name))
        if place is not None and casefold(to) not in self._places:
            place.name = to
            self._places = {casefold(each.name): each for each in self._places.values()}
