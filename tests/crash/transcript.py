"""The transcript: what clients said, what they were told of it, and what they heard of each other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple


class Line(NamedTuple):
    """A line as its author counts it: no other has the same text."""

    client: str
    number: int

    @property
    def text(self) -> str:
        """What is said; of many lengths, so that lines end anywhere in a page of the file."""
        return f"{self.client}/{self.number}/{'x' * (self.number % 50)}"


class Told(NamedTuple):
    """A line under the msgid that somebody was told."""

    line: Line
    msgid: str


def told(text: str, msgid: str, by: str) -> Told:
    """What a message is.

    Raises:
        ValueError: nobody says such a thing.
    """
    client, number, _ = text.split("/")
    line = Line(client, int(number))
    if line.text != text or client != by:
        raise ValueError(f"{by} has not said {text!r}")
    return Told(line, msgid)


@dataclass
class Transcript:
    """Filled by the clients, over all restarts."""

    sent: int = 0
    again: int = 0
    """How many of those were sent before."""
    repeats: int = 0
    """How many were answered with "that is stored already"."""
    acked: dict[Line, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The msgids that acknowledgements of a line named."""
    heard: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    """What each client was shown, in order: its own echoes, and what the others said."""
    out_of_turn: list[str] = field(default_factory=list)
    """Acknowledgements that overtook others of their sender."""
    wrong: list[str] = field(default_factory=list)
    """What was wrong with the state after a restart, and what the server complained of."""
