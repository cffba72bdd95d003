"""The tables, the ratios, the goals and the drawings, of made-up figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.bench import report
from tests.bench.filling import text_bytes
from tests.bench.goals import BOUNDS, GOALS, Goal, beside, judge, judge_bound
from tests.bench.plot import curves, spread_out
from tests.bench.sidebyside.command import main, planned
from tests.bench.sidebyside.figures import Requirement, Session, table, verdict
from tests.bench.sidebyside.peers import CAPS, PEERS
from tests.bench.sidebyside.scenarios import SCENARIOS, group
from tests.bench.spread import part, summary

CPU = "cpu_us_per_delivery"
SVG = "{http://www.w3.org/2000/svg}"


def run(server: str, scenario: str, number: int, cpu: float, **more: Any) -> dict[str, Any]:
    figures = {CPU: cpu, "p50_us": 10, "p99_us": 20, "bytes_per_delivery": 96, "lines_per_read": 2, "rss_peak_kb": 2048}
    faults = {"lost": 0, "duplicated": 0, "reordered": 0}
    where = {"server": server, "scenario": scenario, "round": number}
    return {**where, **figures, "deliveries_per_s": 1e6 / cpu, "foreign_load": 0.02, **faults, **more}


def appended(number: int, cpu: float) -> dict[str, Any]:
    return {"server": "append", "scenario": "append", "round": number, "append_cpu_us": cpu}


@pytest.fixture
def session() -> Session:
    """Two servers in three rounds, and a ping with its yardsticks."""
    runs = [run("inspircd", "big-burst", number, cpu) for number, cpu in enumerate((1.0, 2.0, 4.0))]
    runs += [run("asynchat-sync", "big-burst", number, cpu) for number, cpu in enumerate((0.5, 1.5, 1.0))]
    runs += [run("limit", "ping", 0, 30.0), run("limit", "ping", 1, 34.0)]
    runs += [appended(0, 20.0), appended(1, 16.0)]
    runs += [run("asynchat-sync", "ping", 0, 100.0), run("asynchat-sync", "ping", 1, 75.0)]
    return Session(runs)


# Ratios.


def test_a_ratio_is_that_of_the_medians_with_the_lowest_and_highest_within_a_round(session: Session) -> None:
    assert session.ratio("asynchat-sync", "inspircd", "big-burst", CPU) == (0.5, 0.25, 0.75)


def test_a_run_that_was_set_aside_counts_for_faults_only(session: Session) -> None:
    session.runs.append(run("inspircd", "big-burst", 0, 100.0, set_aside=True, lost=3))
    assert session.median("inspircd", "big-burst", CPU) == 2.0
    assert session.faults("inspircd") == [3, 0, 0]


def test_what_was_not_measured_has_no_ratio(session: Session) -> None:
    assert session.ratio("asynchat-sync", "ergo", "big-burst", CPU) is None
    assert session.ratio("ergo", "inspircd", "big-burst", CPU) is None


def test_the_append_is_added_to_the_yardstick_round_by_round(session: Session) -> None:
    assert session.values("limit+append", "ping", CPU) == [50.0, 50.0]
    assert session.ratio("asynchat-sync", "limit+append", "ping", CPU) == (1.75, 1.5, 2.0)


def test_the_table_of_a_scenario_has_a_row_for_each_server_that_was_measured(session: Session) -> None:
    session.failures.append({"server": "ergo", "scenario": "big-burst", "round": 0, "why": "it ended"})
    lines = table(session, SCENARIOS["big-burst"], list(PEERS), ["inspircd"]).splitlines()
    assert lines[0].startswith("### big-burst: one room of 1000")
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]] for line in lines[4:] if (cells := line.split("|")[1:])
    }
    assert list(rows) == ["inspircd", "ergo", "asynchat-sync"]
    assert rows["asynchat-sync"][:2] == ["3", "1.000 [0.500-1.500]"]
    assert rows["asynchat-sync"][-3:-1] == ["0/0/0", "**0.50** [0.25-0.75]"]
    assert rows["ergo"][0] == "0 (+1 failed)"
    assert {len(line) for line in lines[2:]} == {len(lines[2])}


def test_only_the_ping_has_a_column_for_the_yardstick_with_the_append(session: Session) -> None:
    assert "/ limit+append" in table(session, SCENARIOS["ping"], ["limit", "asynchat-sync"], ["limit"])
    assert "append" not in table(session, SCENARIOS["big-burst"], ["asynchat-sync"], ["inspircd"])


# Requirements and the exit status.


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("asynchat-sync/inspircd:big-burst<=0.7", ("asynchat-sync", "inspircd", "big-burst", CPU, 0.7)),
        ("asynchat-sync:idle <= 8192", ("asynchat-sync", None, "idle", "rss_per_conn_b", 8192.0)),
        ("asynchat-sync:slow.max_us<250000", ("asynchat-sync", None, "slow", "max_us", 250000.0)),
        ("asynchat-sync+caps/limit:big-burst<=3", ("asynchat-sync+caps", "limit", "big-burst", CPU, 3.0)),
        ("asynchat-sync/limit+append:ping<=1.5", ("asynchat-sync", "limit+append", "ping", CPU, 1.5)),
        ("asynchat-sync/limit:room-10000<=2", ("asynchat-sync", "limit", "room-10000", CPU, 2.0)),
    ],
)
def test_a_requirement_is_read(text: str, read: tuple[Any, ...]) -> None:
    wanted = Requirement.parse(text)
    assert (wanted.server, wanted.base, wanted.scenario, wanted.key, wanted.bound) == read


@pytest.mark.parametrize(
    "text",
    ["", "asynchat-sync", "asynchat-sync:big-burst", "nobody:big-burst<=1", "limit/nobody:ping<=1", "limit:nothing<=1"],
)
def test_a_requirement_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read|no server|no scenario"):
        Requirement.parse(text)


def test_a_requirement_needs_the_servers_that_it_names() -> None:
    assert Requirement.parse("asynchat-sync/limit+append:ping<=1.5").servers == {"asynchat-sync", "limit"}


def test_what_was_not_measured_does_not_hold(session: Session) -> None:
    assert Requirement.parse("ergo:big-burst<=9").judge(session) == (False, "not measured")
    assert Requirement.parse("asynchat-sync/inspircd:big-burst<=0.5").judge(session) == (True, "0.5")


@pytest.mark.parametrize(
    ("lost", "failed", "bound", "status"),
    [
        (0, False, 0.5, 0),
        (1, True, 0.4, 1),
        (0, False, 0.4, 2),
        (0, True, 0.4, 3),
        (0, True, 0.5, 3),
        (1, False, 0.5, 1),
    ],
)
def test_the_exit_status_tells_faults_before_failures_before_what_fell_short(
    session, lost, failed, bound, status
) -> None:
    session.runs[0]["lost"] = lost
    if failed:
        session.failures.append({"server": "limit", "scenario": "ping", "round": 0, "why": "it ended"})
    assert verdict(session, [Requirement.parse(f"asynchat-sync/inspircd:big-burst<={bound}")], []) == status


def test_faults_and_failures_of_who_is_tolerated_do_not_count(session: Session, capsys) -> None:
    session.runs[0]["duplicated"] = 2
    session.failures.append({"server": "inspircd", "scenario": "ping", "round": 0, "why": "it ended"})
    assert verdict(session, [], ["inspircd"]) == 0
    assert "2 duplicated" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--require", "nonsense"],
        ["--require", "ergo:ping<=1", "--servers", "limit"],
        ["--scenarios", "x"],
        ["--rounds", "0"],
    ],
)
def test_wrong_usage_ends_with_64(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv=arguments)
    assert ended.value.code == 64
    assert capsys.readouterr().err


# What is measured.


def test_the_groups_part_the_scenarios_and_growth_is_asked_for() -> None:
    peers, growth = group("peers"), group("growth")
    assert not set(peers) & set(growth)
    assert sorted(group("all")) == sorted([*peers, *growth]) == sorted(SCENARIOS)
    assert growth[:4] == ["room-10", "room-100", "room-1000", "room-10000"]
    assert [SCENARIOS[name].clients for name in growth[4:]] == [10, 100, 1000, 10_000]


def test_servers_take_turns_and_are_spared_what_they_cannot() -> None:
    plan = planned(2, ["ping", "idle"], ["limit", "asynchat-sync+caps"])
    assert [server for _, scenario, server in plan if scenario == "ping"] == [
        *("limit", "asynchat-sync+caps"),
        *("asynchat-sync+caps", "limit"),
    ]
    assert {server for _, scenario, server in plan if scenario == "idle"} == {"limit"}


def test_capabilities_are_asked_for_in_their_variant_only() -> None:
    plain, more = (SCENARIOS["ping"].load(PEERS[name], 1.0) for name in ("asynchat-sync", "asynchat-sync+caps"))
    assert more == [*plain, "--caps", CAPS]


# Goals.


def test_every_goal_can_be_judged_by_the_measurement_side_by_side() -> None:
    for goal in GOALS:
        assert goal.requirement.scenario in group("peers")
        assert goal.requirement.servers <= PEERS.keys()


def test_a_goal_is_met_or_missed_or_not_measured(session: Session) -> None:
    judged = judge(Goal("asynchat-sync/inspircd:big-burst", 0.7, 0.4), session)
    assert judged.row[:2] == ["big-burst, asynchat-sync", "≤ 0.7 × inspircd"]
    assert judged.row[2:] == ["0.50 [0.25-0.75] × inspircd", "met", "≤ 0.4 × inspircd: **missed**"]
    absent = judge(Goal("asynchat-sync/ergo:big-burst", 0.1), session)
    assert (absent.value, absent.met, absent.row[3]) == ("not measured", None, "not measured")
    assert beside(session, "big-burst", "asynchat-sync").startswith(
        "≤ 0.7 × inspircd: met, then ≤ 0.5 × inspircd: met;"
    )
    assert beside(session, "big-burst", "limit") == ""


def test_the_other_programs_are_judged_by_their_slowest() -> None:
    assert [judge_bound(bound, FILES).met for bound in BOUNDS] == [True, False, True, True, True, False, True, True]
    assert [each.met for each in (judge_bound(bound, {}) for bound in BOUNDS)] == [None] * len(BOUNDS)


# The page.

ABOUT = {
    "date": "2026-01-02 03:04 +0000",
    "machine": "2 × something",
    "system": "Linux",
    "work_filesystem": "ext4",
    "python": "3.13.0",
    "sqlite": "3.40.1",
    "asynchat": "0.1.0",
    "uvloop": "",
    "revision": "abcdef",
    "rounds": 3,
    "seconds": 2.0,
}


def timing(p99: float) -> dict[str, float]:
    return {"n": 3, "p50": p99 / 2, "p99": p99, "max": p99 * 2}


def phase(stall_ms: float) -> dict[str, Any]:
    seen = {"n": 3, "p99": stall_ms / 2, "max": stall_ms}
    return {"times": 2, "cpu_ms_each": 1.0, "waited_ms": 0.5, "ping": seen, "talk": seen, "late": seen}


STARTS = {"killed": [0.2, 0.3, 0.4], "killed, file not in memory": [1.5], "clean": [0.1], "end": [0.1]}
FILES: dict[str, dict[str, Any]] = {
    "acks": {
        "about": ABOUT,
        "steady_per_s": 1000,
        "slow_flush_ms": 10,
        "stores": {"sync": {"1: µs": [20.0, 30.0], "bare µs": [2.0]}, "memory": {"1: µs": [5.0], "bare µs": [0.0]}},
    },
    "history": {
        "about": ABOUT,
        "page_lines": 100,
        "lines": 1000,
        "bytes": 2_000_000,
        "fill_s": 1.0,
        "pages": {"log": {"newest": timing(1.0)}, "wire": {"newest": timing(4.9)}},
        "search": {"lines": 500, "index_s": 0.1, "kinds": {"a word": timing(51.0) | {"found": 3.0}}},
    },
    "start": {
        "about": ABOUT,
        "lines": 1000,
        "bytes": 8_000_000_000,
        "asked_bytes": 10_000_000_000,
        "starts": STARTS | {"clean, file not in memory": [0.9]},
    },
    "crowd": {
        "about": ABOUT,
        "members": 10_000,
        "durability": "sync",
        "filled_s": 70.0,
        "ping_every_ms": 5,
        "usual_ms": {"ping": 0.1, "talk": 0.4, "late": 0.0},
        "phases": {"nothing": phase(99.0), "a line": phase(49.0)},
    },
    "host": {
        "about": ABOUT,
        "tick_ms": 5.0,
        "rounds": 3,
        "rows": [
            {"loop": "uvloop", "store": "sync", "p50_ms": [0.1] * 3, "max_ms": [20.0] * 3} | row
            for row in (
                {"members": 0, "lines_per_s": 0, "p99_ms": [1.0, 0.5, 2.0]},
                {"members": 1000, "lines_per_s": 50, "p99_ms": [9.5, 8.0, 11.0]},
                {"members": 1000, "lines_per_s": 100, "p99_ms": [12.0] * 3},
            )
        ],
    },
}


@pytest.fixture
def folder(tmp_path: Path, session: Session) -> Path:
    """What the programs would have left."""
    told = ABOUT | {"cores": "server on core 0", "servers": ["inspircd", "asynchat-sync"], "against": ["inspircd"]}
    told["versions"] = {"inspircd": "InspIRCd-3", "asynchat-sync": "asynchat, version 0.1.0"}
    sides = {"about": told | {"scenarios": ["big-burst"]}, "runs": session.runs, "failures": []}
    names = [name for name in group("growth") if name != "rooms-1000"]
    grown = [run(server, name, 0, SCENARIOS[name].size / 7) for name in names for server in told["servers"]]
    growth = {"about": told | {"scenarios": names}, "runs": grown, "failures": []}
    for name, figures in {**FILES, "peers": sides, "growth": growth}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(figures))
    return tmp_path


def test_the_page_tells_what_the_files_say(folder: Path, tmp_path: Path) -> None:
    page, *drawn = report.write(folder, tmp_path / "docs")
    text = page.read_text()
    assert "2 × something" in text
    assert "**0.50** [0.25-0.75]" in text
    assert "8.00 GB (10 GB were asked for)" in text
    assert "| 10,000              | 1428.571 | 1428.571      |" in text
    assert "9.50 [8.00-11.00]" in text
    assert "(where-time-goes.md)" in text
    assert sorted(path.name for path in drawn) == [
        "members-cpu.svg",
        "members-rate.svg",
        "rooms-cpu.svg",
        "rooms-rate.svg",
    ]
    for path in drawn:
        assert f"(performance/{path.name})" in text


def test_the_page_changes_with_the_figures_and_not_otherwise(folder: Path, tmp_path: Path) -> None:
    first = report.page(report.load(folder))
    assert report.page(report.load(folder)) == first
    (folder / "crowd.json").unlink()
    assert "## A crowd" not in report.page(report.load(folder))
    assert "Nothing was measured" in report.page(report.load(tmp_path / "nowhere"))


# The drawings.


def test_a_drawing_is_an_svg_with_a_dot_for_each_value(folder: Path) -> None:
    drawn = dict(report.drawings(report.load(folder)))
    dots = {name: len(ET.fromstring(text).findall(f"{SVG}circle")) for name, text in drawn.items()}
    assert dots == {"members-cpu.svg": 8, "members-rate.svg": 8, "rooms-cpu.svg": 6, "rooms-rate.svg": 6}


def test_a_drawing_names_its_axes_and_its_curves_and_keeps_inside_its_frame() -> None:
    text = curves("a < b", "members", "µs & more", {"<one>": [(10, 3.0), (10_000, 0.2)], "two": [(10, 1.0)]})
    root = ET.fromstring(text)
    words = {element.text for element in root.iter(f"{SVG}text")}
    assert {"a < b", "members", "µs & more", "<one>", "two", "10", "10k", "0.5", "1"} <= words
    assert "prefers-color-scheme:dark" in text
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for dot in root.iter(f"{SVG}circle"):
        assert 0 < float(dot.attrib["cx"]) < width
        assert 0 < float(dot.attrib["cy"]) < height
    tens, tenthousands = (float(dot.attrib["cx"]) for dot in list(root.iter(f"{SVG}circle"))[:2])
    assert tens < tenthousands


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [(1, 0)]}])
def test_what_has_no_place_on_a_logarithmic_scale_is_refused(series) -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        curves("t", "x", "y", series)


def test_labels_do_not_lie_on_each_other() -> None:
    heights = spread_out([100.0, 101.0, 99.0, 300.0])
    assert sorted(heights) == [99.0, 115.0, 131.0, 300.0]
    assert heights[2] == 99.0


# Small things.


def test_a_part_is_the_value_that_a_share_is_not_above() -> None:
    assert part([3.0, 1.0, 2.0], 0.5) == 2.0
    assert part([3.0, 1.0, 2.0], 1.0) == 3.0
    assert summary([1.0, 2.0, 9.0]) == {"n": 3, "p50": 2.0, "p99": 9.0, "max": 9.0}


def test_texts_are_as_long_as_it_takes_to_fill_a_file() -> None:
    assert text_bytes(10_000_000, 0) == 0
    assert text_bytes(10_000_000, 10e9) == 800
    assert text_bytes(10, 10e9) == 8000
