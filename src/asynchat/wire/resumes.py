"""Resume keys: who was cut off without having an account comes back as who they were."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asynchat.wire.session import Session

MOST = 10_000
"""Of how many who are gone it is remembered who they were."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


class Left(NamedTuple):
    """Somebody who is gone: as whom, from which rooms, with which event, and until when they may come back."""

    user: str
    nick: str
    rooms: tuple[str, ...]
    room: str | None
    position: str
    until_ms: int


class Resumes:
    """Who may come back by which key: a session that is here, or somebody who has left."""

    def __init__(self) -> None:
        self._here: dict[str, Session] = {}
        self._left: dict[str, Left] = {}  # the first to leave is first

    def new(self, session: Session) -> str:
        """A key for this session, which nobody guesses: 60 bits."""
        letters = [secrets.choice(_LETTERS) for _ in range(12)]
        key = "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))
        self._here[key] = session
        return key

    def leave(self, key: str, left: Left) -> None:
        """The session of this key is gone."""
        if self._here.pop(key, None) is not None:
            self._left[key] = left
            if len(self._left) > MOST:
                del self._left[next(iter(self._left))]

    def find(self, key: str, now_ms: int) -> Session | Left | None:
        """Who comes back by this key; None if nobody does."""
        left = self._left.get(key)
        if left is not None:
            return left if now_ms < left.until_ms else None
        return self._here.get(key)

    def use(self, key: str) -> None:
        """The key is used up."""
        self._here.pop(key, None)
        self._left.pop(key, None)
