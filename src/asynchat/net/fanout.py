"""Fan-out: a stored batch on its way to the people.

Events are applied in log order. What concerns one room gathers into that room's run, which is rendered and joined once
per dialect and written with **one write per member, room and batch**. Whoever is not to hear all of a run, because it
spoke, came or went in it, is taken out of the hot loop and gets a slice of its own. An event of several rooms ends the
runs, so order is kept per room and per conversation. Nobody is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asynchat.chat.events import Event
from asynchat.chat.hub import Hub
from asynchat.chat.rooms import Audience, Room
from asynchat.chat.sessions import Dialect, Peer, Session
from asynchat.chat.users import User
from asynchat.net.journal import Entry


class Slice:
    """The part of a run that one session hears: from `start` up to `end`, with its own lines put in their places."""

    __slots__ = ("end", "own", "start")

    def __init__(self, start: int, end: int | None = None) -> None:
        self.start = start
        self.end = end
        self.own: list[tuple[int, Any]] = []

    def cut(self, rendered: Sequence[Any]) -> list[Any]:
        lines = list(rendered)
        for index, line in self.own:
            lines[index] = line
        return lines[self.start : self.end]


class Run:
    """Consecutive events of one room."""

    __slots__ = ("apart", "events", "room")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.events: list[Event] = []
        self.apart: dict[Session, Slice] = {}


class Fanout:
    """Delivers batches; afterwards `over` is called with each session that has more than `send_queue` bytes unsent."""

    def __init__(self, hub: Hub, *, send_queue: int, over: Callable[[Session], None]) -> None:
        self._hub = hub
        self._send_queue = send_queue
        self._over = over
        self._runs: dict[Room, Run] = {}
        self._echoing: dict[Session, Run] = {}  # the run in which each speaker's echoes are
        self._late: list[Session] = []

    def deliver(self, entries: Sequence[Entry]) -> None:
        """Apply and show a batch that is stored; answer what could not be."""
        hub = self._hub
        for entry in entries:
            event = entry.event
            if entry.refused is not None:
                hub.withdraw(event)
                if entry.via is not None:
                    entry.via.failed(event, entry.refused)
            elif entry.first is not None:
                hub.withdraw(event)
                if entry.via is not None:
                    entry.via.repeated(event, entry.first)
            else:
                self._show(event, entry.via)
        self._end_runs()
        late, self._late = self._late, []
        for session in late:
            self._over(session)

    def _show(self, event: Event, via: Session | None) -> None:
        people = self._hub.state.people
        author = people.get(event.by.user)
        if not event.talk and len(event.places) > 1:
            self._end_runs()  # before several rooms change at once
        audience = self._hub.apply(event)
        author = author or people.get(event.by.user)  # a replay or another node may bring somebody new
        if len(audience.rooms) == 1:
            self._into_run(audience.rooms[0], event, audience, author, via)
            return
        if audience.rooms:
            self._to_rooms(audience.rooms, event, author)
        for user in audience.also:
            self._to_user(user, event)
        if author is not None:
            for session in author.sessions:
                self._to_author(session, event, via)

    # One room.

    def _into_run(self, room: Room, event: Event, audience: Audience, author: User | None, via: Session | None) -> None:
        run = self._runs.get(room)
        if audience.comes is not None and run is not None and not run.apart.keys().isdisjoint(audience.comes.sessions):
            self._end_run(run)  # somebody went and came again: that is two slices
            run = None
        if run is None:
            run = self._runs[room] = Run(room)
        index = len(run.events)
        run.events.append(event)
        if author is not None:
            for session in author.sessions:
                if audience.comes is author:
                    run.apart[session] = Slice(index)
                elif audience.goes is author:
                    run.apart.setdefault(session, Slice(0)).end = index + 1
                elif not room.hears(session):
                    self._to_author(session, event, via)  # an outsider hears its echo and no more
                    continue
                self._echo(run, session, index, event, via)
        if audience.goes is not None and audience.goes is not author:
            for session in audience.goes.sessions:
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
            self._end_run(run)

    def _end_run(self, run: Run) -> None:
        """Render the run once per dialect and write it, once per hearer."""
        del self._runs[run.room]
        hearers, apart, events = run.room.hearers, run.apart, run.events
        aside: list[tuple[dict[Session, Peer], Session, Peer]] = []
        for session in apart:
            self._echoing.pop(session, None)
            group = hearers.get(session.dialect)
            if group is not None and (peer := group.pop(session, None)) is not None:
                aside.append((group, session, peer))
        rendered: dict[Dialect, list[Any]] = {}
        for dialect, group in hearers.items():
            if group:
                lines = rendered[dialect] = [dialect.render(event) for event in events]
                chunk = dialect.join(lines)
                if chunk:
                    self._push(group, chunk)
        for group, session, peer in aside:
            group[session] = peer
        for session, slice_ in apart.items():
            dialect = session.dialect
            if len(slice_.own) == len(events):  # all of it is its own: nothing to render
                lines = [b""] * len(events)
            else:
                lines = rendered.get(dialect) or rendered.setdefault(dialect, [dialect.render(e) for e in events])
            chunk = dialect.join(slice_.cut(lines))
            if chunk:
                self._push({session: session.peer}, chunk)

    # Several rooms, and people.

    def _to_rooms(self, rooms: Sequence[Room], event: Event, author: User | None) -> None:
        """Write an event of several rooms once to each who is in any of them."""
        told: set[Session] = set(author.sessions) if author is not None else set()
        rendered: dict[Dialect, Any] = {}
        for room in rooms:
            for dialect, group in room.hearers.items():
                chunk = rendered.get(dialect)
                if chunk is None:
                    chunk = rendered[dialect] = dialect.join([dialect.render(event)])
                if chunk:
                    self._push({session: peer for session, peer in group.items() if session not in told}, chunk)
                told.update(group)

    def _to_user(self, user: User, event: Event) -> None:
        for session in user.sessions:
            chunk = session.dialect.join([session.dialect.render(event)])
            if chunk:
                self._push({session: session.peer}, chunk)

    def _to_author(self, session: Session, event: Event, via: Session | None) -> None:
        line = session.own(event, session is via)
        if line:
            before = self._echoing.get(session)
            if before is not None:
                self._end_run(before)
            self._push({session: session.peer}, session.dialect.join([line]))

    def _push(self, group: Mapping[Session, Peer], chunk: Any) -> None:
        """The hot loop: look at what is unsent from earlier batches, then write.

        A peer that is gone raises here and must not cost the others their line; its own conversation finds out.
        """
        most = self._send_queue
        for peer in group.values():
            try:
                if peer.unsent() > most:
                    self._late.append(next(session for session, its in group.items() if its is peer))
                else:
                    peer.write(chunk)
            except (OSError, RuntimeError):
                continue
