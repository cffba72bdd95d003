"""`asynchat config`: which files are read, what counts in the end, what is wrong, and a file to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from asynchat.cli import CONFIG, DISK, FAILURE
from asynchat.cli.invocation import Invocation
from asynchat.cli.places import config_files, config_places
from asynchat.cli.settings.origins import effective, options_of
from asynchat.cli.settings.schema import CLIENT, SERVER, Schema
from asynchat.cli.settings.starter import starter, write_new
from asynchat.cli.settings.toml import comment, header, masked, written
from asynchat.config.values import BadConfig, read

server_option = click.option("--server/--client", "server", default=None, help="the server's, or that of join and send")


@click.group("config")
def command() -> None:
    """See which settings count, and where they come from; find mistakes; begin a file."""


def schemas(server: bool | None) -> list[Schema]:
    """The one that was asked for, or both."""
    return [SERVER, CLIENT] if server is None else [SERVER if server else CLIENT]


@command.command("path")
@server_option
@click.pass_obj
def path(invocation: Invocation, /, *, server: bool | None) -> None:
    """Print the files that are read, strongest first, and whether they are there."""
    for schema in schemas(server):
        for place in reversed(config_places(schema.file, invocation.config)):
            click.echo(f"{schema.name}  {'read   ' if place.is_file() else 'missing'}  {place}")


@command.command("show", context_settings={"ignore_unknown_options": True})
@server_option
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[SETTING]...")
@click.pass_context
def show(ctx: click.Context, /, *, server: bool | None, options: tuple[str, ...]) -> None:
    """Print the settings that count, as TOML, and behind each where it comes from. Secrets are not shown.

    SETTING is an option of `serve`, or with --client of `send`: it is shown what that would change.
    """
    invocation: Invocation = ctx.obj
    schema = SERVER if server is None else schemas(server)[0]
    try:
        rows = effective(schema, invocation.config, options_of(schema, ctx, options))
    except BadConfig as error:
        _end(CONFIG, str(error))
    last = ""
    for section, each, value, origin in rows:
        if section != last:
            click.echo(f"{chr(10) if last else ''}{header(section)}")
            last = section
        if value is None:
            click.echo(comment(f"{each.name} is not set"))
        else:
            click.echo(f"{each.name} = {written(each, masked(each.name, value))}  {comment(origin)}")


@command.command("check")
@server_option
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_context
def check(ctx: click.Context, /, *, server: bool | None, file: Path | None) -> None:
    """Print what is wrong with FILE, a problem on a line; without FILE, with all that is read. Exits with 78 then."""
    invocation: Invocation = ctx.obj
    found: list[str] = []
    if file is not None:
        found = kind_of(file, server).problems(file)
    for schema, files in files_read(invocation.config, server) if file is None else ():
        found += problems_of(schema, files, ctx)
    for problem in found:
        click.echo(problem)
    if found:
        sys.exit(CONFIG)
    if not invocation.quiet:
        click.echo(f"{file or 'all that is read'} is in order", err=True)


def kind_of(file: Path, server: bool | None) -> Schema:
    """Whose file it is: as it was said, as its name says, or as its sections do."""
    if server is not None:
        return SERVER if server else CLIENT
    for schema in (SERVER, CLIENT):
        if schema.name in file.name:
            return schema
    try:
        sections = read(file).keys()
    except BadConfig:
        return SERVER
    return CLIENT if sections & {each.partition(".")[0] for each in CLIENT.sections()} else SERVER


def files_read(config: str | None, server: bool | None) -> list[tuple[Schema, list[Path]]]:
    """Each kind of file, and the files of it that are read; of one that is named, its kind only."""
    if config is not None:
        return [(kind_of(Path(config), server), [Path(config)])]
    return [(schema, config_files(schema.file, None)) for schema in schemas(server)]


def problems_of(schema: Schema, files: list[Path], ctx: click.Context) -> list[str]:
    """What is wrong with files; if nothing is, what is with the variables of the environment."""
    invocation: Invocation = ctx.obj
    found = [problem for path in files for problem in schema.problems(path)]
    if found:
        return found
    try:
        effective(schema, invocation.config, options_of(schema, ctx, ()))
    except BadConfig as error:
        return [str(error)]
    except click.UsageError as error:
        return [f"option: {error.format_message()}"]
    return []


@command.command("init")
@server_option
@click.option("--force", is_flag=True, help="write over a file that is there")
@click.pass_obj
def init(invocation: Invocation, /, *, server: bool | None, force: bool) -> None:
    """Write a file to start from into your configuration, and print where it is.

    All settings are in it, commented out, each with what it does and its default.
    """
    schema = SERVER if server is None else schemas(server)[0]
    place = config_places(schema.file, invocation.config)[-1]
    try:
        write_new(place, starter(schema), force=force)
    except FileExistsError:
        _end(FAILURE, f"{place} is there already; --force writes over it")
    except OSError as error:
        _end(DISK, f"{place}: {error.strerror}")
    click.echo(place)


def _end(code: int, text: str) -> NoReturn:
    click.echo(f"asynchat: {text}", err=True)
    sys.exit(code)
