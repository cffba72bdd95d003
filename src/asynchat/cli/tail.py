"""`asynchat tail`: print rooms as they happen."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.cli import OK
from asynchat.cli.exits import exits
from asynchat.cli.history import tell_unknown
from asynchat.cli.invocation import Invocation
from asynchat.cli.lines import Print, printer
from asynchat.cli.login import Login, come_in, login_from, login_options, url_option
from asynchat.cli.moment import Moment
from asynchat.cli.seconds import Seconds
from asynchat.client.cursor import Cursor
from asynchat.client.positions import is_talk, place_of, reference
from asynchat.client.registration import Identity
from asynchat.client.show import NO, show, show_notice
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain


@click.command("tail")
@click.argument("rooms", nargs=-1, metavar="[ROOM]...")
@url_option
@login_options
@click.option("--since", metavar="ID|TIME|last", help="begin after that: an id, 18:30, 2026-11-20, 10m (ago)")
@click.option(
    "--lines", "number", type=click.IntRange(0, 1000), default=10, metavar="N", help="else begin so far back (10)"
)
@click.option("--follow/--once", default=True, help="go on, or end where the present begins (go on)")
@click.option("--cursor", metavar="FILE", type=click.Path(path_type=Path), help="keep in a file what was printed")
@click.option("--json", "as_json", is_flag=True, help="print each message as JSON")
@click.option("--format", "form", metavar="TEXT", help="print each message so: '{time:%H:%M} {from}: {text}'")
@click.option(
    "--wait", type=Seconds(none=True), default=0.0, metavar="SECONDS", help="try for so long until the server is up"
)
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    rooms: tuple[str, ...],
    url: str | None,
    since: str | None,
    number: int,
    follow: bool,
    cursor: Path | None,
    as_json: bool,
    form: str | None,
    wait: float,
    **options: Any,
) -> None:
    """Print what is said in rooms, as it is said. A connection that is lost is made again, and nothing is missed.

    With --cursor it goes on where the last run has ended, whatever ended it; each line is printed once.
    """
    with exits():
        login = login_from(invocation, options, url=url, rooms=rooms)
        if since == "last" and cursor is None:
            raise click.UsageError("--since last is what --cursor FILE says; there is none")
        start = None if since in (None, "last") else _moment(since)
        color = invocation.wants_color(sys.stdout)
        output = printer(as_json=as_json, form=form, color=color, places=len(login.rooms) > 1, time="%H:%M")
        with nullcontext() if cursor is None else Cursor(cursor, str(login.url)) as kept:
            tail = Tail(login, output, kept, start=start, past=number, wait=wait)
            sys.exit(asyncio.run(tail.run(follow=follow)))


def _moment(since: str) -> str:
    try:
        return Moment().convert(since, None, None)
    except click.BadParameter as error:
        error.param_hint = "'--since'"
        raise


class Tail:
    """Prints the rooms of a login. `start` is where to begin in those that the cursor does not know."""

    def __init__(
        self, login: Login, output: Print, cursor: Cursor | None, *, start: str | None, past: int, wait: float
    ) -> None:
        self._login = login
        self._output = output
        self._cursor = cursor
        self._start = start
        self._past = past
        self._wait = wait
        self._client: Talker

    async def run(self, *, follow: bool) -> int:
        """Print until the end, which with `follow` is a signal; the exit code.

        Raises:
            Refused, Unreachable, Untrusted, Lost, NotAcknowledged, StoreError
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[int] = loop.create_future()
        async with AsyncExitStack() as stack:
            self._client = await come_in(self._make, self._login.identity, ask=None)
            stack.push_async_exit(self._client)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, _tell, told, 128 + number)
            async with asyncio.TaskGroup() as group:
                printing = group.create_task(self._print())
                entering = group.create_task(self._enter())
                if not follow:
                    await _first(entering, told)
                    self._client.end_hearing()
                await _first(printing, told)
                printing.cancel()
                entering.cancel()
        return told.result() if told.done() else OK

    def _make(self, identity: Identity) -> Talker:
        return Talker(
            self._login.url,
            identity,
            trust=self._login.trust,
            wanted=("draft/channel-rename",),
            reconnect=True,
            past=self._past,
            wait_s=self._wait,
            places=self._cursor.places if self._cursor is not None else None,
            times=self._cursor.times if self._cursor is not None else None,
        )

    async def _enter(self) -> None:
        for room in self._login.rooms:
            after = self._cursor.get(room) if self._cursor is not None else None
            await self._client.join(room, after=after or self._start)
            if self._start and not after:
                with suppress(Refused):
                    await tell_unknown(self._client, room, self._start)

    async def _print(self) -> None:
        rooms = {casefold(room) for room in self._login.rooms}
        async for heard in self._client:
            if not isinstance(heard, Message):
                click.echo(str(show_notice(heard)), err=True)
            elif is_talk(heard) and (place := place_of(heard, self._client.nick)) in rooms:
                at = reference(heard)
                mark = (
                    self._cursor.mark(place, at, heard.tags.get("time", ""))
                    if self._cursor is not None and at
                    else None
                )
                self._output(heard, self._client.nick)
                if self._cursor is not None and mark is not None:
                    self._cursor.write(mark)
            elif heard.command == "RENAME" and len(heard.params) > 1 and casefold(heard.params[0]) in rooms:
                rooms.add(casefold(heard.params[1]))
                click.echo(f"*** {plain(heard.params[0])} is now called {plain(heard.params[1])}", err=True)
            else:
                for line in show(heard, self._client.nick):
                    if line.marked == NO:
                        click.echo(str(line), err=True)
        if self._client.ended_by is not None:
            raise self._client.ended_by


async def _first(*ends: asyncio.Future[Any]) -> None:
    """Wait for one of them."""
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)


def _tell(told: asyncio.Future[int], code: int) -> None:
    if not told.done():
        told.set_result(code)
