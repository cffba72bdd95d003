"""The people that an application speaks as."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from asynchat.chat.errors import BadName, Refused
from asynchat.chat.events import Event, Kind
from asynchat.chat.names import casefold, check_person, is_room
from asynchat.config.values import BadConfig
from asynchat.net.app.receipt import Receipt
from asynchat.wire.app import APP, AppSession
from asynchat.wire.house import House
from asynchat.wire.peer import HeldPeer
from asynchat.wire.session import Session

log = logging.getLogger("asynchat")

Verb = Callable[[AppSession], Awaitable[object] | None]


def _swallow(chunk: bytes) -> None:
    """Nobody listens."""


def reserved(names: str | Iterable[str], limit: int) -> frozenset[str]:
    """Names, of so many characters at most, that an application keeps for itself; casefolded.

    Raises:
        BadConfig: nobody can be called so.
    """
    found = [names] if isinstance(names, str) else [*names]
    try:
        for name in found:
            check_person(name, limit)
    except BadName as refused:
        raise BadConfig(f"Server: speakers: {refused.text}") from None
    return frozenset(map(casefold, found))


class Speaker:
    """One of them: the link under its session, and whose turn it is to do something as it."""

    address = APP
    host = "localhost"
    secure = True
    certificate = None
    pace = None

    def __init__(self, over: Callable[[Speaker, str], None]) -> None:
        self.peer = HeldPeer(_swallow, lambda: 0)
        self.turn = asyncio.Lock()
        self.session: AppSession
        self.lost = False
        self._over = over

    async def drained(self) -> None:
        """Nothing is ever unsent."""

    def become(self, session: Session) -> None:
        raise NotImplementedError

    def rouse(self) -> None:
        """It never sleeps."""

    def close(self, reason: str = "") -> None:
        """It was put out."""
        if not self.lost:
            self.lost = True
            self._over(self, reason)

    def abort(self, reason: str) -> None:
        self.close(reason)


class Speakers:
    """All of them, each from its first word to `leave` or the end of the server. Who is put out may come again.

    What one who was put out leaves to do is a task of `group`.
    """

    def __init__(self, house: House, group: asyncio.TaskGroup) -> None:
        self._house = house
        self._group = group
        self._all: dict[str, Speaker] = {}
        self._entering = asyncio.Lock()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    # What is done as one of them.

    async def send(self, to: str, text: str, kind: Kind, *, by: str, **more: Any) -> Receipt:
        """Say something in a room, which is entered, or to a person; returns once it is stored and shown.

        `more` is that of the hub's `say`.
        """
        if self._house.hub.journal.crowded:
            await self._house.hub.journal.breathe()
        async with self._acting(by) as session:
            if is_room(to):
                await session.be_in(to)
            pending = await session.say(to, text, kind, **more)
        event: Event = await pending
        return Receipt(id=event.id, at=event.at, new=event is pending.event)

    async def do(self, verb: Verb, *, by: str, room: str | None = None) -> None:
        """Do something, in a room, which is entered; returns once it is stored and shown."""
        async with self._acting(by) as session:
            if room is not None and not session.present.is_server:
                await session.be_in(room)
            await session.settle(session.present.last)
            pending = verb(session)
            if pending is not None:
                await pending

    async def leave(self, name: str) -> None:
        """Be this one no more; nothing if it is not here."""
        speaker = self._all.pop(casefold(name), None)
        if speaker is not None:
            async with speaker.turn:
                await speaker.session.gone("left")

    async def close(self, reason: str) -> None:
        """Have all of them go, and nobody come any more."""
        self._closed = True
        while self._all:
            _, speaker = self._all.popitem()
            await speaker.session.gone(reason)

    # How it is done.

    @asynccontextmanager
    async def _acting(self, name: str) -> AsyncIterator[AppSession]:
        """The session of this one, which comes in if it is not here; what is done as it is done in order."""
        while True:
            speaker = self._all.get(casefold(name)) or await self._enter(name)
            async with speaker.turn:
                if speaker.session.user is not None:  # else it left before it was our turn
                    speaker.session.heard_at = self._loop.time()
                    yield speaker.session
                    return

    async def _enter(self, name: str) -> Speaker:
        """This one, who comes in though whoever wanted it is cancelled: else somebody would be here by no name."""
        if self._closed:
            raise RuntimeError("the server is closed")
        outcome = await asyncio.shield(self._group.create_task(self._entered(name), name=f"asynchat speaker {name}"))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _entered(self, name: str) -> Speaker | Exception:
        """This one, or why it may not come in."""
        async with self._entering:
            speaker = self._all.get(casefold(name))
            if speaker is not None:
                return speaker
            speaker = Speaker(self._put_out)
            speaker.session = self._house.sessions.get(APP, AppSession)(self._house, speaker, self._loop.time())
            try:
                await speaker.session.come_in(name)
            except Refused as refused:
                return refused
            except Exception as error:
                log.exception("%s could not come in", name)
                return error
            if self._closed:
                await speaker.session.gone("the server is stopping")
            else:
                self._all[casefold(name)] = speaker
        return speaker

    def _put_out(self, speaker: Speaker, reason: str) -> None:
        for name, each in tuple(self._all.items()):
            if each is speaker:
                del self._all[name]
        if not self._closed:  # else it is going anyway
            self._group.create_task(speaker.session.gone(reason), name="asynchat speaker's end")
