"""`asynchat admin backup`: a server's data is its operator's, to be taken away while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from asynchat.chat.errors import StoreError
from asynchat.cli import CONFIG, DISK
from asynchat.cli.options import settings_from, store_path
from asynchat.config import BadConfig


def of_a_store[F: Callable[..., Any]](function: F) -> F:
    """Give a command the options that say which store: those of `serve`."""
    function = click.option("--config", "own_config", metavar="FILE", help="the server's TOML file")(function)
    return click.option(
        "--data", metavar="DIR", envvar=["ASYNCHAT_ADMIN_DATA", "ASYNCHAT_DATA"], help="where the server keeps its data"
    )(function)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@of_a_store
@click.pass_obj
def backup(config: str | None, /, *, file: Path, data: str | None, own_config: str | None) -> None:
    """Copy all data to a new FILE, as they are at this moment, whether or not a server runs.

    To restore it, put it into an empty folder under the store's name (asynchat.db), and serve that.
    """
    from asynchat.store.backup import back_up

    with ending():
        made = back_up(_store(data, own_config or config), file)
        told(f"{file} has {made.messages} messages, up to #{made.last_id}")


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


def told(text: str) -> None:
    """Say something to the operator: standard output may be data."""
    click.echo(f"asynchat: {text}", err=True)
