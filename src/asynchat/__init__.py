"""asynchat: a chat room that anything can walk into, alone or inside your asyncio program.

async with asynchat.Server(port=12345) as server:
    await server.serve_forever()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asynchat.chat.errors import AsynchatError, BadMessage, Refused, StoreError
    from asynchat.net.asgi import asgi
    from asynchat.net.server import Server

__version__ = "0.1.0"

__all__ = ["AsynchatError", "BadMessage", "Refused", "Server", "StoreError", "__version__", "asgi"]

_WHERE = {
    "AsynchatError": "asynchat.chat.errors",
    "BadMessage": "asynchat.chat.errors",
    "Refused": "asynchat.chat.errors",
    "Server": "asynchat.net.server",
    "StoreError": "asynchat.chat.errors",
    "asgi": "asynchat.net.asgi",
}
"""Public names are imported when they are first used, so that `import asynchat` stays cheap. (PEP 562)"""


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
