"""A line that is edited and others above it, by prompt_toolkit and nothing of ours: what `terminal` is measured beside.

    python -m tests.bench.alone PORT

Lines come over a socket as they are to be shown, and each is printed.
"""

from __future__ import annotations

import asyncio
import sys

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from tests.bench.machine import LOOPBACK


async def run(port: int) -> None:
    """Print what comes from that port, until it ends."""
    reader, _ = await asyncio.open_connection(LOOPBACK, port)
    session: PromptSession[str] = PromptSession("alice> ")
    with patch_stdout(raw=True):
        prompting = asyncio.create_task(session.prompt_async())
        rest = b""
        while data := await reader.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                print(line.decode())
        prompting.cancel()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
