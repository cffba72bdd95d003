"""What the manual says, made from the commands; and its page: `python -m asynchat.cli.pages.manual`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from asynchat.cli import (
    CLOSED_PIPE,
    CONFIG,
    DATA,
    DISK,
    FAILURE,
    INTERRUPTED,
    OK,
    PROTOCOL,
    REFUSED,
    RETRY,
    UNREACHABLE,
    USAGE,
    group,
)
from asynchat.cli.invocation import GlobalOption
from asynchat.cli.variables import variables

HELP = "show the help and exit"
EXIT_CODES = {
    OK: "it went well",
    FAILURE: "something failed, or was found to be wrong",
    USAGE: "the command line is not understood",
    DATA: "the data are bad: too long, not UTF-8, nothing",
    UNREACHABLE: "no server is there",
    DISK: "a disk or a file fails",
    RETRY: "the server did not acknowledge it; trying again is safe",
    PROTOCOL: "what answers is not understood",
    REFUSED: "the server says no",
    CONFIG: "the configuration is wrong",
    INTERRUPTED: "it was interrupted",
    CLOSED_PIPE: "whoever read the output has gone",
}
VARIABLES = {
    "XDG_CONFIG_HOME": "where your files of settings are: ~/.config",
    "XDG_DATA_HOME": "where a server keeps its data: ~/.local/share",
    "NO_COLOR": "if it is not empty nothing is coloured",
    "FORCE_COLOR, CLICOLOR_FORCE": "if it is neither empty nor 0 everything is, wherever it is written to",
    "CLICOLOR, TERM": "if it is 0, or dumb, nothing is",
}
FILES = {
    "$XDG_CONFIG_HOME/asynchat/server.toml, /etc/asynchat/server.toml": "the settings of serve",
    "$XDG_CONFIG_HOME/asynchat/client.toml, /etc/asynchat/client.toml": "those of join, send and bench",
    "$XDG_DATA_HOME/asynchat/asynchat.db": "what a server keeps",
}
NAMES = (
    "Each option of a command is a variable of the environment too: ASYNCHAT, the command and the option in capitals, "
    "joined by _, as ASYNCHAT_SERVE_PORT. An option counts more than its variable, that more than a file, the user's "
    "file more than the system's; --config names the only file that is read."
)


@dataclass(frozen=True)
class Option:
    """An option: its names with what follows them, what it does, and the variables it has besides that of its name."""

    names: tuple[str, ...]
    value: str
    help: str
    variables: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A command: its name in full, how it is used, what it does (a paragraph each; `\\b` begins what is kept in its
    lines), and its own options.
    """

    name: str
    usage: str
    paragraphs: list[str]
    options: list[Option]


def pages(command: click.Command = group, parent: click.Context | None = None) -> Iterator[Page]:
    """The command, and all in it."""
    ctx = click.Context(command, parent, info_name=command.name if parent else "asynchat")
    yield Page(
        ctx.command_path,
        " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)]),
        [each for each in inspect.cleandoc(command.help or "").split("\n\n") if each],  # 3.13 does it by itself
        [option_of(each) for each in command.params if isinstance(each, click.Option) and not _is_global(each)],
    )
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            yield from pages(inner, ctx)


def global_options() -> list[Option]:
    """The options that every command has."""
    found = [option_of(each) for each in group.params if isinstance(each, GlobalOption)]
    return [*found, Option(("-h", "--help"), "", HELP, ())]


def option_of(option: click.Option) -> Option:
    """What the manual says of an option."""
    default = f" ({option.default:g})" if option.show_default and isinstance(option.default, int | float) else ""
    return Option(
        (*option.opts, *option.secondary_opts),
        _value(option),
        (option.help or "").removesuffix(".") + default,
        tuple(variables(option)[1:]),
    )


def _is_global(option: click.Option) -> bool:
    return isinstance(option, GlobalOption)


def _value(option: click.Option) -> str:
    if option.is_flag or option.count:
        return ""
    return "|".join(option.type.choices) if isinstance(option.type, click.Choice) else option.metavar or "TEXT"


def is_kept(paragraph: str) -> bool:
    """Whether a paragraph stays as its lines are."""
    return paragraph.startswith("\b")


def filled(paragraph: str) -> str:
    """A paragraph that may be broken anywhere, on one line."""
    return " ".join(paragraph.split())


def cli_page() -> str:
    """The page, as Markdown."""
    lines = ["# Commands", "", "Made by `make docs` from the commands in `src/asynchat/cli`; do not edit."]
    lines += ["", "## Options of every command", "", "They may stand before the command and after it.", ""]
    lines += [_item(each) for each in global_options()]
    for page in pages():
        lines += ["", f"## {page.name}", "", "```", page.usage, "```"]
        for each in page.paragraphs:
            kept = each.removeprefix("\b").strip("\n")
            lines += ["", *(["```", kept, "```"] if is_kept(each) else [_escaped(filled(each))])]
        lines += ["", *(_item(each) for each in page.options)] if page.options else []
    lines += ["", "## Environment", "", _escaped(NAMES), "", "| variable | is |", "|---|---|"]
    lines += [f"| {_code(name)} | {does} |" for name, does in VARIABLES.items()]
    lines += ["", "## Files", "", "| file | is |", "|---|---|"]
    lines += [f"| {_code(name)} | {does} |" for name, does in FILES.items()]
    lines += ["", "## Exit codes", "", "| code | is |", "|---|---|"]
    lines += [f"| {code} | {does} |" for code, does in EXIT_CODES.items()]
    return "\n".join(lines) + "\n"


def _item(option: Option) -> str:
    value = f" {option.value}" if option.value else ""
    names = ", ".join(f"`{name}{value if name == option.names[-1] else ''}`" for name in option.names)
    besides = f"; {_code(', '.join(option.variables))}" if option.variables else ""
    return f"- {names}: {_escaped(option.help)}{besides}"


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", "))


def _escaped(text: str) -> str:
    """Text in which Markdown finds nothing."""
    return re.sub(r"(?<!`)([*<>\[\]|])(?!`)", r"\\\1", text)


if __name__ == "__main__":
    click.echo(cli_page(), nl=False)
