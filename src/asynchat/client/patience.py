"""How long to wait before something is tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds.

    The first pause is up to `first_s`, each further one up to twice as long, none longer than `most_s`. For `name_s`
    the same name is asked for, every `ask_s`, while it is still held by a session of ours that is dead. `draw` gives a
    number from 0 to 1; `sleep` waits.
    """

    first_s: float = 1.0
    most_s: float = 30.0
    name_s: float = 30.0
    ask_s: float = 1.0
    draw: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    @property
    def asks(self) -> int:
        """How often the same name is asked for again."""
        return int(self.name_s / self.ask_s)


class Backoff:
    """The pauses between tries: longer and longer, each anywhere between nothing and its most.

    With full jitter those who lost the same server do not all come back in the same moment.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._most_s = 0.0

    def next(self) -> float:
        """The next pause, in seconds."""
        self._most_s = min(self._most_s * 2 or self._patience.first_s, self._patience.most_s)
        return self._most_s * self._patience.draw()

    def lasted(self, seconds: float) -> None:
        """A connection has lasted so long. If that was longer than the last pause could be, it was a good one."""
        if seconds >= self._most_s:
            self._most_s = 0.0
