"""A face with a line that is edited. What was said and is not stored yet stands grey above it; unread counts below."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import StyleAndTextTuples

from asynchat.client.show import Line
from asynchat.client.terminal.completion import Completion
from asynchat.client.terminal.editor import Editor
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk

MOST_WAITING = 5
"""Lines above the prompt that are not stored yet."""


class Around:
    """What stands around the line of somebody who sits at a desk."""

    def __init__(self) -> None:
        self.desk: Desk | None = None
        self._completion = Completion()

    def prompt(self) -> str:
        """Who one is; before that where one looks, if there are several places."""
        desk = self.desk
        if desk is None or not desk.servers:
            return "> "
        where = f"[{desk.name_of(desk.here)}] " if desk.here is not None and len(desk.places) > 1 else ""
        return f"{where}{plain(desk.server.client.nick)}> "

    def above(self) -> StyleAndTextTuples:
        """What is not stored yet."""
        if self.desk is None or self.desk.here is None:
            return []
        lines = [plain(line) for saying in self.desk.here.waiting for line in saying.text.split("\n")]
        nick = self.desk.here.server.client.nick
        who = self.desk.here.role_of(nick) + plain(nick)
        shown = [f"<{who}> {line}" for line in lines[:MOST_WAITING]]
        if len(lines) > MOST_WAITING:
            shown.append(f"… {len(lines) - MOST_WAITING} more are not stored yet")
        return [("class:waiting", "\n".join(shown))] if shown else []

    def below(self) -> StyleAndTextTuples:
        """All places with what is unread there; what is not as it should be; who types."""
        desk = self.desk
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
        parts += [("class:status", f"{plain(url)}: connecting  ") for url in desk.connecting.urls]
        return [*parts, ("class:status", self._who_types(desk))]

    def _who_types(self, desk: Desk) -> str:
        if desk.here is None or not desk.here.typing:
            return ""
        names = [plain(name) for name in desk.here.typing.names(asyncio.get_running_loop().time())]
        if not names:
            return ""
        return f"{', '.join(names[:3])} {'is' if len(names) == 1 else 'are'} typing"

    def changed(self, text: str) -> None:
        if self.desk is not None and self.desk.servers:
            self.desk.types(text)

    def complete(self, text: str, cursor: int, step: int) -> tuple[str, int]:
        return self._completion.next(text, cursor, self.desk, step) if self.desk is not None else (text, cursor)


class PromptFace:
    """The face of a terminal. `render` makes the text of a line."""

    hides = True
    echoes = True

    def __init__(self, render: Callable[[Line], str], *, color: bool = True) -> None:
        self._render = render
        self._around = Around()
        self.editor = Editor(self._around, color=color)

    def sit_at(self, desk: Desk) -> None:
        """Show that desk."""
        self._around.desk = desk

    def lines(self) -> AsyncGenerator[str]:
        return self.editor.lines()

    def show(self, lines: Sequence[Line]) -> None:
        self.editor.write([self._render(line) for line in lines])

    def changed(self) -> None:
        self.editor.changed()

    @property
    def full(self) -> bool:
        return self.editor.full

    async def room(self) -> None:
        await self.editor.room()

    @property
    def half_typed(self) -> bool:
        return self.editor.half_typed

    async def ask(self, question: str, *, waits: bool = False) -> str:
        return await self.editor.ask(question, waits=waits)

    def ring(self) -> None:
        self.editor.ring()

    def clear(self) -> None:
        self.editor.clear()
