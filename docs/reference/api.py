"""The reference of the public names, made from their docstrings: `python docs/reference/api.py`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import asynchat
from asynchat.chat.errors import Reason

HEAD = """# The Python API

Made by `make docs` from the docstrings; do not edit. [How to](../embedding.md) use it.

Everything here is `asynchat.NAME`, imported when it is first used. Times are aware and in UTC, durations in seconds,
ids decimal numbers as text that rise. Nothing is safe to call from another thread than that of the loop.
"""


def api_page() -> str:
    """The page, as Markdown."""
    return "\n".join([HEAD, *(line for name in asynchat.__all__ for line in _section(name))]) + "\n"


def members(kind: type) -> dict[str, Any]:
    """What is public of a class: methods and properties of its own and of its bases that are ours, in their order."""
    found: dict[str, Any] = {}
    for each in kind.__mro__:
        if each.__module__.startswith("asynchat."):
            for name, member in vars(each).items():
                if name[:1] != "_" and (inspect.isfunction(member) or isinstance(member, property)):
                    found.setdefault(name, member)
    return found


def _section(name: str) -> Iterator[str]:
    thing = getattr(asynchat, name)
    yield f"## {name}"
    yield ""
    if not isinstance(thing, type):
        yield f"`{thing!r}`" if name == "__version__" else ""
        yield ""
        return
    source = f"../../src/{thing.__module__.replace('.', '/')}.py"
    bases = [base.__name__ for base in thing.__bases__ if base.__name__ in asynchat.__all__]
    yield f"[source]({source})" + (f", a kind of [{bases[0]}](#{bases[0].lower()})" if bases else "")
    yield ""
    if "__init__" in vars(thing) and not _is_given(thing):
        yield from _code(_signature(name, thing.__init__))
    yield from _words(thing)
    if name == "Refused":
        yield from _codes()
    for each, member in members(thing).items():
        yield f"### {name}.{each}"
        yield ""
        if isinstance(member, property):
            yield from _code(f"{each}: {_word(inspect.signature(member.fget).return_annotation)}")  # type: ignore[arg-type]
            yield from _words(member)
        else:
            yield from _code(_signature(each, member))
            yield from _words(member)


def _is_given(kind: type) -> bool:
    """Whether it keeps something of a server's inside, so that nobody else can make one."""
    return any(slot[:1] == "_" for slot in getattr(kind, "__slots__", ()))


def _codes() -> Iterator[str]:
    """The codes of the server's own refusals; an application's hooks have theirs."""
    yield from ("| code | says |", "|---|---|")
    rows = {(each.code_, (each.__doc__ or "").partition(" `about`")[0]) for each in Reason.__subclasses__()}
    rows |= {("HOOK_TIMEOUT", "A hook took too long."), ("HOOK_FAILED", "A hook failed.")}
    yield from (f"| `{code}` | {says} |" for code, says in sorted(rows))
    yield ""


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""]


def _signature(name: str, function: Any) -> str:
    """A function as it is called, without what it is a method of; over several lines if it is long."""
    parts, keyword_only = [], False
    for parameter in [*inspect.signature(function).parameters.values()][1:]:
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parts.append("*")
        text = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            keyword_only, text = True, f"*{text}"
        if parameter.annotation is not parameter.empty:
            text += f": {_word(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        parts.append(text)
    returns = inspect.signature(function).return_annotation
    end = f" -> {_word(returns)}" if returns is not inspect.Signature.empty and name[:1].islower() else ""
    start = "async " if inspect.iscoroutinefunction(function) else ""
    line = f"{start}{name}({', '.join(parts)}){end}"
    if len(line) <= 100:
        return line
    return f"{start}{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


def _word(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", repr(annotation))


def _words(thing: Any) -> Iterator[str]:
    """A docstring as Markdown: what it raises becomes a list."""
    listing = False
    for line in inspect.cleandoc(thing.__doc__ or "").splitlines():
        if line.startswith("Raises"):
            listing = True
            yield from (f"**{line.removesuffix(':')}**", "")
        elif listing and line.startswith("    ") and line[4:5] != " ":
            what, colon, why = line.strip().partition(": ")
            yield f"- `{what}`: {why}" if colon else f"- {line.strip()}"
        else:
            listing = listing and (not line or line[:1] == " ")
            yield f"  {line.strip()}" if listing and line else line
    yield ""


if __name__ == "__main__":
    sys.stdout.write(api_page())
