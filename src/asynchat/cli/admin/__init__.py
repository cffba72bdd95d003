"""`asynchat admin`: talk to a running server over its admin socket."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from asynchat.cli import CONFIG, DISK, PROTOCOL, REFUSED, RETRY, UNREACHABLE
from asynchat.cli.admin.takeaway import backup, data_option, export, import_
from asynchat.cli.asking import ask_new_password
from asynchat.cli.options import data_folder
from asynchat.wire import durations
from asynchat.wire.text import plain

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
    return ask_new_password()


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
    """Be the server's operator: what is typed is said as `server`; /help tells more.

    75 says that the server has died, and that what was typed last may not be done.
    """
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
    from asynchat.wire.talk.render import NEWS

    with socket.socket(socket.AF_UNIX) as connection:
        _connect(connection, str(path))
        reader, writer = await asyncio.open_unix_connection(sock=connection.dup())
    writer.write(b'{"verb": "console"}\n')
    if b'"ok"' not in await reader.readline():
        _end(PROTOCOL, f"what answers at {path} has no console")
    screen, said, typed_all = Screen(), "", False

    async def show(line: str) -> None:
        nonlocal said
        said = line
        await screen.show(line)

    async def finish() -> None:
        nonlocal typed_all
        typed_all = True
        at_server.finish()

    at_server = Console(reader, writer, show)
    try:
        await attend(at_server, screen, at_end=finish)
    except BrokenPipeError:
        raise
    except OSError as error:
        _end(DISK, f"standard output: {error.strerror or error}")
    if said != f"{NEWS} bye" and not await asyncio.to_thread(_has_ended_in_order, path, answered=typed_all):
        _end(RETRY, "the server has ended without a word; what was typed last may not be done")


def _has_ended_in_order(path: Path, *, answered: bool) -> bool:
    """Whether a server that has ended a console did not just die: it takes its socket away, which may take a moment.

    Who had typed all is `answered` by one that goes on.
    """
    give_up = time.monotonic() + TIMEOUT_S
    while path.exists() and time.monotonic() < give_up:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(TIMEOUT_S)
                connection.connect(str(path))
                connection.sendall(b'{"verb": "stats"}\n')
                if connection.recv(1) and answered:
                    return True
        except ConnectionRefusedError:
            return not path.exists()
        except OSError:
            continue
        time.sleep(0.05)
    return not path.exists()


@command.group()
def room() -> None:
    """The rooms people are in."""


@room.command("list")
@data_option
def room_list(*, data: str | None) -> None:
    """List the rooms, secret ones too: name, members, topic."""
    for each in ask(data, {"verb": "room-list"}):
        secret = "  (secret)" if each["secret"] else ""
        topic = f'  "{each["topic"]}"' if each["topic"] else ""
        click.echo(plain(f"{each['name']}{secret}  {' '.join(each['members'])}{topic}"))


@room.command("topic")
@click.argument("name")
@click.argument("text")
@data_option
def room_topic(name: str, text: str, *, data: str | None) -> None:
    """Set the topic of a room; an empty text takes it away."""
    ask(data, {"verb": "room-topic", "room": name, "text": text})


@room.command("close")
@click.argument("name")
@click.option("--reason", metavar="TEXT", help="what they are told")
@data_option
def room_close(name: str, *, reason: str | None, data: str | None) -> None:
    """Put everybody out of a room. What is set in it stays, and who may enter may come again."""
    people = ask(data, {"verb": "room-close", "room": name, "reason": reason})
    click.echo(f"{people} put out of {name}", err=True)


@command.command("kick")
@click.argument("room_name", metavar="ROOM")
@click.argument("name")
@click.argument("reason", required=False)
@data_option
def kick(room_name: str, name: str, reason: str | None, *, data: str | None) -> None:
    """Put somebody out of a room."""
    ask(data, {"verb": "kick", "room": room_name, "name": name, "reason": reason})


@command.group()
def ban() -> None:
    """Who is kept off the server."""


@ban.command("add")
@click.argument("mask")
@click.option("--for", "how_long", metavar="DURATION", help="for how long: 10m, 1h, 7d (for ever)")
@click.option("--reason", metavar="TEXT", help="what they are told")
@data_option
def ban_add(mask: str, *, how_long: str | None, reason: str | None, data: str | None) -> None:
    """Keep somebody off the server. MASK is an address, a network (192.0.2.0/24), a:account, a name or nick!ident@host.

    Who is here and fits is put out.
    """
    how_long_ms = durations.milliseconds(how_long) if how_long is not None else None
    if how_long is not None and how_long_ms is None:
        raise click.BadParameter(f"{how_long} is no duration: a number with s, m, h, d or w")
    gone = ask(data, {"verb": "ban-add", "mask": mask, "how_long_ms": how_long_ms, "reason": reason})
    click.echo(f"{mask} is banned; {gone} put out", err=True)


@ban.command("remove")
@click.argument("mask")
@data_option
def ban_remove(mask: str, *, data: str | None) -> None:
    """Let somebody come again."""
    ask(data, {"verb": "ban-remove", "mask": mask})


@ban.command("list")
@data_option
def ban_list(*, data: str | None) -> None:
    """List who is kept off the server, one on a line: mask, until when, why."""
    for each in ask(data, {"verb": "ban-list"}):
        until = each["until_ms"]
        when = f"until {datetime.fromtimestamp(until / 1000).astimezone():%Y-%m-%d %H:%M}" if until else "for ever"
        click.echo(plain("  ".join(filter(None, (each["mask"], when, each["reason"])))))


@command.command("drain")
@click.option("--timeout", metavar="DURATION", default="5m", show_default=True, help="how long they may take")
@click.option("--reason", metavar="TEXT", help="what everybody is told")
@data_option
def drain(*, timeout: str, reason: str | None, data: str | None) -> None:
    """Take no more connections, ask everybody to leave, and stop once they have."""
    ms = durations.milliseconds(timeout)
    if ms is None:
        raise click.BadParameter(f"{timeout} is no duration: a number with s, m, h, d or w")
    request = {"verb": "drain", "timeout_s": ms / 1000, "reason": reason}
    ask(data, request, timeout_s=ms / 1000 + TIMEOUT_S, to_the_end=True)


@command.command("reload")
@data_option
def reload(*, data: str | None) -> None:
    """Have the server read its configuration again; one that cannot be used changes nothing."""
    ask(data, {"verb": "reload"})


@command.command("stop")
@click.option("--reason", metavar="TEXT", help="what everybody is told")
@data_option
def stop(*, reason: str | None, data: str | None) -> None:
    """Stop the server, in order; returns once it is gone, and another may start on its data."""
    ask(data, {"verb": "stop", "reason": reason}, to_the_end=True)


@command.command("stats")
@data_option
def stats(*, data: str | None) -> None:
    """Print figures, as JSON."""
    click.echo(json.dumps(ask(data, {"verb": "stats"})))


def ask(data: str | None, request: dict[str, Any], *, timeout_s: float = TIMEOUT_S, to_the_end: bool = False) -> Any:
    """The server's answer, once it has ended if that is what was asked; what goes wrong ends the program."""
    path = socket_path(data)
    log.info("asking the server at %s", path)
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            _connect(connection, str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                answer = json.loads(answers.readline())
                if to_the_end and "ok" in answer:
                    answers.read()
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
