"""The server as a process that is killed and started again, on the same port and the same data."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

from tests.crash.reader import PAGE
from tests.crash.speaker import PATIENCE_S

ROOT = Path(__file__).parents[2]
# A password costs what it may cost in a test, nobody is put out because this machine has other things to do, and nobody
# is shown the last lines on entering, which would look like lines that are shown twice.
CONFIG = f"""\
[accounts]
kdf_cost = "test"
[history]
max_request = {PAGE}
replay = 0
[limits]
flood = false
send_queue = "64MiB"
"""


class Server:
    """Keeps everything in `folder`; with a `control` it is one that is broken in that way."""

    def __init__(self, folder: Path, *, durability: str, control: str = "none") -> None:
        module = ["asynchat"] if control == "none" else ["tests.crash.broken", control]
        config = folder / "server.toml"
        config.write_text(CONFIG)
        # Bound and not listening: nobody else is given the port while the server is dead, who may have it all the same.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self.starts_ms: list[float] = []
        """How long each start took, from the process to a port that listens."""
        self._log = folder / "log"
        self._folder = folder
        self._command = [sys.executable, "-m", *module, "serve", "--print-url", "--insecure", "--config", str(config)]
        self._command += ["--host", "127.0.0.1", "--port", str(self.port), "--durability", durability]
        self._command += ["--data", str(folder / "data")]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it listens."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASYNCHAT_", "XDG_"))}
        begin = time.monotonic()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env={**kept, "HOME": str(self._folder)},
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            url = await self._process.stdout.readline()
        self.starts_ms.append((time.monotonic() - begin) * 1000)
        if not url:
            raise RuntimeError(f"the server does not start:\n{self._log.read_text()}")

    async def kill(self) -> None:
        """As a crash would. Nothing happens to a server that is not there."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()

    def complaints(self) -> list[str]:
        """What it has logged that is no news."""
        signs = (" warning: ", " error: ", " critical: ", "Traceback")
        return [line for line in self._log.read_text().splitlines() if any(sign in line for sign in signs)]

    async def close(self) -> None:
        await self.kill()
        self._place.close()
