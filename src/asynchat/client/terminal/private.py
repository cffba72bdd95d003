"""Lines that have a password in them: they are not what Up brings back."""

from __future__ import annotations

import re

_PASSWORD = re.compile(
    r"""\s*/(?: (?:register|passwd|login|oper) \s+ \S
          | (?:quote|raw) \s+ (?:pass|oper|register|authenticate|nickserv|ns) \s+ \S
          | (?:msg|query|switch|s|go) \s+ (?:nickserv|ns|authserv|q) \s+ \S )""",
    re.VERBOSE | re.IGNORECASE,
)


def private(text: str) -> bool:
    """Whether a line that is typed may have a password in it."""
    return _PASSWORD.match(text) is not None
