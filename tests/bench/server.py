"""`asynchat serve` as a process of its own, on one core."""

from __future__ import annotations

import select
import signal
import subprocess
import time
from pathlib import Path

from tests.bench.machine import LOOPBACK, asynchat_argv, environment, pinned

PATIENCE_S = 120.0
ENDING_S = 600.0
"""How long a server may take to end: it looks through its file first, if it had begun to."""


class Server:
    """A server that keeps everything in `folder`, on a port of its own; leaving the block kills it."""

    def __init__(self, folder: Path, core: int, *, settings: str = "", durability: str = "sync") -> None:
        self.port = 0
        self._core = core
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        config = folder / "server.toml"
        config.write_text(f"[limits]\nflood = false\n{settings}")
        self._command = [*asynchat_argv(), "serve", "--print-url", "--no-console", "--config", str(config)]
        self._command += ["--host", LOOPBACK, "--port", "0", "--durability", durability, "--data", str(folder)]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start it; gives the seconds from the process to the line that says where it listens.

        Raises:
            RuntimeError: it ended, or took too long.
        """
        began = time.monotonic()
        with pinned(self._core), (self._folder / "output").open("ab") as output:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=self._folder,
                env=environment(self._folder),
            )
        self._process = process
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        url = process.stdout.readline() if readable else b""
        took = time.monotonic() - began
        if not url:
            self.kill()
            raise RuntimeError(f"the server does not start: {(self._folder / 'output').read_text()[-400:]}")
        self.port = int(url.rsplit(b":", 1)[1])
        return took

    def stop(self) -> float:
        """Have it end as it should; gives the seconds that takes."""
        began = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.send_signal(sign)
            process.wait(ENDING_S)
        finally:
            process.kill()  # nothing, if it has ended
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
