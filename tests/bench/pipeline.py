"""A server without sockets: what comes in is handed to its conversations, what goes out is counted.

So a line's whole way can be gone again and again with nothing else in the measurement: read, parse, verb, log, render,
write.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asynchat.chat import snapshot
from asynchat.chat.hub import Hub
from asynchat.config.server import Settings
from asynchat.net.catchup import CatchUp
from asynchat.net.connections import Connections
from asynchat.net.conversation import Conversation
from asynchat.net.fanout import Fanout
from asynchat.net.house import make_house, make_limits
from asynchat.net.journal import Journal
from asynchat.store import Log

SETTINGS = Settings().with_values({"limits": {"flood": False, "max_clients": 100_000}}, "bench")


class Transport:
    """The end of a connection at which nobody is: what is written is counted, and sent at once."""

    def __init__(self) -> None:
        self.protocol: Any = self
        self.writes = 0
        self.bytes = 0

    def write(self, chunk: bytes) -> None:
        self.writes += 1
        self.bytes += len(chunk)

    def get_protocol(self) -> Any:
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """What the protocol that was there first is told."""


class Writer:
    """A writer to such an end."""

    def __init__(self) -> None:
        self.transport = Transport()

    def close(self) -> None:
        """Nobody is there."""

    async def wait_closed(self) -> None:
        """Nobody is there."""

    def get_extra_info(self, name: str) -> Any:
        return self if name == "socket" else None

    family = None  # what a socket has


class Pipeline:
    """The parts of a server, in which people can be put."""

    def __init__(self, log: Log, group: asyncio.TaskGroup) -> None:
        hub = Hub(lambda: time.time_ns() // 1_000_000, make_limits(SETTINGS))
        self.hub = hub
        fanout = Fanout(hub, send_queue=1 << 20, over=lambda session: None)
        fanout.behind = catch_up = CatchUp(log, lambda: fanout.position)
        catch_up.work_in(group)
        hub.journal = self.journal = Journal(log, fanout.deliver, dump=lambda: snapshot.dump(hub.state))
        self._connections = Connections(make_house(SETTINGS, hub, log, None), SETTINGS.limits, group, Counter())

    def connect(self) -> tuple[Conversation, Transport]:
        """A connection that says nothing yet."""
        writer: Any = Writer()
        reader: Any = None
        self._connections.connected(None, reader, writer)
        return writer.transport.protocol, writer.transport

    async def walk_in(self, name: str, room: str, capabilities: str = "") -> tuple[Conversation, Transport]:
        """Somebody in a room, by IRC."""
        conversation, transport = self.connect()
        cap = f"CAP REQ :{capabilities}\r\nCAP END\r\n" if capabilities else ""
        conversation.data_received(f"{cap}NICK {name}\r\nUSER {name} 0 * :{name}\r\nJOIN {room}\r\n".encode())
        await self.settled()
        return conversation, transport

    async def settled(self) -> None:
        """Return once everything that was said is stored and shown, and nobody waits for anything."""
        await asyncio.sleep(0)
        await self.journal.caught_up()
        for conversation in self._connections:
            if conversation._task is not None:
                await asyncio.wait([conversation._task])
        await self.journal.caught_up()


@asynccontextmanager
async def pipeline(log: Log) -> AsyncIterator[Pipeline]:
    """A server without sockets, on a log."""
    await log.open()
    try:
        async with asyncio.TaskGroup() as group:
            line = Pipeline(log, group)
            line.hub.begin_after(log.last_id, log.last_ms)
            running = group.create_task(line.journal.run())
            yield line
            await line._connections.close()
            line.journal.close()
            await running
    finally:
        await log.close()
