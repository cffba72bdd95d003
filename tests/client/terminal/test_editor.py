"""The line that is typed, without a terminal."""

from __future__ import annotations

import asyncio

from prompt_toolkit.formatted_text import StyleAndTextTuples

from asynchat.client.terminal.editor import Editor


class Nothing:
    """Nothing around the line; `told` is what it was."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def prompt(self) -> str:
        return ""

    def above(self) -> StyleAndTextTuples:
        return []

    below = above

    def changed(self, text: str) -> None:
        self.told.append(text)

    def complete(self, text: str, cursor: int, step: int) -> tuple[str, int]:
        return text, cursor


async def turn() -> None:
    """Everybody has their turn."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_half_typed_is_no_answer_to_what_is_asked_meanwhile() -> None:
    editor, lines = Editor(Nothing()), list[str]()

    async def take() -> None:
        lines.extend([line async for line in editor.lines()])

    taking = asyncio.create_task(take())
    editor.buffer.insert_text("half ")
    answers = [asyncio.create_task(editor.ask(question, waits=True)) for question in ("first", "second")]
    await turn()
    editor.buffer.insert_text("typed")
    editor.buffer.validate_and_handle()
    for answer in answers:
        await turn()
        editor.buffer.insert_text("sesame")
        editor.buffer.validate_and_handle()
        assert await answer == "sesame"
    editor.leave()
    await taking
    assert lines == ["half typed"]


async def test_half_an_answer_is_gone_when_nobody_wants_it_any_more() -> None:
    around = Nothing()
    editor = Editor(around)
    answer = asyncio.create_task(editor.ask("password"))
    await turn()
    editor.buffer.insert_text("sesa")
    answer.cancel()
    await turn()
    assert not editor.half_typed
    assert around.told == []


async def test_ctrl_c_empties_the_line_and_that_is_told() -> None:
    around = Nothing()
    editor = Editor(around)
    editor.buffer.insert_text("hello")
    answer = asyncio.create_task(editor.ask("password", waits=True))
    await turn()
    editor.refuse()
    assert around.told == ["hello", ""]
    await turn()
    editor.buffer.insert_text("sesame")
    editor.buffer.validate_and_handle()
    assert await answer == "sesame"
