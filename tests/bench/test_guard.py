"""What a delivered line costs is counted, not timed: steps of the interpreter, and writes.

A change that makes a line's way longer by more than 15 % fails here, on any machine, however busy it is. The bounds are
what was counted when they were set (Python 3.12 and 3.13 differ by 1 %), plus that. If a line is worth more steps,
raise them and say why in the commit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType

import pytest

import asynchat
from asynchat.store import Log
from asynchat.store.memory import MemoryLog
from asynchat.store.sqlite import SqliteLog
from tests.bench.pipeline import Pipeline, pipeline

SOURCE = str(Path(asynchat.__file__).parent)
TEXT = "x" * 64
SLACK = 1.15


class Steps:
    """Counts the instructions that asynchat's own code has the interpreter do. (sys.monitoring)"""

    def __init__(self) -> None:
        self.count = 0

    def _instruction(self, code: CodeType, offset: int) -> object:
        if not code.co_filename.startswith(SOURCE):
            return sys.monitoring.DISABLE
        self.count += 1
        return None

    @contextmanager
    def counted(self) -> Iterator[None]:
        tool, events = sys.monitoring.PROFILER_ID, sys.monitoring.events
        sys.monitoring.use_tool_id(tool, "asynchat")
        try:
            sys.monitoring.register_callback(tool, events.INSTRUCTION, self._instruction)
            sys.monitoring.set_events(tool, events.INSTRUCTION)
            yield
        finally:
            sys.monitoring.set_events(tool, events.NO_EVENTS)
            sys.monitoring.register_callback(tool, events.INSTRUCTION, None)
            sys.monitoring.free_tool_id(tool)


async def cost(
    line: Pipeline, *, rooms: int, members: int, speakers: int, lines: int, caps: str = ""
) -> tuple[float, float]:
    """Steps and writes for each line that is delivered."""
    people = [
        [await line.walk_in(f"u{room}x{number}", f"#r{room}", caps) for number in range(members)]
        for room in range(rooms)
    ]

    async def talk() -> None:
        for number, room in enumerate(people):
            for conversation, _ in room[:speakers]:
                conversation.data_received(f"PRIVMSG #r{number} :{TEXT}\r\n".encode() * lines)
        await line.settled()

    await talk()
    ends = [transport for room in people for _, transport in room]
    writes, size = sum(end.writes for end in ends), sum(end.bytes for end in ends)
    steps = Steps()
    with steps.counted():
        await talk()
    delivered = rooms * speakers * lines * (members if caps else members - 1)
    assert sum(end.bytes for end in ends) - size >= delivered * len(TEXT)  # everybody has heard everything
    return steps.count / delivered, (sum(end.writes for end in ends) - writes) / delivered


def memory(folder: Path) -> Log:
    return MemoryLog()


def stored(folder: Path) -> Log:
    return SqliteLog(folder / "log.db", durability="process")  # a flush may go to a thread


BIG = {"rooms": 1, "members": 200, "speakers": 4, "lines": 16}
SMALL = {"rooms": 20, "members": 10, "speakers": 2, "lines": 8}
LONE = {"rooms": 1, "members": 2, "speakers": 1, "lines": 1}
QUIET = {"rooms": 20, "members": 10, "speakers": 1, "lines": 1}


@pytest.mark.skipif(sys.gettrace() is not None, reason="a debugger or coverage takes steps of its own")
@pytest.mark.parametrize(
    ("make", "load", "steps", "writes"),
    [
        (memory, BIG, 4.7, 0.016),
        (stored, BIG, 5.5, 0.016),
        (memory, SMALL, 103, 0.07),
        (stored, SMALL, 120, 0.07),
        (memory, QUIET, 141, 1.0),
        (stored, QUIET, 159, 1.0),
        (memory, LONE, 1390, 1.0),
        (stored, LONE, 1700, 1.0),
        (stored, {**SMALL, "caps": "server-time message-tags echo-message"}, 142, 0.063),
    ],
)
async def test_a_delivered_line_costs_no_more_steps_and_writes_than_it_did(
    tmp_path: Path, make: Callable[[Path], Log], load: dict[str, int], steps: float, writes: float
) -> None:
    async with pipeline(make(tmp_path)) as line:
        counted = await cost(line, **load)  # type: ignore[arg-type]
    assert counted[0] <= steps * SLACK
    assert counted[1] <= writes * SLACK
    assert counted[0] >= steps / SLACK, "it costs less than it did: let the bound follow"
