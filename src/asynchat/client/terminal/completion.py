"""Completing what is typed: names of people, rooms and commands; each Tab gives the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.names import casefold
from asynchat.client.terminal.commands import COMMANDS

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk


class Completion:
    """Where completing has come to: a word has become one of several, and the next Tab tries the next."""

    def __init__(self) -> None:
        self._result: tuple[str, int] | None = None
        self._choices: list[str] = []
        self._choice = 0
        self._before = self._after = ""

    def next(self, text: str, cursor: int, desk: Desk, step: int = 1) -> tuple[str, int]:
        """The text and the place of the cursor after a Tab; `step` is -1 for the one before."""
        if self._result == (text, cursor) and self._choices:
            self._choice = (self._choice + step) % len(self._choices)
        else:
            begin = max(text.rfind(" ", 0, cursor), text.rfind("\n", 0, cursor)) + 1
            self._before, self._after = text[:begin], text[cursor:]
            self._choices = candidates(text[begin:cursor], desk, first=begin == 0)
            self._choice = 0 if step > 0 else len(self._choices) - 1
        if not self._choices:
            return text, cursor
        done = self._before + self._choices[self._choice]
        self._result = done + self._after, len(done)
        return self._result


def candidates(word: str, desk: Desk, *, first: bool) -> list[str]:
    """What a word may become; who spoke last comes first."""
    wanted = casefold(word)
    if first and word[:1] == "/":
        names = dict.fromkeys(row.name for row in COMMANDS.values())
        return [f"/{name} " for name in names if name.startswith(wanted[1:])]
    if not desk.servers:
        return []
    if word[:1] and word[:1] in desk.server.room_signs:
        return [f"{place.name} " for place in desk.places if casefold(place.name).startswith(wanted)]
    people = [*reversed(desk.here.people.values())] if desk.here is not None else []
    if desk.here is not None and not desk.here.is_room:
        people.append(desk.here.name)
    me = casefold(desk.server.client.nick)
    names_here = [name for name in people if casefold(name).startswith(wanted) and casefold(name) != me]
    return [f"{name}: " if first else f"{name} " for name in names_here]
