"""docs/performance.md: every figure in it comes from the JSON files of a folder, which the programs wrote."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.goals import BOUNDS, GOALS, beside, judge, judge_bound
from tests.bench.plot import curves
from tests.bench.sidebyside.figures import NOISY, Session, markdown, noise, table, yardstick
from tests.bench.sidebyside.scenarios import RATE, SCENARIOS

Figures = Mapping[str, Any]
FILES = ("peers", "growth", "acks", "history", "start", "crowd", "host")
"""The names of the JSON files, without their ends."""

HEAD = """\
# Performance

Made by `make bench` from what it measured; do not edit. Where the time goes, and why, is told in
[where-time-goes.md](where-time-goes.md).
"""

HOW_MEASURED = f"""\
## How it is measured

A load generator (`tests/bench/sidebyside/chatload.c`) connects clients to each server in turn, sends, and checks: every
message carries its sender, a number and a time, and every receiver checks every sender, so that what is lost, doubled
or reordered is counted. The servers take turns within each round, each run has a fresh server; the server has one core,
the generator another. All have flood limits, DNS and ident off. asynchat-sync and asynchat-process keep everything in
SQLite files, Ergo its history in memory, the others none. `+caps` is the same server under a load that asks for
server-time, message-tags (and with them msgid) and echo-message; the echoes count as deliveries.

`limit` is a C program that only joins, copies and sends (`limit.c`), with lines as long as the others'; it is a
yardstick, not a floor. `append` is another: one bare append with fdatasync, in C, on the server's core and disk.

What counts is **CPU µs per delivery**: the server's CPU time, of all threads and children, over the messages that were
received. It tells how many people a core can carry, moves least when the machine has other things to do, and does not
depend on whether the generator or the server was the limit. Rates and latencies are there for context: under a burst
latency is mostly queueing.

A run during which others used more than {NOISY:.0%} of the server's core is repeated, and the calmest counts; of the
faults, all do.
"""

HOW_READ = """\
## How to read it

- `0.50 [0.40-0.60]` is a median and the lowest and highest of all rounds; for a ratio, the ratio of the medians and the
  lowest and highest within a round. If that range includes 1, there is no difference to speak of. Of fewer than five
  rounds claim nothing.
- Compare within one session only: on a shared machine the same binary differs between two more than between rounds.
- In a closed loop, a server that answers later finds more to batch (lines/read). Ratios of the bursts depend on how
  many messages are in flight; one at a time, nearly all of the cost is the kernel's `send`.
- On the loopback the kernel charges most of the receiver's work to whoever sends, here the server. Writing to a disk
  costs CPU in the kernel's own threads, too, which nobody is charged with.
- InspIRCd lets newcomers in once a second, and ngircd has a short accept queue: each server gets as many connections at
  once as it can take, so connects/s is no speed.
- `slow`: the clients that stall ask for Ethernet-sized segments, else the loopback hides megabytes before a server
  notices. RSS is what the process holds, garbage included.
"""


def load(folder: Path) -> dict[str, Figures]:
    """The figures that are there, by the names of their files."""
    found = {name: folder / f"{name}.json" for name in FILES}
    return {name: json.loads(path.read_text()) for name, path in found.items() if path.is_file()}


def session_of(figures: Figures | None) -> Session:
    """The runs of a measurement side by side; none, if there was none."""
    return Session(list(figures["runs"]), list(figures["failures"])) if figures else Session()


def page(files: Mapping[str, Figures]) -> str:
    """The whole page."""
    peers = session_of(files.get("peers"))
    parts = [HEAD, surroundings(files), goals(peers, files), HOW_MEASURED, HOW_READ]
    if "peers" in files:
        parts.append(side_by_side(peers, files["peers"]["about"]))
    if "growth" in files:
        parts.append(growth(session_of(files["growth"]), files["growth"]["about"]))
    for name, section in SECTIONS.items():
        if name in files:
            parts.append(section(files[name]))
    return "\n".join(parts)


def surroundings(files: Mapping[str, Figures]) -> str:
    """The machine, the versions, when, and how often."""
    if not files:
        return "Nothing was measured.\n"
    about = next(iter(files.values()))["about"]
    dates = sorted(figures["about"]["date"] for figures in files.values())
    programs = f"Python {about['python']}, uvloop {about['uvloop'] or 'none'}, SQLite {about['sqlite']}"
    lines = [
        f"- {about['machine']}, {about['system']}; files on {about['work_filesystem']}",
        f"- {dates[0]}" + (f" to {dates[-1]}" if dates[-1] != dates[0] else ""),
        f"- asynchat {about['asynchat']}, commit {' and '.join(revisions(files)) or 'unknown'}; {programs}",
    ]
    for name in ("peers", "growth"):
        if name in files:
            told = files[name]["about"]
            lines.append(f"- {name}: {often(told)}; {told['cores']}")
    if "peers" in files:
        versions = files["peers"]["about"]["versions"]
        lines.append("- " + "; ".join(f"{k}: {v}" for k, v in versions.items() if not k.startswith("asynchat")))
    return "\n".join(lines) + "\n"


def often(about: Figures) -> str:
    """How many rounds of how many seconds."""
    return f"{about['rounds']} {'round' if about['rounds'] == 1 else 'rounds'} of {about['seconds']:g} s"


def prose(text: str) -> str:
    """A paragraph, in lines."""
    return textwrap.fill(" ".join(text.split()), 120, break_on_hyphens=False) + "\n"


def revisions(files: Mapping[str, Figures]) -> list[str]:
    """The commits that were measured."""
    names = {figures["about"]["revision"] for figures in files.values()} - {""}
    return sorted(name.replace("+", " with changes") for name in names)


def goals(session: Session, files: Mapping[str, Figures]) -> str:
    """All goals, and what came of them."""
    rows = [judge(goal, session).row for goal in GOALS] + [judge_bound(bound, files).row for bound in BOUNDS]
    return f"## Goals\n\n{markdown([['figure', 'goal', 'measured', '', 'later goal'], *rows])}\n"


def side_by_side(session: Session, about: Figures) -> str:
    """A table for each scenario."""
    notes = [text for text in (noise(session), yardstick(session), failures(session)) if text]
    parts = ["## Side by side\n", *(f"{note}\n" for note in notes)]
    for name in about["scenarios"]:

        def goals_of(server: str, scenario: str = name) -> str:
            return beside(session, scenario, server)

        scenario, more = SCENARIOS[name], any(map(goals_of, about["servers"]))
        arguments = (session, scenario, about["servers"], about["against"])
        parts.append(table(*arguments, more=goals_of, more_head="goals") if more else table(*arguments))
    return "\n".join(parts)


def failures(session: Session) -> str:
    """What gave no figures."""
    told = ["{server} {scenario} round {round}: {why}".format(**failure) for failure in session.failures]
    return "Failed: " + "; ".join(told) + "." if told else ""


# Growth.

CURVES = {"members": "members of one room", "rooms": "rooms of 10 members"}
GROWN = {
    "cpu": ("cpu_us_per_delivery", "CPU µs per delivery"),
    "rate": ("deliveries_per_s", "deliveries per second"),
}


def grown(session: Session, about: Figures, curve: str, key: str) -> dict[str, list[tuple[float, float]]]:
    """The medians of a figure by what grows, for each server that has any."""
    sizes = [(SCENARIOS[name].size, name) for name in about["scenarios"] if SCENARIOS[name].curve == curve]
    values = {
        server: [(float(size), m) for size, name in sorted(sizes) if (m := session.median(server, name, key))]
        for server in about["servers"]
    }
    return {server: points for server, points in values.items() if points}


def drawings(files: Mapping[str, Figures]) -> Iterator[tuple[str, str]]:
    """The name and the text of each SVG."""
    if "growth" in files:
        session, about = session_of(files["growth"]), files["growth"]["about"]
        for curve, what in CURVES.items():
            for short, (key, label) in GROWN.items():
                if series := grown(session, about, curve, key):
                    yield f"{curve}-{short}.svg", curves(f"{label}, by {what}", what, label, series)


def growth(session: Session, about: Figures) -> str:
    """The curves, and their figures."""
    parts = ["## How it grows\n", *(f"{note}\n" for note in (noise(session), failures(session)) if note)]
    for curve, what in CURVES.items():
        scenarios = sorted(
            (SCENARIOS[n] for n in about["scenarios"] if SCENARIOS[n].curve == curve), key=lambda s: s.size
        )
        if not scenarios:
            continue
        parts += [f"### By {what}\n", f"{scenarios[0].title.partition(', ')[2]}.\n"]
        for short, (key, label) in GROWN.items():
            series = grown(session, about, curve, key)
            if not series:
                continue
            column = RATE if key == RATE.key else scenarios[0].columns[0]
            rows = [[what, *series]]
            rows += [[f"{s.size:,}", *(column.text(session.values(n, s.name, key)) for n in series)] for s in scenarios]
            parts += [f"![{label}, by {what}](performance/{curve}-{short}.svg)\n", f"{label}:\n", f"{markdown(rows)}\n"]
        faulty = [f"{server}: {'/'.join(map(str, session.faults(server)))}" for server in about["servers"]]
        parts.append(f"Lost/duplicated/reordered in all growth runs: {', '.join(faulty)}.\n")
    return "\n".join(parts)


# The other programs.


def acks(figures: Figures) -> str:
    """What an acknowledged message costs."""
    stores = figures["stores"]
    names = dict.fromkeys(name for named in stores.values() for name in named)
    rows = [["", *stores]]
    rows += [[name, *(spread(named.get(name, ())) for named in stores.values())] for name in names]
    about = figures["about"]
    words = f"""
        Hub, journal and log in one process, no sockets (`tests/bench/acks`); {often(about)}. `100: µs` is the CPU per
        message with 100 in flight; p50 and p99 are the time to the acknowledgement at {figures["steady_per_s"]:,}
        messages per second, `late` how late the loop's timers are meanwhile, `slow` the same on a disk whose flush
        takes {figures["slow_flush_ms"]} ms; `append` is the log alone, `bare` the same rows by `executemany`."""
    return f"## What an acknowledged message costs\n\n{prose(words)}\n{markdown(rows)}\n"


def spread(values: Sequence[float]) -> str:
    """A median, and the lowest and highest."""
    if not values or not any(values):
        return "-"
    form = "{:,.0f}" if median(values) >= 1000 else "{:.2f}"
    shown = [form.format(value) for value in (median(values), min(values), max(values))]
    return f"{shown[0]} [{shown[1]}-{shown[2]}]" if len(values) > 1 else shown[0]


def history(figures: Figures) -> str:
    """Pages of the past, starting with it, and searches in it."""
    much = f"{figures['lines']:,} lines, {figures['bytes'] / 1e9:.2f} GB, made in {figures['fill_s']:.0f} s"
    parts = ["## A long past\n", f"One room (`tests/bench/history`): {much}.\n"]
    if pages := figures.get("pages"):
        rows = [[f"a page of {figures['page_lines']}", "n", "p50 ms", "p99 ms", "max ms"]]
        for way, kinds in pages.items():
            rows += [[f"{kind}, {WAYS[way]}", *times(each)] for kind, each in kinds.items()]
        parts.append(f"{markdown(rows)}\n")
    parts += starts(figures)
    if search := figures.get("search"):
        rows = [["looking for", "n", "p50 ms", "p99 ms", "max ms", "found"]]
        rows += [[kind, *times(each), f"{each['found']:.0f}"] for kind, each in search["kinds"].items()]
        index = f"The index of {search['lines']:,} lines was made in {search['index_s']:.1f} s"
        parts += [f"{index}. The last {figures['page_lines']} lines that have:\n", f"{markdown(rows)}\n"]
    return "\n".join(parts)


WAYS = {"log": "from the log", "wire": "as CHATHISTORY"}


def times(each: Figures) -> list[str]:
    """The cells of a spread."""
    return [str(each["n"]), *(f"{each[key]:.2f}" for key in ("p50", "p99", "max"))]


def starts(figures: Figures) -> list[str]:
    """From the process to the line that says where it listens."""
    if "starts" not in figures:
        return []
    rows = [["", "n", "s"]]
    for kind, values in figures["starts"].items():
        rows.append([KINDS.get(kind, f"start after: {kind}"), str(len(values)), spread(values)])
    return [f"{markdown(rows)}\n"]


KINDS = {
    "killed": "start after kill -9",
    "killed, file not in memory": "start after kill -9, the file not in memory",
    "clean": "start after a clean end",
    "clean, file not in memory": "start after a clean end, the file not in memory",
    "end": "a clean end",
}


def start(figures: Figures) -> str:
    """Starting with a large file."""
    asked = figures.get("asked_bytes", 0)
    short = f" ({asked / 1e9:g} GB were asked for)" if figures["bytes"] < asked else ""
    much = f"{figures['bytes'] / 1e9:.2f} GB{short}, {figures['lines']:,} lines"
    return "\n".join(["## Starting with a large file\n", f"{much}.\n", *starts(figures)])


def crowd(figures: Figures) -> str:
    """How long everybody waits for a crowd."""
    usual = ", ".join(f"{kind} {value:.2f} ms" for kind, value in figures["usual_ms"].items() if kind != "late")
    rows = [["while there is", "times", "PING p99 ms", "PING max ms", "talk p99 ms", "talk max ms", "own max ms"]]
    rows[0] += ["CPU ms each", "kept waiting ms"]
    for name, phase in figures["phases"].items():
        cells = [phase["ping"]["p99"], phase["ping"]["max"], phase["talk"]["p99"], phase["talk"]["max"]]
        cells += [phase["late"]["max"], phase["cpu_ms_each"], phase["waited_ms"]]
        row = [name, str(phase["times"]), *(f"{cell:.1f}" for cell in cells)]
        if name.startswith("nothing"):
            row[-2] = "-"
        rows.append(row)
    words = f"""
        A room of {figures["members"]:,} members, filled in {figures["filled_s"]:.0f} s (`tests/bench/crowd`, durability
        {figures["durability"]}). By how much later answers come than the median while nothing happens ({usual}): to a
        PING every {figures["ping_every_ms"]} ms, and to talk in another room. `own` is how late the asking process was
        itself, `CPU` what the server's loop worked for each, `kept waiting` how long others had its core, in all."""
    return f"## A crowd\n\n{prose(words)}\n{markdown(rows)}\n"


def host(figures: Figures) -> str:
    """How late the tasks of a program are that runs a server."""
    rows = [["loop", "store", "members", "lines/s", "p50 ms", "p99 ms", "max ms"]]
    for row in figures["rows"]:
        room = [f"{row['members']:,}", str(row["lines_per_s"])] if row["members"] else ["nobody", "-"]
        spreads = [spread(row[key]) for key in ("p50_ms", "p99_ms", "max_ms")]
        rows.append([row["loop"], row["store"], *room, *spreads])
    words = f"""
        A program runs a server and a task of its own, which asks to be woken every {figures["tick_ms"]:g} ms
        (`tests/bench/host`, {figures["rounds"]} rounds); by how much later that was, while two members of one room
        talked and all of them read. Where nobody is in it, it is what the machine and the loop cost: the timers of
        uvloop go in whole milliseconds."""
    return f"## In a program\n\n{prose(words)}\n{markdown(rows)}\n"


SECTIONS: dict[str, Callable[[Figures], str]] = {
    "acks": acks,
    "history": history,
    "start": start,
    "crowd": crowd,
    "host": host,
}
"""What is said of the other programs' files."""


def write(folder: Path, docs: Path) -> list[Path]:
    """Write the page and its drawings; gives the files."""
    files = load(folder)
    written = [docs / "performance.md"]
    written[0].parent.mkdir(parents=True, exist_ok=True)
    written[0].write_text(page(files))
    pictures = docs / "performance"
    for name, text in drawings(files):
        pictures.mkdir(exist_ok=True)
        (pictures / name).write_text(text)
        written.append(pictures / name)
    return written
