"""A user, as code holds it: a name, looked up whenever it is used."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asynchat.chat import policy
from asynchat.chat.events import Place, Said
from asynchat.chat.messages import Message
from asynchat.chat.names import casefold
from asynchat.chat.users import conversation, inbox
from asynchat.chat.verbs.deciding import one_line
from asynchat.net.app.messages import Messages, page, search
from asynchat.net.app.person import Person, person_of
from asynchat.net.app.talk import Talk
from asynchat.wire.app import AppSession
from asynchat.wire.banishing import drop


class User(Talk):
    """Somebody on a server, here or not; made by `Server.user`. Methods raise RuntimeError if it does not run.

    What was said to them alone, and by them, is read of who is called so now; if nobody is, of the account of that
    name, or whom this program speaks as under it. With `other` it is only what they and that one said to each other.
    """

    __slots__ = ()

    def person(self) -> Person | None:
        """Who it is, as they are now: in which rooms, away, connected. None: nobody of that name is here."""
        user = self._inside().hub.state.users.get(casefold(self.name))
        return person_of(user) if user is not None else None

    def messages(
        self, *, other: str | None = None, after: str | None = None, follow: bool = True
    ) -> AsyncIterator[Message]:
        """What was said to and by them alone, after an id, and then what comes: all is as for `Room.messages`.

        Raises:
            ValueError: `after` is no id.
            StoreError: on a step, if the log cannot be read.
        """
        place = self._place(other)
        return Messages(self._inside(), lambda: place, after=after, follow=follow)

    async def history(
        self, *, other: str | None = None, before: str | None = None, after: str | None = None, limit: int = 50
    ) -> list[Message]:
        """Up to `limit` lines that were said to and by them alone, between two ids, as `Room.history` gives them.

        Raises:
            ValueError: what should be an id is none.
            StoreError: the log cannot be read.
        """
        return await page(self._inside(), self._place(other), before=before, after=after, limit=limit)

    async def search(self, words: str, *, other: str | None = None, limit: int = 50) -> list[Message]:
        """The last `limit` lines, said to and by them alone, that have all these words; see `Room.search`.

        Raises:
            Refused: not now, or it takes too long.
            StoreError: the log cannot be read.
        """
        return await search(self._inside(), self._place(other), words, limit=limit)

    async def drop(self, reason: str = "", *, by: str) -> None:
        """End their connections, telling why, and have them leave, also if their account would stay.

        They may come again; see `Server.banish`. If they have connections, they have left when those are closed.

        Raises:
            Refused: NOT_SERVER, unless `by` is the server; NO_SUCH_NAME; NOT_ALLOWED, it is the server; BAD_TEXT.
        """
        hub = self._inside().hub

        async def put_out(session: AppSession) -> None:
            user = hub.user(self.name)
            policy.drop(session.present, user)
            why = one_line(reason, hub.limits.reason)
            await drop(hub, user, f"dropped: {why}" if why else "dropped")

        await self._inside().speakers.do(put_out, by=by)

    def _place(self, other: str | None) -> Place:
        inside = self._inside()
        me = inside.user_id(self.name)
        return inbox(me) if other is None else conversation(me, inside.user_id(other))

    def _has(self, said: Said) -> bool:
        return said.target is not None and casefold(self.name) in (casefold(said.to), casefold(said.by.nick))
