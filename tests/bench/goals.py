"""What we want the figures to be: a bound for now, and a further one for later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.sidebyside.figures import Requirement, Session
from tests.bench.sidebyside.scenarios import SCENARIOS

TALKING = ("big-burst", "big-quiet", "small-burst", "small-quiet", "ping")


@dataclass(frozen=True)
class Goal:
    """A figure of the measurement side by side: `of` is a requirement without its bound. Either bound may be None."""

    of: str
    now: float | None
    then: float | None = None

    @property
    def requirement(self) -> Requirement:
        """As a requirement, of the first bound that there is."""
        return Requirement.parse(f"{self.of}<={self.now or self.then}")

    @property
    def unit(self) -> str:
        """What a bound is multiplied with, or counted in."""
        wanted = self.requirement
        if wanted.base:
            return f"× {wanted.base}"
        return {"rss_per_conn_b": "B per connection", "idle_cpu_ms_per_s": "ms of CPU per s"}.get(wanted.key, "")


GOALS = (
    Goal("asynchat-sync/inspircd:big-burst", 0.7, 0.5),
    Goal("asynchat-sync/ergo:big-burst", None, 0.1),
    Goal("asynchat-sync/inspircd:big-quiet", 1.1, 1.0),
    Goal("asynchat-sync/ergo:big-quiet", None, 0.8),
    Goal("asynchat-sync/ergo:small-burst", 0.4),
    Goal("asynchat-sync/inspircd:small-burst", 2.5, 1.0),
    Goal("asynchat-sync/ergo:small-quiet", 1.2, 1.0),
    Goal("asynchat-sync/inspircd:small-quiet", 1.6),
    Goal("asynchat-memory/limit:ping", 1.5, 1.25),
    Goal("asynchat-process/limit:ping", 2.4, 1.8),
    Goal("asynchat-sync/limit:ping", 5.0),
    Goal("asynchat-sync/limit+append:ping", None, 1.5),
    Goal("asynchat-sync:idle.rss_per_conn_b", 8192, 6144),
    Goal("asynchat-sync:idle.idle_cpu_ms_per_s", 10),
    Goal("asynchat-sync/inspircd:connect", 2.0, 1.0),
    *(Goal(f"asynchat-memory/asynchat-sync:{name}", 1.0) for name in TALKING),
)
"""Side by side."""


@dataclass(frozen=True)
class Judged:
    """A goal and what came of it; `met` is None for what was not measured or has no bound yet."""

    what: str
    bound: str
    value: str
    met: bool | None
    then: str
    then_met: bool | None

    @property
    def row(self) -> list[str]:
        """As a row of a table."""
        then = f"{self.then}: {_word(self.then_met)}" if self.then else ""
        return [self.what, self.bound or "-", self.value, _word(self.met) if self.bound else "-", then]


def _word(met: bool | None) -> str:
    return {True: "met", False: "**missed**", None: "not measured"}[met]


def judge(goal: Goal, session: Session) -> Judged:
    """What came of a goal."""
    wanted = goal.requirement
    value = wanted.value(session)
    column = SCENARIOS[wanted.scenario].columns[0].key
    what = f"{wanted.scenario}, {wanted.server}" + (f", {wanted.key}" if wanted.key != column else "")
    shown = "not measured"
    if value is not None:
        shown = f"{value:.2f} {goal.unit}" if value < 100 else f"{value:,.0f} {goal.unit}"
        if wanted.base and (ratio := session.ratio(wanted.server, wanted.base, wanted.scenario, wanted.key)):
            shown = f"{value:.2f} [{ratio[1]:.2f}-{ratio[2]:.2f}] {goal.unit}"
    bounds = [f"≤ {bound:,g} {goal.unit}" if bound else "" for bound in (goal.now, goal.then)]
    met = [None if value is None or not bound else value <= bound for bound in (goal.now, goal.then)]
    return Judged(what, bounds[0], shown, met[0], bounds[1], met[1])


def beside(session: Session, scenario: str, server: str) -> str:
    """What a table of the scenario says of the server's goals."""
    cells = []
    for goal in GOALS:
        if (goal.requirement.scenario, goal.requirement.server) == (scenario, server):
            judged = judge(goal, session)
            words = [f"{judged.bound}: {_word(judged.met)}"] if judged.bound else []
            words += [f"then {judged.then}: {_word(judged.then_met)}"] if judged.then else []
            cells.append(", ".join(words))
    return "; ".join(cells)


# What the other programs say.

Figures = Mapping[str, Any]


def slowest_page(history: Figures) -> float:
    """The p99 of the slowest kind of page, in milliseconds."""
    return max(float(kind["p99"]) for ways in history["pages"].values() for kind in ways.values())


def slowest_search(history: Figures) -> float:
    """The p99 of the slowest kind of search, in milliseconds."""
    return max(float(kind["p99"]) for kind in history["search"]["kinds"].values())


def start_of(kind: str) -> Callable[[Figures], float]:
    """The median of a kind of start, in seconds."""
    return lambda history: median(history["starts"][kind])


def longest_stall(crowd: Figures) -> float:
    """The longest that an answer was late while something happened in the crowd, in milliseconds."""
    return max(float(phase["ping"]["max"]) for name, phase in crowd["phases"].items() if not name.startswith("nothing"))


def latest_tick(host: Figures) -> float:
    """The slowest p99 of a host's own tasks, as medians, with up to a thousand members and 50 lines per second."""
    return max(
        float(row["p99_ms"][0])
        for row in host["rows"]
        if row["lines_per_s"] <= 200 and row["members"] * row["lines_per_s"] <= 50_000
    )


@dataclass(frozen=True)
class Bound:
    """A figure of another program: in which of its files, under which key it is, and how to get it."""

    file: str
    key: str
    what: str
    value: Callable[[Figures], float]
    bound: float
    unit: str


def described(figures: Figures) -> str:
    """How much there was."""
    if "members" in figures:
        return f"{figures['members']:,} members"
    return f"{figures['lines']:,} lines, {figures['bytes'] / 1e9:.2g} GB" if "lines" in figures else ""


BOUNDS = (
    Bound("history", "pages", "a page of history, the slowest kind, p99", slowest_page, 5, "ms"),
    Bound("history", "search", "a search, the slowest kind, p99", slowest_search, 50, "ms"),
    Bound("start", "starts", "a start after a clean end", start_of("clean"), 1, "s"),
    Bound("start", "starts", "a start after a clean end, not in memory", start_of("clean, file not in memory"), 1, "s"),
    Bound("start", "starts", "a start after kill -9", start_of("killed"), 1, "s"),
    Bound("start", "starts", "a start after kill -9, not in memory", start_of("killed, file not in memory"), 1, "s"),
    Bound("crowd", "phases", "the longest stall", longest_stall, 50, "ms"),
    Bound("host", "rows", "a program's own tasks beside a busy room, how late, p99", latest_tick, 10, "ms"),
)


def judge_bound(bound: Bound, files: Mapping[str, Figures]) -> Judged:
    """What came of it."""
    figures = files.get(bound.file)
    wanted = f"≤ {bound.bound:g} {bound.unit}"
    if figures is None or bound.key not in figures:
        return Judged(bound.what, wanted, "not measured", None, "", None)
    value = bound.value(figures)
    much = described(figures["search"] | {"bytes": 0}) if bound.key == "search" else described(figures)
    what = ", ".join(part for part in (bound.what, much.removesuffix(", 0 GB")) if part)
    return Judged(what, wanted, f"{value:.3g} {bound.unit}", value <= bound.bound, "", None)
