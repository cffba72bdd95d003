"""asynchat: a chat room that anything can walk into, alone or inside your asyncio program.

async with asynchat.Server(port=12345) as server:
    await server.serve_forever()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asynchat.chat.errors import AsynchatError, BadMessage, Refused, StoreError
    from asynchat.client.bot import Client
    from asynchat.client.errors import Lost, NotAcknowledged, Unreachable, Untrusted
    from asynchat.client.incoming import Happening, Incoming, Sent
    from asynchat.net.server import Server

__version__ = "0.1.0"

__all__ = [
    "AsynchatError",
    "BadMessage",
    "Client",
    "Happening",
    "Incoming",
    "Lost",
    "NotAcknowledged",
    "Refused",
    "Sent",
    "Server",
    "StoreError",
    "Unreachable",
    "Untrusted",
    "__version__",
]

_WHERE = {
    "AsynchatError": "asynchat.chat.errors",
    "BadMessage": "asynchat.chat.errors",
    "Client": "asynchat.client.bot",
    "Happening": "asynchat.client.incoming",
    "Incoming": "asynchat.client.incoming",
    "Lost": "asynchat.client.errors",
    "NotAcknowledged": "asynchat.client.errors",
    "Refused": "asynchat.chat.errors",
    "Sent": "asynchat.client.incoming",
    "Server": "asynchat.net.server",
    "StoreError": "asynchat.chat.errors",
    "Unreachable": "asynchat.client.errors",
    "Untrusted": "asynchat.client.errors",
}
"""Public names are imported when they are first used, so that `import asynchat` stays cheap. (PEP 562)"""


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
