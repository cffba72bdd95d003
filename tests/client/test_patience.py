"""How long is waited before something is tried again."""

from __future__ import annotations

from asynchat.client.patience import Backoff, Patience


def test_pauses_double_up_to_30_seconds() -> None:
    backoff = Backoff(Patience(draw=lambda: 1.0))
    assert [backoff.next() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_pause_is_anywhere_between_nothing_and_its_most() -> None:
    draws = iter([0.0, 0.5, 0.25])
    backoff = Backoff(Patience(draw=lambda: next(draws)))
    assert [backoff.next() for _ in range(3)] == [0, 1, 1]


def test_after_a_connection_that_lasted_pauses_are_short_again() -> None:
    backoff = Backoff(Patience(draw=lambda: 1.0))
    assert [backoff.next() for _ in range(3)] == [1, 2, 4]
    backoff.lasted(3.9)  # let in and put out at once is no success
    assert backoff.next() == 8
    backoff.lasted(8)
    assert backoff.next() == 1
