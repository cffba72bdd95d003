"""A store full of lines, as if people had talked in one room for years."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from pathlib import Path

from asynchat.chat import snapshot
from asynchat.chat.events import Said, Source
from asynchat.store import Snapshot
from asynchat.store.sqlite import SqliteLog
from tests.bench.stand import Stand, now_ms

BATCH = 4000
PEOPLE = 50
WORDS = 5000
WORDS_A_LINE = 8
POOL = 20_000
"""Different lines, but for their last word, which no other has."""
SNAPSHOT_EVERY = 100_000
"""Lines of talk after which the journal would save the state."""
SPAN_MS = 3 * 365 * 86_400_000
ROW = 200
"""Bytes that a line takes besides its text, about."""
LONGEST = 8000
"""The longest text that is made."""


@dataclass(frozen=True)
class Filled:
    """What there is: the room's place, the first and last id, when they were said, and how long it took to store."""

    place: str
    first_id: int
    last_id: int
    first_ms: int
    last_ms: int
    took_s: float

    @property
    def lines(self) -> int:
        return self.last_id - self.first_id + 1

    def at(self, share: float) -> tuple[int, int]:
        """The id and the time of the line that this share of all is before."""
        number = int(self.lines * share)
        return self.first_id + number, self.first_ms + (self.last_ms - self.first_ms) * number // self.lines


def text_bytes(lines: int, total_bytes: float) -> int:
    """How long texts must be, for so many lines to fill so many bytes; 0: as long as they come."""
    return max(0, min(int(total_bytes / lines) - ROW, LONGEST))


def word(rank: int) -> str:
    """The word of a rank; the first are the commonest."""
    return f"w{rank:04d}"


def rare_word(number: int) -> str:
    """The word that only one line has; none is the beginning of another."""
    return f"n{number:09d}"


def texts(length: int, seed: int = 1) -> Iterator[str]:
    """Lines without end: words as often as words are, by Zipf's law, and one that no other line has.

    `length` is how long they are at least, about.
    """
    chance = random.Random(seed)
    vocabulary = [word(rank) for rank in range(WORDS)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(WORDS)))
    count = max(WORDS_A_LINE, length // 6)
    pool = POOL if length < 1000 else POOL // 20
    lines = [" ".join(chance.choices(vocabulary, cum_weights=weights, k=count)) for _ in range(pool)]
    number = 0
    while True:
        for line in lines:
            yield f"{line} {rare_word(number)}"
            number += 1


async def fill(path: Path, lines: int, *, total_bytes: float = 0.0) -> Filled:
    """Make a store with one room and so many lines, or as many more as it takes to have `total_bytes`.

    They are appended as the journal would, in larger batches, under a clock that comes from the past.
    """
    began_ms = now_ms() - SPAN_MS
    log = SqliteLog(path, durability="process")
    begun = time.monotonic()
    async with Stand(log, clock=lambda: began_ms) as stand:
        said = await stand.say()
        first = log.last_id
        several = [replace(said.by, user=f"g{number}", nick=f"person{number}") for number in range(PEOPLE)]
        source = texts(text_bytes(lines, total_bytes))
        done, saved = 1, 0
        step_ms = SPAN_MS / lines
        while done < lines or path.stat().st_size < total_bytes:
            count = min(BATCH, lines - done) if done < lines else BATCH
            await log.append(_batch(said, several, list(islice(source, count)), first + done, step_ms))
            done += count
            if done - saved >= SNAPSHOT_EVERY and done + SNAPSHOT_EVERY // 2 < lines:
                saved = done
                await log.save_snapshot(Snapshot(log.last_id, snapshot.dump(stand.hub.state)))
        place = said.places[0]
    last = first + done - 1
    last_ms = min(said.at_ms + int((done - 1) * step_ms), now_ms())
    return Filled(place, first, last, said.at_ms, last_ms, time.monotonic() - begun)


def _batch(said: Said, people: list[Source], lines: list[str], number: int, step_ms: float) -> list[Said]:
    """The next lines, each as `said` was."""
    begin_ms, first, now = said.at_ms, int(said.id), now_ms()
    return [
        Said(
            by=people[position % len(people)],
            at_ms=min(begin_ms + int((position - first) * step_ms), now),
            id=str(position),
            places=said.places,
            to=said.to,
            text=line,
        )
        for position, line in enumerate(lines, number)
    ]
