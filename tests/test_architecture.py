"""The tree is the architecture: what may import what, and other rules that a reviewer would forget."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import asynchat
from asynchat.chat import events

SOURCE = Path(asynchat.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


ANYTHING = ("",)
ALLOWED: dict[str, tuple[str, ...]] = {
    "chat": ("chat",),
    "wire": ("chat", "wire"),
    "store": ("chat", "store"),
    "config": ("chat.errors", "chat.names", "config"),
    "net": ("chat", "wire", "store", "config", "net"),
    "client": (
        "wire.irc.message",
        "wire.saslprep",
        "wire.slashes",
        "wire.text",
        "chat.events",
        "chat.errors",
        "chat.names",
        "client",
    ),
    "testing": ("net.server", "testing"),
    "cli": ANYTHING,
    "__init__": ANYTHING,  # public names, resolved when they are first used
    "__main__": ANYTHING,
}
"""What each part may import of ours. `asynchat` itself is only `__version__`, which anybody may know."""

SANS_IO = ("chat", "wire")
IO_MODULES = {
    "asyncio",
    "concurrent",
    "select",
    "selectors",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "threading",
    "time",
}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST, package: str = "asynchat") -> Iterator[str]:
    """The modules that are imported anywhere in it, lazily too, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: -(node.level - 1) or None] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from asynchat.wire.irc import caps` may name a module or something in one: the longer name is safe.
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            name = node.args[0]
            first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
            if isinstance(first, ast.Constant):
                yield str(first.value)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> list[str]:
    package = ".".join(("asynchat", *path.relative_to(SOURCE).parts[:-1]))
    return list(imports_of(tree_of(path), package))


def is_within(name: str, roots: tuple[str, ...]) -> bool:
    return any(not root or name == root or name.startswith(f"{root}.") for root in roots)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import asynchat.net.server", "asynchat.net.server"),
        ("def f():\n    from asynchat.net import server", "asynchat.net.server"),
        ("if TYPE_CHECKING:\n    from asynchat import net", "asynchat.net"),
        ("from . import hub", "asynchat.chat.hub"),
        ("from ..net import server", "asynchat.net.server"),
        ("import_module('asynchat.net.server')", "asynchat.net.server"),
        ("importlib.import_module(f'asynchat.net.{name}')", "asynchat.net."),
    ],
)
def test_no_form_of_import_is_overlooked(code, found):
    assert list(imports_of(ast.parse(code), "asynchat.chat")) == [found]


def test_every_part_of_the_house_has_a_rule():
    assert {part_of(path) for path in MODULES} <= ALLOWED.keys()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_inwards(path):
    allowed = tuple(f"asynchat.{root}" if root else "asynchat" for root in ALLOWED[part_of(path)])
    ours = [name for name in imported(path) if name.split(".")[0] == "asynchat"]
    assert [name for name in ours if not is_within(name, (*allowed, "asynchat.__version__"))] == []


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) in SANS_IO], ids=name_of)
def test_the_domain_and_the_wires_do_no_io(path):
    """Neither sockets nor tasks nor a clock: `ssl` only for `SSLObject` and `MemoryBIO`, in wire/tls.py."""
    forbidden = IO_MODULES - ({"ssl"} if path == SOURCE / "wire" / "tls.py" else set())
    assert {name.split(".")[0] for name in imported(path)} & forbidden == set()


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) == "chat"], ids=name_of)
def test_the_domain_does_not_know_the_word_channel(path):
    assert re.findall(r".*channel.*", path.read_text(encoding="utf-8"), re.IGNORECASE) == []


@pytest.mark.parametrize("path", sorted(SOURCE.glob("wire/irc/commands/*.py")), ids=name_of)
def test_commands_ask_the_session_and_not_the_capabilities(path):
    """A capability shows in `caps`, `render` and the session (session, answers, hearing), else a command has forks."""
    assert not re.findall(r"in (?:self\.)?session\.capabilities|caps\.\w+ (?:not )?in ", path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_file_is_named_by_its_noun(path):
    assert not {path.stem.strip("_"), path.parent.name} & NAMELESS
    assert "manager" not in path.stem


def groups_of(tree: ast.AST) -> set[str]:
    """What is a TaskGroup here: `async with TaskGroup() as group`, `self.group = group`, `group: TaskGroup`."""
    groups: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and node.optional_vars and "TaskGroup" in ast.unparse(node.context_expr):
            groups.add(ast.unparse(node.optional_vars))
        elif isinstance(node, ast.arg) and node.annotation and "TaskGroup" in ast.unparse(node.annotation):
            groups.add(node.arg)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in groups:
            groups |= {ast.unparse(target) for target in node.targets}
    return groups


def bare_tasks(tree: ast.AST) -> Iterator[str]:
    """Tasks that no group is the parent of."""
    groups = groups_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            owner, _, name = ast.unparse(node.func).rpartition(".")
            if name in ("ensure_future", "Task") or (name == "create_task" and owner not in groups):
                yield ast.unparse(node)


def test_a_task_without_a_group_is_found():
    bare = "asyncio.create_task(a())\nloop.create_task(b())\nensure_future(c())\nself.group.create_task(d())"
    bare += "\nasyncio.Task(h())"
    grouped = "async with asyncio.TaskGroup() as tasks:\n  tasks.create_task(e())\n  self.tasks = tasks\n"
    code = f"{bare}\nasync def f():\n {grouped.replace('  ', '   ')} self.tasks.create_task(g())"
    assert len(list(bare_tasks(ast.parse(code)))) == 5


def test_every_task_is_born_in_a_group_but_the_roots_of_a_server_and_of_a_client_and_what_mostly_ends_as_it_begins():
    """The roots are awaited by the `close` of their owners; what a session does is ended with its conversation."""
    found = [(name_of(path), task) for path in MODULES for task in bare_tasks(tree_of(path))]
    assert found == [
        ("client/life.py", "asyncio.create_task(visit.work(), name='asynchat bot')"),
        ("client/presence.py", "asyncio.create_task(self._live(ready), name='asynchat client')"),
        ("net/conversation.py", "asyncio.Task(self._work(), loop=self._loop, eager_start=True)"),
        ("net/life.py", "asyncio.create_task(self._live(), name='asynchat')"),
    ]


KINDS = {name for name, kind in vars(events).items() if isinstance(kind, type) and issubclass(kind, events.Event)}
FACTS = KINDS | {"Source", "Change"}
FACT_NAMES = {"event", "entered", "joined", "said"}


def changed_facts(tree: ast.AST) -> Iterator[str]:
    """Assignments to an attribute of what is an event by its name, its annotation or how it was made."""
    facts = set(FACT_NAMES)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            target = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
            if re.fullmatch(r"(?:asynchat\.chat\.)?(?:events\.)?(\w+)", text := ast.unparse(node.annotation)):
                facts |= {target} if text.split(".")[-1] in FACTS else set()
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).split("(")[0].split(".")[-1] in FACTS:
            facts |= {ast.unparse(target) for target in node.targets}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            of = ast.unparse(node.value)
            if of in facts or of.endswith((".event", ".by", ".source")) or of.removesuffix(".by") in facts:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "object.__setattr__"):
            yield from [ast.unparse(node)] if ast.unparse(node.args[0]) in facts else []


@pytest.mark.parametrize(
    "code",
    [
        "event.kept = False",
        "def f(line: Said):\n    line.text += '!'",
        "fact: events.Joined = g()\nfact.room = '#a'",
        "made = Renamed(nick='a')\nmade.nick = 'b'",
        "entry.event.id = '1'",
        "event.by.nick = 'b'",
        "user.source.nick = 'b'",
        "del event.text",
        "setattr(event, name, 1)",
    ],
)
def test_a_fact_that_is_changed_is_found(code):
    assert len(list(changed_facts(ast.parse(code)))) == 1


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_events_are_never_changed(path):
    """Immutable by convention and by this test: a frozen dataclass costs 0.75 µs more per event."""
    assert list(changed_facts(tree_of(path))) == []


def test_importing_asynchat_is_cheap():
    code = "import sys, asynchat; print(*({'click', 'uvloop', 'prompt_toolkit', 'asyncio'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


@pytest.mark.parametrize("name", asynchat.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert name in dir(asynchat)
    thing = getattr(asynchat, name)
    if name != "__version__":
        assert (thing.__doc__ or "").strip()
        assert thing.__doc__ != (thing.__mro__[1].__doc__ if isinstance(thing, type) else "")


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = asynchat.nonsense


def test_the_package_tells_that_it_is_typed():
    assert (SOURCE / "py.typed").is_file()
