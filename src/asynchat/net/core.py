"""The core of a server: its hub, and the way of an event through the journal and the fan-out to the people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from asynchat.chat import snapshot
from asynchat.chat.hub import Hub
from asynchat.chat.sessions import Session
from asynchat.config import Settings
from asynchat.net.catchup import CatchUp
from asynchat.net.fanout import Fanout
from asynchat.net.house import make_limits
from asynchat.net.journal import Journal
from asynchat.store import Log

if TYPE_CHECKING:
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


def _drop(session: Session) -> None:
    session.drop("SendQ exceeded")
