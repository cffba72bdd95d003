"""Lines of talk on standard output: for people, for programs, or as a format says."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import click

from asynchat.client.record import record
from asynchat.client.show import show
from asynchat.client.terminal.render import Renderer
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

Print = Callable[[Message, str], None]
"""Prints a line; given the reader's own name too."""

_WIDE = re.compile(r"\d{5}")
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0"}


def printer(*, as_json: bool, form: str | None, color: bool, places: bool, time: str) -> Print:
    """What prints lines. `form` is a format as `str.format` has it, with the fields of the objects that `as_json`
    prints, of which `time` is a datetime; `places`: it is told where a line was said.

    Raises:
        click.UsageError: the format is none.
    """
    if as_json:
        ascii_only = sys.stdout.encoding.lower() != "utf-8"
        return lambda message, me: _write(f"{json.dumps(record(message, me), ensure_ascii=ascii_only)}\n")
    if form is None:
        renderer = Renderer(time, color=color)

        def print_line(message: Message, me: str) -> None:
            where = f"[{plain(record(message, me)['place'])}]" if places else ""
            for line in show(message, me):
                shown = line._replace(where=where or line.where, mention=False)
                _write(f"{renderer(shown)}\n")

        return print_line
    for escape, sign in _ESCAPES.items():
        form = form.replace(escape, sign)
    try:
        if any(_WIDE.search(spec or "") for _, _, spec, _ in Formatter().parse(form)):
            raise click.UsageError("--format: that is wider than any line")
        _filled(form, Message("PRIVMSG", ["#x", "x"], source="x", tags={"time": "2026-01-01T00:00:00.000Z"}), "x")
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise click.UsageError(f"--format: there is no {error}; fields are id time place from to kind text") from None
    return lambda message, me: _write(f"{_filled(form, message, me)}\n")


def _filled(form: str, message: Message, me: str) -> str:
    fields: dict[str, Any] = {name: plain(value) for name, value in record(message, me).items() if name != "text"}
    fields["text"] = "\n".join(map(plain, record(message, me)["text"].split("\n")))
    try:
        fields["time"] = datetime.fromisoformat(message.tags.get("time", "")).astimezone()
    except ValueError:
        fields["time"] = datetime.fromtimestamp(0, UTC)
    return form.format(**fields)


def _write(text: str) -> None:
    """Write, and be done with it: what was written is what somebody has read up to."""
    sys.stdout.write(text)
    sys.stdout.flush()
