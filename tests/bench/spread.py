"""How values spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any


def part(values: Sequence[float], share: float) -> float:
    """The value that this share of all is not above: 0.5 is the median."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def summary(values: Sequence[float], digits: int = 3) -> dict[str, Any]:
    """How many there are, their p50, p99 and maximum."""
    shown = {"p50": median(values), "p99": part(values, 0.99), "max": max(values)}
    return {"n": len(values), **{name: round(value, digits) for name, value in shown.items()}}
