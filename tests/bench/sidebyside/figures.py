"""What came out: medians, ratios, tables, requirements, the exit status."""

from __future__ import annotations

import operator
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.sidebyside.peers import PEERS
from tests.bench.sidebyside.scenarios import FAULTS, SCENARIOS, Scenario

NOISY = 0.1
"""The share of the server's core that is used by others, from which a run counts as noisy."""
APPEND = "append"
"""The yardstick for having a line on disk: the name of its runs, and of what can be added to a base."""
SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass
class Session:
    """All runs of one call, and what went wrong in it. Runs set aside as noisy count for faults only.

    `limit+append` is the sum of what two yardsticks take.
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def by_round(self, server: str, scenario: str, key: str) -> dict[int, float]:
        """A figure, by round."""
        base = server.removesuffix(f"+{APPEND}")
        if base != server:
            first, more = self.by_round(base, scenario, key), self.by_round(APPEND, APPEND, "append_cpu_us")
            return {number: first[number] + more[number] for number in first if number in more}
        return {
            run["round"]: float(run[key])
            for run in self.runs
            if run["server"] == server and run["scenario"] == scenario and key in run and not run.get("set_aside")
        }

    def values(self, server: str, scenario: str, key: str) -> list[float]:
        """A figure, of every round."""
        return list(self.by_round(server, scenario, key).values())

    def median(self, server: str, scenario: str, key: str) -> float | None:
        """The median of a figure; None if it was not measured."""
        values = self.values(server, scenario, key)
        return statistics.median(values) if values else None

    def ratio(self, server: str, base: str, scenario: str, key: str) -> tuple[float, float, float] | None:
        """Ratio of the medians, and the lowest and highest ratio within one round."""
        a, b = self.median(server, scenario, key), self.median(base, scenario, key)
        if a is None or not b:
            return None
        ours, theirs = self.by_round(server, scenario, key), self.by_round(base, scenario, key)
        pairs = [ours[number] / theirs[number] for number in ours if theirs.get(number)] or [a / b]
        return a / b, min(pairs), max(pairs)

    def faults(self, server: str, scenario: str | None = None) -> list[int]:
        """How many messages were lost, duplicated and reordered."""
        runs = [r for r in self.runs if r["server"] == server and scenario in (None, r["scenario"])]
        return [sum(int(run.get(kind, 0)) for run in runs) for kind in FAULTS]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table, the head first."""
    rows = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def table(
    session: Session,
    scenario: Scenario,
    servers: list[str],
    against: list[str],
    *,
    more: Callable[[str], str] | None = None,
    more_head: str = "",
) -> str:
    """The servers' figures in a scenario; `more` gives what else is said of a server."""
    checked = any(kind in run for run in session.runs if run["scenario"] == scenario.name for kind in FAULTS)
    against = [*against, *(b for b in scenario.besides if session.values(b, scenario.name, scenario.columns[0].key))]
    rows = [["server", "n", *(c.head for c in scenario.columns)]]
    rows[0] += [*(["lost/dup/reord"] if checked else []), *(f"/ {b}" for b in against), *([more_head] if more else [])]
    for server in servers:
        n = len(session.values(server, scenario.name, scenario.columns[0].key))
        bad = sum(f["server"] == server and f["scenario"] == scenario.name for f in session.failures)
        if not n and not bad:
            continue
        row = [server, f"{n}" + (f" (+{bad} failed)" if bad else "")]
        row += [c.text(session.values(server, scenario.name, c.key)) for c in scenario.columns]
        if checked:
            row.append("/".join(map(str, session.faults(server, scenario.name))))
        for base in against:
            r = session.ratio(server, base, scenario.name, scenario.columns[0].key)
            row.append("-" if r is None or base == server else f"**{r[0]:.2f}** [{r[1]:.2f}-{r[2]:.2f}]")
        rows.append([*row, more(server)] if more else row)
    return f"### {scenario.name}: {scenario.title}\n\n{markdown(rows)}\n"


REQUIREMENT = re.compile(
    r"(?P<server>[\w+-]+)(?:/(?P<base>[\w+-]+))?:(?P<scenario>[\w-]+?)(?:\.(?P<key>\w+))?"
    r"\s*(?P<sign><=|>=|<|>)\s*(?P<bound>\d+(?:\.\d+)?)"
)


@dataclass(frozen=True)
class Requirement:
    """'A/B:scenario<=0.5' (ratio of medians) or 'A:scenario.key<=8192' (the median itself)."""

    text: str
    server: str
    base: str | None
    scenario: str
    key: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """One from its text.

        Raises:
            ValueError: it cannot be read, or names what there is not.
        """
        match = REQUIREMENT.fullmatch(text.strip())
        if not match:
            raise ValueError(f"cannot read {text!r}: SERVER[/BASE]:SCENARIO[.FIGURE]<=NUMBER")
        server, base, scenario, key, sign, bound = match.groups()
        for name in filter(None, (server, base)):
            if name not in PEERS and name.removesuffix(f"+{APPEND}") not in PEERS:
                raise ValueError(f"{text!r}: no server {name!r}; there are {', '.join(PEERS)}")
        if scenario not in SCENARIOS:
            raise ValueError(f"{text!r}: no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
        return cls(text, server, base, scenario, key or SCENARIOS[scenario].columns[0].key, sign, float(bound))

    @property
    def servers(self) -> set[str]:
        """Those that must be measured."""
        return {name.removesuffix(f"+{APPEND}") for name in (self.server, self.base) if name}

    def value(self, session: Session) -> float | None:
        """What is bounded; None if it was not measured."""
        if self.base:
            ratio = session.ratio(self.server, self.base, self.scenario, self.key)
            return ratio[0] if ratio else None
        return session.median(self.server, self.scenario, self.key)

    def judge(self, session: Session) -> tuple[bool, str]:
        """Whether it holds, and the value; what was not measured does not hold."""
        value = self.value(session)
        if value is None:
            return False, "not measured"
        return SIGNS[self.sign](value, self.bound), f"{value:.4g}"


def noise(session: Session) -> str:
    """How much else there was to do on the server's core; empty if there were no runs."""
    foreign = [run["foreign_load"] for run in session.runs if "foreign_load" in run and not run.get("set_aside")]
    if not foreign:
        return ""
    many, aside = sum(share > NOISY for share in foreign), sum(bool(run.get("set_aside")) for run in session.runs)
    return (
        f"Other work on the server's core: median {statistics.median(foreign):.0%}, at most {max(foreign):.0%};"
        f" above {NOISY:.0%} in {many} of {len(foreign)} runs; {aside} noisier runs were set aside."
    )


def yardstick(session: Session) -> str:
    """What appending a line to a file took; empty if it was not measured."""
    values = session.values(APPEND, APPEND, "append_cpu_us")
    if not values:
        return ""
    spread = f"{statistics.median(values):.1f} µs [{min(values):.1f}-{max(values):.1f}]"
    return f"One bare append of 100 bytes with fdatasync: {spread} of CPU (n = {len(values)})."


def report(
    session: Session, about: dict[str, Any], scenarios: list[str], servers: list[str], against: list[str]
) -> str:
    """The whole session as Markdown."""
    where = f"{about['machine']}, {about['system']}; {about['cores']}; files on {about['work_filesystem']}"
    how = f"{about['rounds']} rounds of {about['seconds']:g} s, interleaved, a fresh server for each run"
    lines = [
        f"{about['date']}; {where}.",
        f"{how}. Shown: median [min-max]; ratio of the medians [lowest-highest in a round].",
        "; ".join(f"{name}: {version}" for name, version in about["versions"].items()) + ".",
        *filter(None, (noise(session), yardstick(session))),
    ]
    return "\n".join([*lines, "", *(table(session, SCENARIOS[name], servers, against) for name in scenarios)])


def verdict(session: Session, requirements: list[Requirement], tolerated: list[str]) -> int:
    """Say what fell short, failed or was lost; the exit status."""
    short = failed = faulty = False
    for requirement in requirements:
        held, value = requirement.judge(session)
        print(f"{'held' if held else 'FELL SHORT'}: {requirement.text} (is {value})")
        short |= not held
    for failure in session.failures:
        print("FAILED: {server} {scenario} round {round}: {why}".format(**failure))
        failed |= failure["server"] not in tolerated
    for server in dict.fromkeys(run["server"] for run in session.runs):
        if any(faults := session.faults(server)):
            print(f"FAULTS: {server}: " + ", ".join(f"{n} {kind}" for n, kind in zip(faults, FAULTS, strict=True)))
            faulty |= server not in tolerated
    return 1 if faulty else 3 if failed else 2 if short else 0
