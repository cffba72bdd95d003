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


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The server does not have there what was handed on last of a room, in an earlier life: it has begun a new log, or
    gone back to an older one, or that is erased. What was said after that `time`, by its clock, comes next.
    """

    room: str
    time: str


Notice = Reconnecting | Back | Elsewhere
