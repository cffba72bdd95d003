"""Options that derive from the settings of a server."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import Any

import click

from asynchat.cli.places import config_files
from asynchat.cli.settings.toml import written
from asynchat.config.server import Settings, declared
from asynchat.config.values import read

SHORT_NAMES = {"host": "ASYNCHAT_HOST", "port": "ASYNCHAT_PORT", "level": "ASYNCHAT_LOG_LEVEL"}
"""Settings that have a short environment variable too."""


def _parameter(section: str, name: str) -> str:
    return f"{section}__{name}"


def setting_options[F: Callable[..., Any]](function: F) -> F:
    """Give a command an option for each setting that has one."""
    for section, each in reversed(list(declared())):
        option = each.metadata["option"]
        if not option:
            continue
        choices = getattr(each.metadata["parse"], "choices", None)
        several = "tuple" in str(each.type)
        own = f"ASYNCHAT_SERVE_{option.removeprefix('--').replace('-', '_').upper()}"
        function = click.option(
            option,
            _parameter(section, each.name),
            type=click.Choice(choices) if choices else click.Path() if each.metadata["metavar"] == "FILE" else str,
            multiple=several,
            default=() if several else None,
            metavar=None if choices else each.metadata["metavar"] or None,
            envvar=[own, SHORT_NAMES[each.name]] if each.name in SHORT_NAMES else own,
            help=_help(each),
        )(function)
    return function


def _help(each: Field[Any]) -> str:
    default: Any = each.default
    if default is None or default == 0:
        return str(each.metadata["help"])
    shown = ", ".join(default) if isinstance(default, tuple) else written(each, default).strip('"')
    return f"{each.metadata['help']} ({shown})"


def settings_from(options: dict[str, Any], config: str | None) -> Settings:
    """The settings of the files, with those of the options and the environment on top.

    Raises:
        BadConfig
    """
    settings = Settings()
    for path in config_files("server.toml", config):
        settings = settings.with_values(read(path), str(path))
    return settings.with_values(option_values(options), "option")


def option_values(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the options of `setting_options` say that were given: section to name to value."""
    values: dict[str, dict[str, Any]] = {}
    for name, value in options.items():
        section, _, key = name.partition("__")
        if key and value is not None and value != ():
            values.setdefault(section, {})[key] = value
    if "port" in values.get("server", {}) and "listen" not in values["server"]:
        values["server"]["listen"] = ()  # a port that is asked for counts more than addresses in a file
    return values


def data_folder() -> Path:
    """Where a server keeps its data if nothing else is said."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "asynchat"


def store_path(settings: Settings, data: str | None) -> Path:
    """The file of a store that is not in memory: relative to the folder of data that is given, or is usual."""
    return (Path(data) if data is not None else data_folder()) / settings.store.path
