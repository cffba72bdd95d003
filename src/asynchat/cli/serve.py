"""`asynchat serve`: run a server until it is told to stop."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from asynchat import __version__
from asynchat.chat.errors import StoreError
from asynchat.cli import CONFIG, DISK, FAILURE
from asynchat.cli.admin import SOCKET
from asynchat.cli.invocation import Invocation
from asynchat.cli.logs import redirect, set_up, tracer
from asynchat.cli.options import data_folder, setting_options, settings_from, store_path
from asynchat.cli.process import loop_runner, raise_descriptor_limit, spare_collector
from asynchat.config.server import Settings
from asynchat.config.values import BadConfig
from asynchat.net.listen import CannotListen
from asynchat.net.server import Server

LAST_WORDS_S = 1.0
"""How long a screen that is halted may keep a server that has ended."""


@click.command("serve")
@setting_options
@click.option("--data", metavar="DIR", envvar=["ASYNCHAT_SERVE_DATA", "ASYNCHAT_DATA"], help="where data is kept")
@click.option("--memory", is_flag=True, help="keep everything in memory only")
@click.option(
    "--console/--no-console",
    default=None,
    help="say how to walk in, and be its operator: what is typed is said as `server` (on a terminal)",
)
@click.option("--trace", is_flag=True, help="tell of all that comes in: what it means, and who hears of it")
@click.option("--insecure", is_flag=True, help="allow settings that are meant for tests")
@click.option("--accept-loss", is_flag=True, help="start though the store misses something, or is damaged")
@click.option("--print-url", is_flag=True, help="print the server's URL, and nothing else, once it listens")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    data: str | None,
    memory: bool,
    console: bool | None,
    print_url: bool,
    trace: bool,
    insecure: bool,
    accept_loss: bool,
    **options: Any,
) -> None:
    """Run a server: netcat, IRC clients and programs meet on one port.

    Each option is an environment variable too, as ASYNCHAT_SERVE_PORT, and stands in the TOML file.
    """
    try:

        def read_settings() -> Settings:
            return _with_store(settings_from(options, invocation.config), data, memory=memory)[0]

        settings, where = _with_store(settings_from(options, invocation.config), data, memory=memory)
        admin = _admin_socket(settings, data)
        if settings.accounts.kdf_cost == "test" and settings.store.path != "memory" and not insecure:
            raise BadConfig('[accounts] kdf_cost = "test" is for tests: it needs a store in memory, or --insecure')
        level = invocation.level(settings.log.level)
        set_up(level, settings.log.format, color=invocation.wants_color(sys.stderr))
        show = sys.stdout.isatty() if console is None else console
        operate = show and at_keyboard() if console is None else console
        if operate and sys.stderr.isatty():
            logging.getLogger("asynchat.people").setLevel(logging.WARNING)  # the console tells it
        server = Server(
            settings,
            admin=admin,
            read_settings=read_settings,
            accept_loss=accept_loss,
            trace=tracer() if trace else None,
        )
        colored = invocation.wants_color(sys.stdout)
        loop_runner().run(_serve(server, where, show=show, operate=operate, print_url=print_url, colored=colored))
    except BadConfig as error:
        _end(CONFIG, str(error))
    except StoreError as error:
        _end(DISK, str(error))
    except CannotListen as error:
        _end(FAILURE, str(error))


def _end(code: int, text: str) -> None:
    click.echo(f"asynchat: {text}", err=True)
    sys.exit(code)


def _with_store(settings: Settings, data: str | None, *, memory: bool) -> tuple[Settings, str]:
    """The settings with the path of the store made whole, and the words for where it is."""
    if memory or settings.store.path == "memory":
        return settings.with_values({"store": {"path": "memory"}}, "option"), "memory (kept until the server stops)"
    folder = Path(data) if data is not None else data_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from None
    path = store_path(settings, data)
    return dataclasses.replace(settings, store=dataclasses.replace(settings.store, path=str(path))), str(path)


def _admin_socket(settings: Settings, data: str | None) -> Path | None:
    """Where `asynchat admin` finds the server: in the folder of its data, if it has one."""
    if data is None and settings.store.path == "memory":
        return None
    folder = Path(data) if data is not None else data_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / SOCKET


async def _serve(server: Server, where: str, *, show: bool, operate: bool, print_url: bool, colored: bool) -> None:
    raise_descriptor_limit()
    loop = asyncio.get_running_loop()
    told, again = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    on_a_terminal = has_terminal()
    # Without a terminal it means "read the configuration again"; to who loses theirs it means the end.
    loop.add_signal_handler(signal.SIGHUP, lambda: told.set() if on_a_terminal and not has_terminal() else again.set())
    async with server:
        if print_url:
            click.echo(server.url)
        if show:
            click.echo(banner(server, where), color=colored)
        sys.stdout.flush()
        spare_collector()
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(_close_when(told, server)), group.create_task(_reload_when(again, server))]
            operating = group.create_task(_operate(server, colored=colored)) if operate else None
            await server.serve_forever()
            if operating is not None:
                await asyncio.wait([operating], timeout=LAST_WORDS_S)
                waiting.append(operating)
            for task in waiting:
                task.cancel()


def at_keyboard() -> bool:
    """Whether what is typed is for us: who reads from a terminal in the background is stopped by the system."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (OSError, AttributeError):  # no terminal; no such thing on Windows
        return False


def has_terminal() -> bool:
    """Whether standard input is a terminal that is there still."""
    try:
        import termios
    except ImportError:  # Windows, which has no SIGHUP either
        return False
    try:
        termios.tcgetattr(0)
    except (OSError, termios.error):
        return False
    return True


async def _close_when(told: asyncio.Event, server: Server) -> None:
    await told.wait()
    await server.close()


async def _operate(server: Server, *, colored: bool) -> None:
    """A console where the server was started; at a terminal with a line that is edited, if it can do that.

    At a terminal Ctrl-D stops the server; where a file or a pipe ends, only the console does.
    """
    from asynchat.cli.console import Screen, attend
    from asynchat.net.console import Console

    async def stop() -> None:
        server.stop()

    if has_terminal() and sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb"):
        from asynchat.cli.editing import EditedScreen

        edited = EditedScreen(color=colored)
        before = redirect(edited.log) if sys.stderr.isatty() else None
        async with asyncio.TaskGroup() as group:
            drawing = group.create_task(edited.run(), name="asynchat prompt")
            try:
                await attend(await Console.of(server, edited.show), edited, stop)
            finally:
                edited.end()
                await drawing
                if before is not None:
                    redirect(before)
        return
    screen = Screen()
    console = await Console.of(server, screen.show)
    with suppress(OSError):  # nobody sees the screen any more
        await attend(console, screen, stop if has_terminal() else None)


async def _reload_when(again: asyncio.Event, server: Server) -> None:
    while True:
        await again.wait()
        again.clear()
        await server.reload()


def banner(server: Server, where: str) -> str:
    """What whoever starts a server wants to know: how people walk in. In colour, which `click.echo` takes out."""
    host, _, port = server.addresses[0].rpartition(":")
    name = click.style(f"asynchat {__version__}", bold=True)
    lines = [f'{name} "{server.settings.server.network}"  data {where}  pid {os.getpid()}']
    if server.url.startswith("unix:"):
        return "\n".join([*lines, f"  netcat    nc -U {server.addresses[0].removeprefix('unix://')}"])
    shown = {"127.0.0.1": "localhost", "[::1]": "localhost"}.get(host, host)
    lines += [
        f"  netcat    nc {shown.strip('[]')} {port}",
        f"  IRC       {shown} {port}",
        f"  terminal  asynchat join asynchat://{shown}:{port}",
    ]
    if server.fingerprint is not None:
        lines.append(f"  TLS       the same port; the certificate's SHA-256 is {server.fingerprint}")
    if host not in ("127.0.0.1", "[::1]") and server.settings.server.password is None:
        plain = " and nothing is encrypted" if server.fingerprint is None else ""
        warning = f"  everybody who can reach this machine may enter: no password is set{plain}"
        lines.append(click.style(warning, fg="yellow"))
    return "\n".join(lines)
