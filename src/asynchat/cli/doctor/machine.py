"""What a server stands on: Python, libraries, descriptors and the clock."""

from __future__ import annotations

import platform
import re
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib import metadata

from asynchat import __version__
from asynchat.cli.doctor.finding import Finding, note, ok, wrong

LEAST_SQLITE = (3, 37, 0)
"""The first with STRICT tables."""
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that shows an earlier time is right."""
FEW_DESCRIPTORS = 256
SPARE_DESCRIPTORS = 32
"""Those that are not connections."""


def python() -> Iterator[Finding]:
    """What runs it."""
    yield note("asynchat", __version__)
    yield note("Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.system()})")
    yield loop()


def loop() -> Finding:
    """The event loop that `serve` takes."""
    try:
        import uvloop  # noqa: F401  (what `serve` does, too)
    except ImportError:
        return note("loop", "asyncio; with uvloop it would be quicker")
    return ok("loop", f"uvloop {metadata.version('uvloop')}")


def sqlite() -> Finding:
    """What the log and the search are kept with."""
    has_search = True
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(word)")
        except sqlite3.OperationalError:
            has_search = False
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        return wrong("SQLite", f"{sqlite3.sqlite_version}; it has to be {'.'.join(map(str, LEAST_SQLITE))} or later")
    if not has_search:
        return wrong("SQLite", f"{sqlite3.sqlite_version}, without FTS5: there is no searching")
    return ok("SQLite", f"{sqlite3.sqlite_version}, with FTS5")


def openssl() -> Finding:
    """What TLS is spoken with."""
    if not ssl.HAS_TLSv1_2:
        return wrong("OpenSSL", f"{ssl.OPENSSL_VERSION}, without TLS 1.2")
    return ok("OpenSSL", f"{ssl.OPENSSL_VERSION}{', TLS 1.3' if ssl.HAS_TLSv1_3 else ''}")


def packages() -> Iterator[Finding]:
    """The packages that asynchat says it needs, or can use."""
    for line in metadata.requires("asynchat") or ():
        name = re.split(r"[^\w.-]", line)[0]
        extra = re.search(r"""extra == ["'](.+?)["']""", line)
        try:
            yield ok("package", f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            if extra is not None:
                yield note("package", f"{name} is not installed; asynchat[{extra[1]}] brings it")
            elif ";" in line:  # it is needed on some machines only, or there is another way
                yield note("package", f"{name} is not installed")
            else:
                yield wrong("package", f"{name} is not installed")


def descriptors(max_clients: int) -> Finding:
    """How many files and connections a process may have, with the limit that `serve` raises for itself."""
    try:
        import resource
    except ImportError:
        return note("descriptors", "as many as the machine has")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return ok("descriptors", "no limit")
    needed = max(FEW_DESCRIPTORS, max_clients + SPARE_DESCRIPTORS if max_clients else 0)
    if hard < needed:
        return wrong("descriptors", f"a process may have {hard:,} (ulimit -Hn), and {needed:,} are needed")
    return ok("descriptors", f"a process may have {hard:,}")


def clock(last_ms: int) -> Finding:
    """Whether it is later than the release and the last entry of the log, which is so many milliseconds after 1970."""
    now = datetime.now(UTC)
    if now < RELEASED:
        return wrong("clock", f"it shows {now:%Y-%m-%d}, which was before this version was written")
    behind_s = last_ms / 1000 - now.timestamp()
    if behind_s > 1:
        return wrong("clock", f"it is {behind_s:,.0f} s behind the last message in the log")
    if not time.get_clock_info("monotonic").monotonic:
        return wrong("clock", "this machine has none that never goes back")
    return ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")
