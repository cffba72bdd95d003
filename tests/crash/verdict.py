"""The verdict: what was told is compared with what is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.crash.transcript import Line, Told, Transcript

LOST, DOUBLED, MISNAMED, ORDER, STATE = "lost", "doubled", "misnamed", "order", "state"


class Fault(NamedTuple):
    """One thing that must not be."""

    kind: str
    text: str


class RoomState(NamedTuple):
    """What a room has besides its talk."""

    topic: str = ""
    bans: frozenset[str] = frozenset()
    moderated: bool = False


def judge(said: Transcript, log: Sequence[Told]) -> list[Fault]:
    """Everything that is wrong with a log, which is given in its order, and with what was shown on the way there."""
    kept: dict[Line, list[str]] = defaultdict(list)
    for line, msgid in log:
        kept[line].append(msgid)
    return [
        *_lost(said, kept),
        *_doubled(said, kept),
        *_misnamed(said, kept),
        *_disordered("the log", log),
        *(fault for name, heard in said.heard.items() for fault in _disordered(name, heard)),
        *(Fault(ORDER, text) for text in said.out_of_turn),
        *(Fault(STATE, text) for text in said.wrong),
    ]


def judge_state(now: RoomState, acknowledged: RoomState, asked: RoomState | None) -> str | None:
    """What is wrong with the state after a restart; `asked` is what a change without an answer would have made."""
    if now in (acknowledged, asked):
        return None
    return f"{now} is neither what was acknowledged, {acknowledged}, nor what was asked for then, {asked}"


def _lost(said: Transcript, kept: dict[Line, list[str]]) -> Iterator[Fault]:
    yield from (Fault(LOST, f"{line} was acknowledged") for line in said.acked if line not in kept)
    # What somebody was shown counts, too: the log comes before the eyes.
    shown = {line: name for name, heard in said.heard.items() for line, _ in heard}
    for line, name in shown.items():
        if line not in kept and line not in said.acked:
            yield Fault(LOST, f"{line} was shown to {name}")


def _doubled(said: Transcript, kept: dict[Line, list[str]]) -> Iterator[Fault]:
    yield from (Fault(DOUBLED, f"{line} is kept as {ids}") for line, ids in kept.items() if len(ids) > 1)
    for line, ids in said.acked.items():
        if len(set(ids)) > 1:
            yield Fault(DOUBLED, f"{line} was acknowledged as {ids}")
    for name, heard in said.heard.items():
        seen: set[Line] = set()
        for line, _ in heard:
            if line in seen:
                yield Fault(DOUBLED, f"{line} was shown to {name} again")
            seen.add(line)


def _misnamed(said: Transcript, kept: dict[Line, list[str]]) -> Iterator[Fault]:
    named = {Told(line, msgid) for line, ids in said.acked.items() for msgid in ids}
    named.update(*said.heard.values())
    for line, msgid in sorted(named):
        if line in kept and msgid not in kept[line]:
            yield Fault(MISNAMED, f"{line} was told as {msgid!r} and is kept as {kept[line]}")


def _disordered(where: str, lines: Iterable[Told]) -> Iterator[Fault]:
    """A sender's lines rise; one that is there again is another fault."""
    last: dict[str, int] = {}
    seen: set[Line] = set()
    for line, _ in lines:
        if line in seen:
            continue
        seen.add(line)
        if line.number < last.get(line.client, -1):
            yield Fault(ORDER, f"in {where} {line} comes after {last[line.client]}")
        last[line.client] = line.number
