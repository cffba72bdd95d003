"""The SQLite engine: one file that keeps everything.

A batch is one transaction, committed on the loop: at `synchronous=NORMAL` that is 13 µs for a lone line, where handing
it to a thread would cost 55. The write-ahead log is then in the kernel's hands, so a killed process loses nothing
(`durability = "process"`). At `"sync"` it is flushed besides, before anybody is told, so a power cut loses nothing
either (see `flushing`).

An event's position is its id. Checkpoints are awaited between two batches: run beside the writer they let the
write-ahead log grow and make every flush dearer. What is written is in `writing`, what is read in `reading`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event, Redacted
from asynchat.store import Snapshot, Stored, erasing
from asynchat.store.file import LogFile
from asynchat.store.flushing import Flushing
from asynchat.store.reading import SqliteReader, in_thread, store_error
from asynchat.store.schema import empty_wal
from asynchat.store.writing import Writing

WIPES = 50
"""How often it is tried to empty the write-ahead log while others read."""
REST_S = 5.0
"""How long nothing has to come until the write-ahead log is emptied."""


class SqliteLog(SqliteReader):
    """Keeps events in the file `path`. `durability` is "sync" or "process".

    With `accept_loss` it opens where it would refuse, see `LogFile`.
    """

    def __init__(self, path: Path, *, durability: str = "sync", accept_loss: bool = False) -> None:
        super().__init__(path)
        self._sync = durability == "sync"
        self._file = LogFile(path, durability=durability, accept_loss=accept_loss)
        self._flusher = ThreadPoolExecutor(1, "asynchat-flush")
        self._flushing = Flushing(partial(in_thread, self._flusher))
        self._writing = Writing()
        self._appended_at = 0.0
        self._rest: asyncio.TimerHandle | None = None
        self._busy: asyncio.Future[Any] | None = None  # what the writer does in its thread meanwhile

    @property
    def last_id(self) -> int:
        return self._writing.last_id

    @property
    def last_ms(self) -> int:
        return self._writing.last_ms

    # Opening and closing.

    async def open(self) -> None:
        file = self._file
        try:
            await in_thread(self._flusher, lambda: file.open(check_later=self._searching.submit))
            self._reader, self.durable_id = file.reader, file.durable_id
            await in_thread(self._flusher, self._writing.begin, file.writer, file.last_id, file.last_ms)
        except BaseException:
            self._flusher.submit(file.close, None)  # who is cancelled leaves a thread that opens it still
            for executor in (self._flusher, self._searching, self._reading):
                executor.shutdown(wait=False)
            raise

    async def close(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        if self._busy is not None:
            await asyncio.wait([self._busy])
        self._file.stop_checking()
        await self.close_reading()
        with suppress(sqlite3.Error):  # the next start finds it out
            await in_thread(self._flusher, self._writing.place)
        await in_thread(self._flusher, self._file.close, self.durable_id)
        self._flusher.shutdown()

    # Writing.

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        taken_back = [int(event.said) for event in batch if type(event) is Redacted]
        async with self.unindexed(taken_back) if taken_back else nullcontext():
            await self._undisturbed()
            answers = self._writing.write(batch)
        if self._sync:
            try:
                await self._flushing.flush(self._file.wal)
            except OSError as error:
                await self._undisturbed()
                return self._writing.take_back(answers, error)
        self._stored(answers)
        if self._writing.much_is_left:
            await in_thread(self._flusher, self._checkpoint)
        return answers

    def append_at_once(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError] | None:
        if self._busy is not None or self._writing.much_is_left or (self._sync and self._flushing.wary):
            return None
        for event in batch:
            if type(event) is Redacted:
                return None
        answers = self._writing.write(batch)
        if self._sync:
            try:
                self._flushing.flush_at_once(self._file.wal)
            except OSError as error:
                return self._writing.take_back(answers, error)
        self._stored(answers)
        return answers

    def _stored(self, answers: Sequence[Stored | StoreError]) -> None:
        """Note that what was written will be there after a restart."""
        for answer in reversed(answers):
            if isinstance(answer, Stored) and answer.new:  # not `last_id`: what was taken back had higher ids
                self.durable_id = answer.position
                self._file.mark.note(self.durable_id)
                break
        self.keep_indexing(quiet=False)
        self._rest_later()

    def _checkpoint(self) -> None:
        self._file.mark.flush()
        self._writing.checkpoint()

    def _rest_later(self) -> None:
        """Empty the write-ahead log once nothing has come for a while."""
        loop = asyncio.get_running_loop()
        self._appended_at = loop.time()
        if self._rest is None:
            self._rest = loop.call_later(REST_S, self._rest_now, loop)

    def _rest_now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._rest = None
        quiet_s = loop.time() - self._appended_at
        if quiet_s < REST_S:
            self._rest = loop.call_later(REST_S - quiet_s, self._rest_now, loop)
        elif self._busy is None and not self._closing:
            self._begin(self._empty)
            self.keep_indexing(quiet=True)

    def _empty(self) -> None:
        self._file.mark.flush()
        self._writing.empty()

    def _begin[T](self, action: Callable[[], T]) -> asyncio.Future[T]:
        """Have the writer do something in its thread; what is to be appended waits."""
        busy = asyncio.get_running_loop().run_in_executor(self._flusher, action)
        self._busy = busy
        busy.add_done_callback(self._done)
        return busy

    def _done(self, busy: asyncio.Future[Any]) -> None:
        self._busy = None
        if not busy.cancelled():
            busy.exception()  # whoever waits for it is told

    async def _undisturbed(self) -> None:
        """Wait until the writer does nothing in its thread."""
        while self._busy is not None:
            await asyncio.wait([self._busy])

    async def exclusive[T](self, action: Callable[[sqlite3.Connection], T]) -> T:
        """What the writer gives for something, while nothing is appended and everything is placed.

        Raises:
            StoreError
        """

        def placed() -> T:
            self._writing.place()
            return action(self._file.writer)

        await self._undisturbed()
        try:
            return await asyncio.shield(self._begin(placed))
        except sqlite3.Error as error:
            raise store_error(error) from None

    # Erasing.

    async def trim(self, *, before_ms: int | None, most: int | None) -> int:
        before = int(await self.last_until(before_ms - 1)) if before_ms is not None else None
        await self.exclusive(lambda writer: None)  # which counts what is placed
        return await erasing.trim(self, before=before, most=most)

    async def forget(self, account: str) -> Sequence[Event]:
        return await erasing.forget(self, account)

    async def wipe(self) -> None:
        await self.clean_index()
        for _ in range(WIPES):
            if await self.exclusive(empty_wal):
                return
            await asyncio.sleep(0.1)
        raise StoreError("something reads the file, so that its write-ahead log could not be emptied; try again later")

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        query = "INSERT OR REPLACE INTO snapshot (only, last_id, state) VALUES (1, ?, ?)"
        await self.exclusive(lambda writer: writer.execute(query, (snapshot.last_id, json.dumps(snapshot.state))))
