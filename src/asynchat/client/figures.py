"""What a load came to: the figures, and whether anything was wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from asynchat.client.histogram import Histogram

BUSY = 0.9
"""The share of one processor from which on the generator itself is the limit."""
LATE_US = 10_000
"""How long after it was due a line may go out."""
MANY_LATE = 0.01
"""The share of lines that went out late from which on the generator itself is the limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Percentiles of durations, in microseconds."""

    p50: int
    p90: int
    p99: int
    p99_9: int
    max: int

    @classmethod
    def of(cls, histogram: Histogram) -> Self:
        """Those of a histogram; all are 0 if it is empty."""
        parts = (histogram.percentile(percent) for percent in (50, 90, 99, 99.9))
        return cls(**dict(zip(("p50", "p90", "p99", "p99_9"), parts, strict=True)), max=histogram.largest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a load came to. Counts of deliveries are of one line to one hearer."""

    entered: int
    """Clients that were in their room."""
    enter_us: Spread
    """From beginning to connect until in the room, per client."""
    measured_s: float
    """From the first line until time was up, or until the last delivery if that was later."""
    sent: int
    """Lines that were said."""
    sent_per_s: float
    unsent: int
    """Lines that were due and were not said: the server did not take them, or the generator was behind."""
    delivered: int
    """Lines that were heard for the first time, one per hearer."""
    delivered_per_s: float
    received_bytes_per_s: float
    latency_us: Spread
    """From when a line was due until it was heard, per delivery."""
    lost: int
    """Deliveries that never came, or came changed."""
    duplicated: int
    """Deliveries that came once more, or to who should not have had them."""
    reordered: int
    """Deliveries that came after a later line of the same speaker."""
    undelivered: int
    """Deliveries that may still have been on their way when waiting ended."""
    put_out: int
    """Clients whose connection ended before they left."""
    late: int
    """Lines that the generator said more than 10 ms after they were due."""
    cpu_share: float
    """The generator's own share of one processor while it talked."""
    interrupted: bool
    """Whether it was ended before its time."""
    server_said: dict[str, int]
    """The server's own words while people talked, and how often."""

    @property
    def sound(self) -> bool:
        """Whether every line came once and in order to everybody who should have it."""
        return not (self.lost or self.duplicated or self.reordered or self.undelivered or self.put_out)

    @property
    def limit(self) -> str | None:
        """Why the generator itself was the limit, if it was."""
        if self.cpu_share > BUSY:
            return f"it used {self.cpu_share:.0%} of a processor"
        if self.late > MANY_LATE * self.sent:
            return f"{self.late / self.sent:.1%} of the lines went out more than {LATE_US // 1000} ms late"
        return None

    def as_json(self) -> dict[str, Any]:
        """For programs: the fields under their names, the unit at the end of each, and the `limit`."""
        return asdict(self) | {"limit": self.limit}
