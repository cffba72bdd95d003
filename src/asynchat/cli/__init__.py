"""The command line: one small module per command; each parses, calls, and exits with a code.

Exit codes are those of sysexits: 0 ok, 1 failure, 2 usage, 65 bad data, 69 server unreachable, 74 disk or file,
75 not acknowledged (trying again is safe), 76 protocol, 77 refused, 78 configuration, 130 interrupted, 141 closed pipe.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from asynchat import __version__
from asynchat.cli.invocation import global_options, with_global_options
from asynchat.cli.variables import PREFIX, with_variables

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "serve": "run a server",
    "join": "chat, or pipe lines through a room",
    "send": "post text, and know that it was stored",
    "tail": "print rooms as they happen",
    "history": "print what was said",
    "rooms": "list rooms",
    "who": "list people",
    "bot": "run a program that talks",
    "bench": "measure a server under load",
    "admin": "manage a server: accounts, figures, its data",
    "config": "see which settings count, check and begin files",
    "doctor": "see whether a server can run here, or be reached",
    "completion": "have a shell complete commands and options",
}
"""Name to what it does. The module of a command is imported when it is run, so that `--help` is quick."""

OK, FAILURE, USAGE, DATA, UNREACHABLE, DISK, RETRY, PROTOCOL, REFUSED, CONFIG = 0, 1, 2, 65, 69, 74, 75, 76, 77, 78
INTERRUPTED, CLOSED_PIPE = 130, 141


class ClosedPipe(Exception):
    """Whoever read our output has gone."""


class LazyGroup(click.Group):
    """Commands that are imported when they are run."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **more)
        except BrokenPipeError:  # click would end with 1
            raise ClosedPipe from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ClosedPipe from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"asynchat.cli.{cmd_name}").command
        return with_variables(with_global_options(command), f"{PREFIX}_{cmd_name}")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=does) for name, does in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)  # a group's own would import them all

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    params=global_options(),
    context_settings={"auto_envvar_prefix": PREFIX, "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="asynchat", help="show the version and exit")
def group() -> None:
    """A chat room that anything can walk into: netcat, IRC clients, programs, people."""


def write_no_more() -> None:
    """Keep the interpreter from writing at exit what nobody takes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_what_is_closed() -> None:
    """Have something in the place of standard streams that are closed, so that no other file comes to stand there.

    Of standard input that is the end of the file, and writing to standard output fails.
    """
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def main() -> None:
    """Run the command line and exit with its code."""
    _open_what_is_closed()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # what people say is not limited to what this terminal knows
    try:
        code = group.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except ClosedPipe:
        write_no_more()
        code = CLOSED_PIPE
    sys.exit(code if isinstance(code, int) else OK)
