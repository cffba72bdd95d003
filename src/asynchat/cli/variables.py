"""Options as variables of the environment: `asynchat send --url` is ASYNCHAT_SEND_URL."""

from __future__ import annotations

import os

import click

from asynchat.cli.invocation import GlobalOption

PREFIX = "ASYNCHAT"


def with_variables(command: click.Command, name: str) -> click.Command:
    """The command; each of its options, and of its own commands', has the variable of its name.

    That counts more than those that it has besides. click would name it by the parameter, which nobody sees.
    """
    for each in command.params:
        if isinstance(each, click.Option) and not isinstance(each, GlobalOption):
            own = f"{name}_{long_name(each).removeprefix('--')}".replace("-", "_").upper()
            each.envvar = list(dict.fromkeys([own, *variables(each)]))
            each.allow_from_autoenv = False
    for inner, each_command in command.commands.items() if isinstance(command, click.Group) else ():
        with_variables(each_command, f"{name}_{inner}")
    return command


def long_name(parameter: click.Parameter) -> str:
    """The `--name` of an option."""
    return max(parameter.opts, key=len)


def variables(parameter: click.Parameter) -> list[str]:
    """The variables that may say it, strongest first."""
    return [parameter.envvar] if isinstance(parameter.envvar, str) else list(parameter.envvar or ())


def variable(parameter: click.Parameter) -> str:
    """The variable that does say it."""
    return next((name for name in variables(parameter) if os.environ.get(name)), "")
