"""Runs: what a batch has for one room, and who does not hear all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asynchat.chat.events import Event
from asynchat.chat.rooms import Room
from asynchat.chat.sessions import Session


class Slice:
    """The part of a run that one session hears: from `start` up to `end`, with its own lines put in their places."""

    __slots__ = ("end", "own", "start")

    def __init__(self, start: int, end: int | None = None) -> None:
        self.start = start
        self.end = end
        self.own: list[tuple[int, Any]] = []

    def cut(self, rendered: Sequence[Any]) -> list[Any]:
        lines = list(rendered)
        for index, line in self.own:
            lines[index] = line
        return lines[self.start : self.end]


class Run:
    """Consecutive events of one room."""

    __slots__ = ("apart", "events", "room")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.events: list[Event] = []
        self.apart: dict[Session, Slice] = {}
