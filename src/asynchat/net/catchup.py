"""Catch-up: who has fallen behind reads on from the log, at its own pace, until it is level.

A session that has too much unsent (`fanout.SOFT_MARK`) is pushed nothing any more. A task of its own reads pages after
its last position, writes, and waits until they are sent; so what waits for it lies in the log and not in memory, and
nobody else waits. Its commands wait too, or their answers would overtake what was said before.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Place
from asynchat.chat.rooms import Room
from asynchat.chat.sessions import Session
from asynchat.chat.users import User
from asynchat.net.pages import Page, Pages, Reader
from asynchat.wire import session as wire

log = logging.getLogger("asynchat")


class Span:
    """What a session may see of a place: what comes after the id `after`, up to and with `until` (None: no end).

    `seen` is how many events the place had when the session was level, and those it was shown since; None where nobody
    knows.
    """

    __slots__ = ("after", "place", "seen", "until")

    def __init__(self, place: Place, after: int, seen: int | None, until: int | None = None) -> None:
        self.place = place
        self.after = after
        self.until = until
        self.seen = seen


class Lag:
    """A session that lags: how far it has been shown everything, and what it may see."""

    __slots__ = ("level", "own", "position", "session", "spans")

    def __init__(self, session: wire.Session, position: int) -> None:
        self.session = session
        self.position = position
        self.spans: list[Span] = []
        self.own: set[str] = set()  # ids of what it did itself, and has not been shown
        self.level = asyncio.Event()


class CatchUp:
    """Those who lag. `position` gives the id up to which everything is shown to those who do not."""

    def __init__(self, source: Reader, position: Callable[[], int]) -> None:
        self.lags: dict[Session, Lag] = {}
        self._void: set[int] = set()  # ids of what is in the log and changed nothing, as long as anybody lags
        self._source = source
        self._position = position
        self._pages = Pages(source)

    def work_in(self, group: asyncio.TaskGroup) -> None:
        """Have each who lags served by a task of this group; to be called before anybody does."""
        self._group = group

    # What the fan-out calls.

    def begin(self, session: Session) -> None:
        """The session is behind; it was shown everything up to the position. Not while it holds."""
        assert isinstance(session, wire.Session)
        user = session.user
        if user is None or session.lagging or session.closing or session.peer.holding:
            return
        places = (user.inbox, *(room.place for room in user.rooms))
        spans = [Span(place, self._position(), self._source.had(place).events) for place in places]
        self._begin(session, user, self._position(), spans)

    def begin_after(self, session: wire.Session, position: int, heard: Mapping[Place, int]) -> None:
        """The session wants everything after a position that it has not heard.

        `heard` are the places of which it has heard everything after some id.
        """
        user = session.user
        if user is None or session.lagging or session.closing:
            return
        now, spans = self._position(), []
        for place in dict.fromkeys((*heard, user.inbox, *(room.place for room in user.rooms))):
            if place in heard:
                spans.append(Span(place, position, None, until=heard[place]))
                spans.append(Span(place, now, self._source.had(place).events))
            else:
                spans.append(Span(place, position, None))
        self._begin(session, user, position, spans)

    def _begin(self, session: wire.Session, user: User, position: int, spans: list[Span]) -> None:
        lag = self.lags[session] = Lag(session, position)
        lag.spans = spans
        for room in user.rooms:
            room.deafen(session)
        session.lagging = True
        session.level = lag.level.wait
        session.shown = lambda: lag.position
        session.peer.fall_behind()
        self._group.create_task(self._serve(lag), name=f"asynchat catch-up {user.nick}")

    def did(self, session: Session, event: Event) -> None:
        """Something that this session did, while it lags, is stored."""
        self.lags[session].own.add(event.id)

    def came(self, session: Session, room: Room, event: Event) -> None:
        """Its user came into a room while it lags."""
        span = Span(room.place, int(event.id) - 1, self._source.had(room.place).events - 1)
        self.lags[session].spans.append(span)

    def went(self, session: Session, room: Room, event: Event) -> None:
        """Its user went from a room while it lags."""
        for span in self.lags[session].spans:
            if span.place == room.place and span.until is None:
                span.until = int(event.id)

    def void(self, event: Event) -> None:
        """Something that is stored fitted no more when it was applied: it is not shown."""
        self._void.add(int(event.id))

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
            session.level = session.shown = None
            if not self.lags:
                self._void.clear()
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
            lag.spans = [span for span in lag.spans if span.until is None or span.until > lag.position]
            spans = [span for span in lag.spans if span.after < upto]
            pages = await asyncio.gather(
                *(self._pages.page(span.place, max(lag.position, span.after), upto) for span in spans)
            )
            if self._is_gone(lag):
                return
            target = min(upto, *(page.upto for page in pages)) if pages else upto
            chunk = self._chunk(lag, list(zip(spans, pages, strict=True)), target)
            if chunk:
                session.peer.overtake(chunk)
            lag.position = target

    @staticmethod
    def _is_gone(lag: Lag) -> bool:
        return lag.session.closing or lag.session.user is None

    def _chunk(self, lag: Lag, pages: Sequence[tuple[Span, Page]], target: int) -> bytes:
        """What the session is shown of those pages, up to and with an id."""
        session, user = lag.session, lag.session.user
        assert user is not None
        shares: list[tuple[Page, range, Place]] = []
        for span, page in pages:
            place = span.place
            self._tell_of_gap(lag, span, page, place)
            until = target if span.until is None else min(target, span.until)
            share = page.between(max(lag.position, span.after), until)
            if span.seen is not None:
                span.seen += len(share)
            if share:
                shares.append((page, share, place))
        if len(shares) == 1:
            page, share, place = shares[0]
            plain = not page.for_some and self._void.isdisjoint(page.ids)
            if place != user.inbox and plain and user.id not in page.authors:
                return b"".join(page.rendered(session.dialect)[share.start : share.stop])
        lines: list[bytes] = []
        last = 0
        places = ([(page.ids[index], page, index, place) for index in share] for page, share, place in shares)
        for position, page, index, place in heapq.merge(*places, key=itemgetter(0)):
            if position != last and position not in self._void and (line := self._line(lag, page, index, place)):
                lines.append(line)
            last = position  # what is in several places is shown once
        return b"".join(lines)

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
        line: bytes = page.rendered(session.dialect)[index]
        if event.by.user == user.id:
            line = session.own(event, event.id in lag.own)
        elif place == user.inbox:
            line = session.told(event)
        elif page.for_some and not session.told_only([event]):
            line = b""
        return line
