"""A room, as code holds it: a name, looked up whenever it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asynchat.chat.events import Said
from asynchat.chat.messages import Message
from asynchat.net.app.messages import Messages, page, search
from asynchat.net.app.moderation import Moderation
from asynchat.net.app.person import Person, person_of


class Room(Moderation):
    """A room of a server; made by `Server.room`. It need not exist: the first who enters it makes it.

    Whoever does something is named by `by`: a user, present in the room from then on, whom policy treats like any
    other. See `Server.room`. Every method raises RuntimeError if the server does not run.
    """

    __slots__ = ()

    async def join(self, *, key: str | None = None, by: str) -> None:
        """Enter it, as who does something in it does anyway; with its `key`, if it has one. Nothing if they are there.

        Raises:
            Refused: BAD_KEY, INVITE_ONLY, BANNED, ROOM_FULL, MEMBERS_ONLY, TOO_MANY_ROOMS, BAD_ROOM_NAME.
        """
        await self._inside().speakers.do(lambda session: session.be_in(self.name, key), by=by)

    async def leave(self, reason: str = "", *, by: str) -> None:
        """Leave it; see `Server.leave` for all of them.

        Raises:
            Refused: NOT_IN_ROOM, NO_SUCH_ROOM.
        """
        hub = self._inside().hub
        await self._inside().speakers.do(
            lambda session: hub.leave(session.present, self.name, reason, via=session), by=by
        )

    def messages(self, *, after: str | None = None, follow: bool = True) -> AsyncIterator[Message]:
        """What was said after an id (None: from the beginning), each line once and in order.

        It goes on with what comes, if it is to `follow`, until the server is closed. It is read from the log at the
        pace of who takes it: however slow that is, nothing is left out or kept in memory. What was taken back, or is
        too old to be kept, is not there.

        Raises:
            ValueError: `after` is no id.
            Refused: NO_SUCH_ROOM, on the first step, unless it is to follow.
            StoreError: on a step, if the log cannot be read.
        """
        inside = self._inside()
        return Messages(inside, lambda: inside.room(self.name).place, after=after, follow=follow)

    async def history(self, *, before: str | None = None, after: str | None = None, limit: int = 50) -> list[Message]:
        """Up to `limit` lines between two ids, neither included, in order: the first after `after`, else the last.

        Raises:
            ValueError: what should be an id is none.
            Refused: NO_SUCH_ROOM, nobody was ever in it.
            StoreError: the log cannot be read.
        """
        inside = self._inside()
        return await page(inside, inside.room(self.name).place, before=before, after=after, limit=limit)

    async def search(self, words: str, *, limit: int = 50) -> list[Message]:
        """The last `limit` lines that have all these words, in order, whatever their case and accents.

        Raises:
            Refused: NO_SUCH_ROOM; or not now, or it takes too long.
            StoreError: the log cannot be read.
        """
        inside = self._inside()
        return await search(inside, inside.room(self.name).place, words, limit=limit)

    def members(self) -> list[Person]:
        """Who is in it, longest there first.

        Raises:
            Refused: NO_SUCH_ROOM, nobody was ever in it.
        """
        members = self._inside().room(self.name).members.values()
        return [person_of(member.user, member.roles) for member in members]

    def topic(self) -> str | None:
        """Its topic, if it has one.

        Raises:
            Refused: NO_SUCH_ROOM, nobody was ever in it.
        """
        topic = self._inside().room(self.name).topic
        return topic.text if topic is not None else None

    def _has(self, said: Said) -> bool:
        return said.places[0] == self._inside().room(self.name).place
