"""`asynchat admin`: talk to a running server over its admin socket."""

from __future__ import annotations

import json
import logging
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import click

from asynchat.cli import PROTOCOL, REFUSED, UNREACHABLE
from asynchat.cli.options import data_folder
from asynchat.cli.takeaway import backup, data_option, export, import_

log = logging.getLogger("asynchat")

TIMEOUT_S = 30.0
STARTING_S = 2.0
"""How long a server may take to begin."""
SOCKET = "admin.sock"


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


@command.command("stats")
@data_option
def stats(*, data: str | None) -> None:
    """Print figures, as JSON."""
    click.echo(json.dumps(ask(data, {"verb": "stats"})))


def ask(data: str | None, request: dict[str, Any]) -> Any:
    """The server's answer; what goes wrong ends the program."""
    path = (Path(data) if data is not None else data_folder()) / SOCKET
    log.info("asking the server at %s", path)
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
        _end(REFUSED, f"{answer['error']['code']} {answer['error']['text']}")
    return answer["ok"]


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
