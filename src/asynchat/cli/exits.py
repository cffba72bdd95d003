"""How talking to a server can fail, as exit codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from asynchat.chat.errors import AsynchatError, BadMessage, Refused
from asynchat.cli import CONFIG, DATA, DISK, PROTOCOL, REFUSED, RETRY, UNREACHABLE, USAGE
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable, Untrusted
from asynchat.config import BadConfig
from asynchat.wire.text import plain

log = logging.getLogger("asynchat")

REFUSALS = {"STORAGE_FULL": DISK, "STORAGE_ERROR": RETRY, "TOO_LONG": DATA, "INVALID_UTF8": DATA}
"""A no that is not about who asked, or about what: there is no room, or it may go well the next time; or bad data."""
CODES: tuple[tuple[type[AsynchatError], int], ...] = (
    (Unreachable, UNREACHABLE),
    (Untrusted, REFUSED),
    (NotAcknowledged, RETRY),
    (Lost, RETRY),
    (Refused, REFUSED),
    (BadMessage, PROTOCOL),
    (BadConfig, CONFIG),
)


@contextmanager
def exits() -> Iterator[None]:
    """Turn what goes wrong into one line on standard error and an exit code."""
    try:
        yield
    except* AsynchatError as group:
        error = _first(group)
        log.debug("it ends here", exc_info=error)
        click.echo(f"asynchat: {plain(str(error))}", err=True)
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
