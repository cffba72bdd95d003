"""Who watches which names, to be told when somebody comes, goes or changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat.names import casefold

if TYPE_CHECKING:
    from asynchat.chat.sessions import Session


class Watchers:
    """Sessions by the names they watch, whether anybody bears them or not."""

    def __init__(self) -> None:
        self._by_name: dict[str, dict[Session, None]] = {}  # casefolded
        self._by_session: dict[Session, dict[str, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def add(self, session: Session, name: str) -> None:
        """Have the session told of that name."""
        folded = casefold(name)
        self._by_name.setdefault(folded, {})[session] = None
        self._by_session.setdefault(session, {})[folded] = None

    def remove(self, session: Session, name: str | None = None) -> None:
        """Have it told no more; of nobody if no name is given."""
        names = self._by_session.get(session, {})
        for folded in list(names) if name is None else [casefold(name)]:
            if folded in names:
                del names[folded]
                del self._by_name[folded][session]
                if not self._by_name[folded]:
                    del self._by_name[folded]
        if not names:
            self._by_session.pop(session, None)

    def has(self, session: Session, name: str) -> bool:
        """Whether the session watches that name."""
        return casefold(name) in self._by_session.get(session, ())

    def names_of(self, session: Session) -> list[str]:
        """The names that the session watches, casefolded, in the order in which it asked."""
        return list(self._by_session.get(session, ()))

    def of(self, *names: str) -> tuple[Session, ...]:
        """The sessions that watch any of these names, each once."""
        if not self._by_name:
            return ()
        return tuple({session: None for name in names for session in self._by_name.get(casefold(name), ())})
