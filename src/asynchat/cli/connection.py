"""What the commands that talk to a server share: where it is, under which name, and how it can fail."""

from __future__ import annotations

import getpass
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from asynchat.chat.errors import AsynchatError, BadMessage, Refused
from asynchat.cli import CONFIG, DISK, PROTOCOL, REFUSED, RETRY, UNREACHABLE, USAGE
from asynchat.cli.options import config_files
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable
from asynchat.client.url import Url
from asynchat.config import BadConfig, ClientSettings, changed, read

log = logging.getLogger("asynchat")

REFUSALS = {"STORAGE_FULL": DISK, "STORAGE_ERROR": RETRY}
"""A no that is not about who asked, or what: there is no room, or it may go well the next time."""
CODES: tuple[tuple[type[AsynchatError], int], ...] = (
    (Unreachable, UNREACHABLE),
    (NotAcknowledged, RETRY),
    (Lost, RETRY),
    (Refused, REFUSED),
    (BadMessage, PROTOCOL),
    (BadConfig, CONFIG),
)

url_option = click.option("-u", "--url", envvar=["ASYNCHAT_URL"], metavar="URL", help="the server")
name_option = click.option("-n", "--name", envvar=["ASYNCHAT_NAME"], metavar="NAME", help="your name")
password_option = click.option(
    "--password-file", envvar=["ASYNCHAT_PASSWORD_FILE"], metavar="FILE", help="a file with the server's password"
)


def client_settings(config: str | None, *, url: str | None, name: str | None, rooms: tuple[str, ...]) -> ClientSettings:
    """Where to connect, as whom, into which rooms: options, environment, file, defaults.

    Raises:
        BadConfig
    """
    settings = ClientSettings()
    for path in config_files("client.toml", config):
        log.info("reading %s", path)
        settings = changed(settings, read(path).get("default", {}), f"{path}: [default]")
    given = {"url": url, "name": name, "rooms": rooms}
    return changed(settings, {key: value for key, value in given.items() if value}, "option")


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


def password_from(path: str | None) -> str | None:
    """The password in a file: its first line.

    Raises:
        BadConfig: it cannot be read.
    """
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from None


@contextmanager
def exits() -> Iterator[None]:
    """Turn what goes wrong into one line on standard error and an exit code."""
    try:
        yield
    except* AsynchatError as group:
        error = _first(group)
        log.debug("it ends here", exc_info=error)
        click.echo(f"asynchat: {error}", err=True)
        code = next((code for kind, code in CODES if isinstance(error, kind)), USAGE)
        if isinstance(error, Refused):
            code = REFUSALS.get(error.code, code)
        sys.exit(code)


def _first(group: BaseExceptionGroup[AsynchatError]) -> AsynchatError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, AsynchatError)
    return error
