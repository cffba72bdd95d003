"""Settings written as TOML: values as people write them, and what must not be shown left out."""

from __future__ import annotations

import json
import re
from dataclasses import Field
from typing import Any

from asynchat.config.values import age, duration, size

MASK = "********"
_SECRETS = ("password", "passphrase", "secret", "token")
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_SIZES = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024}


def is_secret(name: str) -> bool:
    """Whether a setting of that name is nobody else's business: `password` is, where to find one is not."""
    return name.rpartition("_")[2] in _SECRETS


def masked(name: str, value: Any) -> Any:
    """The value, without a secret in it: also without the password of a URL."""
    if is_secret(name) and value:
        return MASK
    return re.sub(r"(?<=//)([^/@:]*):[^/@]*@", rf"\1:{MASK}@", value) if isinstance(value, str) else value


def written(each: Field[Any], value: Any) -> str:
    """A value of that setting, as TOML; it is read as the same."""
    parse = each.metadata["parse"]
    if parse is age and value == 0:
        return '"forever"'
    if parse in (age, duration, size):
        number, units = (value, _SIZES) if parse is size else (round(value * 1000), _UNITS)
        for unit, worth in units.items():
            text = f"{number // worth}{unit}"
            if number and parse(text) == value:
                return quoted(text)
    return plain(value)


def plain(value: Any) -> str:
    """Any value, as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(plain(each) for each in value)}]"
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    """A basic string of TOML. It escapes as JSON does, and DEL too; what is no character is a question mark."""
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def header(section: str) -> str:
    """`[section]`; what follows the first dot may be any name."""
    first, dot, name = section.partition(".")
    return f"[{first}{dot}{name if not dot or re.fullmatch(r'[\w-]+', name, re.ASCII) else quoted(name)}]"


def comment(text: str) -> str:
    """A comment; it stays on its line, whatever is in it."""
    return f"# {text if text.isprintable() else ascii(text)}"
