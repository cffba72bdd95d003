"""A peer as sessions see it: it can keep back what others say, and what is said while it catches up."""

from __future__ import annotations

from collections.abc import Callable


class HeldPeer:
    """Writes to what is below, or keeps chunks back for two reasons, one inside the other.

    `hold` and `release` are for a command whose replies are to come out together. `fall_behind` and `draw_level` are
    for a session that reads on from the log: what is written meanwhile comes after what it reads, which goes past it
    by `overtake`. The fan-out calls `write` once per member and batch, so it is the lower method itself.
    """

    __slots__ = ("_below", "_held", "_later", "unsent", "write")

    def __init__(self, below: Callable[[bytes], None], unsent: Callable[[], int]) -> None:
        self._below = below
        self._held: list[bytes] | None = None
        self._later: list[bytes] | None = None
        self.write: Callable[[bytes], None] = below
        self.unsent: Callable[[], int] = unsent

    @property
    def holding(self) -> bool:
        """Whether a command keeps back what others say."""
        return self._held is not None

    def hold(self) -> None:
        """Keep back what is written from now on."""
        if self._held is None:
            self._held = []
            self.write = self._held.append

    def release(self, first: bytes = b"") -> None:
        """Write `first`, then what was kept back; hold no more."""
        held, self._held = self._held, None
        self.write = self._below if self._later is None else self._later.append
        chunk = first + b"".join(held) if held else first
        if chunk:
            self.write(chunk)

    def fall_behind(self) -> None:
        """Keep what is written from now on until the session is level again; not while a command holds."""
        assert self._held is None
        if self._later is None:
            self._later = []
            self.write = self._later.append

    def overtake(self, chunk: bytes) -> None:
        """Write at once, past what is kept for later."""
        self._below(chunk)

    def draw_level(self) -> None:
        """Write what was kept for later."""
        later, self._later = self._later, None
        if self._held is None:
            self.write = self._below
        if later:
            self._below(b"".join(later))
