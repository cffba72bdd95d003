"""How values are spread."""

from __future__ import annotations

from random import Random

import pytest

from asynchat.client.histogram import LARGEST, Histogram


@pytest.mark.parametrize("percent", [1, 50, 90, 99, 99.9, 100])
@pytest.mark.parametrize("most", [100, 300, 20_000, 1 << 39])
def test_percentiles_are_nearly_those_of_the_sorted_values(percent: float, most: int) -> None:
    random = Random(most)
    values = sorted(int(most ** random.random()) for _ in range(5000))
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = values[-int(-len(values) * percent // 100) - 1]
    assert histogram.percentile(percent) == pytest.approx(exact, rel=0.008)
    assert (histogram.count, histogram.largest) == (5000, values[-1])


def test_small_values_are_exact() -> None:
    for value in range(128):
        histogram = Histogram()
        histogram.add(value)
        histogram.add(1000)
        assert histogram.percentile(50) == value


def test_no_percentile_is_beyond_the_largest_value() -> None:
    histogram = Histogram()
    histogram.add(1_000_000)
    assert histogram.percentile(50) <= histogram.largest == 1_000_000


@pytest.mark.parametrize("value", [-1, LARGEST, LARGEST + 1, 1 << 70])
def test_values_beyond_all_bounds_are_counted(value: int) -> None:
    histogram = Histogram()
    histogram.add(value)
    assert histogram.count == 1
    assert histogram.percentile(50) == pytest.approx(min(max(value, 0), LARGEST), rel=0.008)


def test_without_values_everything_is_nothing() -> None:
    assert (Histogram().percentile(99), Histogram().largest) == (0, 0)
