"""The machine that measurements are taken on: what it is, its cores, ports, files and descriptors."""

from __future__ import annotations

import os
import platform
import random
import re
import resource
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]


def about(work: Path) -> dict[str, Any]:
    """What every report says first; `work` is where files were kept."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return {
        "date": time.strftime("%Y-%m-%d %H:%M %z"),
        "machine": f"{os.cpu_count()} × {model[1] if model else platform.machine()}, {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "work_filesystem": filesystem(work.resolve()),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version_of(name) for name in ("asynchat", "uvloop")},
        "revision": revision(),
    }


def revision() -> str:
    """The commit that this tree is at, with a `+` if it was changed since; empty if that is not known."""

    def git(*words: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "src") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def version_of(distribution: str) -> str:
    """The version of what is installed; empty if it is not."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def filesystem(path: Path) -> str:
    """The kind of file system that a path is on."""
    best = ("", "unknown")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        mount = left.split()[4]
        if Path(mount) in (path, *path.parents) and len(mount) >= len(best[0]):
            best = (mount, right.split()[0])
    return best[1]


def cores(text: str) -> tuple[int, int]:
    """The cores of the server and of the load, from `A,B`.

    Raises:
        ValueError: they are not two of those that there are.
    """
    numbers = tuple(int(core) for core in text.split(","))
    allowed = os.sched_getaffinity(0)
    if len(numbers) != 2 or not set(numbers) <= allowed:
        raise ValueError(f"two of {sorted(allowed)}, as in 0,1")
    return numbers[0], numbers[1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes started inside run on that core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def core_busy_s(core: int) -> float:
    """Seconds that a core has worked or was stolen by other machines, so far."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
            return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return 0.0


def free_port() -> int:
    """A port that nobody listens on, outside the range from which outgoing connections get theirs.

    Raises:
        OSError: none was found.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(200):
        port = random.randrange(10_000, min(low, 60_000)) if low > 11_000 else random.randrange(61_000, 65_535)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        return port
    raise OSError("no free port")


def allow_descriptors(count: int) -> int:
    """Let what is started from now on have so many descriptors, or as many as may be; gives how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((max(count, soft), max(count, hard)), (hard, hard)):  # the hard one is raised by root only
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        except (ValueError, OSError):
            continue
        return limits[0]
    return soft


def environment(home: Path) -> dict[str, str]:
    """For a server under test: nobody's settings, and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASYNCHAT_", "XDG_"))}
    return {**kept, "HOME": str(home)}


def asynchat_argv() -> list[str]:
    """The asynchat of the Python that runs this."""
    return [sys.executable, "-m", "asynchat"]
