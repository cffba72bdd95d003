"""`asynchat doctor`: look at everything a server or a client needs, and change nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from asynchat.cli import FAILURE, OK
from asynchat.cli.admin import SOCKET
from asynchat.cli.config import files_read, problems_of
from asynchat.cli.doctor.finding import Finding, note, ok, wrong
from asynchat.cli.doctor.reaching import Target, reach
from asynchat.cli.invocation import Invocation
from asynchat.cli.login import address, client_settings, trust
from asynchat.cli.options import data_folder, settings_from, store_path
from asynchat.cli.settings.origins import options_of
from asynchat.cli.settings.schema import SERVER
from asynchat.config.server import Settings
from asynchat.config.values import BadConfig


@click.command("doctor")
@click.argument("url", required=False)
@click.option("--data", metavar="DIR", envvar=["ASYNCHAT_SERVE_DATA", "ASYNCHAT_DATA"], help="where data is kept")
@click.option("--json", "as_json", is_flag=True, help="print a JSON object for each, with state, about and text")
@click.pass_context
def command(ctx: click.Context, /, *, url: str | None, data: str | None, as_json: bool) -> None:
    """See whether a server can run here; or whether the one at URL, or of a profile, can be reached.

    "ok" is as it should be, "!!" is not, and then it ends with 1; "--" is good to know. Nothing is changed, here or
    there.
    """
    invocation: Invocation = ctx.obj
    color = invocation.wants_color(sys.stdout)
    sound = True
    for finding in look_at(url, invocation) if url is not None else examine(ctx, data):
        sound = sound and finding.state != "wrong"
        click.echo(finding.as_json() if as_json else finding.as_line(), color=color)
    sys.exit(OK if sound else FAILURE)


def look_at(url: str, invocation: Invocation) -> Iterator[Finding]:
    """The server at a URL, or of a profile, as `send` would come to it."""
    try:
        settings = client_settings(invocation, url=url, rooms=())
        where, believed = address(settings.url), trust(settings)
    except BadConfig as error:
        yield wrong("configuration", str(error))
        return
    socket_path = "" if where.web else where.path
    yield from reach(
        Target(where.host, where.port, socket_path, secure=where.secure or settings.tls),
        believed,
        web=where.path if where.web else "",
    )


def examine(ctx: click.Context, data: str | None) -> Iterator[Finding]:
    """All of this machine and of its configuration."""
    from asynchat.cli.doctor import disk, machine, ports

    yield from machine.python()
    yield machine.sqlite()
    yield machine.openssl()
    yield from machine.packages()
    settings = Settings()
    try:
        settings = server_settings(ctx)
    except (BadConfig, click.UsageError):
        yield from configuration(ctx, None)
    else:
        yield from configuration(ctx, settings)
    yield machine.descriptors(settings.limits.max_clients)
    yield from ports.addresses(settings.server)
    last_ms = 0
    if settings.store.path == "memory":
        yield note("data", "it is kept in memory only")
    else:
        path = store_path(settings, data)
        folder = Path(data) if data is not None else data_folder()
        running = is_running(folder)
        if running:
            yield note("server", f"one is running with the data in {folder}")
        yield from disk.folder(path.parent)
        findings, last_ms = disk.database(path, running=running)
        yield from findings
    yield machine.clock(last_ms)


def server_settings(ctx: click.Context) -> Settings:
    """What `serve` would take without options.

    Raises:
        BadConfig, click.UsageError
    """
    invocation: Invocation = ctx.obj
    return settings_from(options_of(SERVER, ctx, ()).params, invocation.config)


def configuration(ctx: click.Context, settings: Settings | None) -> Iterator[Finding]:
    """Whether files and environment are in order, and the files they name; `settings` is None if they are not."""
    invocation: Invocation = ctx.obj
    for schema, files in files_read(invocation.config, None):
        problems = problems_of(schema, files, ctx)
        for problem in problems:
            yield wrong("configuration", problem)
        if not problems:
            yield ok("configuration", f"{schema.name}: {', '.join(map(str, files)) or 'no file, the defaults'}")
    if settings is None:
        return
    for name, problem in _named_files(settings):
        yield wrong("configuration", f"{name}: {problem}") if problem else ok("configuration", name)


def _named_files(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each file that the settings name, and what is wrong with it."""
    from asynchat.net.certificates import tls_of

    if settings.server.motd is not None:
        try:
            Path(settings.server.motd).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            yield "[server] motd", str(error)
        else:
            yield f"[server] motd: {settings.server.motd}", ""
    tls = settings.tls
    if tls.mode is None and (tls.cert is not None or tls.key is not None):  # auto would make a certificate
        try:
            tls_of(tls, None)
        except BadConfig as error:
            yield "certificate", str(error)
        else:
            yield f"[tls] cert: {tls.cert}", ""


def is_running(folder: Path) -> bool:
    """Whether a server has its data there."""
    try:
        Target("", 0, str(folder / SOCKET), secure=False).connect().close()
    except OSError:
        return False
    return True
