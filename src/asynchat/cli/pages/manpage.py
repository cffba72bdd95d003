"""The manual as a man page, in roff: `python -m asynchat.cli.pages.manpage`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from asynchat import __version__
from asynchat.cli.pages.manual import (
    EXIT_CODES,
    FILES,
    NAMES,
    VARIABLES,
    Option,
    Page,
    filled,
    global_options,
    is_kept,
    pages,
)


def man_page() -> str:
    """The page; it is plain ASCII."""
    root, *others = pages()
    lines = [
        '.\\" Made by `make docs` from the commands; do not edit.',
        f'.TH ASYNCHAT 1 "" "asynchat {__version__}" "User Commands"',
        *(".nh", ".ad l"),  # neither broken words nor gaps: both spoil what one wants to copy
        ".SH NAME",
        "asynchat \\- " + roff("chat server and client: netcat, IRC and programs meet on one port"),
        *(".SH SYNOPSIS", f".B {roff(root.usage)}"),
        *(".SH DESCRIPTION", *_paragraphs(root)),
        *(".SH OPTIONS", "Those of every command, before its name or after it:", *_options(global_options())),
        *(".PP", "The program's own:", *_options(root.options)),
        ".SH COMMANDS",
    ]
    for page in others:
        lines += [f".SS {roff(page.usage)}", *_paragraphs(page), *_options(page.options)]
    lines += [".SH ENVIRONMENT", roff(NAMES), *_terms(VARIABLES.items())]
    lines += [".SH FILES", *_terms(FILES.items())]
    lines += [".SH EXIT STATUS", *_terms((str(code), does) for code, does in EXIT_CODES.items())]
    return "\n".join(lines) + "\n"


def _paragraphs(page: Page) -> list[str]:
    lines: list[str] = []
    for number, each in enumerate(page.paragraphs):
        lines += [".PP"] if number else []
        kept = each.removeprefix("\b").strip("\n").splitlines()
        lines += [".nf", *(roff(line) for line in kept), ".fi"] if is_kept(each) else [roff(filled(each))]
    return lines


def _options(options: Iterable[Option]) -> list[str]:
    return [line for each in options for line in _option(each)]


def _option(option: Option) -> list[str]:
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in option.names)
    besides = f" ({', '.join(option.variables)})" if option.variables else ""
    return [".TP", names + (f" \\fI{roff(option.value)}\\fR" if option.value else ""), roff(option.help + besides)]


def _terms(terms: Iterable[tuple[str, str]]) -> list[str]:
    return [line for term, does in terms for line in (".TP", f"\\fB{roff(term)}\\fR", roff(does))]


def roff(text: str) -> str:
    """The text, with nothing in it that is a request, an escape or no ASCII."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")
    plain = plain.replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    plain = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in plain)
    return f"\\&{plain}" if plain.startswith((".", " ")) else plain


if __name__ == "__main__":
    click.echo(man_page(), nl=False)
