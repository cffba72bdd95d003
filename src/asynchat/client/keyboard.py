"""Lines from standard input, whatever it is.

They are read in a thread: a regular file or /dev/null cannot be watched by an event loop (under uvloop
`connect_read_pipe` on one ends the process), and what works for these works for terminals and pipes.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator

AHEAD = 8
"""Reads that are done before they are asked for."""
READ = 64 * 1024


async def lines(descriptor: int = 0) -> AsyncIterator[bytes]:
    """The lines of an open file, without their ends; of a closed one none."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def read() -> None:
        data = b"?"
        while data:
            room.acquire()
            try:
                data = os.read(descriptor, READ)
            except OSError:  # it was closed when we were started, or under our hands
                data = b""
            try:
                loop.call_soon_threadsafe(queue.put_nowait, data)
            except RuntimeError:  # the loop is gone: nobody waits for it
                return

    # A daemon, since nothing but a line ends a read from a terminal. It reads the descriptor and not `sys.stdin`, whose
    # lock it would hold when the interpreter ends.
    threading.Thread(target=read, name="asynchat keyboard", daemon=True).start()
    rest = b""
    while data := await queue.get():
        room.release()
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest
