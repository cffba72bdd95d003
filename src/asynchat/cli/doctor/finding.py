"""What `asynchat doctor` has found out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import click

from asynchat.wire.text import plain

State = Literal["ok", "wrong", "note"]
MARKS: dict[State, str] = {"ok": "ok", "wrong": "!!", "note": "--"}
COLORS: dict[State, str] = {"ok": "green", "wrong": "red", "note": "cyan"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them: whether that is as it should be (`note`: there is no should), what it is about, and in words."""

    state: State
    about: str
    text: str

    def as_line(self) -> str:
        """For people; in colour, which `click.echo` takes out. What a server says moves no cursor."""
        return f"{click.style(MARKS[self.state], fg=COLORS[self.state])}  {self.about:<13} {plain(self.text)}"

    def as_json(self) -> str:
        """For programs."""
        return json.dumps({"state": self.state, "about": self.about, "text": self.text})


def ok(about: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", about, text)


def wrong(about: str, text: str) -> Finding:
    """Something has to be done about it."""
    return Finding("wrong", about, text)


def note(about: str, text: str) -> Finding:
    """Good to know."""
    return Finding("note", about, text)
