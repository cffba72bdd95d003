"""The mark: how far the log went, in a file of its own beside it.

If part of its write-ahead log is torn, SQLite drops everything from there on and says that all is well. The mark is
written after each commit, so that the next start notices.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_WIDTH = 20  # digits of the id


class Known(NamedTuple):
    """What a mark told: the last id, whether the log was closed, and whether a reboot since may have cost some."""

    last_id: int
    closed: bool
    may_have_lost: bool


class Mark:
    """The file `path`: the last id that was stored, the boot it was written in, the durability, `open` or `closed`."""

    def __init__(self, path: Path, *, durability: str) -> None:
        self._path = path
        self._durability = durability
        self._file = -1

    def read(self) -> Known | None:
        """What the last run left; None if there is nothing."""
        try:
            last_id, boot, durability, state = self._path.read_text(encoding="ascii").split()
            rebooted = boot != _boot()
            return Known(int(last_id), state == "closed", rebooted and durability == "process")
        except (OSError, ValueError):
            return None

    def begin(self, last_id: int) -> None:
        """Note that the log is open from now on.

        Raises:
            OSError
        """
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._write_all(last_id, "open")

    def note(self, last_id: int) -> None:
        """Note that everything up to this id is stored; not flushed, so that it may say less than there is."""
        try:
            os.pwrite(self._file, b"%0*d" % (_WIDTH, last_id), 0)
        except OSError:  # a full disk: it was as long before, but who knows
            return

    def flush(self) -> None:
        """Have it survive a power cut."""
        with suppress(OSError):
            os.fsync(self._file)

    def end(self, last_id: int | None) -> None:
        """Note that the log is closed after that id; None if that is not known."""
        if self._file >= 0:
            if last_id is not None:
                with suppress(OSError):
                    self._write_all(last_id, "closed")
            os.close(self._file)
            self._file = -1

    def _write_all(self, last_id: int, state: str) -> None:
        text = f"{last_id:0{_WIDTH}d} {_boot()} {self._durability} {state}\n".encode()
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))
        os.fsync(self._file)


def _boot() -> str:
    """What is another after each start of the machine, where that can be known."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
