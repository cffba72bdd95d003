"""Who is typing in a place, as far as they say so. (IRCv3 typing)"""

from __future__ import annotations

from asynchat.chat.names import casefold

TYPING_FOR_S = 6.0
"""How long somebody types who does not say so again. (IRCv3 typing)"""
MOST = 20
"""People of one place who are known to type; more than three are not shown."""


class Typists:
    """Some people, each until a time. `now` is what a clock says, in seconds."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[str, float]] = {}  # casefolded name to name and when it is over

    def __len__(self) -> int:
        return len(self._until)

    def types(self, name: str, now: float) -> None:
        """Somebody is typing."""
        self._until = {each: row for each, row in self._until.items() if row[1] > now and each != casefold(name)}
        if len(self._until) < MOST:
            self._until[casefold(name)] = name, now + TYPING_FOR_S

    def stops(self, name: str) -> None:
        """Somebody is typing no more: they say so, have said it, or have gone."""
        self._until.pop(casefold(name), None)

    def names(self, now: float) -> list[str]:
        """Who is typing, who began last comes last."""
        return [name for name, until in self._until.values() if until > now]
