"""`asynchat admin`: talk to a running server over its admin socket."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import click

from asynchat.cli import CONFIG, PROTOCOL, REFUSED, UNREACHABLE
from asynchat.cli.options import data_folder
from asynchat.cli.takeaway import backup, export, import_

TIMEOUT_S = 30.0
STARTING_S = 2.0
"""How long a server may take to begin."""
SOCKET = "admin.sock"

data_option = click.option(
    "--data", metavar="DIR", envvar=["ASYNCHAT_ADMIN_DATA", "ASYNCHAT_DATA"], help="where the server keeps its data"
)


@click.group("admin")
def command() -> None:
    """Run a server: accounts and figures of one that is running, and its data. It is on this machine, and yours."""


for each in (backup, export, import_):
    command.add_command(each)


@command.group()
def account() -> None:
    """The server's accounts."""


@account.command("add")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input")
@click.option("--email", metavar="ADDRESS", help="the e-mail address")
@data_option
def account_add(name: str, *, password_stdin: bool, email: str | None, data: str | None) -> None:
    """Make an account."""
    password = _new_password(from_stdin=password_stdin)
    made = ask(data, {"verb": "account-add", "name": name, "password": password, "email": email})
    click.echo(f"{made} may log in now", err=True)


@account.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input")
@data_option
def account_password(name: str, *, password_stdin: bool, data: str | None) -> None:
    """Give an account another password."""
    ask(data, {"verb": "account-password", "name": name, "password": _new_password(from_stdin=password_stdin)})
    click.echo(f"{name} has another password now", err=True)


@account.command("certificate")
@click.argument("name")
@click.argument("fingerprint")
@click.option("--remove", is_flag=True, help="let it no longer log in")
@data_option
def account_certificate(name: str, fingerprint: str, *, remove: bool, data: str | None) -> None:
    """Let a client's certificate log in to an account (SASL EXTERNAL). FINGERPRINT is its SHA-256, in hexadecimal.

    \b
    openssl x509 -in client.pem -noout -fingerprint -sha256
    """
    ask(data, {"verb": "account-certificate", "name": name, "fingerprint": fingerprint, "remove": remove})
    click.echo(f"that certificate logs in to {name} {'no more' if remove else 'now'}", err=True)


def _new_password(*, from_stdin: bool) -> str:
    """A password from a pipe, or typed twice."""
    if from_stdin:
        return sys.stdin.read().removesuffix("\n")
    typed: str = click.prompt("password", hide_input=True, confirmation_prompt=True)
    return typed


@account.command("forget")
@click.argument("name")
@data_option
def account_forget(name: str, *, data: str | None) -> None:
    """Remove an account and erase everything it has said. Backups that were made before are not reached."""
    events = ask(data, {"verb": "account-forget", "name": name})
    click.echo(f"{name} is forgotten, with what was said in {events} events", err=True)


@account.command("list")
@data_option
def account_list(*, data: str | None) -> None:
    """List the accounts, one on a line."""
    for name in ask(data, {"verb": "account-list"}):
        click.echo(name)


@command.command("console")
@data_option
def console(*, data: str | None) -> None:
    """Be the server's operator: what is typed is said as `server`; /help tells more."""
    path = socket_path(data)
    try:
        asyncio.run(_sit_at(path))
    except BrokenPipeError:
        raise
    except OSError as error:
        _end(UNREACHABLE, f"no server answers at {path}: {error.strerror or error}")


async def _sit_at(path: Path) -> None:
    from asynchat.cli.console import Screen, attend
    from asynchat.net.console import Console

    with socket.socket(socket.AF_UNIX) as connection:
        _connect(connection, str(path))
        reader, writer = await asyncio.open_unix_connection(sock=connection.dup())
    writer.write(b'{"verb": "console"}\n')
    if b'"ok"' not in await reader.readline():
        _end(PROTOCOL, f"what answers at {path} has no console")
    screen = Screen()
    await attend(Console(reader, writer, screen.show), screen)


@command.command("reload")
@data_option
def reload(*, data: str | None) -> None:
    """Have the server read its configuration again; one that cannot be used changes nothing."""
    ask(data, {"verb": "reload"})


@command.command("stop")
@click.option("--reason", metavar="TEXT", help="what everybody is told")
@data_option
def stop(*, reason: str | None, data: str | None) -> None:
    """Stop the server, in order."""
    ask(data, {"verb": "stop", "reason": reason})


@command.command("stats")
@data_option
def stats(*, data: str | None) -> None:
    """Print figures, as JSON."""
    click.echo(json.dumps(ask(data, {"verb": "stats"})))


def ask(data: str | None, request: dict[str, Any]) -> Any:
    """The server's answer; what goes wrong ends the program."""
    path = socket_path(data)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT_S)
            _connect(connection, str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
    except OSError as error:
        _end(UNREACHABLE, f"no server answers at {path}: {error.strerror or error}")
    except ValueError:
        _end(PROTOCOL, f"what answers at {path} is no server of ours")
    if "error" in answer:
        code, text = answer["error"]["code"], answer["error"]["text"]
        _end(CONFIG if code == "BAD_CONFIG" else REFUSED, f"{code} {text}")
    return answer["ok"]


def socket_path(data: str | None) -> Path:
    """Where a server that keeps its data there answers."""
    return (Path(data) if data is not None else data_folder()) / SOCKET


def _connect(connection: socket.socket, path: str) -> None:
    """Connect, also to a server that was started just now."""
    give_up = time.monotonic() + STARTING_S
    while True:
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return


def _end(code: int, text: str) -> NoReturn:
    click.echo(f"asynchat: {text}", err=True)
    sys.exit(code)
