"""The core of a server: its hub, the way of an event through the journal and the fan-out to the people, its store."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asynchat.chat import snapshot
from asynchat.chat.hub import Hub
from asynchat.chat.sessions import Session
from asynchat.config.server import Settings
from asynchat.net.catchup import CatchUp
from asynchat.net.fanout import Fanout
from asynchat.net.house import make_limits
from asynchat.net.journal import Journal
from asynchat.store import Log

if TYPE_CHECKING:
    from asynchat.net.certificates import Tls
    from asynchat.net.tracing import Trace


class Core(NamedTuple):
    """Its parts, joined; what is in the store is not in the hub yet."""

    hub: Hub
    fanout: Fanout
    catch_up: CatchUp
    journal: Journal


def make_core(settings: Settings, store: Log, trace: Trace | None) -> Core:
    """The core on an open store; with a `trace`, made of parts that tell what they do."""
    hub_of, fanout_of = (Hub, Fanout) if trace is None else trace.parts()
    hub = hub_of(lambda: time.time_ns() // 1_000_000, make_limits(settings))
    fanout = fanout_of(hub, send_queue=settings.limits.send_queue, over=_drop)
    fanout.position = store.last_id
    fanout.behind = catch_up = CatchUp(store, lambda: fanout.position)
    hub.journal = journal = Journal(
        store,
        fanout.deliver,
        dump=lambda: snapshot.dump(hub.state),
        may_pass=fanout.may_pass,
        concerns=hub.concerns,
    )
    return Core(hub, fanout, catch_up, journal)


def store_of(settings: Settings, *, accept_loss: bool) -> Log:
    """The store that the settings name; it is not open yet."""
    if settings.store.path == "memory":
        from asynchat.store.memory import MemoryLog

        return MemoryLog()
    from asynchat.store.sqlite import SqliteLog

    return SqliteLog(Path(settings.store.path), durability=settings.store.durability, accept_loss=accept_loss)


async def tls_of(settings: Settings) -> Tls | None:
    """What TLS is spoken with by those settings, if it is.

    Raises:
        BadConfig
    """
    if not (settings.tls.mode or settings.tls.cert or settings.tls.key):
        return None
    from asynchat.net import certificates

    path = settings.store.path
    return await asyncio.to_thread(certificates.tls_of, settings.tls, None if path == "memory" else Path(path).parent)


def _drop(session: Session) -> None:
    session.drop("SendQ exceeded")
