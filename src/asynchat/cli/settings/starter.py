"""A file of settings to start from: all there are, commented out, each with what it does and its default."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import Field
from pathlib import Path
from typing import Any

from asynchat.cli.settings.schema import Schema
from asynchat.cli.settings.toml import comment, is_secret, written


def starter(schema: Schema) -> str:
    """The text of the file. It changes nothing until one of its lines loses its #."""
    check, show = (f"`asynchat config {verb} --{schema.name}`" for verb in ("check", "show"))
    lines = [
        f"# {schema.file} of asynchat: every setting, with its default or an example. Take the # off what you change.",
        f"# {check} says what is wrong, {show} what counts.",
    ]
    last = ""
    for section, each in schema.declared():
        if section != last:
            named = section.endswith(".NAME")
            lines += ["", f"{'#' if named else ''}[{section}]"]
            last = section
        lines += ["", comment(explained(each)), f"#{each.name} = {example(each)}"]
    return "\n".join(lines) + "\n"


def explained(each: Field[Any]) -> str:
    """What the setting does, its choices, and its option."""
    choices = getattr(each.metadata["parse"], "choices", ())
    option = each.metadata["option"]
    return "".join([
        each.metadata["help"],
        f": {', '.join(choices)}" if choices else "",
        f" ({option})" if option else "",
    ])  # fmt: skip


def example(each: Field[Any]) -> str:
    """The default, as TOML; for what has none, something that is accepted.

    The example of a secret is one that nobody else has been shown.
    """
    if each.default not in (None, ""):
        return written(each, each.default)
    if is_secret(each.name):
        return written(each, secrets.token_urlsafe(15))
    parse = each.metadata["parse"]
    return written(each, next(value for value in _candidates(each) if _fits(parse, value)))


def _candidates(each: Field[Any]) -> Iterator[Any]:
    yield from getattr(each.metadata["parse"], "choices", ())
    yield from (each.metadata["metavar"] or each.name.upper(), (), 0, False)


def _fits(parse: Any, value: Any) -> bool:
    with suppress(ValueError):
        parse(value)
        return True
    return False


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that only its owner can read; one that is there only with `force`, and then whole or not at all.

    Raises:
        FileExistsError
        OSError
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:  # it is not the file that is there
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    target = path.with_name(f".{path.name}.{os.getpid()}") if force else path
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if force:
            target.replace(path)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
