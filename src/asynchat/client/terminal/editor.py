"""A line that is edited: it stays at the bottom of the terminal, whatever is written above it.

Nothing is drawn but lines: no full screen, no boxes, so that the terminal's scroll-back, a screen reader and a log of
the session have all of it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import create_input
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.containers import ConditionalContainer
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput, ConditionalProcessor, PasswordProcessor
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from asynchat.client.terminal.keys import bindings
from asynchat.client.terminal.private import private
from asynchat.wire.text import plain

EACH_S = 0.05
"""How often what came is shown; each time the line that is typed is drawn anew."""
BUSY_S = 0.2
"""How often, while so much comes that nobody can read it."""
BUSY_LINES = 100
MOST_AT_ONCE = 2000
"""Lines that wait to be shown before nothing more is taken in: keys are answered between two such lots."""
ASKS_FROM = 6
"""A text of so many lines is not taken before one has said so."""
END = "\x04"
STYLE = Style.from_dict(
    {"waiting": "ansibrightblack", "status": "ansibrightblack", "status.mention": "bold", "ask": "bold"}
)


class Left(Exception):
    """Somebody has pressed Ctrl-C, or a signal came; `code` is what the program ends with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Surroundings(Protocol):
    """What stands around the line, and what it is told."""

    def prompt(self) -> str:
        """What stands before the line."""

    def above(self) -> StyleAndTextTuples:
        """What stands above it; nothing, and the line moves up."""

    def below(self) -> StyleAndTextTuples:
        """What stands below it, in one line."""

    def changed(self, text: str) -> None:
        """The line is this now."""

    def complete(self, text: str, cursor: int, step: int) -> tuple[str, int]:
        """The line and its cursor after Tab; `step` is -1 for what was offered before."""


class Editor:
    """Reads lines, and writes others above. A text that is pasted is one line with breaks in it."""

    def __init__(self, around: Surroundings, *, color: bool = True) -> None:
        self._around = around
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: list[str] = []
        self._room = asyncio.Event()
        self._room.set()
        self._timer: asyncio.TimerHandle | None = None
        self._pause_s = EACH_S
        self._secret: asyncio.Future[str] | None = None
        self._question = ""
        self._asking = asyncio.Lock()
        self._emptied = asyncio.Event()
        self._confirming = False
        self.buffer = Buffer(multiline=True, accept_handler=self._accept, on_text_changed=self._changed)
        self.app: Application[None] = Application(
            layout=self._layout(),
            key_bindings=bindings(self),
            style=STYLE,
            color_depth=ColorDepth.DEPTH_4_BIT if color else ColorDepth.DEPTH_1_BIT,
            erase_when_done=True,
            input=create_input(),
            output=_output(),
        )
        self.app.ttimeoutlen = 0.05

    def _layout(self) -> Layout:
        text = Window(
            BufferControl(
                self.buffer,
                input_processors=[
                    ConditionalProcessor(PasswordProcessor(), Condition(lambda: self._secret is not None)),
                    BeforeInput(self._prompt),
                ],
            ),
            wrap_lines=True,
            height=Dimension(min=1, max=10),
            dont_extend_height=True,
        )

        def line(control: FormattedTextControl, shown: Condition, *, wrap: bool = False) -> ConditionalContainer:
            height = None if wrap else 1
            return ConditionalContainer(
                Window(control, height=height, wrap_lines=wrap, dont_extend_height=True), filter=shown
            )

        around = self._around
        above = line(FormattedTextControl(around.above), Condition(lambda: bool(around.above())), wrap=True)
        asking = line(FormattedTextControl(self._how_many), Condition(lambda: self._confirming))
        below = line(FormattedTextControl(around.below), Condition(lambda: bool(around.below())))
        return Layout(HSplit([above, text, asking, below]), focused_element=text)

    def _prompt(self) -> StyleAndTextTuples:
        if self._secret is not None:
            return [("class:ask", f"{self._question}: ")]
        return [("", self._around.prompt())]

    def _how_many(self) -> StyleAndTextTuples:
        lines = self.buffer.text.count("\n") + 1
        return [("class:ask", f"send {lines} lines? Enter or y sends, n does not")]

    # Its life.

    async def run(self, *, signals: bool) -> None:
        """Read keys and draw until `end`, or the end of what is typed; with `signals` SIGTERM and SIGHUP end it too.

        Raises:
            Left: somebody has pressed Ctrl-C, or a signal came.
        """
        loop = asyncio.get_running_loop()
        caught = [signal.SIGTERM, signal.SIGHUP] if signals else []
        for number in caught:
            loop.add_signal_handler(number, self.end, Left(128 + number))
        with suppress(AttributeError):  # Windows has none
            loop.add_signal_handler(signal.SIGCONT, self._go_on)
            caught.append(signal.SIGCONT)
        try:
            await self.app.run_async(handle_sigint=False)
        except EOFError:  # the terminal has gone, or somebody has taken its modes from us
            self.leave()
        finally:
            for number in caught:
                loop.remove_signal_handler(number)
            self.flush()

    def _go_on(self) -> None:
        """We were stopped, and whoever had the terminal meanwhile has left it as they like it."""
        if self.app.is_running and not self.app._running_in_terminal:  # that one puts it right itself
            self.app.input.raw_mode().__enter__()  # what it was at first is put back by who runs
            self.app.renderer.reset()
            self.app._redraw()

    def end(self, why: BaseException | None = None) -> None:
        """Draw no more; the terminal is as it was."""
        if self.app.is_running and not self.app.is_done:
            if why is None:
                self.app.exit()
            else:
                self.app.exit(exception=why)

    async def lines(self) -> AsyncGenerator[str]:
        """What is typed, a text each time, until one leaves."""
        while (text := await self._typed.get()) != END:
            yield text

    def leave(self) -> None:
        """Nothing more will be typed."""
        self._typed.put_nowait(END)

    # Writing.

    def write(self, lines: Sequence[str]) -> None:
        """Write lines above, soon."""
        self._waiting += lines
        if len(self._waiting) < MOST_AT_ONCE:
            self._schedule(self._pause_s)
        elif not self.full:
            self._room.clear()
            self._schedule(0)

    def changed(self) -> None:
        """Draw anew, soon, what stands around the line."""
        if self.app.is_running:
            self._schedule(EACH_S)

    @property
    def full(self) -> bool:
        """Whether there is much that is still to be written."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait until there is not."""
        await self._room.wait()

    def _schedule(self, in_s: float) -> None:
        if self._timer is not None:
            if in_s:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(in_s, self.flush)

    def flush(self) -> None:
        """Write what waits, above the line that is typed if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        self._pause_s = BUSY_S if len(waiting) > BUSY_LINES else EACH_S
        self._room.set()
        text = "\r\n".join([*waiting, ""])
        if text and self.app.is_running:
            self.app.renderer.erase()
        self.app.output.write_raw(text)
        self.app.output.flush()
        if self.app.is_running:
            self.app._redraw()

    def ring(self) -> None:
        """Ring the bell."""
        self.app.output.bell()
        self.app.output.flush()

    def clear(self) -> None:
        """Let what was written be gone."""
        self.app.renderer.clear()

    @property
    def half_typed(self) -> bool:
        """Whether there is something in the line."""
        return bool(self.buffer.text)

    async def ask(self, question: str, *, waits: bool = False) -> str:
        """Ask for something that nobody may see, one thing after the other; it comes into no history.

        Who `waits` asks when the line is empty: what is half typed is for somebody else.
        """
        async with self._asking:
            while waits and self.half_typed:
                self._emptied.clear()
                await self._emptied.wait()
            self._question, self._secret = plain(question), asyncio.get_running_loop().create_future()
            self.app.invalidate()
            try:
                return await self._secret
            except asyncio.CancelledError:
                self.buffer.reset()  # what stands there may be half a password
                raise
            finally:
                self._secret = None
                self.app.invalidate()

    # Typing: what keys do.

    def _accept(self, buffer: Buffer) -> bool:
        """Enter was pressed; whether the text is to stay."""
        text = buffer.text
        if self._secret is not None:
            buffer.reset()
            self._answer(text)
            return True
        if text.count("\n") + 1 >= ASKS_FROM and not self._confirming:
            self._confirming = True
            return True
        self._confirming = False
        self._typed.put_nowait(text)
        if private(text):
            buffer.reset()  # so that there is nothing to remember
        self._emptied.set()
        return False

    def _answer(self, text: str) -> None:
        if self._secret is not None and not self._secret.done():
            self._secret.set_result(text)

    def _changed(self, buffer: Buffer) -> None:
        self._confirming = False
        if not buffer.text:
            self._emptied.set()
        if self._secret is None:
            self._around.changed(buffer.text)

    def paste(self, data: str) -> None:
        """Take a text from elsewhere: its lines are one message."""
        text = data.replace("\r\n", "\n").replace("\r", "\n")
        self.buffer.insert_text(text.removesuffix("\n") if "\n" in text else text)

    def complete(self, step: int) -> None:
        """Complete the word before the cursor; the next one if that was just done."""
        text, cursor = self._around.complete(self.buffer.text, self.buffer.cursor_position, step)
        self.buffer.document = Document(text, cursor)

    def refuse(self) -> None:
        """Ctrl-C: what is typed goes; if there is nothing, one goes oneself."""
        if self._secret is not None:
            self.buffer.reset()
            self._answer("")
        elif self._confirming:
            self._confirming = False
        elif self.buffer.text:
            self.buffer.reset()
            self._changed(self.buffer)  # which a reset does not tell
        else:
            self.end(Left(130))

    @property
    def confirming(self) -> bool:
        """Whether one is asked whether to send what stands there."""
        return self._confirming

    def press(self, text: str) -> None:
        """Do as if a command had been typed."""
        self._typed.put_nowait(text)


def _output() -> Output:
    """The terminal, which is not asked where its cursor is: not every one answers."""
    output = create_output(sys.stdout)
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output
