"""Lines as text for a terminal: times, colours, nothing else."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

from asynchat.client.show import Line, Sort

RESET = "\x1b[0m"
DIM, BOLD, RED, CYAN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[36m"
MENTION = "\x1b[1;33m"
COLORS = ("31", "32", "33", "34", "35", "36", "91", "92", "94", "95", "96")
"""Those of the sixteen of each terminal that can be read on light and on dark; yellow is for mentions."""


class Renderer:
    """`time` is the format of times (strftime), "" for none; `color` is whether there are colours."""

    def __init__(self, time: str = "%H:%M", *, color: bool = False) -> None:
        self._time = time
        self._color = color
        # It is the same for all that one says in a second, and costs more than the rest of a line.
        self._around = lru_cache(maxsize=1024)(self._make_around)

    def __call__(self, line: Line) -> str:
        before, after = self._around(line[1:])
        return f"{before}{line.text}{after}"

    def _make_around(self, rest: tuple[Any, ...]) -> tuple[str, str]:
        """What stands before the text of a line and after it; `rest` is what else the line is."""
        line = Line("", *rest)
        time = f"{line.when.strftime(self._time)} " if line.when is not None and self._time and line.talk else ""
        if not self._color:
            return f"{time}{line}", ""
        where = f"{line.where} " if line.where else ""
        if line.sort is Sort.NEWS:
            return f"{CYAN}{where}{line.marked}{RESET} ", ""
        if line.sort is Sort.ERROR:
            return f"{RED}{where}{line.marked} ", RESET
        if line.mention:
            return f"{DIM}{time}{RESET}{where}{MENTION}{line.marked} ", RESET
        return f"{DIM}{time}{RESET}{where}\x1b[{color_of(line.who)}m{line.marked}{RESET} ", ""


def color_of(name: str) -> str:
    """The colour of a name: the same each time, on every machine."""
    return COLORS[zlib.crc32(name.lower().encode()) % len(COLORS)]
