"""`asynchat join`: chat, or pipe lines through a room."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from typing import Any

import click

from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import Login, come_in, login_from, login_name, login_options
from asynchat.cli.seconds import Seconds
from asynchat.client.keyboard import lines
from asynchat.client.registration import Identity
from asynchat.client.talker import Talker
from asynchat.wire.text import plain

BELLS = ("mentions", "all", "none")


@click.command("join")
@click.argument("urls", nargs=-1, metavar="[URL]...", envvar=["ASYNCHAT_URL"])
@click.option("-r", "--room", "rooms", multiple=True, envvar="ASYNCHAT_ROOM", metavar="NAME", help="a room to enter")
@login_options
@click.option(
    "--wait",
    type=Seconds(none=True),
    default=0.0,
    metavar="SECONDS",
    help="try for so long until the server is up (fail at once)",
)
@click.option("--no-reconnect", is_flag=True, help="end when the connection is lost")
@click.option(
    "--tui/--plain", "edits", default=None, help="edit lines, or show and read them as they are (as the terminal can)"
)
@click.option("--history", type=click.IntRange(0, 1000), default=20, metavar="N", help="lines of the past to show (20)")
@click.option("--time", "time_format", default="%H:%M", metavar="FORMAT", help="how times are shown (%H:%M); '' not")
@click.option("--bell", type=click.Choice(BELLS), default="mentions", help="for what to ring (mentions)")
@click.option("--typing/--no-typing", default=True, help="tell others that you type (yes)")
@click.option("--exec", "command_line", metavar="COMMAND", help="run this when somebody mentions you")
@click.option("--json", "as_json", is_flag=True, help="in a pipe: print each message as JSON")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    urls: tuple[str, ...],
    rooms: tuple[str, ...],
    wait: float,
    no_reconnect: bool,
    edits: bool | None,
    history: int,
    time_format: str,
    bell: str,
    typing: bool,
    command_line: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Chat. In a pipe, what people say goes to standard output, and each line of standard input is said.

    A connection that is lost is made again: what was typed is said, and what was missed is shown.

    URL is asynchat://host:port#room, ircs://host, wss://host/ or unix:///path, or the name of a profile in client.toml;
    nothing means this machine. Any IRC server will do. Several are several servers at once.
    """
    tty = on_a_terminal() and not as_json
    with exits():
        logins = [
            login_from(invocation, options, url=url, rooms=rooms, ask_name=_ask_name if tty else None)
            for url in urls or (None,)
        ]
        more = {"reconnect": not no_reconnect, "wait_s": wait, "past": history}
        if not tty:
            if len(logins) > 1:
                raise click.UsageError("a pipe is at one server")
            asyncio.run(_pipe(logins[0], more, as_json=as_json))
            return
        if edits is None:
            edits = os.environ.get("TERM", "") not in ("", "dumb")

        def login(url: str) -> Login:
            # For a password one is asked when the server wants it, and not by what takes the terminal for itself.
            return login_from(invocation, options | {"ask_password": False}, url=url, rooms=())

        from asynchat.cli.sitting import Sitting

        sitting = Sitting(
            login=login,
            options=more,
            edits=edits,
            color=invocation.wants_color(sys.stdout),
            time_format=time_format,
            bell=bell,
            typing=typing,
            command_line=command_line,
        )
        sys.exit(asyncio.run(sitting.run(logins)))


def _ask_name() -> str:
    name: str = click.prompt("your name", default=login_name())
    return name


async def _pipe(login: Login, options: dict[str, Any], *, as_json: bool) -> None:
    from asynchat.client.pipe import Pipe

    def make(identity: Identity) -> Talker:
        return Talker(login.url, identity, trust=login.trust, **options)

    async with AsyncExitStack() as stack:
        client = await come_in(make, login.identity, ask=None)
        stack.push_async_exit(client)
        if client.nick != login.identity.name:
            click.echo(f"*** {login.identity.name} is in use; you are {plain(client.nick)}", err=True)
        for room in login.rooms:
            await client.join(room)
        pipe = Pipe(client, login.rooms[-1], typed=lines(), out=sys.stdout, err=sys.stderr, as_json=as_json)
        await pipe.run()


def on_a_terminal() -> bool:
    """Whether a person sits at both ends."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
