"""A user, as code holds it: a name, looked up whenever it is used."""

from __future__ import annotations

from asynchat.chat.events import Said
from asynchat.chat.names import casefold
from asynchat.net.app.talk import Talk


class User(Talk):
    """Somebody on a server, here or not; made by `Server.user`. Methods raise RuntimeError if it does not run."""

    __slots__ = ()

    def _has(self, said: Said) -> bool:
        return said.target is not None and casefold(self.name) in (casefold(said.to), casefold(said.by.nick))
