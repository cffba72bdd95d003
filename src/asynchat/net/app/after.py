"""After-hooks: told of what has happened, once each and in order, at their own pace."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.events import Event, Kind, Said
from asynchat.chat.names import casefold
from asynchat.net.app.calls import Calls, name_of
from asynchat.net.app.event import KINDS, What, rooms_of, told_as

log = logging.getLogger("asynchat.hooks")

MOST = 1000
"""Events that wait for one hook in memory; the rest it reads from the log."""


class After:
    """One hook: `function` is told of each event that is a `what` and, if that is given, in the room."""

    def __init__(self, function: Callable[..., object], what: What, room: str | None) -> None:
        self.function = function
        self._what = what
        self._kinds = KINDS[what]
        self._room = casefold(room) if room is not None else None

    def wants(self, event: Event) -> bool:
        """Whether it is to be told of that."""
        if not isinstance(event, self._kinds) or (isinstance(event, Said) and event.kind is Kind.SIGNAL):
            return False
        return self._room is None or any(casefold(name) == self._room for name in rooms_of(event))

    async def tell(self, calls: Calls, event: Event) -> None:
        """Tell it; what goes wrong has been logged."""
        try:
            await calls.call(self.function, f"#{event.id}", told_as(self._what, event))
        except Refused as refused:
            log.debug("%s refused #%s, which has happened: %s", name_of(self.function), event.id, refused.code)
        except Exception:  # a bug of ours: it must not cost the others anything
            log.exception("%s could not be told of #%s", name_of(self.function), event.id)


class Following:
    """One hook at work.

    Up to `most` events wait for it in memory. If there are more it is behind, and reads on from the log by their ids
    until it is level; then what is not kept any more, or was not kept at all, is left out.
    """

    def __init__(self, hook: After, calls: Calls, find: Callable[[str], Awaitable[Event | None]], most: int) -> None:
        self._hook = hook
        self._calls = calls
        self._find = find
        self._most = most
        self._waiting: deque[Event] = deque()
        self._behind = False
        self._position = self._upto = 0  # of one that is behind: the ids after which, and up to which, it reads
        self._more = asyncio.Event()
        self._ending = False

    def note(self, event: Event) -> None:
        """That has happened."""
        if not self._hook.wants(event):
            return
        if not self._behind and len(self._waiting) < self._most:
            self._waiting.append(event)
        else:
            if not self._behind:
                self._behind, self._position = True, int(event.id) - 1
            self._upto = int(event.id)
        self._more.set()

    def end(self) -> None:
        """Have `run` return once the hook was told of everything."""
        self._ending = True
        self._more.set()

    async def run(self) -> None:
        """Tell the hook of what comes."""
        while True:
            while self._waiting:
                await self._hook.tell(self._calls, self._waiting.popleft())
            if self._behind:
                await self._read_on()
            elif self._ending:
                return
            else:
                self._more.clear()
                await self._more.wait()

    async def _read_on(self) -> None:
        while self._position < self._upto:
            self._position += 1
            try:
                event = await self._find(str(self._position))
            except StoreError as error:
                log.error("%s is not told of #%d: %s", name_of(self._hook.function), self._position, error)
                continue
            if event is not None and self._hook.wants(event):
                await self._hook.tell(self._calls, event)
        self._behind = False  # no await since it was level
