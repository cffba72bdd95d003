"""Up to where everything was printed, or done with, in a file: whoever begins again goes on from there."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from asynchat.chat.errors import StoreError
from asynchat.chat.names import casefold

EMPTY = 512
"""Bytes of the file at first; blanks fill it up, so that what is written is written over what was there, in one go."""
PAGE = 4096
"""Bytes that are written whole, also by who is killed meanwhile; where there are more, the file is replaced."""
PEOPLE = 1000
"""People whose positions are kept."""


class Cursor:
    """The positions of places at one server: for each the id, or the time, of its last line that is done with.

    Before a line is printed its `mark` is made, and written right after it. Between these two calls of the system
    `kill -9` would have the line printed again; nothing can make one of two. One process at a time has the file.

    Raises on entering:
        StoreError: it cannot be read or written, it is another server's, or another process has it.
    """

    def __init__(self, path: Path, server: str) -> None:
        self._path = path.resolve()
        self._server = server
        self._places: dict[str, str] = {}
        self._times: dict[str, str] = {}
        self._secret = ""
        self._length = EMPTY
        self._file = -1

    def __enter__(self) -> Self:
        try:
            self._file = _open(self._path)
            data = os.read(self._file, 1 << 24)
            if data.strip():
                self._length = max(EMPTY, len(data))
                self._read(json.loads(data))
        except BlockingIOError:
            raise StoreError(f"{self._path}: another process goes on from it") from None
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            os.close(self._file)
            raise StoreError(f"{self._path} is no cursor") from None
        except StoreError:
            os.close(self._file)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)

    def _read(self, kept: dict[str, object]) -> None:
        if kept["server"] != self._server:
            raise StoreError(
                f"{self._path} is the cursor of {kept['server']}, not of {self._server}: "
                "use that URL, or another file; or remove this one, to begin with what is said from then on"
            )
        places = kept["places"]
        if not isinstance(places, dict):
            raise TypeError
        self._places = {str(place): str(reference) for place, reference in places.items()}
        times = kept.get("times", {})
        self._times = {str(place): str(time) for place, time in times.items()} if isinstance(times, dict) else {}
        self._secret = str(kept.get("secret", ""))

    def get(self, place: str) -> str | None:
        """Up to where a place is done with, as CHATHISTORY refers to it."""
        return self._places.get(casefold(place))

    @property
    def places(self) -> dict[str, str]:
        """Casefolded names of places to references, as CHATHISTORY has them."""
        return dict(self._places)

    @property
    def times(self) -> dict[str, str]:
        """When that was said, by the server's clock, which tells one log from another; where it is known."""
        return {place: time for place, time in self._times.items() if time and place in self._places}

    def secret(self) -> str:
        """Something that only who has this file knows, and that stays the same.

        Raises:
            StoreError
        """
        if not self._secret:
            self._secret = secrets.token_hex(16)
            self.move({})
        return self._secret

    def move(self, places: Mapping[str, str]) -> None:
        """These places are done with up to there.

        Raises:
            StoreError
        """
        for place, reference in places.items():
            self._times.pop(place, None)
            self._places.pop(place, None)  # so that whose position is oldest stands first
            self._places[place] = reference
        self.write(self._mark())

    def mark(self, place: str, reference: str, time: str = "") -> bytes:
        """What the file is to say once a line of a room, said at that `time`, is printed."""
        self._places[casefold(place)] = reference
        self._times[casefold(place)] = time
        return self._mark()

    def _mark(self) -> bytes:
        if len(self._places) > PEOPLE:
            people = [place for place in self._places if place[:1] not in "#&*"]
            for place in people[:-PEOPLE]:
                del self._places[place]
        kept: dict[str, object] = {"server": self._server, "places": self._places}
        if self._times:
            kept["times"] = self.times
        if self._secret:
            kept["secret"] = self._secret
        data = json.dumps(kept).encode()
        self._length = max(self._length, len(data) + 1)
        return data.ljust(self._length - 1) + b"\n"

    def write(self, mark: bytes) -> None:
        """The line is printed.

        Raises:
            StoreError
        """
        try:
            if len(mark) <= PAGE:
                os.pwrite(self._file, mark, 0)
            else:
                self._replace(mark)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}") from None

    def _replace(self, mark: bytes) -> None:
        """Write a file anew and have it take the place of the one that is there, which is still ours until then."""
        path = self._path.with_name(f"{self._path.name}.new")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _take(file)
            os.pwrite(file, mark, 0)
            path.replace(self._path)
        except BaseException:
            os.close(file)
            raise
        os.close(self._file)
        self._file = file


def _open(path: Path) -> int:
    """The file, which nobody else has.

    Raises:
        BlockingIOError: somebody else has it.
        OSError
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(file)
            if path.stat().st_ino == os.fstat(file).st_ino:
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # another process has replaced it meanwhile


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
