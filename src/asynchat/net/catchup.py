"""Catch-up: who has fallen behind reads on from the log, at its own pace, until it is level.

A session that has too much unsent (`fanout.SOFT_MARK`) is pushed nothing any more. A task of its own reads pages after
its last position, writes, and waits until they are sent; so what waits for it lies in the log and not in memory, and
nobody else waits. Its commands wait too, or their answers would overtake what was said before.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place
from asynchat.chat.rooms import Room
from asynchat.chat.sessions import Session
from asynchat.chat.users import User
from asynchat.net.pages import Page, Pages, Reader
from asynchat.wire.session import Session as Lagging

log = logging.getLogger("asynchat")


class Span:
    """What a session may see of a place: what comes after the id `after`, up to and with `until`.

    `seen` is how many events the place had when the session was level, and those it was shown since; None where nobody
    knows.
    """

    __slots__ = ("after", "seen", "until")

    def __init__(self, after: int, seen: int | None) -> None:
        self.after = after
        self.until: int | None = None
        self.seen = seen


class Lag:
    """A session that lags: how far it has been shown everything, and what it may see."""

    __slots__ = ("level", "own", "position", "session", "spans")

    def __init__(self, session: Lagging, position: int) -> None:
        self.session = session
        self.position = position
        self.spans: dict[Place, Span] = {}
        self.own: set[str] = set()  # ids of what it did itself, and has not been shown
        self.level = asyncio.Event()


class CatchUp:
    """Those who lag. `position` gives the id up to which everything is shown to those who do not."""

    def __init__(self, source: Reader, position: Callable[[], int]) -> None:
        self.lags: dict[Session, Lag] = {}
        self._source = source
        self._position = position
        self._pages = Pages(source)

    def work_in(self, group: asyncio.TaskGroup) -> None:
        """Have each who lags served by a task of this group; to be called before anybody does."""
        self._group = group

    # What the fan-out calls.

    def begin(self, session: Session) -> None:
        """The session is behind; it was shown everything up to the position. Not while it holds."""
        assert isinstance(session, Lagging)
        user = session.user
        if user is None or session.lagging or session.closing or session.peer.holding:
            return
        places = (user.inbox, *(room.place for room in user.rooms))
        spans = {place: Span(self._position(), self._source.had(place).events) for place in places}
        self._begin(session, user, self._position(), spans)

    def begin_after(self, session: Lagging, position: int, place: Place) -> None:
        """The session wants everything after a position, of one place more besides its own."""
        user = session.user
        if user is None or session.lagging or session.closing:
            return
        places = (place, user.inbox, *(room.place for room in user.rooms))
        self._begin(session, user, position, {place: Span(position, None) for place in places})

    def _begin(self, session: Lagging, user: User, position: int, spans: dict[Place, Span]) -> None:
        lag = self.lags[session] = Lag(session, position)
        lag.spans = spans
        for room in user.rooms:
            room.deafen(session)
        session.lagging = True
        session.level = lag.level.wait
        session.peer.fall_behind()
        self._group.create_task(self._serve(lag), name=f"asynchat catch-up {user.nick}")

    def did(self, session: Session, event: Event) -> None:
        """Something that this session did, while it lags, is stored."""
        self.lags[session].own.add(event.id)

    def came(self, session: Session, room: Room, event: Event) -> None:
        """Its user came into a room while it lags."""
        before = int(event.id) - 1
        self.lags[session].spans[room.place] = Span(before, self._source.had(room.place).events - 1)

    def went(self, session: Session, room: Room, event: Event) -> None:
        """Its user went from a room while it lags."""
        span = self.lags[session].spans.get(room.place)
        if span is not None:
            span.until = int(event.id)

    # One who lags.

    async def _serve(self, lag: Lag) -> None:
        """Have the session read on until it is level, or gone."""
        session = lag.session
        try:
            await self._catch_up(lag)
        except TimeoutError:
            session.drop("SendQ exceeded: does not read")
        except StoreError as error:
            log.error("%r cannot catch up: %s", session, error)
            session.drop("the log cannot be read")
        except (OSError, RuntimeError):  # it is gone; its own conversation finds out
            session.drop("connection lost")
        except Exception:
            log.exception("%r cannot catch up", session)
            session.drop("internal error")
        finally:
            del self.lags[session]
            session.lagging = False
            session.level = None
            lag.level.set()
            with suppress(OSError, RuntimeError):  # it may be gone
                session.peer.draw_level()

    async def _catch_up(self, lag: Lag) -> None:
        session = lag.session
        while not self._is_gone(lag):
            await session.link.drained()
            upto = self._position()
            if lag.position >= upto:
                # No await from here on: what is stored next is pushed.
                session.lagging = False
                if session.user is not None:
                    for room in session.user.rooms:
                        room.hear(session)
                return
            read = {place: span for place, span in lag.spans.items() if span.until is None or span.until > lag.position}
            pages = await asyncio.gather(
                *(self._pages.page(place, max(lag.position, span.after), upto) for place, span in read.items())
            )
            if self._is_gone(lag):
                return
            target = min(upto, *(page.upto for page in pages)) if pages else upto
            chunk = self._chunk(lag, dict(zip(read, pages, strict=True)), target)
            if chunk:
                session.peer.overtake(chunk)
            lag.position = target

    @staticmethod
    def _is_gone(lag: Lag) -> bool:
        return lag.session.closing or lag.session.user is None

    def _chunk(self, lag: Lag, pages: dict[Place, Page], target: int) -> bytes:
        """What the session is shown of those pages, up to and with an id."""
        session, user = lag.session, lag.session.user
        assert user is not None
        shares: list[tuple[Page, range, Place]] = []
        for place, page in pages.items():
            span = lag.spans[place]
            self._tell_of_gap(lag, span, page, place)
            until = target if span.until is None else min(target, span.until)
            share = page.between(max(lag.position, span.after), until)
            if span.seen is not None:
                span.seen += len(share)
            if share:
                shares.append((page, share, place))
        if len(shares) == 1:
            page, share, place = shares[0]
            if place != user.inbox and not page.for_some and user.id not in page.authors:
                return session.dialect.join(page.rendered(session.dialect)[share.start : share.stop])  # type: ignore[no-any-return]  # bytes on every wire
        lines: list[bytes] = []
        last = 0
        places = ([(page.ids[index], page, index, place) for index in share] for page, share, place in shares)
        for position, page, index, place in heapq.merge(*places, key=itemgetter(0)):
            if position != last and (line := self._line(lag, page, index, place)):
                lines.append(line)
            last = position  # what is in several places is shown once
        return session.dialect.join(lines)  # type: ignore[no-any-return]  # bytes on every wire

    @staticmethod
    def _tell_of_gap(lag: Lag, span: Span, page: Page, place: Place) -> None:
        """If the log had lost something that the session has not been shown, it is told so."""
        had = page.had
        if had.last_lost > max(lag.position, span.after):
            room = lag.session.hub.state.places.get(place)
            name = room.name if room is not None else "what was said to you alone"
            if span.seen is None:
                lag.session.was_behind(name, None, None)
            elif had.lost > span.seen:
                lag.session.was_behind(name, had.events - span.seen, had.lost - span.seen)
            span.seen, span.after = had.lost, had.last_lost

    @staticmethod
    def _line(lag: Lag, page: Page, index: int, place: Place) -> bytes:
        """An event of a page as the session is shown it."""
        session, event = lag.session, page.events[index]
        user = session.user
        assert user is not None
        if event.by.user == user.id:
            return session.own(event, event.id in lag.own)  # type: ignore[no-any-return]  # bytes on every wire
        if place == user.inbox:
            return session.told(event)  # type: ignore[no-any-return]
        if page.for_some and not session.told_only([event]):
            return b""
        return page.rendered(session.dialect)[index]  # type: ignore[no-any-return]
