"""Messages that wait for a server, in a folder: a file each, so that none is lost whatever ends the program."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from asynchat.chat.errors import StoreError

_numbers = itertools.count()


class Author(NamedTuple):
    """Who says something, and at which server."""

    server: str
    name: str


class Waiting(NamedTuple):
    """A message that waits: who says it where, to whom, what, and the key under which it is stored once."""

    path: Path
    author: Author
    to: str
    text: str
    key: str


class Spool:
    """A folder of messages, in order, as one `author` puts and takes them. What is in it is on the disk, not only in
    the kernel.

    Several may share a folder: what one of them wanted to say at a server is said there, under that name, or waits.

    Raises:
        StoreError: the folder cannot be made or used.
    """

    def __init__(self, folder: Path, author: Author) -> None:
        self._folder = folder
        self._author = author
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}") from None

    def put(self, to: str, text: str, key: str) -> Waiting:
        """Keep a message.

        Raises:
            StoreError
        """
        name = f"{time.time_ns():020}-{os.getpid()}-{next(_numbers):06}.json"
        path, part = self._folder / name, self._folder / f".{name}"
        data = json.dumps({**self._author._asdict(), "to": to, "text": text, "key": key}).encode()
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            self._sync()
        except OSError as error:
            with suppress(OSError):
                part.unlink()  # the disk may be full of it
            raise StoreError(f"{self._folder}: {error.strerror}") from None
        return Waiting(path, self._author, to, text, key)

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def __iter__(self) -> Iterator[Waiting]:
        """What waits of this author, in order."""
        return (each for each in self._all() if each.author == self._author)

    def others(self) -> Counter[Author]:
        """How much waits of other authors."""
        return Counter(each.author for each in self._all() if each.author != self._author)

    def _all(self) -> Iterator[Waiting]:
        """What waits, in order; what is no message is put aside."""
        for path in sorted(self._folder.glob("[0-9]*.json")):
            try:
                kept = json.loads(path.read_text(encoding="utf-8"))
                "".join(map(str, kept.values())).encode()
                author = Author(str(kept["server"]), str(kept["name"]))
                yield Waiting(path, author, str(kept["to"]), str(kept["text"]), str(kept["key"]))
            except FileNotFoundError:  # it was sent meanwhile
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                self.refuse(path)

    def done(self, path: Path) -> None:
        """It is stored."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path) -> None:
        """It will never be stored; it is put aside, so that the others are."""
        aside = self._folder / "refused"
        aside.mkdir(mode=0o700, exist_ok=True)
        path.replace(aside / path.name)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Be the only one who sends what waits; False if another process does."""
        try:
            import fcntl
        except ImportError:  # Windows: keys keep what two send from being stored twice
            yield True
            return
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)
