"""How talking to a server can fail, as exit codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from asynchat.chat.errors import AsynchatError, BadMessage, Refused, StoreError
from asynchat.cli import CONFIG, DATA, DISK, PROTOCOL, REFUSED, RETRY, UNREACHABLE, USAGE, ClosedPipe, write_no_more
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable, Untrusted
from asynchat.config.values import BadConfig
from asynchat.wire.text import plain

log = logging.getLogger("asynchat")

REFUSALS = {"STORAGE_FULL": DISK, "STORAGE_ERROR": RETRY, "TOO_LONG": DATA, "INVALID_UTF8": DATA, "INVALID_TEXT": DATA}
"""A no that is not about who asked, or about what: there is no room, or it may go well the next time; or bad data."""
MOST_TOLD = 300
"""Characters of an error that are told."""
CODES: tuple[tuple[type[AsynchatError], int], ...] = (
    (Unreachable, UNREACHABLE),
    (Untrusted, REFUSED),
    (NotAcknowledged, RETRY),
    (Lost, RETRY),
    (Refused, REFUSED),
    (BadMessage, PROTOCOL),
    (BadConfig, CONFIG),
    (StoreError, DISK),
)


@contextmanager
def exits() -> Iterator[None]:
    """Turn what goes wrong into one line on standard error and an exit code.

    Raises:
        ClosedPipe: whoever read our output has gone.
    """
    try:
        yield
    except (AsynchatError, OSError, BaseExceptionGroup) as failure:
        errors = list(leaves(failure))
        if any(isinstance(error, BrokenPipeError) for error in errors):
            raise ClosedPipe from None
        if not all(isinstance(error, AsynchatError | OSError) for error in errors):
            raise
        error = errors[0]
        log.debug("it ends here", exc_info=error)
        if isinstance(error, OSError):
            write_no_more()
            click.echo(f"asynchat: {plain(str(error.strerror or error))}", err=True)
            sys.exit(DISK)
        click.echo(f"asynchat: {told(error)}", err=True)
        code = next((code for kind, code in CODES if isinstance(error, kind)), USAGE)
        if isinstance(error, Refused):
            code = REFUSALS.get(error.code, code)
        sys.exit(code)


def told(error: BaseException) -> str:
    """An error as one line that a terminal can show: some have a text in them that may be a book."""
    text = plain(str(error))
    if isinstance(error, Refused) and error.code.isdigit() and error.about:  # a numeric says less than what it is about
        text = plain(f"{' '.join(error.about)}: {error.text} ({error.code})")
    return text if len(text) <= MOST_TOLD else f"{text[:MOST_TOLD]}…"


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group, or the one that it is."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error
