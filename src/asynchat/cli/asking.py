"""Passwords that are asked for at the terminal: nothing of them is shown, and it is as before, whatever ends that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from asynchat.client.terminal.unseen import unseen
from asynchat.wire.text import plain

MOST = 4096
"""Bytes of a line that a terminal hands on."""


def ask_password(question: str) -> str:
    """Ask whoever sits at the terminal.

    Raises:
        click.UsageError: there is none.
        click.Abort: the answer was Ctrl-D.
    """
    with _question(question) as terminal:
        data = b""
        while not data.endswith(b"\n"):
            data += _more(terminal)
    return _answer(data)


async def ask_here(question: str) -> str:
    """The same, while everything else goes on.

    Raises:
        click.UsageError, click.Abort
    """
    loop = asyncio.get_running_loop()
    with _question(question) as terminal:
        data = b""
        while not data.endswith(b"\n"):
            ready = asyncio.Event()
            loop.add_reader(terminal, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(terminal)
            data += _more(terminal)
    return _answer(data)


def ask_new_password() -> str:
    """Ask for a password that is to be, twice, until both are the same and it is one.

    Raises:
        click.UsageError, click.Abort
    """
    while True:
        password = ask_password("password")
        if password and password == ask_password("once more"):
            return password
        click.echo("those were two; once again" if password else "that is none", err=True)


@contextmanager
def _question(question: str) -> Iterator[int]:
    """The terminal with a question on it, for the answer to be read from."""
    terminal = _terminal()
    try:
        with unseen(terminal):
            os.write(terminal, f"{plain(question)}: ".encode())
            try:
                yield terminal
            finally:
                os.write(terminal, b"\n")
    finally:
        os.close(terminal)


def _terminal() -> int:
    """The terminal that standard input is, else that of the session, whatever standard input is.

    (The first can be watched by every event loop, the second not by that of macOS.)
    """
    for at in (0, None):
        with suppress(OSError):
            return os.open("/dev/tty" if at is None else os.ttyname(at), os.O_RDWR | os.O_NOCTTY)
    raise click.UsageError("there is no terminal at which a password could be asked for")


def _more(terminal: int) -> bytes:
    data = os.read(terminal, MOST)
    if not data:
        raise click.Abort
    return data


def _answer(data: bytes) -> str:
    return data.decode(errors="replace").rstrip("\r\n")
