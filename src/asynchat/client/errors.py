"""How talking to a server can fail; each is one exit code of the command line."""

from __future__ import annotations

from asynchat.chat.errors import AsynchatError


class Unreachable(AsynchatError):
    """There is no server, or it does not let anybody in in time."""


class Untrusted(AsynchatError):
    """The server does not prove that it is whom we want to talk to; nothing was said to it."""


class Lost(AsynchatError):
    """The connection ended; what was not acknowledged may or may not have been stored."""


class NotAcknowledged(AsynchatError):
    """The server did not say in time that it stored something; sending it again under the same key is safe."""
