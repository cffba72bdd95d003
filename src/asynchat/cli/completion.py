"""`asynchat completion`: what the Tab key does in a shell."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

NAME = "asynchat"
VARIABLE = "_ASYNCHAT_COMPLETE"
"""By this the script asks, and click answers."""


@click.command("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script with which a shell completes commands, options and their values.

    \b
    bash   eval "$(asynchat completion bash)"    in ~/.bashrc
    zsh    eval "$(asynchat completion zsh)"     in ~/.zshrc, after compinit
    fish   asynchat completion fish > ~/.config/fish/completions/asynchat.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    # Not the source() of its own, for which bash is started and asked for its version: it is not this one perhaps.
    click.echo(ShellComplete.source(kind(ctx.find_root().command, {}, NAME, VARIABLE)), nl=False)
