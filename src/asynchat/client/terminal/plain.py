"""A face for terminals that cannot edit, for screen readers, for whoever wants it plain: lines, and nothing moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import TextIO

from asynchat.client.show import Line
from asynchat.client.terminal.unseen import unseen
from asynchat.wire.text import plain


class PlainFace:
    """Lines go to `out`, and what is typed comes from `typed`."""

    hides = False
    echoes = False

    def __init__(self, typed: AsyncIterator[bytes], out: TextIO, render: Callable[[Line], str]) -> None:
        self._typed = typed
        self._out = out
        self._render = render
        self._asking = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._answer: asyncio.Future[bytes] | None = None

    async def lines(self) -> AsyncGenerator[str]:
        while (data := await self._next()) is not None:
            if self._answer is None:
                yield data.decode(errors="replace")
            elif not self._answer.done():
                self._answer.set_result(data)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(b"")

    async def _next(self) -> bytes | None:
        """The next line, None if there will be none. One reads at a time."""
        async with self._reading:
            return await anext(self._typed, None)

    def show(self, lines: Sequence[Line]) -> None:
        self._write("".join(f"{self._render(line)}\n" for line in lines))

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def changed(self) -> None:
        return

    @property
    def full(self) -> bool:
        return True  # it is shown at once: others have their turn

    async def room(self) -> None:
        await asyncio.sleep(0)

    @property
    def half_typed(self) -> bool:
        return True  # the terminal keeps it to itself

    async def ask(self, question: str, *, waits: bool = False) -> str:
        """The next line that is typed, which the terminal does not show."""
        async with self._asking:
            self._write(f"{plain(question)}: ")
            with unseen():
                answer = await self._handed() if self._reading.locked() else await self._next()
            self._write("\n")
        return (answer or b"").decode(errors="replace")

    async def _handed(self) -> bytes:
        """The next line, handed on by who takes `lines` and waits for it."""
        self._answer = asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        finally:
            self._answer = None

    def ring(self) -> None:
        self._write("\a")

    def clear(self) -> None:
        return
