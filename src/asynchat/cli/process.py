"""What a command that holds many connections asks of its process: a quick loop, descriptors, little collecting."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress


def loop_runner() -> asyncio.Runner:
    """What runs a coroutine: on uvloop, where that is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def spare_collector() -> None:
    """Have the garbage collector look at what comes from now on only, and seldom: nearly all of it needs no collecting.

    In a program of somebody else's this is theirs to decide.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def raise_descriptor_limit() -> int | None:
    """Have as many descriptors as this process may have at all; returns how many, None if nobody knows."""
    try:
        import resource
    except ImportError:
        return None
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS says infinity and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
