"""Tracing: what comes in, what it means, and who hears of it, one line for each step.

    #1   irc   bytes  27 B  "PRIVMSG #lobby :hello\\r\\n"
    #1   irc   line   PRIVMSG #lobby :hello
    #1   irc   verb   PRIVMSG  #lobby  hello
    #1   -     event  #8 Said by alice in #lobby: hello
    #1   -     told   2 sessions: bob, carol

A server that is not traced has nothing of this: tracing puts other classes in the place of sessions, hub and fan-out.
No password is ever shown. So what comes in is shown only where it is whole lines, and is known not to be one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from asynchat.chat.events import Departed, Entered, Event, Said
from asynchat.chat.hub import Hub
from asynchat.chat.rooms import Audience
from asynchat.chat.sessions import Dialect, Session
from asynchat.net.fanout import Fanout
from asynchat.net.journal import Entry
from asynchat.wire.carrier import Carrier
from asynchat.wire.tracing import Traced, TracedFrame, TracedHttp, TracedIrc, TracedLine, shown

NAMES = 8
"""Of whom it is told that they heard something."""


class Trace:
    """Tells `show` of each step. Connections are numbered in the order in which their wire was known.

    What a WebSocket carries has the number of the request that opened it.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._count = itertools.count(1)
        self._numbers: dict[object, int] = {}  # by connection
        self.via: Session | None = None  # through which session the event came that is being shown

    # What a traced server is made of.

    def sessions(
        self, of: Callable[[type[Any]], Callable[..., Any]] = lambda kind: kind
    ) -> Mapping[str, Callable[..., Any]]:
        """What speaks each wire: see `House.sessions`. `of` makes another class of a traced one."""
        kinds: Sequence[type[Traced]] = (TracedIrc, TracedLine, TracedFrame, TracedHttp)
        return {kind.wire: partial(of(kind), self) for kind in kinds}

    def parts(self) -> tuple[Callable[..., Hub], Callable[..., Fanout]]:
        """What makes its hub, and its fan-out."""
        return partial(TracedHub, self), partial(TracedFanout, self)

    # What they tell.

    def came(self, session: object) -> None:
        """A session speaks."""
        connection = _connection(session)
        if connection not in self._numbers:
            self._numbers[connection] = next(self._count)

    def went(self, session: object) -> None:
        """A session has ended."""
        self._numbers.pop(_connection(session), None)

    def step(self, session: object, wire: str, step: str, text: str) -> None:
        """Show one step."""
        number = self._numbers.get(_connection(session))
        self._show(f"{f'#{number}' if number is not None else '-':<5} {wire:<6} {step:<6} {text}".rstrip())

    def applied(self, event: Event, audience: Audience) -> None:
        """Show an event, and who hears of it."""
        via = self.via
        self.step(via, "-", "event", f"#{event.id} {_words(event)}{'' if event.kept else ' (not kept)'}")
        told = [session for session in _hearing(event, audience) if session is not via]
        behind = sum(session.lagging for session in told)
        later = f", {behind} of them once they have caught up" if behind else ""
        names = list(dict.fromkeys(session.user.nick for session in told if session.user is not None))
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        whom = f": {', '.join(names[:NAMES])}{more}" if names else ""
        self.step(via, "-", "told", f"{len(told)} {'session' if len(told) == 1 else 'sessions'}{later}{whom}")


class TracedHub(Hub):
    """A hub that tells what it applies."""

    def __init__(self, trace: Trace, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._trace = trace

    def apply(self, event: Event) -> Audience:
        audience = super().apply(event)
        self._trace.applied(event, audience)
        return audience


class TracedFanout(Fanout):
    """A fan-out that takes the long way with everything, on which the hub applies it."""

    def __init__(self, trace: Trace, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._trace = trace

    def _say(self, event: Said, via: Session | None) -> bool:
        return False

    def _show(self, event: Event, via: Session | None) -> None:
        self._trace.via = via
        super()._show(event, via)

    def _answer(self, entry: Entry) -> None:
        what = f"#{entry.event.id} {type(entry.event).__name__}"
        if entry.refused is not None:
            self._trace.step(entry.via, "-", "event", f"{what} could not be stored: {entry.refused.code}")
        elif entry.first is not None:
            self._trace.step(entry.via, "-", "event", f"{what} was stored before, as #{entry.first.id}")
        super()._answer(entry)


def _connection(session: object) -> object:
    """What is at the bottom of a session, whatever carries it."""
    link = getattr(session, "link", None)
    while isinstance(link, Carrier):
        link = link.link
    return link


def _words(event: Event) -> str:
    """An event in short: keys and passwords are no part of it."""
    words = f"{type(event).__name__} by {event.by.nick}"
    where = getattr(event, "room", None) or getattr(event, "to", None)
    if where:
        words += f" in {shown(where)}" if where[:1] == "#" else f" to {shown(where)}"
    if isinstance(event, Said):
        words += f": {shown(event.text)}"
    elif isinstance(event, Departed):
        words += f": {shown(event.reason)}"
    return words


def _hearing(event: Event, audience: Audience) -> Iterable[Session]:
    """The sessions that are told, each once."""
    speak: dict[Dialect, bool] = {}
    found: dict[Session, None] = {}
    users = itertools.chain(
        (user for room in audience.rooms for user in room.members),
        (user for user in (audience.goes,) if user is not None),
    )
    for user in users:
        for session in user.sessions:
            dialect = session.dialect
            if dialect not in speak:
                speak[dialect] = bool(dialect.render(event))
            if speak[dialect]:
                found[session] = None
    if not isinstance(event, Entered):
        found.update((session, None) for user in audience.also for session in user.sessions)
    found.update(dict.fromkeys(audience.watchers))
    return found
