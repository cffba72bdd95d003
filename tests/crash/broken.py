"""A broken server, for the controls: `python -m tests.crash.broken CONTROL serve …`.

If the crash test finds nothing wrong with this one, it finds nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Said
from asynchat.cli import main
from asynchat.store import Stored
from asynchat.store.sqlite import SqliteLog

BEHIND_S = 0.02
"""How far the log lags behind what is told."""

_append = SqliteLog.append
_late: set[asyncio.Task[None]] = set()


async def _ack_before_commit(log: SqliteLog, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
    """Say that it is stored, and store it in a while."""

    async def append() -> None:
        await asyncio.sleep(BEHIND_S)
        await _append(log, batch)

    task = asyncio.create_task(append())
    _late.add(task)
    task.add_done_callback(_late.discard)
    return [Stored(int(event.id), event) for event in batch]


async def _no_key(log: SqliteLog, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
    """Store everything, whatever was stored before."""
    return await _append(log, [replace(event, key=None) if isinstance(event, Said) else event for event in batch])


CONTROLS = {"ack-before-commit": _ack_before_commit, "no-key": _no_key}


if __name__ == "__main__":
    SqliteLog.append_at_once = lambda log, batch: None  # type: ignore[method-assign, assignment]
    SqliteLog.append = CONTROLS[sys.argv.pop(1)]  # type: ignore[method-assign, assignment]
    main()
