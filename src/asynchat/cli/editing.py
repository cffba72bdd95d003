"""A screen for the server's operator with a line that is edited: what is half typed survives what comes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress

from prompt_toolkit.formatted_text import StyleAndTextTuples

from asynchat.chat.names import casefold
from asynchat.client.terminal.editor import Editor, Left
from asynchat.wire.talk.commands import COMMANDS


class Around:
    """What stands around the line: a prompt, and Tab completes commands."""

    def prompt(self) -> str:
        return "> "

    def above(self) -> StyleAndTextTuples:
        return []

    def below(self) -> StyleAndTextTuples:
        return []

    def changed(self, text: str) -> None:
        return

    def complete(self, text: str, cursor: int, step: int) -> tuple[str, int]:
        word = text[:cursor]
        names = sorted({row.name for row in COMMANDS.values() if row.name.startswith(casefold(word[1:]))})
        if word[:1] != "/" or " " in word or not names:
            return text, cursor
        done = f"/{names[0]} "
        return done + text[cursor:], len(done)


class EditedScreen:
    """Stands in for a plain `Screen`; `run` has to run. Also a stream, for a log that is written to the terminal."""

    def __init__(self, *, color: bool) -> None:
        self._editor = Editor(Around(), color=color)
        self.log = _Above(self._editor)

    async def run(self) -> None:
        """Read keys and draw until `end`, or until somebody has pressed Ctrl-C, after which nothing more is typed."""
        with suppress(Left):
            await self._editor.run(signals=False)
        self._editor.leave()

    def end(self) -> None:
        """Draw no more."""
        self._editor.end()

    async def typed(self) -> AsyncIterator[bytes]:
        """The lines that are typed; those of a text that is pasted are several."""
        async for text in self._editor.lines():
            for line in text.split("\n"):
                yield line.encode()

    async def show(self, line: str) -> None:
        """Write a line above the one that is typed."""
        self._editor.write([line])
        if self._editor.full:
            await self._editor.room()


class _Above(io.TextIOBase):
    """A stream whose lines are written above the line that is typed; any thread may write to it."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._loop = asyncio.get_running_loop()
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._editor.write, lines)
        return len(text)
