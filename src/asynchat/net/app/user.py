"""A user, as code holds it: a name, looked up whenever it is used."""

from __future__ import annotations

from asynchat.net.app.talk import Talk


class User(Talk):
    """Somebody on a server, here or not; made by `Server.user`. Methods raise RuntimeError if it does not run."""

    __slots__ = ()
