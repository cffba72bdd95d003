"""Talk: what code says in a room, or to one person."""

from __future__ import annotations

from collections.abc import Callable

from asynchat.net.app.inside import Inside
from asynchat.net.app.receipt import Receipt


class Talk:
    """The part of a room and of a user that is about saying something there."""

    __slots__ = ("_inside", "name")

    def __init__(self, name: str, inside: Callable[[], Inside]) -> None:
        self.name = name
        self._inside = inside

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    async def send(self, text: str, *, by: str, key: str | None = None, kind: str = "message") -> Receipt:
        """Say something there; returns once it is stored, and shown to who is connected.

        `text` may have several lines, parted by LF. What `by` has said before under the same `key`, of up to 128
        characters, is not said again. `kind` is `message`, `notice` or `action`.

        Raises:
            Refused: NO_SUCH_NAME, nobody of that name is here; or what policy, a hook or the store says no to.
            ValueError: there is no such kind.
        """
        return await self._inside().speakers.send(self.name, text, by=by, key=key, kind=kind)
