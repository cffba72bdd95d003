"""What a person hears: a line of the wire for people, taken apart."""

from __future__ import annotations

import re
from typing import NamedTuple

_SAID = re.compile(r"(?:\[\d\d:\d\d\] )?(?:\[#\S+\] )?<([^>]+)> (.*)")
_ALONE = re.compile(r"\[dm ([^\]]+)\] (.*)")


class Heard(NamedTuple):
    """Who said what; `who` is `***` for news of the server, `!!!` for a refusal."""

    who: str
    text: str


def heard(line: str) -> Heard:
    """What a line says."""
    match = _SAID.fullmatch(line) or _ALONE.fullmatch(line)
    return Heard(match[1], match[2]) if match else Heard(*line.partition(" ")[::2])
