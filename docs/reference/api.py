"""The reference of the public names, made from their docstrings: `python docs/reference/api.py`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import asynchat
import asynchat.testing
from asynchat.chat.errors import Reason

HEAD = """# The Python API

Made by `make docs` from the docstrings; do not edit. [How to](../embedding.md) use it.

Everything here is `asynchat.NAME`, imported when it is first used; `asynchat.testing` is a module. Times are aware and
in UTC, durations in seconds, ids decimal numbers as text that rise. Nothing is safe to call from another thread than
that of the loop.
"""

TESTING = """## testing

What is in `asynchat.testing` is for [the tests of programs that chat](../testing.md).
"""


def api_page() -> str:
    """The page, as Markdown."""
    lines = [line for name, thing in public().items() for line in _section(name, thing)]
    first = next(at for at, line in enumerate(lines) if line.startswith("## testing."))
    return "\n".join([HEAD, *lines[:first], TESTING, *lines[first:]]) + "\n"


def public() -> dict[str, Any]:
    """Everything that is public, by its name within the package."""
    found = {name: getattr(asynchat, name) for name in asynchat.__all__}
    return found | {f"testing.{name}": getattr(asynchat.testing, name) for name in dir(asynchat.testing)}


def members(kind: type) -> dict[str, Any]:
    """What is public of a class: methods and properties of its own and of its bases that are ours, in their order."""
    found: dict[str, Any] = {}
    for each in kind.__mro__:
        if each.__module__.startswith("asynchat."):
            for name, member in vars(each).items():
                if name[:1] != "_" and isinstance(member, FunctionType | classmethod | property):
                    found.setdefault(name, member)
    return found


def _section(name: str, thing: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    if isinstance(thing, str):
        yield from (f"`{thing!r}`", "")
        return
    source = f"../../src/{inspect.unwrap(thing).__module__.replace('.', '/')}.py"
    bases = [base.__name__ for base in getattr(thing, "__bases__", ()) if base.__name__ in asynchat.__all__]
    yield f"[source]({source})" + (f", a kind of [{bases[0]}](#{bases[0].lower()})" if bases else "")
    yield ""
    called = name.rpartition(".")[2]
    if not isinstance(thing, type):
        yield from _code(_HOW.get(name, "") + _signature(called, thing))
    elif "__init__" in vars(thing) and not _is_given(thing):
        yield from _code(_signature(called, thing.__init__, of=thing))
    yield from _words(thing)
    if name == "Refused":
        yield from _codes()
    for each, member in members(thing).items() if isinstance(thing, type) else ():
        yield f"### {name}.{each}"
        yield ""
        if isinstance(member, property):
            yield from _code(f"{each}: {_word(inspect.signature(member.fget).return_annotation)}")  # type: ignore[arg-type]
        elif isinstance(member, classmethod):
            yield from _code(_signature(f"{called}.{each}", member.__func__, of=thing))
        else:
            yield from _code(_signature(each, member, of=thing))
        yield from _words(member)


_HOW = {"testing.chat_server": "@pytest.fixture\n", "testing.thread_server": "@contextmanager\n"}


def _is_given(kind: type) -> bool:
    """Whether nobody makes one so: it keeps something of a server's inside, or has methods for that."""
    made_by_methods = any(isinstance(member, classmethod) for member in vars(kind).values())
    return made_by_methods or any(slot[:1] == "_" for slot in getattr(kind, "__slots__", ()))


def _codes() -> Iterator[str]:
    """The codes of the server's own refusals; an application's hooks have theirs."""
    yield from ("| code | says |", "|---|---|")
    rows = {(each.code_, (each.__doc__ or "").partition(" `about`")[0]) for each in Reason.__subclasses__()}
    rows |= {("HOOK_TIMEOUT", "A hook took too long."), ("HOOK_FAILED", "A hook failed.")}
    yield from (f"| `{code}` | {says} |" for code, says in sorted(rows))
    yield ""


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""]


def _signature(name: str, function: Any, *, of: type | None = None) -> str:
    """A function as it is called, without what it is a method `of`; over several lines if it is long."""
    parameters = [*inspect.signature(function).parameters.values()][of is not None :]
    parts, kind = [], None
    for parameter in parameters:
        if kind is parameter.POSITIONAL_ONLY and parameter.kind is not kind:
            parts.append("/")
        if parameter.kind is parameter.KEYWORD_ONLY and kind not in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL):
            parts.append("*")
        kind = parameter.kind
        text = _STARS.get(kind, "") + parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {_word(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        parts.append(text)
    returns = inspect.signature(function).return_annotation
    makes = of is not None and name == of.__name__
    end = f" -> {_word(returns)}" if returns is not inspect.Signature.empty and not makes else ""
    start = "async " if inspect.iscoroutinefunction(function) else ""
    line = f"{start}{name}({', '.join(parts)}){end}"
    if len(line) <= 100:
        return line
    return f"{start}{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"


_STARS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


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
