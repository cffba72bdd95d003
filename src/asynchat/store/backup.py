"""A copy of the log's file, made beside the server that writes it.

It is the state at one moment: one read transaction, however much is written meanwhile. (A copy in several steps begins
anew whenever somebody else has written, which under load is always.) The server waits for nothing; only its write-ahead
log is not emptied until the copy is made.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from asynchat.chat.errors import StoreError
from asynchat.store.mark import Known, Mark
from asynchat.store.schema import Damaged, check, read_only
from asynchat.store.whole import whole

# Nothing need be safe before all of it is: then it is flushed, and gets its name.
_PRAGMAS = ("journal_mode = OFF", "synchronous = OFF")
_FIGURES = """
SELECT (SELECT count(*) FROM events WHERE talk = 1 AND body <> ''), (SELECT coalesce(max(id), 0) FROM events),
    (SELECT coalesce(max(last_id), 0) FROM snapshot)
"""


class Copied(NamedTuple):
    """How many messages a copy has, and the id of its last event."""

    messages: int
    last_id: int


def back_up(path: Path, target: Path) -> Copied:
    """Copy the log at `path`, with its accounts, to a new file. It is complete by itself.

    Raises:
        StoreError: there is no such log, it misses something or is damaged, or the copy cannot be written.
    """
    known = Mark(path.with_name(path.name + ".mark"), durability="").read()  # first: the copy has that much at least
    with read_only(path) as source, whole(target) as part:
        try:
            with closing(sqlite3.connect(part, isolation_level=None)) as copy:
                for pragma in _PRAGMAS:
                    copy.execute(f"PRAGMA {pragma}")
                source.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode = DELETE")  # else it would need a write-ahead log to be opened
                check(copy)
                messages, last_id, saved_id = copy.execute(_FIGURES).fetchone()
        except Damaged as error:
            raise StoreError(f"{path} is damaged: {error}") from None
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be copied to {part}: {error}") from None
        _check_all_there(path, known, max(last_id, saved_id))
    return Copied(messages, last_id)


def _check_all_there(path: Path, known: Known | None, last_id: int) -> None:
    """A backup that misses what the server would miss is none, and must not take the place of an older one."""
    if known is not None and known.last_id > last_id and not known.may_have_lost:
        missing = known.last_id - last_id
        raise StoreError(f"{path}: {missing} messages missing after #{last_id}: the write-ahead log is torn or gone")
