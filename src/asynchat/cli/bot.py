"""`asynchat bot`: run a program that talks."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from asynchat.cli import INTERRUPTED, OK, ClosedPipe
from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import Login, login_from, login_options, url_option
from asynchat.cli.process import loop_runner
from asynchat.cli.program import Program, Watch
from asynchat.client.bot import Client

IDENTITY = ("account", "password_file", "ask_password", "cert", "server_password_file")
TRUST = ("ca", "pin", "cert", "insecure")


@click.command("bot")
@click.argument("program", metavar="MODULE:NAME")
@url_option
@click.option("-r", "--room", "rooms", multiple=True, envvar="ASYNCHAT_ROOM", metavar="NAME", help="a room to enter")
@login_options
@click.option("--cursor", metavar="FILE", type=click.Path(path_type=Path), help="keep in a file what is done with")
@click.option("--wait", type=float, metavar="SECONDS", help="try for so long until the server is up (fail at once)")
@click.option("--reload", is_flag=True, help="begin anew when a file of the program changes")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    program: str,
    url: str | None,
    rooms: tuple[str, ...],
    cursor: Path | None,
    wait: float | None,
    reload: bool,
    **options: Any,
) -> None:
    """Run a program: MODULE:NAME is an asynchat.Client, or a function that is given one and adds handlers to it.

    What options say counts more than what the program says. SIGTERM ends it when its handlers are done with what they
    are at. With --reload it ends so when a file changes, and begins anew: with --cursor it misses nothing meanwhile.
    What fails then, since there is a mistake in it or the server is away, is told, and begins anew at the next change.
    """
    with exits():
        login = login_from(invocation, options, url=url, rooms=rooms)
        found = Program.parse(program)

    def load() -> Client:
        client = _client(found.load(), login, {"url": url, "rooms": rooms, **options})
        client.cursor = cursor or client.cursor
        client.wait_s = client.wait_s if wait is None else wait
        return client

    if reload:
        ended_by = _watched(load, Watch(found.files))
    else:
        with exits():
            ended_by = _run(load(), None)
    sys.exit(INTERRUPTED if ended_by is signal.SIGINT else OK)


def _watched(load: Callable[[], Client], watch: Watch) -> signal.Signals | None:
    """Run a program until a signal ends it, or it ends by itself; after a failure it begins anew at the next change."""
    try:
        client = load()
        with exits():
            ended_by = _run(client, watch)
        if ended_by is not None or not watch.changed:
            return ended_by
    except ClosedPipe:
        raise
    except SystemExit as end:  # a failure that `exits` has told of, or the program's own way to end
        click.echo(end.code if isinstance(end.code, str) else f"asynchat: it ended with {end.code or OK}", err=True)
    except click.ClickException as error:
        error.show()
    except Exception:  # noqa: BLE001 the program's own, whatever it is
        traceback.print_exc()
    if not watch.changed:
        click.echo("asynchat: it begins anew when a file changes", err=True)
    watch.wait()
    return _again()


def _run(client: Client, watch: Watch | None) -> signal.Signals | None:
    with loop_runner() as runner:
        return runner.run(_stay(client, watch))


async def _stay(client: Client, watch: Watch | None) -> signal.Signals | None:
    if watch is None:
        return await client.stay()
    async with watch.calling(client.stop):
        return await client.stay()


def _client(found: object, login: Login, options: dict[str, Any]) -> Client:
    """The client that a program is or wants, as the options want it.

    Raises:
        click.UsageError: it is neither.
    """
    if isinstance(found, Client):
        return _changed(found, login, options)
    if not callable(found):
        raise click.UsageError(f"{found!r} is no asynchat.Client, and no function that takes one")
    client = Client(str(login.url), rooms=login.rooms)
    client.identity, client.trust = login.identity, login.trust
    made = found(client)
    return made if isinstance(made, Client) else client


def _changed(client: Client, login: Login, options: dict[str, Any]) -> Client:
    if options["url"] is not None:
        client.url = login.url
    if options["rooms"] or (options["url"] is not None and login.url.room):
        client.rooms_to_enter = login.rooms
    if any(options.get(name) for name in IDENTITY):
        client.identity = login.identity
    elif options.get("name"):
        client.identity = dataclasses.replace(client.identity, name=options["name"])
    if any(options.get(name) for name in TRUST):
        client.trust = login.trust
    return client


def _again() -> NoReturn:
    """Be the process that was started, from the beginning: nothing of what was imported is left."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
