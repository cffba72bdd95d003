"""One run of the command line: what is said for every command, before its name or after it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from asynchat.cli.color import CHOICES, wants_color

LEVELS = ("error", "warning", "info", "debug")
USUAL_LEVEL = "warning"
"""What is worth a line on standard error if nothing else is said; `serve` has a setting for it."""


@dataclass(slots=True)
class Invocation:
    """What `ctx.obj` is: the file of settings that was named, how much is to be told, and in colour or not."""

    config: str | None = None
    verbose: int = 0
    quiet: bool = False
    color: str = "auto"
    _said: set[str] = field(default_factory=set)

    def take(self, name: str, value: Any, *, said: bool) -> None:
        """Take the value of an option; `said` on the command line counts more than the environment."""
        if said:
            self._said.add(name)
        elif name in self._said:
            return
        setattr(self, name, self.verbose + value if name == "verbose" else value)
        if self.verbose or self.quiet:
            from asynchat.cli.logs import set_up

            set_up(self.level(USUAL_LEVEL), "text", color=self.wants_color(sys.stderr))

    def level(self, usual: str) -> str:
        """A level of the log, with as many others as -v and -q ask for."""
        place = LEVELS.index(usual) + self.verbose - self.quiet
        return LEVELS[max(0, min(place, len(LEVELS) - 1))]

    def wants_color(self, stream: TextIO) -> bool:
        """Whether what is written there is coloured."""
        return wants_color(stream, self.color, os.environ)


class GlobalOption(click.Option):
    """An option of every command: its value goes to the invocation, not to the command."""

    def __init__(self, *names: str, **more: Any) -> None:
        super().__init__(names, expose_value=False, callback=_take, **more)


def _take(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    invocation = ctx.ensure_object(Invocation)
    name = parameter.name or ""
    if value and not ctx.resilient_parsing:
        source = ctx.get_parameter_source(name)
        invocation.take(name, value, said=source is click.core.ParameterSource.COMMANDLINE)


def global_options() -> list[click.Parameter]:
    """The options of every command, made anew."""
    return [
        GlobalOption("--config", type=click.Path(), metavar="FILE", help="read settings from this TOML file, no other"),
        GlobalOption("-v", "--verbose", count=True, help="tell more on standard error; twice: everything"),
        GlobalOption("-q", "--quiet", is_flag=True, help="tell less on standard error"),
        GlobalOption("--color", type=click.Choice(CHOICES), help="colour what is written (auto: on a terminal)"),
    ]


def with_global_options(command: click.Command) -> click.Command:
    """The command; it and its own commands take the options of every command too."""
    if not any(isinstance(each, GlobalOption) for each in command.params):
        command.params += global_options()
        for each in command.commands.values() if isinstance(command, click.Group) else ():
            with_global_options(each)
    return command
