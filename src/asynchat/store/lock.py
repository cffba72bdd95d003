"""One server per file: a lock that the kernel lets go of when its holder ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

from asynchat.chat.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows: the database's own locks are all there is
    fcntl = None  # type: ignore[assignment]


class Lock:
    """Held from `take` to `release`. The file stays and tells the pid of its last holder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self) -> None:
        """Become the one.

        Raises:
            StoreError: another process is; its pid is told.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreError(f"{self._path.with_suffix('')} is in use by the process with pid {holder}") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another be the one."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
