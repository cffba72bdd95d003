"""The journal: the way of every event into the log and from there to the people.

While one commit is in the air the next batch gathers, so that the size of the batches finds
itself: no timer, no window.
The order in which verbs put events is the order in which they are stored, applied and shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any

from asynchat.chat.errors import Refused, StorageError, StorageFull, StoreError
from asynchat.chat.events import Event
from asynchat.chat.sessions import Session
from asynchat.chat.users import User
from asynchat.store import Log, Snapshot, Stored

log = logging.getLogger("asynchat.journal")

SNAPSHOT_CHANGES = 10_000
"""Changes after which the state is saved."""
COMPLAIN_S = 1.0
"""How often at most it is logged that something could not be stored."""
SNAPSHOT_TALK = 100_000
"""Lines of talk that a start may have to look through for the changes between them."""


class Batch:
    """Events that are stored together, and those who wait for that."""

    __slots__ = ("_watching", "done", "entries")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.done = False
        self._watching: list[asyncio.Future[None]] = []

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for it, with a future of one's own: who is cancelled while waiting must not cancel the others."""
        while not self.done:
            yield from self.moves_on()

    def moves_on(self) -> asyncio.Future[None]:
        """To be awaited: that it is done, or that the rest of it is being shown."""
        watching = asyncio.get_running_loop().create_future()
        self._watching.append(watching)
        return watching

    def move_on(self) -> None:
        """The rest of it is being shown."""
        watching, self._watching = self._watching, []
        for each in watching:
            if not each.done():
                each.set_result(None)

    def finish(self) -> None:
        """It is stored and shown, or refused."""
        self.done = True
        self.move_on()


class Entry:
    """An event on its way, and through which session it came; see `chat.sessions.Pending`."""

    __slots__ = ("batch", "event", "first", "refused", "via")

    def __init__(self, event: Event, via: Session | None, batch: Batch) -> None:
        self.event = event
        self.via = via
        self.batch = batch
        self.first: Event | None = None  # stored before under the same key
        self.refused: Refused | None = None

    @property
    def done(self) -> bool:
        return self.batch.done

    def __await__(self) -> Generator[Any, None, Event]:
        if not self.batch.done:
            yield from self.batch.__await__()
        if self.refused is not None:
            raise self.refused
        return self.first or self.event


class Journal:
    """Takes events, appends them in batches and hands what was stored to `deliver`, in order.

    What `deliver` returns, if anything, delivers the rest, and the next batch comes after that, unless it `may_pass`;
    only whom it `concerns` has to wait for it.
    `most` entries may gather while a commit is in the air; past that, `breathe` makes those who put them wait. Between
    two batches, once enough has changed, the state that `dump` gives is saved, so that a restart has little to replay.
    """

    def __init__(
        self,
        store: Log,
        deliver: Callable[[Sequence[Entry]], Coroutine[Any, Any, None] | None],
        *,
        dump: Callable[[], dict[str, Any]],
        may_pass: Callable[[Sequence[Entry]], bool] = lambda entries: False,
        concerns: Callable[[User], bool] = lambda user: True,
        most: int = 4096,
    ) -> None:
        self.told: Callable[[Sequence[Entry]], None] | None = None  # called with what was delivered; it never raises
        self._may_pass = may_pass
        self._concerns = concerns
        self._work: Coroutine[Any, Any, None] | None = None  # what has not begun yet of the batch that is flying
        self._rest: Coroutine[Any, Any, None] | None = None  # what `deliver` left of it, until that is being delivered
        self._telling: Batch | None = None  # that is being delivered
        self._passing = False  # it will be seen whether what gathers may pass
        self._dump = dump
        self._lost = 0  # events that could not be stored
        self._complained_at = float("-inf")
        self._changes = 0  # since the last snapshot
        self._talk = 0
        self._last_id = store.last_id
        self._store = store
        self._deliver = deliver
        self._most = most
        self._gathering = Batch()
        self._flying: Batch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # while it runs
        self._idle = False  # it runs, and has nothing to do
        self._dead = False  # it was cancelled
        self._group: asyncio.TaskGroup  # of what has to wait
        self._ended: asyncio.Future[None]
        self._closing = False

    def put(self, event: Event, via: Session | None) -> Entry:
        """Take an event that a verb has decided; its order is final."""
        batch = self._gathering
        entry = Entry(event, via, batch)
        batch.entries.append(entry)
        if self._idle:
            self._turn_soon()
        elif self._telling is not None:
            self._pass_soon()
        elif self._dead:
            self._give_up()
        return entry

    @property
    def crowded(self) -> bool:
        """Whether more is waiting than should be."""
        return len(self._gathering.entries) >= self._most

    async def caught_up(self, user: User | None = None) -> None:
        """Wait until everything that was put so far is shown, or, if a crowd is being shown it, does not concern this
        user any more.
        """
        for batch in (self._flying, self._gathering if self._gathering.entries else None):
            while batch is not None and not batch.done:
                if user is not None and self._telling is batch and not self._concerns(user):
                    break
                await batch.moves_on()

    async def breathe(self) -> None:
        """Let others have their turn; longer when more is waiting to be stored than should be."""
        await asyncio.sleep(0)
        while self.crowded and not self._closing:
            await (self._flying or self._gathering)

    async def run(self) -> None:
        """Store and deliver until `close`; what was put before is stored still."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._idle = True
        if self._closing or self._gathering.entries:
            self._turn_soon()
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._ended
        finally:
            self._idle, self._dead = False, True
            for unbegun in (self._work, self._rest):
                if unbegun is not None:  # it was cancelled before that began
                    unbegun.close()
            if self._flying is not None:
                _refuse(self._flying.entries)
                self._flying.finish()
            self._give_up()

    def _give_up(self) -> None:
        """Have nobody wait for what will not be stored any more."""
        batch, self._gathering = self._gathering, Batch()
        _refuse(batch.entries)
        batch.finish()

    def _turn_soon(self) -> None:
        """Begin in the loop's next turn: whoever is read in this one may put something yet."""
        assert self._loop is not None
        self._idle = False
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Store and deliver what is waiting, batch by batch; a task goes on with it if something must be waited for."""
        while self._gathering.entries and not self._dead:
            batch, self._gathering = self._gathering, Batch()
            kept = [entry for entry in batch.entries if entry.event.kept]
            answers = None if self._snapshot_is_due else self._take_at_once(kept)
            if answers is None:
                work = self._take(batch, kept)
            elif self._show(batch, kept, answers):
                continue
            else:
                work = self._tell(batch)
            self._flying, self._work = batch, work
            self._group.create_task(self._go_on(batch, work))
            return
        self._idle = True
        if self._closing and not self._ended.done():
            self._idle = False
            self._ended.set_result(None)

    @property
    def _snapshot_is_due(self) -> bool:
        return self._changes >= SNAPSHOT_CHANGES or self._talk >= SNAPSHOT_TALK

    def _take_at_once(self, kept: Sequence[Entry]) -> Sequence[Stored | StoreError] | None:
        """Store a batch without waiting, if the log can."""
        try:
            return self._store.append_at_once([entry.event for entry in kept]) if kept else ()
        except StoreError as error:
            return [error] * len(kept)
        except Exception as error:  # a bug: what was claimed for these must be given back all the same
            log.exception("a batch of %d failed", len(kept))
            return [StoreError(str(error))] * len(kept)

    async def _take(self, batch: Batch, kept: Sequence[Entry]) -> None:
        """Store and deliver a batch."""
        try:
            answers = await self._store.append([entry.event for entry in kept]) if kept else ()
        except StoreError as error:
            answers = [error] * len(kept)
        except Exception as error:  # as above
            log.exception("a batch of %d failed", len(kept))
            answers = [StoreError(str(error))] * len(kept)
        if not self._show(batch, kept, answers):
            await self._tell(batch)

    async def _tell(self, batch: Batch) -> None:
        """Deliver the rest of a batch; what gathers meanwhile may pass."""
        rest, self._rest = self._rest, None
        assert rest is not None
        self._telling = batch
        batch.move_on()
        self._pass_soon()
        try:
            await rest
        finally:
            self._telling = None

    def _pass_soon(self) -> None:
        if not self._passing:
            assert self._loop is not None
            self._passing = True
            self._loop.call_soon(self._pass)

    def _pass(self) -> None:
        """Store and deliver what is waiting, if it may pass what is being told, and without a wait."""
        self._passing = False
        batch = self._gathering
        if self._telling is None or self._snapshot_is_due or not batch.entries or not self._may_pass(batch.entries):
            return
        kept = [entry for entry in batch.entries if entry.event.kept]
        answers = self._take_at_once(kept)
        if answers is not None:
            self._gathering = Batch()
            self._show(batch, kept, answers)

    def _show(self, batch: Batch, kept: Sequence[Entry], answers: Sequence[Stored | StoreError]) -> bool:
        """Note what became of each entry, and deliver them; whether that is all, else there is a rest."""
        try:
            self._note(kept, answers)
            rest = self._deliver(batch.entries)
        except Exception:  # a bug: it must cost neither the next batch nor those who wait for this one
            log.exception("a batch of %d failed", len(batch.entries))
            _refuse(batch.entries)
            rest = None
        if self.told is not None:
            self.told(batch.entries)
        if rest is None:
            batch.finish()
            return True
        self._rest = rest
        return False

    async def _go_on(self, batch: Batch, work: Coroutine[Any, Any, None]) -> None:
        """Do what is left of a batch, save a snapshot if it is time to, and go on with the next."""
        self._work = None
        try:
            await work
        except Exception:  # a bug, as above
            log.exception("a batch of %d failed", len(batch.entries))
        except asyncio.CancelledError:
            _refuse(batch.entries)
            raise
        finally:
            self._flying = None
            batch.finish()
        if self._snapshot_is_due:
            await self.save_snapshot()
        if not self._ended.done():
            self._turn()

    async def save_snapshot(self) -> None:
        """Save what the log adds up to. If that fails, the next start has more to replay, and no more than that."""
        self._changes = self._talk = 0
        try:
            await self._store.save_snapshot(Snapshot(self._last_id, self._dump()))
        except StoreError as error:
            log.error("no snapshot was saved: %s", error)
        except Exception:  # a bug: it must not cost those who talk anything
            log.exception("no snapshot was saved")

    def close(self) -> None:
        """Have `run` end once everything is stored."""
        self._closing = True
        if self._idle:
            self._turn_soon()

    def _note(self, kept: Sequence[Entry], answers: Sequence[Stored | StoreError]) -> None:
        for entry, answer in zip(kept, answers, strict=True):
            if isinstance(answer, StoreError):
                self._complain(answer)
                entry.refused = StorageFull() if answer.full else StorageError()
            elif not answer.new:
                entry.first = answer.event
            elif entry.event.talk:
                self._talk += 1
            else:
                self._changes += 1
        self._last_id = self._store.last_id

    def _complain(self, error: StoreError) -> None:
        """Log that something was not stored; a full disk is told of once a second, not once a line."""
        self._lost += 1
        now = asyncio.get_running_loop().time()
        if now - self._complained_at >= COMPLAIN_S:
            self._complained_at = now
            log.error("not stored: %s (%d so far)", error, self._lost)


def _refuse(entries: Sequence[Entry]) -> None:
    """Have nobody take for done what may not be."""
    for entry in entries:
        entry.refused = entry.refused or StorageError()
