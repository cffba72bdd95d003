"""`asynchat send`: post text, and know that it was stored."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from asynchat.cli import DATA
from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import come_in, is_utf8, login_from, login_options, url_option
from asynchat.cli.seconds import Seconds
from asynchat.cli.send.sender import Counter, Sender, SpoolSender
from asynchat.cli.send.spool import Author, Spool
from asynchat.client.keys import wire_key
from asynchat.client.registration import Identity
from asynchat.client.talker import Talker
from asynchat.wire.text import plain


@click.command("send")
@click.argument("text", nargs=-1)
@url_option
@click.option("-r", "--room", metavar="NAME", envvar="ASYNCHAT_ROOM", help="the room (#lobby)")
@click.option("--to", metavar="NAME", help="a person, instead of a room")
@click.option("--stream", is_flag=True, help="send standard input line by line, as it comes")
@click.option("--code", metavar="LANGUAGE", help="send it as code, between lines with three backticks")
@click.option("--key", metavar="KEY", help="sent again under the same key, it is stored once")
@click.option("--ack/--no-ack", "acks", default=True, help="wait until it is stored, or until it is sent (stored)")
@click.option(
    "--timeout",
    type=Seconds(),
    default=10.0,
    metavar="SECONDS",
    help="how long to wait until the next message is stored, not all of them (10)",
)
@click.option(
    "--spool",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="keep it in a folder until it is stored; what waits there for this server and name goes first",
)
@click.option("--json", "as_json", is_flag=True, help="print the id of each message stored, as JSON")
@login_options
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    text: tuple[str, ...],
    url: str | None,
    room: str | None,
    to: str | None,
    stream: bool,
    code: str | None,
    key: str | None,
    acks: bool,
    timeout: float,
    spool: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Post TEXT, or standard input as one message. Exits with 0 once the server has stored it all.

    75 says that it was not acknowledged, and that trying again under the same --key is safe. With --spool it is 0 too
    if it waits on this disk: it is sent by the next `send --spool` of that folder to this server under this name, with
    or without a text of its own.

    A server that slows down who says much may take minutes for a long text: --timeout is for what it stores next.
    """
    if stream and text:
        raise click.UsageError("--stream sends standard input, and no TEXT")
    _check_target(room, to)
    if key == "":
        raise click.UsageError("--key is empty: what was sent under it once would be all that is ever stored")
    with exits():
        login = login_from(invocation, options, url=url, rooms=(room,) if room is not None and to is None else ())
        if to is not None and not is_utf8(to):
            raise click.UsageError("--to is not UTF-8")
        target = to or login.rooms[0]
        words = " ".join(text)
        if text and (not words.strip() or not is_utf8(words)):
            click.echo(f"asynchat: {'there is nothing to send' if is_utf8(words) else 'TEXT is not UTF-8'}", err=True)
            sys.exit(DATA)
        key = None if key is None else wire_key(login.identity.name, target, key)

        def make(identity: Identity) -> Talker:
            return Talker(login.url, identity, trust=login.trust, timeout_s=timeout, hear=False)

        async def enter() -> Talker:
            return await come_in(make, login.identity, ask=None)

        if spool is not None:
            kept = Spool(spool, Author(str(login.url), login.identity.name))
            if not invocation.quiet:
                _tell_others(kept)
            _send_spool(SpoolSender(enter, kept, as_json=as_json), kept, target, key, text, stream=stream, code=code)
            return
        counter = Counter(shown=sys.stderr.isatty() and not invocation.quiet)
        sender = Sender(enter, target, key=key, as_json=as_json, acks=acks, counter=counter)
        asyncio.run(sender.stream() if stream else sender.post(as_code(code, _text(text))))


def _check_target(room: str | None, to: str | None) -> None:
    """See that it is for one place.

    Raises:
        click.UsageError
    """
    given = click.get_current_context().get_parameter_source("room") is ParameterSource.COMMANDLINE
    if to is not None and given:
        raise click.UsageError("it goes to a room (--room) or to a person (--to), not to both")
    if to is not None and (not to or " " in to):
        raise click.UsageError(f"--to {to!r} is nobody's name")
    if to is None and given and room and room[0].isalnum():
        raise click.UsageError(f"--room is a room, '#{room}'? --to is for a person")


def _send_spool(
    sender: SpoolSender,
    spool: Spool,
    target: str,
    key: str | None,
    text: tuple[str, ...],
    *,
    stream: bool,
    code: str | None,
) -> None:
    if stream:
        asyncio.run(sender.stream(target, key))
        return
    words = " ".join(text) or ("" if sys.stdin is None or sys.stdin.isatty() else _read())
    if words.strip():
        spool.put(target, as_code(code, words.rstrip("\n")), key or secrets.token_hex(16))
    asyncio.run(sender.send())


def _tell_others(spool: Spool) -> None:
    """Tell what waits in the spool and does not go with this."""
    for author, number in spool.others().items():
        wait = "message waits" if number == 1 else "messages wait"
        who = plain(f"-n {shlex.quote(author.name)} -u {shlex.quote(author.server)}")
        click.echo(f"asynchat: {number} {wait} in the spool for send {who}", err=True)


def as_code(language: str | None, text: str) -> str:
    """A text as people mark code, if it is some."""
    return text if language is None else f"```{language}\n{text}\n```"


def _text(words: tuple[str, ...]) -> str:
    """The text of the command line, else that of standard input."""
    if words:
        return " ".join(words)
    text = _read()
    if not text.strip():
        click.echo("asynchat: there is nothing to send", err=True)
        sys.exit(DATA)
    return text.rstrip("\n")


def _read() -> str:
    """All of standard input; ends with 65 if it cannot be said."""
    data = sys.stdin.buffer.read() if sys.stdin is not None else b""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        click.echo(f"asynchat: standard input is not UTF-8: {error}", err=True)
        sys.exit(DATA)
    if "\0" in text:
        click.echo("asynchat: there is a NUL in standard input", err=True)
        sys.exit(DATA)
    return text
