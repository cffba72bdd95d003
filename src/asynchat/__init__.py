"""asynchat: a chat room that anything can walk into, alone or inside your asyncio program.

async with asynchat.Server(port=12345) as server:
    await server.serve_forever()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asynchat.chat.errors import AsynchatError, BadMessage, Refused, StoreError
    from asynchat.chat.messages import Message
    from asynchat.client.bot import Client
    from asynchat.client.errors import Lost, NotAcknowledged, Unreachable, Untrusted
    from asynchat.client.incoming import Happening, Incoming, Sent
    from asynchat.client.room import ClientRoom
    from asynchat.config.server import Settings
    from asynchat.config.values import BadConfig
    from asynchat.net.app.ban import Ban
    from asynchat.net.app.context import Context
    from asynchat.net.app.event import Event
    from asynchat.net.app.person import Person
    from asynchat.net.app.receipt import Receipt
    from asynchat.net.app.room import Room
    from asynchat.net.app.settings import RoomSettings
    from asynchat.net.app.user import User
    from asynchat.net.asgi import asgi
    from asynchat.net.listen import CannotListen
    from asynchat.net.server import Server

__version__ = "0.1.0"

__all__ = [
    "AsynchatError",
    "BadConfig",
    "BadMessage",
    "Ban",
    "CannotListen",
    "Client",
    "ClientRoom",
    "Context",
    "Event",
    "Happening",
    "Incoming",
    "Lost",
    "Message",
    "NotAcknowledged",
    "Person",
    "Receipt",
    "Refused",
    "Room",
    "RoomSettings",
    "Sent",
    "Server",
    "Settings",
    "StoreError",
    "Unreachable",
    "Untrusted",
    "User",
    "__version__",
    "asgi",
]

_WHERE = {
    "AsynchatError": "asynchat.chat.errors",
    "BadConfig": "asynchat.config.values",
    "BadMessage": "asynchat.chat.errors",
    "Ban": "asynchat.net.app.ban",
    "CannotListen": "asynchat.net.listen",
    "Client": "asynchat.client.bot",
    "ClientRoom": "asynchat.client.room",
    "Context": "asynchat.net.app.context",
    "Event": "asynchat.net.app.event",
    "Happening": "asynchat.client.incoming",
    "Incoming": "asynchat.client.incoming",
    "Lost": "asynchat.client.errors",
    "Message": "asynchat.chat.messages",
    "NotAcknowledged": "asynchat.client.errors",
    "Person": "asynchat.net.app.person",
    "Receipt": "asynchat.net.app.receipt",
    "Refused": "asynchat.chat.errors",
    "Room": "asynchat.net.app.room",
    "RoomSettings": "asynchat.net.app.settings",
    "Sent": "asynchat.client.incoming",
    "Server": "asynchat.net.server",
    "Settings": "asynchat.config.server",
    "StoreError": "asynchat.chat.errors",
    "Unreachable": "asynchat.client.errors",
    "Untrusted": "asynchat.client.errors",
    "User": "asynchat.net.app.user",
    "asgi": "asynchat.net.asgi",
}
"""Public names are imported when they are first used, so that `import asynchat` stays cheap. (PEP 562)"""


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
