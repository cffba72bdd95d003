"""What is measured side by side: the loads, and which of their figures are shown.

A further scenario is a further entry of SCENARIOS; the options are chatload's.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from tests.bench.sidebyside.peers import Peer

FAULTS = ("lost", "duplicated", "reordered")


@dataclass(frozen=True)
class Column:
    """One figure of a table: a key of the generator's JSON, how to head and to print it."""

    key: str
    head: str
    form: str = "{:.0f}"
    scale: float = 1.0
    spread: bool = False  # print [min-max] too

    def text(self, values: list[float]) -> str:
        """A cell of a table."""
        if not values:
            return "-"
        show = [self.form.format(v * self.scale) for v in (statistics.median(values), min(values), max(values))]
        return f"{show[0]} [{show[1]}-{show[2]}]" if self.spread and len(values) > 1 else show[0]


CPU = Column("cpu_us_per_delivery", "CPU µs/delivery", "{:.3f}", spread=True)
LATENCY = (Column("p50_us", "p50 µs"), Column("p99_us", "p99 µs", spread=True))
RATE = Column("deliveries_per_s", "deliveries/s", "{:,.0f}", spread=True)
TALK = (CPU, *LATENCY, Column("bytes_per_delivery", "bytes/delivery"), Column("lines_per_read", "lines/read", "{:.1f}"))


@dataclass(frozen=True)
class Scenario:
    """A load, and what of it is shown."""

    name: str
    title: str
    options: str  # for the generator; {seconds} is filled in
    clients: int
    columns: tuple[Column, ...] = TALK  # the first is the one that ratios and --require use
    extra_s: float = 0.0  # for the estimate: seconds beyond connecting and sending
    told_s: float = 0.0  # and those in which everybody is told who came
    times: float = 1.0  # how many times --seconds it lasts
    group: str = "peers"  # what is measured together
    curve: str = ""  # growth: what grows
    size: int = 0  # growth: how large it is here
    besides: tuple[str, ...] = ()  # sums that ratios to are shown here, too

    def load(self, peer: Peer, seconds: float) -> list[str]:
        """The generator's options."""
        options = self.options.format(seconds=seconds * self.times).split()
        return ["--clients", str(self.clients), "--connect-window", str(peer.window), *options, *peer.load]

    def expected_s(self, peer: Peer, seconds: float) -> float:
        """About how long it takes."""
        told_s = self.told_s if peer.tells_joins else 0.0
        return 2 + seconds * self.times + self.extra_s + told_s + self.clients * peer.setup_s / 1000


_PEERS = (
    Scenario(
        "big-burst",
        "one room of 1000, 4 senders, 16 messages in flight each",
        "--rooms 1 --senders 4 --window 16 --seconds {seconds}",
        1000,
    ),
    Scenario(
        "big-quiet",
        "one room of 1000, one message at a time",
        "--rooms 1 --senders 1 --window 1 --seconds {seconds}",
        1000,
    ),
    Scenario(
        "small-burst",
        "100 rooms of 10, 2 senders each, 8 messages in flight each",
        "--rooms 100 --senders 2 --window 8 --seconds {seconds}",
        1000,
    ),
    Scenario(
        "small-quiet",
        "100 rooms of 10, one message at a time in each",
        "--rooms 100 --senders 1 --window 1 --seconds {seconds}",
        1000,
    ),
    Scenario(
        "ping",
        "two users, one message at a time",
        "--rooms 1 --senders 1 --window 1 --seconds {seconds}",
        2,
        besides=("limit+append",),
    ),
    Scenario(
        "big-rate",
        "one room of 1000, 100 messages a second offered by 2 senders; latency from the due time",
        "--rooms 1 --senders 2 --rate 100 --seconds {seconds}",
        1000,
    ),
    Scenario(
        "idle",
        "10,000 silent connections",
        "--mode idle --hold {seconds}",
        10_000,
        (
            Column("rss_per_conn_b", "memory/connection B", spread=True),
            Column("idle_cpu_ms_per_s", "idle CPU ms/s", "{:.2f}", spread=True),
            Column("rss_connected_kb", "RSS MB", "{:.1f}", 1 / 1024),
        ),
        extra_s=3,
    ),
    Scenario(
        "connect",
        "3000 connections come, register and go",
        "--mode idle --hold 0",
        3000,
        (
            Column("connect_cpu_us", "CPU µs/connect", "{:.1f}", spread=True),
            Column("close_cpu_us", "CPU µs/close", "{:.1f}", spread=True),
            Column("connects_per_s", "connects/s"),
        ),
    ),
    Scenario(
        "join",
        "1000 users enter one room, 16 at a time, each seen by all who are in it",
        "--mode join --window 16",
        1000,
        (
            Column("join_cpu_us", "CPU µs/join", spread=True),
            Column("cpu_us_per_line", "CPU µs/JOIN seen", "{:.2f}"),
            *LATENCY,
            Column("bytes_per_join", "bytes/join"),
        ),
        extra_s=3,
    ),
    Scenario(
        "slow",
        "one room of 200, 5 of them never read; the others' delays; then the 5 read on",
        "--rooms 1 --senders 4 --window 16 --bytes 400 --messages 4000 --seconds {seconds} --stalled 5",
        200,
        (
            Column("p99_us", "others' p99 µs", spread=True),
            Column("max_us", "others' max ms", "{:.1f}", 1e-3, spread=True),
            CPU,
            Column("sent", "sent"),
            Column("stalled_closed", "of 5 closed"),
            Column("stalled_missed", "missed by the rest"),
            Column("rss_peak_kb", "peak RSS MB", "{:.1f}", 1 / 1024),
        ),
        extra_s=1,
        times=2,
    ),
)
_GROWN = (
    CPU,
    RATE,
    Column("lines_per_read", "lines/read", "{:.1f}"),
    Column("rss_peak_kb", "peak RSS MB", "{:.0f}", 1 / 1024),
)


def _room_of(size: int) -> Scenario:
    """As big-burst, in a room of another size: as many messages in flight."""
    load = "--rooms 1 --senders 4 --window 16 --seconds {seconds}"
    told_s = (size / 1000) ** 2 * 1.8
    title = f"one room of {size:,}, 4 senders, 16 messages in flight each"
    grows = {"group": "growth", "curve": "members", "size": size}
    return Scenario(f"room-{size}", title, load, size, _GROWN, told_s=told_s, **grows)


def _rooms_of_ten(count: int) -> Scenario:
    """As small-burst, with another number of rooms."""
    load = f"--rooms {count} --senders 2 --window 8 --seconds {{seconds}}"
    title = f"{count:,} {'room' if count == 1 else 'rooms'} of 10, 2 senders each, 8 messages in flight each"
    return Scenario(f"rooms-{count}", title, load, 10 * count, _GROWN, group="growth", curve="rooms", size=count)


_GROWTH = (*map(_room_of, (10, 100, 1000, 10_000)), *map(_rooms_of_ten, (1, 10, 100, 1000)))
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in (*_PEERS, *_GROWTH)}
GROUPS = ("peers", "growth", "all")


def group(name: str) -> list[str]:
    """The names of the scenarios of a group."""
    return [scenario.name for scenario in SCENARIOS.values() if name in (scenario.group, "all")]
