"""The command line of the measurement side by side."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from tests.bench import machine
from tests.bench.sidebyside.figures import NOISY, Requirement, Session, report, verdict
from tests.bench.sidebyside.peers import PEERS, built
from tests.bench.sidebyside.running import Options, run_all
from tests.bench.sidebyside.scenarios import GROUPS, SCENARIOS, group

USAGE = 64


class Parser(argparse.ArgumentParser):
    """As argparse, with the exit status that asynchat has for wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        sys.stderr.write(f"{self.prog}: {message}\n")
        sys.exit(USAGE)


def names(known: Mapping[str, Any]) -> Callable[[str], list[str]]:
    """A type for argparse: some of these, parted by commas."""

    def split(text: str) -> list[str]:
        chosen = [name for name in text.split(",") if name]
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name!r}; there are {', '.join(known)}")
        return chosen

    return split


def requirement(text: str) -> Requirement:
    """A type for argparse."""
    try:
        return Requirement.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def arguments(argv: list[str] | None, doc: str | None) -> argparse.Namespace:
    """What was asked for; ends the program if that is wrong."""
    parser = Parser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--servers", type=names(PEERS), help=f"of {', '.join(PEERS)} (default: all that are here)")
    add("--group", choices=GROUPS, default="peers", help="which scenarios, if they are not named (peers)")
    add("--scenarios", type=names(SCENARIOS), help=f"of {', '.join(SCENARIOS)} (default: those of the group)")
    add("--rounds", type=int, default=5, metavar="N", help="how often everything is measured, in turn (5)")
    add("--seconds", type=float, default=2.0, metavar="S", help="how long each run sends (2)")
    add("--against", type=names(PEERS), metavar="SERVERS", help="print ratios to these (inspircd,limit if measured)")
    add(
        "--require",
        type=requirement,
        action="append",
        default=[],
        metavar="EXPR",
        help="SERVER/BASE:SCENARIO[.FIGURE]<=RATIO or SERVER:SCENARIO[.FIGURE]<=VALUE; may be repeated",
    )
    add(
        "--tolerate",
        type=names(PEERS),
        default=[],
        metavar="SERVERS",
        help="their faults and failures are shown but do not decide the exit status",
    )
    add(
        "--again",
        type=int,
        default=1,
        metavar="N",
        help=f"repeat a run up to N times if others used over {NOISY:.0%}% of the server's core; the calmest counts",
    )
    add("--json", type=Path, metavar="FILE", help="write every run's figures there")
    add("--cores", default="0,1", metavar="A,B", help="cores of the server and of the generator (0,1)")
    add(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()),
        metavar="DIR",
        help="where servers keep their files; a real disk, for sync to mean something",
    )
    add("--max-minutes", type=float, metavar="M", help="stop starting runs after this (default: twice the estimate)")
    add("--list", action="store_true", help="say which servers are here and what is measured")
    args = parser.parse_args(argv)
    args.scenarios = args.scenarios or group(args.group)
    if args.rounds < 1 or args.seconds <= 0:
        parser.error("--rounds and --seconds must be positive")
    try:
        args.cores = machine.cores(args.cores)
    except ValueError as error:
        parser.error(f"--cores: {error}")
    for wanted in args.require:
        if wanted.scenario not in args.scenarios or wanted.servers - {*(args.servers or PEERS)}:
            parser.error(f"--require {wanted.text}: not among what --servers and --scenarios measure")
    if not args.work.is_dir():
        parser.error(f"--work: {args.work} is not a folder")
    return args


def planned(rounds: int, scenarios: list[str], servers: list[str]) -> list[tuple[int, str, str]]:
    """All runs, in their order: in each round the servers take turns, and nobody is always first."""
    return [
        (turn, scenario, server)
        for turn in range(rounds)
        for scenario in scenarios
        for server in servers[turn % len(servers) :] + servers[: turn % len(servers)]
        if PEERS[server].can(scenario, SCENARIOS[scenario].clients)
    ]


def interrupted(*_: object) -> NoReturn:
    """A signal handler, so that no server is left over."""
    raise KeyboardInterrupt


def main(doc: str | None = None, argv: list[str] | None = None) -> int:
    """The program; its exit status."""
    args = arguments(argv, doc)
    absent = {name: why for name, peer in PEERS.items() if (why := peer.missing())}
    if args.list:
        for name, peer in PEERS.items():
            print(f"{name:18} {absent.get(name) or peer.version()}")
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:18} {scenario.title}: {', '.join(c.key for c in scenario.columns)}")
        return 0
    servers = args.servers or [name for name in PEERS if name not in absent]
    if gone := [name for name in servers if name in absent]:
        print("\n".join(f"cannot measure {name}: {absent[name]}" for name in gone), file=sys.stderr)
        return 3
    if args.against is None:
        args.against = [name for name in ("inspircd", "limit") if name in servers]
    options = Options(args.seconds, *args.cores, work=args.work, again=args.again)
    plan = planned(args.rounds, args.scenarios, servers)
    estimate = sum(SCENARIOS[scenario].expected_s(PEERS[server], args.seconds) for _, scenario, server in plan)
    bound = args.max_minutes * 60 if args.max_minutes else 60 + 2 * estimate
    for program in ("chatload", "limit", "append"):
        built(program)
    about = machine.about(args.work) | {
        "cores": f"server on core {args.cores[0]}, generator on {args.cores[1]}",
        "rounds": args.rounds,
        "seconds": args.seconds,
        "scenarios": args.scenarios,
        "servers": servers,
        "against": args.against,
        "versions": {name: PEERS[name].version() for name in servers},
    }
    print(f"{len(plan)} runs, about {estimate / 60:.1f} minutes, at most {bound / 60:.1f}", file=sys.stderr, flush=True)
    if about["work_filesystem"] in ("tmpfs", "ramfs"):
        print("warning: --work is in memory: durability costs nothing there", file=sys.stderr)
    session = Session()
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    try:
        run_all(session, plan, options, time.monotonic() + bound)
    except KeyboardInterrupt:
        session.failures.append({"server": "-", "scenario": "-", "round": "-", "why": "interrupted"})
    print(report(session, about, args.scenarios, servers, args.against))
    status = verdict(session, args.require, args.tolerate)
    if args.json:
        everything = {"about": about, "status": status, "failures": session.failures, "runs": session.runs}
        args.json.write_text(json.dumps(everything, indent=1) + os.linesep)
    return status
