"""`asynchat admin backup`, `export`, `import`: a server's data is its operator's, to be taken away while it runs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asynchat.chat.errors import StoreError
from asynchat.cli import CLOSED_PIPE, CONFIG, DATA, DISK
from asynchat.cli.invocation import Invocation
from asynchat.cli.options import settings_from, store_path
from asynchat.config.values import BadConfig

if TYPE_CHECKING:
    from asynchat.store.export import Counts


data_option = click.option(
    "--data", metavar="DIR", envvar=["ASYNCHAT_ADMIN_DATA", "ASYNCHAT_DATA"], help="where the server keeps its data"
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@data_option
@click.pass_obj
def backup(invocation: Invocation, /, *, file: Path, data: str | None) -> None:
    """Copy all data to a new FILE, as they are at this moment, whether or not a server runs.

    To restore it, put it into an empty folder under the store's name (asynchat.db), and serve that.
    """
    from asynchat.store.backup import back_up

    with ending():
        made = back_up(_store(data, invocation.config), file)
        told(f"{file} has {made.messages} messages, up to #{made.last_id}")


@click.command()
@click.argument("file", default="-")
@data_option
@click.pass_obj
def export(invocation: Invocation, /, *, file: str, data: str | None) -> None:
    """Write all data to a new FILE, or to standard output, as lines of JSON, whether or not a server runs.

    There are hashes of passwords in it: show it to nobody. See docs/reference/export.md for the format.
    """
    from asynchat.store.export import export as write_all
    from asynchat.store.whole import whole

    with ending():
        path = _store(data, invocation.config)
        if file == "-":
            made = write_all(path, sys.stdout.buffer.write)
            sys.stdout.buffer.flush()
        else:
            with whole(Path(file)) as part, part.open("wb") as out:
                made = write_all(path, out.write)
        for reason in made.damaged:
            told(f"{reason}, and is left out")
        told(f"exported {_in_words(made.counts)}")


@click.command("import")
@click.argument("file")
@data_option
@click.pass_obj
def import_(invocation: Invocation, /, *, file: str, data: str | None) -> None:
    """Make the data of a server that has none from an export, in FILE or on standard input (-).

    A line that is bad ends it with 65, and nothing is made.
    """
    from asynchat.store.intake import BadExport, take_in

    with ending():
        path = _store(data, invocation.config)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with sys.stdin.buffer if file == "-" else Path(file).open("rb") as lines:
                made = asyncio.run(take_in(lines, path))
        except BadExport as error:
            told(f"{'standard input' if file == '-' else file}: {error}")
            sys.exit(DATA)
        told(f"imported {_in_words(made)}")


def _in_words(counts: Counts) -> str:
    return ", ".join(f"{number} {name[:-1] if number == 1 else name}" for name, number in counts._asdict().items())


def _store(data: str | None, config: str | None) -> Path:
    """Where the server has its file.

    Raises:
        BadConfig
        StoreError: it has none.
    """
    settings = settings_from({}, config)
    if settings.store.path == "memory":
        raise StoreError("the store is in memory: there is no file")
    return store_path(settings, data)


@contextmanager
def ending() -> Iterator[None]:
    """What goes wrong ends the program, with one line and a code."""
    try:
        yield
    except BadConfig as error:
        told(str(error))
        sys.exit(CONFIG)
    except StoreError as error:
        told(" ".join(str(error).split()))
        sys.exit(DISK)
    except BrokenPipeError:
        # Whoever read it has enough. `main` is not told: click makes a 1 of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED_PIPE)
    except OSError as error:
        told(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
        sys.exit(DISK)


def told(text: str) -> None:
    """Say something to the operator: standard output may be data."""
    click.echo(f"asynchat: {text}", err=True)
