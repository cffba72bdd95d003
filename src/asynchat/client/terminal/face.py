"""What the desk needs of whatever shows it to a person."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from asynchat.client.show import Line


class Face(Protocol):
    """Shows lines, and hands on what is typed.

    `hides`: lines of places where one does not look are counted and shown when one does. `echoes`: what is typed is
    shown when it is stored; else it stands where it was typed.
    """

    hides: bool
    echoes: bool

    def lines(self) -> AsyncGenerator[str]:
        """What is typed, a text each time."""

    def show(self, lines: Sequence[Line]) -> None:
        """Show lines, after what was shown before."""

    def changed(self) -> None:
        """Something else than lines may look different now."""

    @property
    def full(self) -> bool:
        """Whether there is much that is still to be shown."""

    async def room(self) -> None:
        """Wait until there is not too much that is still to be shown."""

    @property
    def half_typed(self) -> bool:
        """Whether a line was begun, or may have been."""

    async def ask(self, question: str, *, waits: bool = False) -> str:
        """Ask for something that nobody may see; who did not do it right now `waits` until no line is half typed."""

    def ring(self) -> None:
        """Ring the bell."""

    def clear(self) -> None:
        """Let what was shown be gone."""
