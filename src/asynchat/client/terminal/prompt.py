"""A face with a line that can be edited: it stays at the bottom, whatever comes in above it.

Nothing is drawn but lines: no full screen, no boxes, so that the terminal's scroll-back, a screen reader and a log of
the session have all of it. What was said and is not stored yet stands grey above the line that is typed.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_input
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.containers import ConditionalContainer
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import BeforeInput, ConditionalProcessor, PasswordProcessor
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from asynchat.client.show import Line
from asynchat.client.terminal.completion import Completion
from asynchat.client.terminal.keys import bindings
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from prompt_toolkit.input import Input

    from asynchat.client.terminal.desk import Desk

EACH_S = 0.05
"""How often what came is shown; each time the line that is typed is drawn anew."""
MOST_AT_ONCE = 2000
"""Lines that wait to be shown before nothing more is taken in: keys are answered between two such lots."""
MOST_WAITING = 5
"""Lines above the prompt that are not stored yet."""
ASKS_FROM = 6
"""A text of so many lines is not sent before one has said so."""
STYLE = Style.from_dict(
    {"waiting": "ansibrightblack", "status": "ansibrightblack", "status.mention": "bold", "ask": "bold"}
)


class Left(Exception):
    """Somebody has pressed Ctrl-C, or a signal came; `code` is what the program ends with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class PromptFace:
    """The face of a terminal. `render` makes the text of a line; the desk that it belongs to is set by `sit_at`."""

    hides = True
    echoes = True

    def __init__(
        self,
        render: Callable[[Line], str],
        *,
        color: bool = True,
        history: Sequence[str] = (),
        source: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._render = render
        self._desk: Desk | None = None
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: list[Line] = []
        self._room = asyncio.Event()
        self._room.set()
        self._timer: asyncio.TimerHandle | None = None
        self._secret: asyncio.Future[str] | None = None
        self._question = ""
        self._completion = Completion()
        self.confirming = False
        """Whether one was asked if so many lines are to be sent."""
        self.buffer = Buffer(
            history=InMemoryHistory(history), multiline=True, accept_handler=self._accept, on_text_changed=self._changed
        )
        self.app: Application[None] = Application(
            layout=self._layout(),
            key_bindings=bindings(self),
            style=STYLE,
            color_depth=ColorDepth.DEPTH_4_BIT if color else ColorDepth.DEPTH_1_BIT,
            erase_when_done=True,
            input=source if source is not None else create_input(),
            output=output if output is not None else _output(),
            refresh_interval=None,
        )
        self.app.ttimeoutlen = 0.05

    def sit_at(self, desk: Desk) -> None:
        """Show that desk."""
        self._desk = desk

    @property
    def desk(self) -> Desk:
        """The desk that is shown."""
        assert self._desk is not None
        return self._desk

    @property
    def asking(self) -> bool:
        """Whether one is asked for something that nobody may see."""
        return self._secret is not None

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
        waiting = Window(FormattedTextControl(self._not_stored), wrap_lines=True, dont_extend_height=True)
        status = Window(FormattedTextControl(self._status), height=1, dont_extend_height=True)
        return Layout(
            HSplit([ConditionalContainer(waiting, Condition(lambda: bool(self._not_stored()))), text, status]),
            focused_element=text,
        )

    # What is to be seen besides lines.

    def _prompt(self) -> StyleAndTextTuples:
        if self._secret is not None:
            return [("class:ask", f"{self._question}: ")]
        if self.confirming:
            lines = self.buffer.text.count("\n") + 1
            return [("class:ask", f"send {lines} lines? Enter sends, Ctrl-C does not\n")]
        name = self._desk.server.client.nick if self._desk is not None and self._desk.servers else ""
        return [("", f"{plain(name)}> ")]

    def _not_stored(self) -> StyleAndTextTuples:
        desk = self._desk
        if desk is None or desk.here is None:
            return []
        waiting = desk.here.waiting
        lines = [plain(line) for saying in waiting for line in saying.text.split("\n")]
        nick = plain(desk.here.server.client.nick)
        shown = [f"<{nick}> {line}" for line in lines[:MOST_WAITING]]
        if len(lines) > MOST_WAITING:
            shown.append(f"… {len(lines) - MOST_WAITING} more are not stored yet")
        return [("class:waiting", "\n".join(shown))] if shown else []

    def _status(self) -> StyleAndTextTuples:
        desk = self._desk
        if desk is None or not desk.servers:
            return [("class:status", "not connected")]
        parts: StyleAndTextTuples = []
        for number, place in enumerate(desk.places, 1):
            style, unread = "class:status", ""
            if place.unread:
                unread = f" {place.unread}" + ("!" if place.mentions else "")
                style = "class:status.mention" if place.mentions else style
            sign = "*" if place is desk.here else ""
            count = f" ({len(place.people)})" if place is desk.here and place.is_room else ""
            parts += [(style, f"{sign}{number}:{plain(desk.name_of(place))}{count}{unread}"), ("", "  ")]
        parts += [("class:status", f"{plain(server.label)}: reconnecting  ") for server in desk.servers if server.away]
        return [*parts, ("class:status", self._who_types())]

    def _who_types(self) -> str:
        place = self.desk.here
        if place is None or not place.typing:
            return ""
        now = asyncio.get_running_loop().time()
        names = [plain(name) for name, until in place.typing.items() if until > now]
        if not names:
            return ""
        return f"{', '.join(names[:3])} {'is' if len(names) == 1 else 'are'} typing"

    # The face.

    async def run(self) -> None:
        """Read keys and draw until `stop`.

        Raises:
            Left: somebody has pressed Ctrl-C, or a signal came.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.end, Left(128 + number))
        try:
            await self.app.run_async(handle_sigint=False)
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
            self._flush()

    def end(self, why: BaseException | None = None) -> None:
        """Draw no more; the terminal is as it was."""
        if self.app.is_running and not self.app.is_done:
            if why is None:
                self.app.exit()
            else:
                self.app.exit(exception=why)

    async def lines(self) -> AsyncGenerator[str]:
        while (text := await self._typed.get()) != "\x04":
            yield text

    def leave(self) -> None:
        """Nothing more will be typed."""
        self._typed.put_nowait("\x04")

    def show(self, lines: Sequence[Line]) -> None:
        self._waiting += lines
        if len(self._waiting) >= MOST_AT_ONCE:
            self._room.clear()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EACH_S, self._flush)

    def _flush(self) -> None:
        """Write what waits above the line that is typed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        self._room.set()
        text = "".join(f"{self._render(line)}\r\n" for line in waiting)
        if not self.app.is_running:
            self.app.output.write_raw(text)
            self.app.output.flush()
            return
        if text:
            self.app.renderer.erase()
            self.app.output.write_raw(text)
            self.app.output.flush()
        self.app._redraw()

    def changed(self) -> None:
        if self._timer is None and self.app.is_running:
            self._timer = asyncio.get_running_loop().call_later(EACH_S, self._flush)

    async def room(self) -> None:
        await self._room.wait()

    async def ask(self, question: str) -> str:
        self._question, self._secret = plain(question), asyncio.get_running_loop().create_future()
        self.app.invalidate()
        try:
            return await self._secret
        finally:
            self._secret = None
            self.app.invalidate()

    def ring(self) -> None:
        self.app.output.bell()
        self.app.output.flush()

    def clear(self) -> None:
        self.app.renderer.clear()

    # Typing.

    def _accept(self, buffer: Buffer) -> bool:
        """Enter was pressed; whether the text is to stay."""
        text = buffer.text
        if self._secret is not None:
            if not self._secret.done():
                self._secret.set_result(text)
            buffer.reset()  # nothing of it comes into the history
            return True
        if text.count("\n") + 1 >= ASKS_FROM and not self.confirming:
            self.confirming = True
            return True
        self.confirming = False
        self._typed.put_nowait(text)
        return False

    def _changed(self, buffer: Buffer) -> None:
        self.confirming = False
        if self._secret is None and self._desk is not None and self._desk.servers:
            self._desk.types(buffer.text)

    def paste(self, data: str) -> None:
        """Take a text from elsewhere: its lines are one message."""
        text = data.replace("\r\n", "\n").replace("\r", "\n")
        self.buffer.insert_text(text.removesuffix("\n") if "\n" in text else text)

    def complete(self, step: int) -> None:
        """Complete the word before the cursor; the next one if that was just done."""
        text, cursor = self._completion.next(self.buffer.text, self.buffer.cursor_position, self.desk, step)
        self.buffer.document = Document(text, cursor)

    def refuse(self) -> None:
        """Ctrl-C: what is typed goes; if there is nothing, one goes oneself."""
        if self._secret is not None:
            if not self._secret.done():
                self._secret.set_result("")
            self.buffer.reset()
        elif self.confirming:
            self.confirming = False
        elif self.buffer.text:
            self.buffer.reset()
        else:
            self.end(Left(130))

    def press(self, text: str) -> None:
        """Do as if a command had been typed."""
        self._typed.put_nowait(text)


def _output() -> Output:
    """The terminal, which is not asked where its cursor is: not every one answers."""
    output = create_output(sys.stdout)
    if isinstance(output, Vt100_Output):
        output.enable_cpr = False
    return output
