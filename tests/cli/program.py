"""`asynchat` as a script calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.net.conftest import environment


def asynchat(
    folder: Path, url: str, *arguments: str, stdin: bytes | None = b"", name: str = "bob"
) -> subprocess.CompletedProcess[bytes]:
    """Run a command against a server; without `stdin` its standard input is closed."""
    env = environment(folder) | {"ASYNCHAT_URL": url, "ASYNCHAT_NAME": name, "TZ": "UTC"}
    command = [sys.executable, "-m", "asynchat", *arguments]
    return subprocess.run(command, input=stdin, env=env, capture_output=True, timeout=20, check=False)


def said(folder: Path, url: str, *texts: str, room: str = "#lobby", name: str = "bob") -> None:
    """Have these be said, one after the other."""
    done = asynchat(folder, url, "send", "--stream", "-r", room, stdin="\n".join(texts).encode(), name=name)
    assert done.returncode == 0, done.stderr


def lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """What a program printed, if it went well."""
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()
