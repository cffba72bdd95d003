"""A face for terminals that cannot edit, for screen readers, for whoever wants it plain: lines, and nothing moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from asynchat.client.show import Line
from asynchat.wire.text import plain


class PlainFace:
    """Lines go to `out`, and what is typed comes from `typed`."""

    hides = False
    echoes = False

    def __init__(self, typed: AsyncIterator[bytes], out: TextIO, render: Callable[[Line], str]) -> None:
        self._typed = typed
        self._out = out
        self._render = render

    async def lines(self) -> AsyncGenerator[str]:
        async for data in self._typed:
            yield data.decode(errors="replace")

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

    async def ask(self, question: str) -> str:
        """The next line that is typed, which the terminal does not show; who takes `lines` takes none meanwhile."""
        self._write(f"{plain(question)}: ")
        with unseen():
            answer = await anext(self._typed, b"")
        self._write("\n")
        return answer.decode(errors="replace")

    def ring(self) -> None:
        self._write("\a")

    def clear(self) -> None:
        return


@contextmanager
def unseen() -> Iterator[None]:
    """What is typed meanwhile is not shown by the terminal, if there is one."""
    try:
        import termios

        before = termios.tcgetattr(0)
    except (ImportError, OSError, ValueError):
        yield
        return
    except termios.error:
        yield
        return
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(0, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
