"""How a server's log is written: one line per record, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

_RED, _YELLOW = 31, 33


def _escaped(text: str) -> str:
    """The text without anything that ends a line or moves a cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@lru_cache(maxsize=2)
def _clock(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


class TextFormatter(logging.Formatter):
    """`12:00:03 + alice  192.168.1.7  irc`; `color` marks what is worse than that."""

    def __init__(self, *, color: bool = False) -> None:
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        mark = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        if mark and self._color:
            mark = f"\x1b[{_YELLOW if record.levelno == logging.WARNING else _RED}m{mark}\x1b[0m"
        line = f"{_clock(int(record.created))} {mark}{_escaped(record.getMessage())}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object: time (seconds of UTC since 1970), level, logger, message, and traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def tracer() -> Callable[[str], None]:
    """What writes lines to the log, whatever its level."""
    log = logging.getLogger("asynchat.trace")
    log.setLevel(logging.INFO)
    return partial(log.info, "%s")


def set_up(level: str, form: str, *, color: bool = False) -> None:
    """Send the log to stderr; what was set up before is forgotten."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter(color=color))
    # What no format shows need not be found out, once for each who comes and goes ("Optimization" in its HOWTO).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def redirect(stream: Any) -> Any:
    """Send the log to another stream from now on; returns the one before, None if it is not set up."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            return handler.setStream(stream)
    return None
