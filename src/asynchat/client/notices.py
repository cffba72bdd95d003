"""What a client says of itself, between the messages that it hands on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """There is no connection; the next try is in so many seconds."""

    in_s: float


@dataclass(frozen=True, slots=True)
class Back:
    """There is a connection again. So many lines were missed, which come next; None: nobody can tell."""

    missed: int | None


Notice = Reconnecting | Back
