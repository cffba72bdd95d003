"""A file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asynchat.chat.errors import StoreError
from asynchat.store.lock import Lock

COMPANIONS = ("", "-wal", "-shm", "-journal")
"""The ends of the names of a database's files."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to be written, empty and its owner's only: `PATH.part`. It becomes `path` if all goes well, else it goes.

    Raises:
        StoreError: there is a `path` already, another process is writing it, or the disk does not take it.
    """
    part = path.with_name(path.name + ".part")
    lock_path = part.with_name(part.name + ".lock")
    lock = Lock(lock_path)
    _check_free(path)
    lock.take()
    try:
        _check_free(path)  # whoever had the lock may have made it
        remove(part)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield part
        flush(part)
        _check_free(path)
        part.rename(path)
        flush(path.parent)
    except OSError as error:
        raise StoreError(f"{part}: {error.strerror or error}") from None
    finally:
        remove(part)
        lock_path.unlink(missing_ok=True)
        lock.release()


def remove(path: Path) -> None:
    """Remove a database, if it is there, with what SQLite keeps beside it.

    Raises:
        OSError
    """
    for end in COMPANIONS:
        Path(f"{path}{end}").unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut.

    Raises:
        OSError
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        raise StoreError(f"{path} is there already, and is not written over")
