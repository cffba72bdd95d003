"""The end of a task, which is waited for whatever comes between."""

from __future__ import annotations

import asyncio


async def outlive(task: asyncio.Task[None], *, grace_s: float = 0.0) -> None:
    """Give a task so long to end by itself, then cancel it, once; return when it is over.

    Whoever is cancelled while waiting gives it no more time, and is cancelled when it is over: also if that comes again
    at every turn of the loop, as it does in a scope of anyio.

    Raises:
        What the task has raised, unless that it was cancelled.
    """
    cancelled: asyncio.CancelledError | None = None
    left_s: float | None = grace_s
    while not task.done():
        try:
            await asyncio.wait([task], timeout=left_s)
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
        if left_s is not None and not task.done():
            left_s = None
            task.cancel()
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # nobody is told of it any more
        raise cancelled
    if not task.cancelled():
        task.result()
