"""Up to where everything was printed, in a file: whoever begins again goes on from there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from asynchat.chat.errors import StoreError
from asynchat.chat.names import casefold

EMPTY = 512
"""Bytes of the file at first; blanks fill it up, so that what is written is written over what was there, in one go."""


class Cursor:
    """The positions of rooms at one server: for each the id, or the time, of its last line that was printed.

    Before a line is printed its `mark` is made, and written right after it. Between these two calls of the system
    `kill -9` would have the line printed again; nothing can make one of two. One process at a time has the file.

    Raises on entering:
        StoreError: it cannot be read or written, it is another server's, or another process has it.
    """

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server
        self._places: dict[str, str] = {}
        self._length = EMPTY
        self._file = -1

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            _take(self._file)
            data = os.read(self._file, 1 << 24)
            if data.strip():
                self._length = max(EMPTY, len(data))
                self._read(json.loads(data))
        except BlockingIOError:
            raise StoreError(f"{self._path}: another process goes on from it") from None
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StoreError(f"{self._path} is no cursor") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def _read(self, kept: dict[str, object]) -> None:
        if kept["server"] != self._server:
            raise StoreError(f"{self._path} is the cursor of {kept['server']}, not of {self._server}")
        places = kept["places"]
        if not isinstance(places, dict):
            raise TypeError
        self._places = {str(place): str(reference) for place, reference in places.items()}

    def get(self, place: str) -> str | None:
        """Up to where a room was printed, as CHATHISTORY refers to it."""
        return self._places.get(casefold(place))

    def mark(self, place: str, reference: str) -> bytes:
        """What the file is to say once a line of a room is printed."""
        self._places[casefold(place)] = reference
        data = json.dumps({"server": self._server, "places": self._places}).encode()
        self._length = max(self._length, len(data) + 1)
        return data.ljust(self._length - 1) + b"\n"

    def write(self, mark: bytes) -> None:
        """The line is printed.

        Raises:
            StoreError
        """
        try:
            os.pwrite(self._file, mark, 0)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None


def _take(descriptor: int) -> None:
    """Have the file alone.

    Raises:
        BlockingIOError: somebody else has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: nobody is kept from it
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
