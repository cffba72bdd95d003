"""What keys do, beside what they do in every line that is edited (Emacs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

if TYPE_CHECKING:
    from asynchat.client.terminal.editor import Editor


def bindings(editor: Editor) -> KeyBindings:
    """The keys of an editor."""
    keys = KeyBindings()
    empty = Condition(lambda: not editor.buffer.text)

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    asked = Condition(lambda: editor.confirming)

    @keys.add("y", filter=asked)
    @keys.add("Y", filter=asked)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("n", filter=asked)
    @keys.add("N", filter=asked)
    def _(event: KeyPressEvent) -> None:
        editor.refuse()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        editor.complete(1)

    @keys.add("s-tab")
    def _(event: KeyPressEvent) -> None:
        editor.complete(-1)

    @keys.add("c-c")
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        editor.refuse()

    @keys.add("c-d", filter=empty)
    def _(event: KeyPressEvent) -> None:
        editor.leave()

    @keys.add("c-l")
    def _(event: KeyPressEvent) -> None:
        editor.clear()

    @keys.add("c-z")
    def _(event: KeyPressEvent) -> None:
        event.app.suspend_to_background()

    @keys.add("pageup")
    def _(event: KeyPressEvent) -> None:
        editor.press("/history")

    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        editor.paste(event.data)

    for digit in "1234567890":

        @keys.add("escape", digit)
        def _(event: KeyPressEvent, number: str = digit) -> None:
            editor.press(f"/switch {number if number != '0' else '10'}")

    @keys.add("escape", "a")
    def _(event: KeyPressEvent) -> None:
        editor.press("/next")

    return keys
