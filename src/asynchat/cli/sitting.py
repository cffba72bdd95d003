"""`join` on a terminal: a desk, a face for it, and the servers that somebody sits at."""

from __future__ import annotations

import asyncio
import gc
import os
import shlex
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from asynchat.cli import OK
from asynchat.cli.asking import ask_here
from asynchat.cli.exits import told
from asynchat.cli.login import Ask, Login, come_in
from asynchat.cli.seconds import MOST_S
from asynchat.client.errors import Unreachable
from asynchat.client.keyboard import lines
from asynchat.client.registration import Identity
from asynchat.client.show import Line
from asynchat.client.talker import Talker
from asynchat.client.terminal.desk import Desk
from asynchat.client.terminal.places import Place
from asynchat.client.terminal.render import Renderer
from asynchat.config.values import BadConfig
from asynchat.wire.text import plain

WANTED = (
    "draft/read-marker",
    "draft/account-registration",
    "draft/channel-rename",
    "draft/message-redaction",
    "invite-notify",
    "soju.im/search",
    "standard-replies",
)
"""Capabilities that a person has a use for."""
MOST_RUNNING = 8
"""Programs of `--exec` at one time."""


class Sitting:
    """Somebody at a terminal. `login` says how to come in at a URL that is typed."""

    def __init__(
        self,
        *,
        login: Callable[[str], Login],
        options: dict[str, Any],
        edits: bool,
        color: bool,
        time_format: str,
        bell: str,
        typing: bool,
        command_line: str | None,
    ) -> None:
        self._login = login
        self._options = options
        self._edits = edits
        self._color = color
        self._time = time_format
        self._bell = bell
        self._typing = typing
        self._ask_later: Ask = ask_here
        self._absent: dict[str, Login] = {}  # where one wanted to be from the start, by URL
        self._running = 0
        self._command = shlex.split(command_line) if command_line else []

    async def run(self, logins: list[Login]) -> int:
        """Sit there until the end; the exit code.

        Raises:
            Unreachable, Untrusted, Refused, Lost
        """
        clients: list[tuple[Talker, tuple[str, ...]]] = []
        try:
            await self._come_in_at_all(logins, clients)
            return await self._sit(clients)
        finally:
            for client, _ in clients:
                await client.close()

    async def _come_in_at_all(self, logins: list[Login], clients: list[tuple[Talker, tuple[str, ...]]]) -> None:
        """Come in where that can be done now; of several servers the others are waited for while one sits there.

        Raises:
            Unreachable: there is none.
            Untrusted, Refused
        """
        absent: list[tuple[Login, Unreachable]] = []
        for login in logins:
            try:
                clients.append((await self._come_in(login, wait_s=0.0 if len(logins) > 1 else None), login.rooms))
            except Unreachable as error:
                absent.append((login, error))
            else:
                self._tell_name(clients[-1][0], login)
        if not clients:
            login, failure = absent.pop(0)
            if len(logins) == 1 or not self._options["wait_s"]:
                raise failure
            clients.append((await self._come_in(login), login.rooms))
            self._tell_name(clients[-1][0], login)
        for login, failure in absent:
            click.echo(f"!!! {told(failure)}", err=True)
            if self._options["reconnect"]:
                self._absent[str(login.url)] = login

    async def _come_in(self, login: Login, ask: Ask = ask_here, wait_s: float | None = None) -> Talker:
        options = self._options if wait_s is None else self._options | {"wait_s": wait_s}

        def make(identity: Identity) -> Talker:
            return Talker(login.url, identity, trust=login.trust, wanted=WANTED, **options)

        return await come_in(make, login.identity, ask=ask)

    def _tell_name(self, client: Talker, login: Login) -> None:
        if client.nick != login.identity.name:
            click.echo(f"*** {login.identity.name} is in use; you are {plain(client.nick)}")

    async def _connect(self, url: str) -> tuple[Talker, tuple[str, ...]]:
        """Come in at one more server, while one sits there.

        Raises:
            BadConfig, Refused, Unreachable, Untrusted
        """
        absent = self._absent.pop(url, None)
        try:
            login = (
                absent if absent is not None else await asyncio.to_thread(self._login, url)
            )  # a program may be run for the password
        except click.UsageError as error:
            raise BadConfig(error.format_message()) from None

        async def ask(question: str) -> str:
            return await self._ask_later(f"{login.url}: {question}")

        return await self._come_in(login, ask=ask, wait_s=MOST_S if absent is not None else None), login.rooms

    async def _sit(self, clients: list[tuple[Talker, tuple[str, ...]]]) -> int:
        renderer = Renderer(self._time, color=self._color)
        more: dict[str, Any] = {"connect": self._connect, "bell": self._bell, "tells_typing": self._typing}
        if self._command:
            more["on_mention"] = self._mentioned
        if not self._edits:
            from asynchat.client.terminal.plain import PlainFace

            plain = PlainFace(lines(), sys.stdout, renderer)
            self._ask_later = partial(plain.ask, waits=True)
            desk = Desk(plain, **more)
            click.echo("*** type and press Enter; /help, /quit")
            await desk.run(clients, absent=list(self._absent))
            return OK
        from asynchat.client.terminal.editor import Left
        from asynchat.client.terminal.prompt import PromptFace

        gc.freeze()  # what is here stays; what comes goes by itself, and need not be looked at so often
        gc.set_threshold(50_000)
        face = PromptFace(renderer, color=self._color)
        self._ask_later = partial(face.ask, waits=True)
        desk = Desk(face, **more)
        face.sit_at(desk)
        code = OK
        try:
            async with asyncio.TaskGroup() as group:
                drawing = group.create_task(face.editor.run(signals=True))
                try:
                    await desk.run(clients, absent=list(self._absent))
                finally:
                    face.editor.end()
                await drawing
        except* Left as left:
            found: BaseException = left
            while isinstance(found, BaseExceptionGroup):
                found = found.exceptions[0]
            code = found.code if isinstance(found, Left) else OK
        finally:
            face.editor.flush()
        return code

    async def _mentioned(self, line: Line, place: Place) -> None:
        """Run the command of `--exec`; what was said is in its environment, never in its arguments.

        While many of it run, nobody can have it run once more by talking.
        """
        if self._running >= MOST_RUNNING:
            return
        about = {"ASYNCHAT_FROM": line.who, "ASYNCHAT_PLACE": place.name, "ASYNCHAT_TEXT": line.text}
        quiet = asyncio.subprocess.DEVNULL
        self._running += 1
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, env={**os.environ, **about}, stdin=quiet, stdout=quiet, stderr=quiet
            )
            await process.wait()
        except OSError as error:
            click.echo(f"!!! --exec: {error.strerror}", err=True)
        finally:
            self._running -= 1
