"""`asynchat history`: print what was said."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import click

from asynchat.chat.errors import Refused
from asynchat.chat.names import casefold
from asynchat.cli.exits import exits
from asynchat.cli.invocation import Invocation
from asynchat.cli.lines import printer
from asynchat.cli.login import Login, come_in, login_from, login_options, url_option
from asynchat.cli.moment import Moment
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.history import SEARCH, around, backwards, find, forwards, search
from asynchat.client.registration import Identity
from asynchat.client.show import nick_of
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain


@click.command("history")
@click.argument("place", metavar="[ROOM]", required=False)
@url_option
@login_options
@click.option("--limit", type=click.IntRange(0), default=100, metavar="N", help="messages to print; 0: all (100)")
@click.option("--before", type=Moment(), metavar="ID|TIME", help="only what was said before that")
@click.option("--after", type=Moment(), metavar="ID|TIME", help="only what was said after that, the first of it")
@click.option("--around", "middle", type=Moment(), metavar="ID|TIME", help="what was said before and after that")
@click.option("--from", "speaker", metavar="NAME", help="only what this person said")
@click.option("--grep", metavar="REGEX", help="only what this regular expression is found in; all is read here")
@click.option("--search", "words", metavar="WORDS", help="only what has these words in it; the server looks for them")
@click.option("--json", "as_json", is_flag=True, help="print each message as JSON")
@click.option("--format", "form", metavar="TEXT", help="print each message so: '{time:%H:%M} {from}: {text}'")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    place: str | None,
    url: str | None,
    limit: int,
    before: str | None,
    after: str | None,
    middle: str | None,
    speaker: str | None,
    grep: str | None,
    words: str | None,
    as_json: bool,
    form: str | None,
    **options: Any,
) -> None:
    """Print what was said last in a ROOM, or with a person, in order.

    A moment is the id of a message, 18:30 (today), 2026-11-20, 2026-11-20T18:30 or 10m (ago; ms, s, m, h,
    d, w).

    --search is quick for what few lines have in them: the server knows where words are, and longer ones that begin with
    them, whatever their case and accents. --grep finds anything anywhere in a line, so all of them are read; with both,
    --grep chooses among what the server has found.
    """
    alone = [name for name, value in {"--around": middle, "--search": words}.items() if value is not None]
    if len(alone) > 1 or (alone and (before or after)):
        raise click.UsageError(f"{alone[0]} stands alone; only --after and --before go together")
    if middle is not None and not limit:
        raise click.UsageError("--around is as many lines around it as --limit says; --limit 0 says all")
    try:
        pattern = re.compile(grep) if grep is not None else None
    except re.error as error:
        raise click.UsageError(f"--grep: {error}") from None
    with exits():
        login = login_from(invocation, options, url=url, rooms=(place,) if place is not None else ())
        output = printer(
            as_json=as_json, form=form, color=invocation.wants_color(sys.stdout), places=False, time="%Y-%m-%d %H:%M"
        )
        wanted = Wanted(
            limit=limit or sys.maxsize,
            before=before,
            after=after,
            middle=middle,
            words=words,
            speaker=speaker,
            pattern=pattern,
        )
        me, lines = asyncio.run(_read(login, wanted))
        for line in lines:
            output(line, me)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be read; moments are as CHATHISTORY has them."""

    limit: int
    before: str | None
    after: str | None
    middle: str | None
    words: str | None
    speaker: str | None
    pattern: re.Pattern[str] | None

    def fits(self, line: Message) -> bool:
        """Whether a line is what is looked for."""
        if self.speaker is not None and casefold(nick_of(line)) != casefold(self.speaker):
            return False
        return self.pattern is None or self.pattern.search(line.params[1]) is not None


async def _read(login: Login, wanted: Wanted) -> tuple[str, list[Message]]:
    """The reader's own name, and the lines."""

    def make(identity: Identity) -> Talker:
        return Talker(login.url, identity, trust=login.trust, wanted=(SEARCH,), past=0, history=True)

    async with AsyncExitStack() as stack:
        client = await come_in(make, login.identity, ask=None)
        stack.push_async_exit(client)
        client.end_hearing()
        place = login.rooms[0]
        try:
            return client.nick, await _lines(client, place, wanted)
        except Refused as refused:  # a room that only those see who are in it
            if refused.code in ("NO_HISTORY", "NO_SEARCH", "INVALID_MSGREFTYPE") or place[:1] not in "#&":
                raise
            await client.join(place)
            try:
                return client.nick, await _lines(client, place, wanted)
            finally:
                with suppress(Refused, Lost, NotAcknowledged):  # an account that was not in it would stay there
                    await client.part(place)


async def _lines(client: Talker, place: str, wanted: Wanted) -> list[Message]:
    for reference in filter(None, (wanted.after, wanted.middle, wanted.before)):
        await tell_unknown(client, place, reference)
    if wanted.words is not None:
        return await _last(search(client, place, wanted.words, by=wanted.speaker), wanted)
    if wanted.middle is not None:
        return [line for line in await around(client, place, wanted.middle, wanted.limit) if wanted.fits(line)]
    lines: list[Message] = []
    if wanted.after is not None:
        end, last = None, list[Message]()
        if wanted.before is not None:
            last = await _first(client, place, wanted.before)
            if not last:
                return []
            end = last[-1].tags.get("msgid")
        async for page in forwards(client, place, wanted.after):
            for line in page:
                if end is not None and _is_after(line, last):
                    return lines
                if wanted.fits(line):
                    lines.append(line)
                if len(lines) >= wanted.limit or (end and line.tags.get("msgid") == end):
                    return lines
        return lines
    return await _last(backwards(client, place, wanted.before or ""), wanted)


async def tell_unknown(client: Talker, place: str, reference: str) -> None:
    """Tell if a message that is referred to is none that the server has there; where it would be is known all the same.

    Raises:
        Refused, Lost, NotAcknowledged
    """
    if reference.startswith("msgid=") and await find(client, place, reference) is None:
        told = plain(f"the server has no message {reference.removeprefix('msgid=')} in {place}")
        click.echo(f"asynchat: {told}", err=True)


async def _last(pages: AsyncIterator[list[Message]], wanted: Wanted) -> list[Message]:
    """The last lines that are looked for, of pages of which the last comes first."""
    fit: list[list[Message]] = []
    async for page in pages:
        fit.append([line for line in page if wanted.fits(line)])
        if sum(map(len, fit)) >= wanted.limit:
            break
    return [line for page in reversed(fit) for line in page][-wanted.limit :]


def _is_after(line: Message, page: list[Message]) -> bool:
    """Whether a line comes after the last one of a page; several are said in one millisecond."""
    time, until = line.tags.get("time", ""), page[-1].tags.get("time", "")
    known = {each.tags.get("msgid") for each in page}
    return time > until or (time == until and "msgid" in line.tags and line.tags["msgid"] not in known)


async def _first(client: Talker, place: str, before: str) -> list[Message]:
    """The page that ends before a moment."""
    async for page in backwards(client, place, before):
        return page
    return []
