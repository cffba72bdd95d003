"""A user, as code holds it: a name, looked up whenever it is used."""

from __future__ import annotations

from collections.abc import Callable

from asynchat.net.app.inside import Inside
from asynchat.net.app.receipt import Receipt


class User:
    """Somebody on a server, here or not; made by `Server.user`."""

    __slots__ = ("_inside", "name")

    def __init__(self, name: str, inside: Callable[[], Inside]) -> None:
        self.name = name
        self._inside = inside

    def __repr__(self) -> str:
        return f"<User {self.name}>"

    async def send(self, text: str, *, by: str, key: str | None = None, kind: str = "message") -> Receipt:
        """Say something to them alone; returns once it is stored, and shown to them if they are connected.

        Its arguments are those of `Room.send`.

        Raises:
            Refused: NO_SUCH_NAME, nobody of that name is here; or what policy, a hook or the store says no to.
            ValueError: there is no such kind.
            RuntimeError: the server does not run.
        """
        return await self._inside().speakers.send(self.name, text, by=by, key=key, kind=kind)
