"""Fan-out: a stored batch on its way to the people.

Events are applied in log order. What concerns one room gathers into that room's run, which is rendered and joined once
per dialect and written with **one write per member, room and batch**. Whoever is not to hear all of a run, because it
spoke, came or went in it, is taken out of the hot loop and gets a slice of its own. An event of several rooms ends the
runs, so order is kept per room and per conversation. Nobody is waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Protocol

from asynchat.chat.applying import NOBODY
from asynchat.chat.events import Event, Said
from asynchat.chat.hub import Hub
from asynchat.chat.rooms import Audience, Room
from asynchat.chat.sessions import Dialect, Peer, Session
from asynchat.chat.users import User
from asynchat.net.journal import Entry
from asynchat.net.runs import Run, Slice
from asynchat.net.turns import Turns

log = logging.getLogger("asynchat")

SOFT_MARK = 128 * 1024
"""Unsent bytes of earlier batches past which a session lags."""
CROWD = 250
"""To how many one line goes in one turn of the loop: a write takes 5 µs, and others want their turn, too."""


class Behind(Protocol):
    """Those who lag: the fan-out tells of them, and pushes them nothing. See `net.catchup`."""

    @property
    def lags(self) -> Mapping[Any, object]: ...

    def begin(self, session: Session, /) -> None: ...

    def did(self, session: Session, event: Event, /) -> None: ...

    def came(self, session: Session, room: Room, event: Event, /) -> None: ...

    def went(self, session: Session, room: Room, event: Event, /) -> None: ...

    def void(self, event: Event, /) -> None: ...


class Fanout:
    """Delivers batches.

    Afterwards those who have more than `soft_mark` bytes of earlier batches unsent begin to lag; with each who has more
    than `send_queue`, and cannot lag at this moment, `over` is called.
    """

    def __init__(
        self, hub: Hub, *, send_queue: int, over: Callable[[Session], None], soft_mark: int = SOFT_MARK
    ) -> None:
        self.position = 0
        """Up to which id everything is shown, once a batch is delivered."""
        self.behind: Behind | None = None
        """None: nobody lags, they are put out instead."""
        self._hub = hub
        self._send_queue = send_queue
        self._soft_mark = min(soft_mark, send_queue)
        self._over = over
        self._slow: dict[Session, None] = {}
        self._ordered: dict[Session, list[tuple[int, Any]]] = {}  # what this batch has for those who want one order
        self._runs: dict[Room, Run] = {}
        self._echoing: dict[Session, Run] = {}  # the run in which each speaker's echoes are
        self._late: dict[Session, None] = {}
        self._pushed = 0  # bytes per peer at most, in this batch
        self._turns = Turns(hub, CROWD)

    def deliver(self, entries: Sequence[Entry]) -> Coroutine[Any, Any, None] | None:
        """Apply and show a batch that is stored; answer what could not be.

        Where a crowd hears, others have their turn between: then what is returned is to be awaited before the next
        batch, unless that `may_pass`.
        """
        if self._turns.begun:
            self._pass(entries)
            return None
        before = self._hub.applied
        self._apply_all(entries)
        self._end_runs()
        self._write_in_order()
        if self._turns:
            self._turns.begin(before)
            return self._deliver_rest()
        self._look_back()
        return None

    def _apply_all(self, entries: Sequence[Entry]) -> None:
        """Apply what is stored, and begin to show it."""
        hub, last = self._hub, ""
        for entry in entries:
            event = entry.event
            try:
                if entry.refused is None and entry.first is None:
                    if type(event) is not Said or not self._say(event, entry.via):
                        self._show(event, entry.via)
                else:
                    hub.withdraw(event)
                    self._answer(entry)
            except Exception:  # a bug: it must not cost the others of the batch anything
                log.exception("%s could not be shown", type(event).__name__)
                hub.withdraw(event)
            if event.kept and entry.refused is None and entry.first is None:
                last = event.id
        if last:
            self.position = int(last)

    async def _deliver_rest(self) -> None:
        await self._turns.take()
        self._look_back()

    def may_pass(self, entries: Sequence[Entry]) -> bool:
        """Whether a batch may be shown while a crowd is being told of another.

        It may if it is words of members to all of their rooms, none of them crowded, by people who are in no room that
        is being told: so order stays in each room, and among the echoes of each session.
        """
        state = self._hub.state
        if self._hub.crowded is None or (self.behind is not None and self.behind.lags):
            return False
        for entry in entries:
            event = entry.event
            if type(event) is not Said or event.target is not None or event.least or event.key is not None:
                return False
            author, room = state.people.get(event.by.user), state.places.get(event.places[0])
            if author is None or room is None or room not in author.rooms or self._hub.concerns(author):
                return False
            hearing = sum(map(len, room.hearers.values()))
            if hearing > self._turns.most or any(dialect.ordered for dialect in room.hearers):
                return False
        return True

    def _pass(self, entries: Sequence[Entry]) -> None:
        """Show a batch past a crowd that is being told of another; who lags then is seen to later."""
        turns, pushed = self._turns, self._pushed
        self._turns, self._pushed = Turns(self._hub, turns.most), 0
        try:
            self._apply_all(entries)
            self._end_runs()
        finally:
            self._turns, self._pushed = turns, pushed

    def _look_back(self) -> None:
        """See to those who have not taken what earlier batches had for them."""
        late, self._late, self._pushed = self._late, {}, 0
        slow, self._slow = self._slow, {}
        if self.behind is not None:
            for session in slow:
                self.behind.begin(session)
        for session in late:
            self._over(session)

    def _answer(self, entry: Entry) -> None:
        """Tell who did something that it was not stored, or was stored before."""
        via = entry.via
        if via is None:
            return
        self._end_echoes(via)
        if via.dialect.ordered:
            self._end_runs()
            self._write_in_order()
        if self._turns:  # it comes after what was said before it
            self._turns.add(1, partial(self._tell, entry, via))
        else:
            self._tell(entry, via)

    @staticmethod
    def _tell(entry: Entry, via: Session) -> None:
        try:
            if entry.refused is not None:
                via.failed(entry.event, entry.refused)
            elif entry.first is not None:
                via.repeated(entry.event, entry.first)
        except (OSError, RuntimeError):  # it is gone; its own conversation finds out
            return

    def _show(self, event: Event, via: Session | None) -> None:
        people = self._hub.state.people
        author = people.get(event.by.user)
        if not event.talk and len(event.places) > 1:
            self._end_runs()  # before several rooms change at once
        audience = self._hub.apply(event)
        if event.talk and audience.also and event.places[0] in self._hub.state.places:
            self._end_runs()  # what only some of a room hear comes after what all heard before
        if self.behind is not None and self.behind.lags:
            self._note_lagging(self.behind, event, audience, via)
        if audience is NOBODY and not event.talk:
            return  # it fits no more: nothing has changed, and nobody is told so
        author = author or people.get(event.by.user)  # a replay or another node may bring somebody new
        if len(audience.rooms) == 1 and not audience.watchers:
            self._into_run(audience.rooms[0], event, audience, author, via)
            for user in audience.also:
                self._to_user(user, event)
            return
        if audience.rooms:
            self._end_runs()
        told = self._to_rooms(audience.rooms, event, author)
        for session in audience.watchers:
            chunk = session.watched(event, session in told)
            if chunk:
                self._push({session: session.peer}, chunk)
        for user in audience.also:
            if user is not author or event.talk:
                self._to_user(user, event)
        for session in self._awake(author):
            self._to_author(session, event, via)

    def _say(self, event: Said, via: Session | None) -> bool:
        """Show what most events are, words of a member to all of a room: as `_show` would, for a third of the time.

        False, and nothing done, if it is something else, or somebody lags.
        """
        if event.target is not None or event.least:
            return False
        state = self._hub.state
        author, room = state.people.get(event.by.user), state.places.get(event.places[0])
        if author is None or room is None or room not in author.rooms or (self.behind is not None and self.behind.lags):
            return False
        self._hub.applied = event.id  # which is all that applying words does
        run = self._runs.get(room)
        if run is None:
            run = self._runs[room] = Run(room)
        index = len(run.events)
        run.events.append(event)
        for session in author.sessions:
            self._echo(run, session, index, event, via)
        return True

    @staticmethod
    def _note_lagging(behind: Behind, event: Event, audience: Audience, via: Session | None) -> None:
        """Tell of what those who lag will want to know."""
        if audience is NOBODY and not event.talk:
            behind.void(event)
            return
        if via is not None and via in behind.lags:
            behind.did(via, event)
        if len(audience.rooms) == 1:
            for user, note in ((audience.comes, behind.came), (audience.goes, behind.went)):
                for session in user.sessions if user is not None else ():
                    if session in behind.lags:
                        note(session, audience.rooms[0], event)

    def _awake(self, user: User | None) -> Sequence[Session]:
        """The sessions of a user that are pushed to."""
        if user is None:
            return ()
        if self.behind is None or not self.behind.lags:
            return user.sessions
        return [session for session in user.sessions if not session.lagging]

    # One room.

    def _into_run(self, room: Room, event: Event, audience: Audience, author: User | None, via: Session | None) -> None:
        comes, goes = audience.comes, audience.goes
        outside: list[Session] = []
        if author is not None and author is not comes and author is not goes:
            outside = [session for session in self._awake(author) if not room.hears(session)]
        run = self._runs.get(room)
        if run is not None and any(session in run.apart for session in (*outside, *self._awake(comes))):
            for session in self._awake(goes) if goes is not author else ():
                run.apart.setdefault(session, Slice(0))  # it is out of the push list already
            self._end_run(run)  # somebody who went in it comes or speaks again: that is another slice
            run = None
        for session in outside:
            self._to_author(session, event, via)  # who is not in the room hears its echo and no more
        if run is None or run.room not in self._runs:
            run = self._runs[room] = Run(room)
        index = len(run.events)
        run.events.append(event)
        if author is not None:
            for session in self._awake(author):
                if author is comes:
                    run.apart[session] = Slice(index)
                elif author is goes:
                    run.apart.setdefault(session, Slice(0)).end = index + 1
                elif session in outside:
                    continue
                self._echo(run, session, index, event, via)
        if goes is not None and goes is not author:
            for session in self._awake(goes):
                run.apart.setdefault(session, Slice(0)).end = index + 1

    def _echo(self, run: Run, session: Session, index: int, event: Event, via: Session | None) -> None:
        """Put what the author's session hears in the place of what the others hear."""
        line = session.own(event, session is via)
        if line:
            before = self._echoing.get(session)
            if before is not None and before is not run:
                self._end_run(before)  # echoes come in the order in which it spoke
            self._echoing[session] = run
        slice_ = run.apart.get(session)
        if slice_ is None:
            slice_ = run.apart[session] = Slice(0)
        slice_.own.append((index, line))

    def _end_runs(self) -> None:
        for run in tuple(self._runs.values()):
            try:
                self._end_run(run)
            except Exception:  # a bug in one room must not cost the others anything
                log.exception("what was said in %s could not be shown", run.room.name)

    def _end_run(self, run: Run) -> None:
        """Render the run once per dialect and write it, once per hearer."""
        before = len(self._turns)
        self._write_to_hearers(run)
        if len(self._turns) > before:
            apart = (session.user for session in run.apart if session.user is not None)
            self._turns.note(run.room, apart, len(self._turns) - before)

    def _write_to_hearers(self, run: Run) -> None:
        del self._runs[run.room]
        hearers, apart, events = run.room.hearers, run.apart, run.events
        aside: list[tuple[dict[Session, Peer], Session, Peer]] = []
        for session in apart:
            if self._echoing.get(session) is run:
                del self._echoing[session]
            group = hearers.get(session.dialect)
            if group is not None and (peer := group.pop(session, None)) is not None:
                aside.append((group, session, peer))
        rendered: dict[Dialect, list[Any]] = {}
        try:
            for dialect, group in hearers.items():
                if group:
                    lines = rendered[dialect] = [dialect.render(event) for event in events]
                    self._write_run(dialect, group, events, lines)
        finally:
            for group, session, peer in aside:
                group[session] = peer
        for session, slice_ in apart.items():
            if len(slice_.own) < len(events):
                dialect = session.dialect
                lines = rendered.get(dialect) or rendered.setdefault(dialect, [dialect.render(e) for e in events])
            elif any(line for _, line in slice_.own):  # all of it is its own: nothing to render
                lines = [b""] * len(events)
            else:
                continue
            share = events[slice_.start : slice_.end]
            self._write_run(session.dialect, {session: session.peer}, share, slice_.cut(lines))

    def _write_run(
        self, dialect: Dialect, group: Mapping[Session, Peer], events: Sequence[Event], lines: Sequence[Any]
    ) -> None:
        if dialect.ordered:
            self._keep_in_order(group, events, lines)
        elif chunk := dialect.join(lines):
            self._push(group, chunk)

    # Several rooms, and people.

    def _to_rooms(self, rooms: Sequence[Room], event: Event, author: User | None) -> set[Session]:
        """Write an event of several rooms once to each who is in any of them; returns who has heard of it."""
        told: set[Session] = set(author.sessions) if author is not None else set()
        rendered: dict[Dialect, Any] = {}
        for room in rooms:
            for dialect, group in room.hearers.items():
                if dialect.ordered:
                    self._keep_in_order(
                        [each for each in group if each not in told], (event,), (dialect.render(event),)
                    )
                    told.update(group)
                    continue
                chunk = rendered.get(dialect)
                if chunk is None:
                    chunk = rendered[dialect] = dialect.join([dialect.render(event)])
                if chunk:
                    self._push({session: peer for session, peer in group.items() if session not in told}, chunk)
                told.update(group)
        return told

    def _to_user(self, user: User, event: Event) -> None:
        for session in self._awake(user):
            line = session.told(event)
            if line:
                self._to_one(session, event, line)

    def _to_author(self, session: Session, event: Event, via: Session | None) -> None:
        line = session.own(event, session is via)
        if line:
            self._end_echoes(session)
            self._to_one(session, event, line)

    def _to_one(self, session: Session, event: Event, line: Any) -> None:
        if session.dialect.ordered:
            self._keep_in_order((session,), (event,), (line,))
        else:
            self._push({session: session.peer}, session.dialect.join([line]))

    # Those who want one order.

    def _keep_in_order(self, sessions: Iterable[Session], events: Sequence[Event], lines: Sequence[Any]) -> None:
        """Keep lines for these sessions until all of the batch is known."""
        for session in sessions:
            kept = self._ordered.setdefault(session, [])
            kept += ((int(event.id), line) for event, line in zip(events, lines, strict=True) if line)

    def _write_in_order(self) -> None:
        ordered, self._ordered = self._ordered, {}
        for session, lines in ordered.items():
            if lines and session.user is not None:
                lines.sort(key=itemgetter(0))
                self._push({session: session.peer}, session.dialect.join([line for _, line in lines]))

    def _end_echoes(self, session: Session) -> None:
        """End the run in which the session's echoes are: what it hears next comes after them."""
        run = self._echoing.get(session)
        if run is not None:
            self._end_run(run)

    def _push(self, group: Mapping[Session, Peer], chunk: Any) -> None:
        """Write to each of a group; to a crowd some at a time, in turns of their own, and what follows after that."""
        soft = self._soft_mark + self._pushed  # what this batch has written does not count against anybody
        hard = self._send_queue + self._pushed
        self._pushed += len(chunk)
        most = self._turns.most
        if len(group) <= most and not self._turns:
            self._write(group, chunk, soft, hard)
            return
        hearers = tuple(group.items())
        for start in range(0, len(hearers), most):
            some = dict(hearers[start : start + most])
            self._turns.add(len(some), partial(self._write, some, chunk, soft, hard))

    def _write(self, group: Mapping[Session, Peer], chunk: Any, soft: int, hard: int) -> None:
        """The hot loop: look at what is unsent from earlier batches, then write.

        A peer that is gone raises here and must not cost the others their line; its own conversation finds out.
        """
        if self._late:  # who has missed a line hears no later one either
            group = {session: peer for session, peer in group.items() if session not in self._late}
        for peer in group.values():
            try:
                unsent = peer.unsent()
                if unsent > soft:
                    session = next(session for session, its in group.items() if its is peer)
                    if unsent > hard and (self.behind is None or session.peer.holding):
                        self._late[session] = None
                        continue
                    self._slow[session] = None
                peer.write(chunk)
            except (OSError, RuntimeError):
                continue
