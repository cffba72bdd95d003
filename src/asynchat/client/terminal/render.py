"""Lines as text for a terminal: times, colours, nothing else."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

from asynchat.client.show import Line, Sort

RESET = "\x1b[0m"
DIM, BOLD, RED, CYAN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[36m"
MENTION = "\x1b[1;33m"
COLORS = ("31", "32", "33", "34", "35", "36", "91", "92", "94", "95", "96")
"""Those of the sixteen of each terminal that can be read on light and on dark; yellow is for mentions."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """`time` is the format of times (strftime), "" for none; `color` is whether there are colours."""

    time: str = "%H:%M"
    color: bool = False

    def __call__(self, line: Line) -> str:
        when = line.when.strftime(self.time) + " " if line.when is not None and self.time and line.talk else ""
        if not self.color:
            return f"{when}{line}"
        where = f"{line.where} " if line.where else ""
        if line.sort is Sort.NEWS:
            return f"{CYAN}{where}{line.marked}{RESET} {line.text}"
        if line.sort is Sort.ERROR:
            return f"{RED}{where}{line.marked} {line.text}{RESET}"
        if line.mention:
            return f"{DIM}{when}{RESET}{where}{MENTION}{line.marked} {line.text}{RESET}"
        return f"{DIM}{when}{RESET}{where}\x1b[{color_of(line.who)}m{line.marked}{RESET} {line.text}"


@lru_cache(maxsize=4096)
def color_of(name: str) -> str:
    """The colour of a name: the same each time, on every machine."""
    return COLORS[zlib.crc32(name.lower().encode()) % len(COLORS)]
