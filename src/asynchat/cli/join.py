"""`asynchat join`: chat, or pipe lines through a room."""

from __future__ import annotations

import asyncio
import sys

import click

from asynchat.cli.connection import (
    address,
    client_settings,
    exits,
    login_name,
    name_option,
    password_from,
    password_option,
)
from asynchat.cli.invocation import Invocation
from asynchat.client.client import Client
from asynchat.client.keyboard import lines
from asynchat.client.registration import Identity
from asynchat.client.terminal import Terminal, on_a_terminal


@click.command("join")
@click.argument("url", required=False, envvar=["ASYNCHAT_URL"])
@name_option
@click.option("-r", "--room", "rooms", multiple=True, envvar="ASYNCHAT_ROOM", metavar="NAME", help="a room to enter")
@password_option
@click.option(
    "--wait", type=float, default=0.0, metavar="SECONDS", help="try for so long until the server is up (fail at once)"
)
@click.option("--no-reconnect", is_flag=True, help="end when the connection is lost")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    url: str | None,
    name: str | None,
    rooms: tuple[str, ...],
    password_file: str | None,
    wait: float,
    no_reconnect: bool,
) -> None:
    """Chat. In a pipe, what people say goes to standard output, and each line of standard input is said.

    A connection that is lost is made again: what was typed is said, and what was missed is shown.

    URL is asynchat://host:port#room, irc://host:port or unix://path; nothing means this machine.
    """
    with exits():
        settings = client_settings(invocation.config, url=url, name=name, rooms=rooms)
        where = address(settings.url)
        tty = on_a_terminal()
        who = settings.name
        if who is None:
            who = click.prompt("your name", default=login_name()) if tty else login_name()
        wanted = rooms or ((where.room,) if where.room else settings.rooms)
        password = password_from(password_file)
        client = Client(where, Identity(name=who, gate=password), reconnect=not no_reconnect, wait_s=wait)
        asyncio.run(_join(client, who, wanted, tty=tty))


async def _join(client: Client, name: str, rooms: tuple[str, ...], *, tty: bool) -> None:
    async with client:
        talk = sys.stdout if tty else sys.stderr
        if client.nick != name:
            click.echo(f"*** {name} is in use; you are {client.nick}", file=talk)
        for room in rooms:
            await client.join(room)
        if tty:
            click.echo("*** type and press Enter; /help, /quit")
        await Terminal(client, rooms[-1], typed=lines(), tty=tty, out=sys.stdout, err=sys.stderr).run()
