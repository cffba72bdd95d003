"""A campaign: a server, its clients, and one kill after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from tests.crash.keeper import Keeper
from tests.crash.reader import read_all
from tests.crash.server import Server
from tests.crash.speaker import PATIENCE_S
from tests.crash.talker import Talker
from tests.crash.transcript import Transcript
from tests.crash.verdict import DOUBLED, LOST, MISNAMED, ORDER, STATE, Fault, judge

ROOM = "#crash"
TALKERS = 8
SOONEST_S, LATEST_S = 0.05, 0.35
"""When the server is killed, after all are in."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done. `control` names a way in which the server is broken, or is "none"."""

    kills: int
    durability: str
    seed: int
    control: str = "none"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What has come of it."""

    plan: Plan
    said: Transcript
    changes: int
    faults: list[Fault]
    restarts_ms: list[float]

    def count(self, kind: str) -> int:
        return sum(fault.kind == kind for fault in self.faults)

    @property
    def table(self) -> str:
        """The figures, a line each."""
        rows = {
            "kills": self.plan.kills,
            "acked": len(self.said.acked),
            "lost": self.count(LOST),
            "doubled": self.count(DOUBLED),
            "told under another msgid": self.count(MISNAMED),
            "re-sent": self.said.again,
            'answered "already stored"': self.said.repeats,
            "order breaks": self.count(ORDER),
            "changes of state acked": self.changes,
            "state faults": self.count(STATE),
            "restart to ready, p50": f"{median(self.restarts_ms):.0f} ms",
            "restart to ready, max": f"{max(self.restarts_ms):.0f} ms",
        }
        return "\n".join(f"{name:<28}{value!s:>10}" for name, value in rows.items())


async def carry_out(plan: Plan, folder: Path) -> Report:
    """Kill a server again and again while people talk, and judge what it has kept. `folder` must be empty."""
    said, random = Transcript(), Random(plan.seed)
    keeper = Keeper(Random(random.random()), said)
    talkers = [Talker(f"talker{number}", ROOM, Random(random.random()), said) for number in range(TALKERS)]
    server = Server(folder, durability=plan.durability, control=plan.control)
    try:
        await server.start()
        await keeper.register(server.port)
        for _ in range(plan.kills):
            await _enter(server, keeper, talkers)
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
                begun = [group.create_task(each) for each in _acting(keeper, talkers)]
                await asyncio.sleep(random.uniform(SOONEST_S, LATEST_S))
                if any(task.done() for task in begun):
                    raise RuntimeError("somebody was put out by a server that was not killed")
                await server.kill()
            await server.start()
        await _enter(server, keeper, talkers)
        keeper.draining = True
        for talker in talkers:
            talker.draining = True
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*_acting(keeper, talkers))
        log = await read_all(server.port, ROOM)
    finally:
        await server.close()
    said.wrong += [f"the server complains: {line}" for line in server.complaints()]
    return Report(
        plan=plan,
        said=said,
        changes=keeper.changes,
        faults=judge(said, log),
        restarts_ms=server.starts_ms[1:],
    )


async def _enter(server: Server, keeper: Keeper, talkers: list[Talker]) -> None:
    await asyncio.gather(keeper.enter(server.port), *(talker.enter(server.port) for talker in talkers))


def _acting(keeper: Keeper, talkers: list[Talker]) -> list[Coroutine[Any, Any, None]]:
    return [keeper.change(), *(talker.talk() for talker in talkers)]
