"""The functions that a program has for what it hears."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Literal, get_args

from asynchat.client.incoming import Happening, Incoming

log = logging.getLogger("asynchat.bot")

MessageKind = Literal["message", "mention", "direct", "notice"]
HappeningKind = Literal[
    "join", "leave", "topic", "rename", "invite", "reaction", "unreaction", "typing", "lost", "back"
]
MESSAGES: frozenset[str] = frozenset(get_args(MessageKind))
HAPPENINGS: frozenset[str] = frozenset(get_args(HappeningKind))
SLOW_S = 5.0
"""How long a handler may take before the log names it."""

MessageHandler = Callable[[Incoming], Awaitable[object] | object]
HappeningHandler = Callable[[Happening], Awaitable[object] | object]
Handler = Callable[[Any], Awaitable[object] | object]
"""A function, or a coroutine function, of what is heard."""


class Handlers:
    """Handlers in the order in which they were given. `failed` counts those that raised something."""

    def __init__(self) -> None:
        self.failed = 0
        self._all: list[tuple[str, Handler]] = []

    def check(self, kind: str) -> None:
        """See that there is such a kind.

        Raises:
            ValueError
        """
        if kind not in MESSAGES | HAPPENINGS:
            raise ValueError(f"{kind!r} does not happen; what does: {', '.join(sorted(MESSAGES | HAPPENINGS))}")

    def add(self, kind: str, handler: Handler) -> None:
        """Have what is of a kind be handled."""
        self._all.append((kind, handler))

    def has(self, kinds: Collection[str]) -> bool:
        """Whether something of one of these kinds is handled."""
        return any(kind in kinds for kind, _ in self._all)

    async def run(self, kinds: Collection[str], heard: Incoming | Happening) -> None:
        """Run the handlers of these kinds, one after the other. An exception is logged, and is no reason to stop; so is
        it if something was cancelled that a handler waits for.

        Raises:
            CancelledError: the task was cancelled in which they run.
            BaseException: a handler has raised something else that is no `Exception`.
        """
        for kind, handler in self._all:
            if kind in kinds:
                await self._run(handler, heard)

    async def _run(self, handler: Handler, heard: Incoming | Happening) -> None:
        task = asyncio.current_task()
        assert task is not None
        cancels = task.cancelling()
        name, loop = getattr(handler, "__qualname__", repr(handler)), asyncio.get_running_loop()
        began = loop.time()
        words = "%s has been busy with %s for %.0f s"
        told = loop.call_later(SLOW_S, log.warning, words, name, about(heard), SLOW_S)
        try:
            result = handler(heard)
            if inspect.isawaitable(result):
                await result
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and task.cancelling() > cancels:
                raise
            self.failed += 1
            log.exception("%s failed with %s", name, about(heard))
        finally:
            told.cancel()
        if (took := loop.time() - began) >= SLOW_S:
            log.warning("%s took %.1f s for %s", name, took, about(heard))


def kinds_of(message: Incoming) -> Collection[str]:
    """For which handlers a message is.

    No machine answers a notice, so handlers of messages get none. (RFC 2812, 3.3.2)
    """
    if message.kind == "notice":
        return ("notice",)
    if message.direct:
        return ("direct",)
    return ("message", "mention") if message.mention else ("message",)


def about(heard: Incoming | Happening) -> str:
    """What was heard, for the log, without its words."""
    kind = "message" if isinstance(heard, Incoming) else heard.kind
    where = f" in {heard.room}" if heard.room else ""
    return f"{kind} {heard.id or 'without an id'}{where} by {heard.by}"
