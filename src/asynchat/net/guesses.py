"""Guesses at passwords: who guesses wrong waits ever longer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from ipaddress import IPv6Address, ip_address
from math import ceil

from asynchat.chat.errors import Refused

FREE_GUESSES = 3
"""Wrong passwords before one has to wait; one of them is forgotten for each minute of quiet."""
FORGET_S = 60.0
FIRST_WAIT_S = 15.0
"""The wait after the last free guess; it doubles with each one more."""
LONGEST_WAIT_S = 900.0
REMEMBERED = 10_000
"""Accounts and addresses of which wrong guesses are remembered; the oldest are forgotten first."""


class Guesses:
    """Remembers wrong guesses by whatever they are counted on. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: dict[Hashable, tuple[int, float]] = {}  # how many, and until when the next one waits

    def check(self, keys: Iterable[Hashable]) -> None:
        """Let an attempt pass.

        Raises:
            Refused: RATE_LIMITED, one of the keys has to wait.
        """
        wait_s = max(self._wrong.get(key, (0, 0.0))[1] for key in keys) - self._clock()
        if wait_s > 0:
            raise Refused("RATE_LIMITED", f"too many wrong passwords; try again in {ceil(wait_s)} s")

    def wrong(self, keys: Iterable[Hashable]) -> None:
        """Count a wrong guess on each of the keys."""
        now = self._clock()
        for key in keys:
            count, until = self._wrong.pop(key, (0, now))
            count = max(0, count - int(max(0.0, now - until) / FORGET_S)) + 1
            doubled = min(count - FREE_GUESSES, 20)
            wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**doubled) if doubled >= 0 else 0.0
            self._wrong[key] = count, now + wait_s
        while len(self._wrong) > REMEMBERED:
            del self._wrong[next(iter(self._wrong))]


def network_of(address: str) -> str:
    """What counts as one address: a network of IPv6 is one household's, and its owner can use any part of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or f"{IPv6Address(int(parsed) >> 64 << 64)}/64")
    return str(parsed)
