"""What may stand in server.toml and in client.toml, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from asynchat.config.client import ClientSettings
from asynchat.config.server import Settings, declared
from asynchat.config.values import BadConfig, changed, read

CLIENT_SECTIONS = ("default", "profile.NAME")
"""They have the same settings."""


@dataclass(frozen=True)
class Schema:
    """A kind of file: `name` without `.toml`, and the `command` that has options for the same settings."""

    name: str
    command: str

    @property
    def file(self) -> str:
        """How such a file is called."""
        return f"{self.name}.toml"

    def declared(self) -> Iterator[tuple[str, Field[Any]]]:
        """Every setting with its section; NAME in that is a name of one's choice."""
        if self.name == "server":
            yield from declared()
        else:
            for section in CLIENT_SECTIONS:
                yield from ((section, each) for each in fields(ClientSettings))

    def sections(self) -> list[str]:
        """The sections that there are."""
        return list(dict.fromkeys(section for section, _ in self.declared()))

    def accept(self, values: Mapping[str, Any], source: str) -> None:
        """See whether these values can be used.

        Raises:
            BadConfig: one cannot; it tells `source`.
        """
        if self.name == "server":
            _accept_addresses(Settings().with_values(values, source), source)
            return
        for section, table in values.items():
            known = [each for each in CLIENT_SECTIONS if each.partition(".")[0] == section]
            if not known or not isinstance(table, dict):
                raise BadConfig(f"{source}: there is no section [{section}]")
            tables = (
                {f"{section}.{name}": each for name, each in table.items()} if "." in known[0] else {section: table}
            )
            for name, each in tables.items():
                if not isinstance(each, dict):
                    raise BadConfig(f"{source}: [{name}] is no section")
                changed(ClientSettings(), each, f"{source}: [{name}]")

    def problems(self, path: Path) -> list[str]:
        """All that is wrong with a file, as far as it can be read."""
        try:
            values = read(path)
        except BadConfig as error:
            return [str(error)]
        return list(dict.fromkeys(culprits(values, lambda values: self.accept(values, str(path)))))


SERVER = Schema("server", "serve")
CLIENT = Schema("client", "send")


def culprits(value: Any, accept: Callable[[Any], None]) -> list[str]:
    """What `accept` has against a value: against each of its parts alone, if there it has something."""
    try:
        accept(value)
    except BadConfig as error:
        parts = value.items() if isinstance(value, dict) else ()
        found = [told for name, part in parts for told in culprits(part, _within(name, accept))]
        return found or [str(error)]
    return []


def _within(name: str, accept: Callable[[Any], None]) -> Callable[[Any], None]:
    return lambda part: accept({name: part})


def _accept_addresses(settings: Settings, source: str) -> None:
    from asynchat.net.listen import Listen

    try:
        for text in settings.server.listen or ():
            Listen.parse(text, settings.server.host)
    except ValueError as error:
        raise BadConfig(f"{source}: [server] listen: {error}") from None
