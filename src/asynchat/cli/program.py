"""A Python program that a command runs: what it is, and whether its files change."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

EACH_S = 1.0
"""How often files are looked at."""


class Program(NamedTuple):
    """Something in a module, which is found from the working directory too."""

    module: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Program:
        """A program as `mypkg.bots:app`.

        Raises:
            click.UsageError: it is none, or there is no such module.
        """
        module, colon, name = text.partition(":")
        if not module or not colon or not name:
            raise click.UsageError(f"{text} is no MODULE:NAME")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)
        if find_spec(module.partition(".")[0]) is None:
            raise click.UsageError(f"there is no module {module}")
        return cls(module, name)

    def load(self) -> object:
        """What it is.

        Raises:
            click.UsageError: there is no such name.
            Exception: the module's own.
        """
        found: object = import_module(self.module)
        for name in self.name.split("."):
            if not hasattr(found, name):
                raise click.UsageError(f"there is no {self.name} in {self.module}")
            found = getattr(found, name)
        return found

    def files(self) -> list[Path]:
        """The files that it is made of: all of its package, or those beside its module."""
        spec = find_spec(self.module.partition(".")[0])
        if spec is None or spec.origin is None:
            return []
        folder = Path(spec.origin).parent
        return sorted(folder.rglob("*.py") if spec.submodule_search_locations else folder.glob("*.py"))


class Watch:
    """Looks at files, and at which there are. `changed` is whether any has changed since it began."""

    def __init__(self, files: Callable[[], list[Path]]) -> None:
        self._files = files
        self._seen = self._look()

    def _look(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in self._files() if path.is_file()}

    @property
    def changed(self) -> bool:
        """Whether a file has come, gone or changed."""
        return self._look() != self._seen

    def wait(self) -> None:
        """Wait until something has changed."""
        while not self.changed:
            time.sleep(EACH_S)

    @asynccontextmanager
    async def calling(self, change: Callable[[], None]) -> AsyncIterator[None]:
        """Call something when anything has changed."""
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._tell(change))
            try:
                yield
            finally:
                looking.cancel()

    async def _tell(self, change: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(EACH_S)
            if self.changed:
                return change()
