"""`--color`, and what the environment says of colour."""

from __future__ import annotations

import io

import pytest

from asynchat.cli.color import CHOICES, wants_color


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "on_a_terminal", "in_a_pipe"),
    [
        ("", True, False),
        ("NO_COLOR=1", False, False),
        ("NO_COLOR=", True, False),
        ("FORCE_COLOR=1", True, True),
        ("FORCE_COLOR=0", True, False),
        ("FORCE_COLOR=", True, False),
        ("CLICOLOR_FORCE=1", True, True),
        ("CLICOLOR_FORCE=0", True, False),
        ("CLICOLOR=0", False, False),
        ("CLICOLOR=1", True, False),
        ("TERM=dumb", False, False),
        ("TERM=xterm", True, False),
        ("NO_COLOR=1 FORCE_COLOR=1 CLICOLOR_FORCE=1", False, False),
        ("TERM=dumb CLICOLOR=0 FORCE_COLOR=1", True, True),
        ("TERM=dumb CLICOLOR=0 CLICOLOR_FORCE=1", True, True),
    ],
)
def test_the_environment_says_for_auto(environ: str, on_a_terminal: bool, in_a_pipe: bool) -> None:
    variables = dict(each.split("=") for each in environ.split())
    assert wants_color(Terminal(), "auto", variables) == on_a_terminal
    assert wants_color(io.StringIO(), "auto", variables) == in_a_pipe


@pytest.mark.parametrize(("choice", "wanted"), [("always", True), ("never", False)])
def test_a_choice_counts_more_than_anything(choice: str, wanted: bool) -> None:
    assert choice in CHOICES
    for stream in (Terminal(), io.StringIO()):
        for variables in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}):
            assert wants_color(stream, choice, variables) == wanted
