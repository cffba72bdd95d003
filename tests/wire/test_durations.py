"""Durations as people write them."""

from __future__ import annotations

import pytest

from asynchat.chat.errors import BadDuration
from asynchat.wire import durations


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1s", 1000),
        ("90s", 90_000),
        ("10m", 600_000),
        ("1H", 3_600_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("", None),
        ("1", None),
        ("h", None),
        ("1h30m", 5_400_000),
        ("1W1d1h1m1s", 694_861_000),
        ("36525d", 3_155_760_000_000),
        ("0s", 0),
        ("30m1h", None),
        ("1h1h", None),
        ("10min", None),
        ("1.5h", None),
        ("36525d1s", None),
        ("999999w", None),
        ("-1h", None),
        ("\u0661h", None),
        ("9999999s", None),
        ("spam", None),
    ],
)
def test_numbers_with_units_from_the_largest_down_are_a_duration(text, ms):
    assert durations.milliseconds(text) == ms


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "1s"), (999, "1s"), (1000, "1s"), (59_001, "1m"), (90_000, "90s"), (5_400_000, "90m"), (604_800_000, "1w")],
)
def test_it_is_told_in_the_largest_unit_that_is_exact(ms, words):
    assert durations.words(ms) == words


@pytest.mark.parametrize(
    ("argument", "taken"),
    [("1h spam and more", (3_600_000, "spam and more")), ("spam 1h", (None, "spam 1h")), (" 1h ", (3_600_000, ""))],
)
def test_it_is_taken_off_the_front_of_an_argument(argument, taken):
    assert durations.take(argument) == taken


@pytest.mark.parametrize(
    "argument", ["10min", "10 m", "1.5h spam", "-1h", "+1h", ".5h", "0s", "0h0m", "\u0661h", "999999w"]
)
def test_a_number_that_is_none_is_a_slip_and_no_reason(argument):
    with pytest.raises(BadDuration) as slip:
        durations.take(argument)
    assert slip.value.about == (argument.split()[0],)
