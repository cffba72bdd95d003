"""Whether what is written to a stream is coloured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

CHOICES = ("auto", "always", "never")


def wants_color(stream: TextIO, choice: str, environ: Mapping[str, str]) -> bool:
    """What `choice` says; for `auto` the environment, strongest first, and then whether the stream is a terminal.

    NO_COLOR (no-color.org) is said by who cannot bear colour, so it goes before FORCE_COLOR and CLICOLOR_FORCE
    (bixense.com/clicolors). A variable that is empty counts as none, and a force of 0 forces nothing.
    """
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    if environ.get("TERM") in ("dumb", "") or environ.get("CLICOLOR") == "0":
        return False
    return stream.isatty()
