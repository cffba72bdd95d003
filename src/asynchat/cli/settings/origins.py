"""The settings that count, and where each of them comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from asynchat.cli.options import option_values
from asynchat.cli.places import config_files
from asynchat.cli.settings.schema import SERVER, Schema
from asynchat.cli.variables import long_name, variable
from asynchat.config.client import ClientSettings
from asynchat.config.server import Settings
from asynchat.config.values import changed, read

DEFAULT = "default"
Place = tuple[str, str]
"""A section, and a name in it."""
Values = Mapping[str, Any]
"""As TOML has them: section to name to value, or to a table for each name of one's choice."""


class Row(NamedTuple):
    """One setting: its value, and where that comes from."""

    section: str
    setting: Field[Any]
    value: Any
    origin: str


def effective(schema: Schema, config: str | None, options: click.Context) -> list[Row]:
    """What counts for a command with these options (of `options_of`): every setting, section by section.

    Raises:
        BadConfig
    """
    layers: list[tuple[Values, str]] = []
    origins: dict[Place, str] = {}
    for path in config_files(schema.file, config):
        values = read(path)
        schema.accept(values, str(path))
        layers.append((values, str(path)))
        _note_origins(origins, values, str(path))
    given, said = _given(schema, options), _said(schema, options)
    profile = _profile(layers, given)
    if profile is not None:
        del given["default"]["url"], said["default", "url"]
        layers.append(profile)
        named, where = profile
        origins |= {("default", name): where for name in named["default"]}
    layers.append((given, "option"))
    origins |= said
    return [
        Row(section, each, getattr(settings, each.name), origins.get((section, each.name), DEFAULT))
        for section, settings in _sections(schema, layers)
        for each in fields(settings)
        if "." not in section or (section, each.name) in origins
    ]


def options_of(schema: Schema, ctx: click.Context, arguments: Sequence[str]) -> click.Context:
    """Those options of the schema's command that are settings, parsed from arguments and the environment.

    Raises:
        click.UsageError
    """
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, schema.command)
    assert command is not None
    params = [each for each in command.params if _place(schema, each) is not None]
    return click.Command(schema.command, params=params).make_context(schema.command, list(arguments), parent=root)


def _sections(schema: Schema, layers: Sequence[tuple[Values, str]]) -> Iterator[tuple[str, Any]]:
    """Each section, with the settings in it."""
    if schema is SERVER:
        server = Settings()
        for values, source in layers:
            server = server.with_values(values, source)
        for each in fields(server):
            section = getattr(server, each.name)
            named = isinstance(section, Mapping)
            yield from (
                [(f"{each.name}.{name}", one) for name, one in section.items()] if named else [(each.name, section)]
            )
        return
    client = ClientSettings()
    named_ones: dict[str, Any] = {}
    for values, source in layers:
        client = changed(client, values.get("default", {}), f"{source}: [default]")
        for section, table in _tables(values):
            if "." in section:
                named_ones[section] = changed(ClientSettings(), table, f"{source}: [{section}]")
    yield from [("default", client), *named_ones.items()]


def _tables(values: Values) -> Iterator[tuple[str, Values]]:
    """Each table of settings, with the section that it is."""
    for section, table in values.items():
        if all(isinstance(each, dict) for each in table.values()):
            yield from ((f"{section}.{name}", each) for name, each in table.items())
        else:
            yield section, table


def _note_origins(origins: dict[Place, str], values: Values, path: str) -> None:
    """Note what is in a file; a section with a name of one's choice takes the place of that in a weaker one."""
    for section, table in _tables(values):
        for place in [place for place in origins if place[0] == section and "." in section]:
            del origins[place]
        origins |= {(section, name): path for name in table}


def _profile(layers: Sequence[tuple[Values, str]], given: Values) -> tuple[Values, str] | None:
    """The profile that is named instead of a URL, as what counts by default, and where it is."""
    name = given.get("default", {}).get("url")
    for values, path in reversed(layers):
        if name in values.get("profile", {}):
            return {"default": values["profile"][name]}, f"{path} [profile.{name}]"
    return None


def _place(schema: Schema, parameter: click.Parameter) -> Place | None:
    """Which setting a parameter of the command is."""
    found = ((section, each.name) for section, each in schema.declared() if each.metadata["option"] in parameter.opts)
    return next(found, None)


def _given(schema: Schema, options: click.Context) -> dict[str, dict[str, Any]]:
    """What the options and the environment say."""
    if schema is SERVER:
        return option_values(options.params)
    several = {each.name for _, each in schema.declared() if "tuple" in str(each.type)}
    values: dict[str, dict[str, Any]] = {}
    for parameter in options.command.params:
        place, value = _place(schema, parameter), options.params[parameter.name or ""]
        if place is not None and value:
            section, name = place
            values.setdefault(section, {})[name] = (value,) if name in several and isinstance(value, str) else value
    return values


def _said(schema: Schema, options: click.Context) -> dict[Place, str]:
    """The option or the variable that says it, for what the options and the environment say."""
    found: dict[Place, str] = {}
    for parameter in options.command.params:
        place, source = _place(schema, parameter), options.get_parameter_source(parameter.name or "")
        if place is not None and source is ParameterSource.COMMANDLINE:
            found[place] = f"option {long_name(parameter)}"
        elif place is not None and source is ParameterSource.ENVIRONMENT:
            found[place] = f"environment {variable(parameter)}"
    if ("server", "port") in found:
        found.setdefault(("server", "listen"), found["server", "port"])  # as `option_values` has it
    return found
