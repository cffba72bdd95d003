"""How values are spread, in memory that does not grow with their number.

Below 128 each value has a bucket of its own; from there on each power of two is cut into 64. So a percentile is at most
0.8 % off, and the largest value is exact. (As HdrHistogram does it.)
"""

from __future__ import annotations

import math

LARGEST = (1 << 40) - 1
"""What is larger counts as this: 12 days, in microseconds."""


class Histogram:
    """A histogram of whole numbers; `largest` is the largest of them, 0 if there is none."""

    __slots__ = ("_counts", "count", "largest")

    def __init__(self) -> None:
        self.count = 0
        self.largest = 0
        self._counts = [0] * (_bucket(LARGEST) + 1)

    def add(self, value: int) -> None:
        """Count a value; a negative one counts as 0."""
        if value > self.largest:
            self.largest = value
        self.count += 1
        # `_bucket`, without the call: this is done for every delivery.
        if value < 128:
            self._counts[value if value > 0 else 0] += 1
        else:
            shift = value.bit_length() - 7
            self._counts[(shift << 6) + (value >> shift) if value < LARGEST else -1] += 1

    def percentile(self, percent: float) -> int:
        """The value that so many percent of all do not exceed; 0 if there are none."""
        rank = max(math.ceil(self.count * percent / 100), 1)
        for bucket, count in enumerate(self._counts):
            rank -= count
            if rank <= 0:
                return min(_middle(bucket), self.largest)
        return 0


def _bucket(value: int) -> int:
    if value < 128:
        return value
    shift = value.bit_length() - 7
    return (shift << 6) + (value >> shift)


def _middle(bucket: int) -> int:
    """The value in the middle of a bucket."""
    if bucket < 128:
        return bucket
    shift = (bucket >> 6) - 1
    return (((bucket & 63) + 64) << shift) + (1 << shift >> 1)
