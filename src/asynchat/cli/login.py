"""Where the commands that talk to a server connect, as whom, and believing whom."""

from __future__ import annotations

import dataclasses
import getpass
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from asynchat.chat.errors import Refused
from asynchat.cli.asking import ask_password
from asynchat.cli.invocation import Invocation
from asynchat.cli.places import config_files
from asynchat.client.registration import Identity
from asynchat.client.talker import Talker
from asynchat.client.trust import Trust, normal
from asynchat.client.url import Url
from asynchat.config.client import ClientSettings
from asynchat.config.values import BadConfig, changed, read
from asynchat.wire.text import plain

log = logging.getLogger("asynchat")

TLS_TOO = {"asynchat": "asynchats", "irc": "ircs", "ws": "wss"}
TLS_ONLY = ("ca", "cert", "pin")
"""Options that nothing comes of without TLS; one thinks that they protect."""
TRIES = 3
_NO_NAME = re.compile(r"[\s,\x00-\x1f\x7f]")

url_option = click.option("-u", "--url", envvar=["ASYNCHAT_URL"], metavar="URL", help="the server, or a profile")


class Login(NamedTuple):
    """Where to connect, as whom, believing whom, and into which rooms."""

    url: Url
    identity: Identity
    trust: Trust
    rooms: tuple[str, ...]


def login_options[F: Callable[..., Any]](function: F) -> F:
    """Give a command the options that say as whom somebody comes, and whom it believes."""
    helps = {each.metadata["option"]: each.metadata for each in dataclasses.fields(ClientSettings)}

    def option(name: str, **more: Any) -> Callable[[F], F]:
        metavar = helps[name]["metavar"] or None
        return click.option(name, metavar=metavar, help=helps[name]["help"], **more)

    for add in (
        click.option("--insecure", is_flag=True, default=None, help=helps["--insecure"]["help"]),
        option("--pin"),
        option("--cert"),
        option("--ca"),
        click.option("--tls", is_flag=True, default=None, help=helps["--tls"]["help"]),
        option("--server-password-file"),
        click.option("--ask-password", is_flag=True, help="ask for the password"),
        option("--password-file", envvar=["ASYNCHAT_PASSWORD_FILE"]),
        option("--account"),
        click.option("-n", "--name", envvar=["ASYNCHAT_NAME"], metavar="NAME", help="your name"),
    ):
        function = add(function)
    return function


def login_from(
    invocation: Invocation,
    options: Mapping[str, Any],
    *,
    url: str | None,
    rooms: tuple[str, ...],
    ask_name: Callable[[], str] | None = None,
) -> Login:
    """What the options, the environment and the files say; a `url` may be the name of a profile.

    Raises:
        BadConfig
    """
    given = {each.name: options[each.name] for each in dataclasses.fields(ClientSettings) if each.name in options}
    settings = client_settings(invocation, url=url, rooms=rooms, **given)
    where = address(settings.url)
    if settings.tls and not where.secure:
        where = _with_tls(where)
    name = settings.name or (ask_name or login_name)()
    for given_name in (name, settings.account or "", where.room or "", *settings.rooms):
        if not is_utf8(given_name):
            raise click.UsageError(f"{plain(ascii(given_name))} is not UTF-8")
    for given_room in (*rooms, *([where.room] if where.room is not None else [])):
        if not given_room or _NO_NAME.search(given_room):
            raise click.UsageError(f"{plain(given_room)!r} cannot be the name of a room")
    for option in TLS_ONLY:
        if not where.secure and (options.get(option) or (option == "pin" and settings.pin)):
            raise click.UsageError(f"--{option} is for TLS, and {where} is without; --tls, or {_with_tls(where)}")
    room = (where.room,) if where.room and not rooms else ()
    return Login(
        where, identity(settings, name, ask=bool(options.get("ask_password"))), trust(settings), room or settings.rooms
    )


def _with_tls(where: Url) -> Url:
    """The same server, with TLS if it can be."""
    port = 6697 if (where.scheme, where.port) == ("irc", 6667) else where.port
    return dataclasses.replace(where, scheme=TLS_TOO.get(where.scheme, where.scheme), port=port)


def client_settings(invocation: Invocation, *, url: str | None, **given: Any) -> ClientSettings:
    """Where to connect, as whom, into which rooms: options, environment, file, defaults.

    Raises:
        BadConfig
    """
    settings, profiles = ClientSettings(), dict[str, dict[str, Any]]()
    for path in config_files("client.toml", invocation.config):
        log.info("reading %s", path)
        tables = read(path)
        settings = changed(settings, tables.get("default", {}), f"{path}: [default]")
        profiles |= tables.get("profile", {})
    if url is not None and url in profiles:
        settings = changed(settings, profiles[url], f"[profile.{url}]")
        url = None
    given = {name: value for name, value in {"url": url, **given}.items() if value not in (None, ())}
    return changed(settings, given, "option")


def identity(settings: ClientSettings, name: str, *, ask: bool) -> Identity:
    """As whom somebody comes.

    Raises:
        BadConfig: a password cannot be read.
    """
    password = password_from(settings.password_file) if settings.password_file else None
    if password is None and settings.password_command:
        password = password_of(settings.password_command)
    if password is None and ask:
        password = ask_password(f"password of {settings.account}" if settings.account else "the server's password")
    if settings.account is None and settings.cert is None:
        return Identity(name=name, gate=password)
    return Identity(
        name=name,
        account=settings.account,
        password=password,
        certificate=settings.cert is not None,
        gate=password_from(settings.server_password_file) if settings.server_password_file else None,
    )


def trust(settings: ClientSettings) -> Trust:
    """Whom a client believes.

    Raises:
        BadConfig: the pin is none.
    """
    try:
        pin = normal(settings.pin) if settings.pin else None
    except ValueError as error:
        raise BadConfig(str(error)) from None
    return Trust(
        authorities=Path(settings.ca).expanduser() if settings.ca else None,
        certificate=Path(settings.cert).expanduser() if settings.cert else None,
        pin=pin,
        anybody=settings.insecure,
    )


def is_utf8(text: str) -> bool:
    """Whether an argument can be said: what is no UTF-8 on the command line comes as halves of characters."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def address(text: str) -> Url:
    """The server's address; a wrong one is the user's mistake."""
    try:
        where = Url.parse(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    log.info("the server is %s", where)
    return where


def login_name() -> str:
    """The name of whoever runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "guest"


def password_from(path: str) -> str:
    """The password in a file: its first line.

    Raises:
        BadConfig: it cannot be read.
    """
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None


def password_of(command: str) -> str:
    """The password that a command prints: its first line.

    Raises:
        BadConfig: it fails.
    """
    import shlex
    import subprocess

    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True, check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise BadConfig(f"password_command: {error}") from None
    return done.stdout.partition("\n")[0].rstrip("\r")


Ask = Callable[[str], Awaitable[str]]
"""Asks somebody for a password."""


async def come_in(make: Callable[[Identity], Talker], identity: Identity, *, ask: Ask | None) -> Talker:
    """A client that has come in, which is to be closed. For a password that is missing, or wrong, somebody is asked.

    Raises:
        Refused, Unreachable, Untrusted
    """
    for _ in range(TRIES):
        client = make(identity)
        try:
            return await client.__aenter__()
        except Refused as refused:
            again = await _again(identity, refused, ask)
            if again is None and refused.code == "NAME_RESERVED" and ask is None and identity.account is None:
                how = f"if that is you: --account {identity.name}, and --ask-password or --password-file"
                raise Refused(refused.code, f"{refused.text}; {how}", refused.about) from None
            if again is None or again == identity:
                raise
            identity = again
    return await make(identity).__aenter__()


async def _again(identity: Identity, refused: Refused, ask: Ask | None) -> Identity | None:
    """As whom to try once more."""
    code, change = refused.code, dataclasses.replace
    if code in ("NAME_RESERVED", "ACCOUNT_REQUIRED") and identity.account is None:
        # What was given for the server is tried for the account: one password is all that most people have.
        if ask is not None:
            password = await ask(f"{refused.text}. password")
            return change(identity, account=identity.name, password=password) if password else None
        return change(identity, account=identity.name, password=identity.gate) if identity.gate else None
    if code == "BAD_PASSWORD" and ask is not None:
        account = identity.account
        question = f"password of {account}" if account is not None else "password"
        tried = account is None or identity.password is not None
        password = await ask(f"{refused.text}. {question}" if tried else question)
        if password:
            return change(identity, password=password) if account is not None else change(identity, gate=password)
    return None
