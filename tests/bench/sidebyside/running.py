"""One run: a fresh server on one core, the generator on another, and what came of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.machine import LOOPBACK, allow_descriptors, core_busy_s, environment, free_port, pinned
from tests.bench.sidebyside.figures import APPEND, NOISY, Session
from tests.bench.sidebyside.peers import PEERS, Peer, built
from tests.bench.sidebyside.scenarios import FAULTS, SCENARIOS, Scenario

APPENDS = 400
SPARE_DESCRIPTORS = 300
"""What a server needs besides those of its clients."""


class Failed(Exception):
    """One run gave no figures; the text says why."""


@dataclass
class Options:
    """How runs are made."""

    seconds: float
    server_core: int
    load_core: int
    work: Path
    again: int


class Running:
    """A server that was started; leaving the block ends it and all it started."""

    def __init__(self, peer: Peer, folder: Path, core: int) -> None:
        self.port = free_port()
        self.log = folder / "output"
        self.cpu_s = 0.0
        command = peer.command(folder, self.port)
        with pinned(core), self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=folder,
                env=environment(folder),
                start_new_session=True,
            )

    def __enter__(self) -> Running:
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def wait(self) -> None:
        """Until it listens."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, self.port)) == 0:
                    time.sleep(0.3)
                    return
            if self.ended():
                raise Failed(f"ended at once with status {self.process.returncode}: {self.tail()}")
            time.sleep(0.03)
        raise Failed(f"not listening after 20 s: {self.tail()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ended(self) -> bool:
        """Whether it has; then it is known how much CPU time it took in all."""
        if self.process.returncode is None:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_s = usage.ru_utime + usage.ru_stime
        return self.process.returncode is not None

    def stop(self) -> None:
        """End it, if need be by force."""
        for sign, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            deadline = time.monotonic() + patience
            if not self.ended():
                os.kill(self.process.pid, sign)
            while not self.ended() and time.monotonic() < deadline:
                time.sleep(0.02)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what it may have left behind

    def tail(self) -> str:
        """The last it said."""
        return " / ".join(self.log.read_text(errors="replace").split("\n")[-4:]).strip(" /")[-400:]


def measure(peer: Peer, scenario: Scenario, options: Options, patience: float) -> dict[str, Any]:
    """One run with a fresh server: the generator's figures.

    Raises:
        Failed
    """
    needed = scenario.clients + SPARE_DESCRIPTORS
    if (allowed := allow_descriptors(needed)) < needed:
        raise Failed(f"{needed} descriptors are needed and {allowed} allowed: ulimit -n")
    folder = Path(tempfile.mkdtemp(prefix="sidebyside-", dir=options.work))
    begin, busy = time.monotonic(), core_busy_s(options.server_core)
    try:
        with Running(peer, folder, options.server_core) as server:
            command = [str(built("chatload")), "--port", str(server.port), "--server-pid", str(server.process.pid)]
            command += ["--label", f"{peer.name}/{scenario.name}", *scenario.load(peer, options.seconds)]
            out, complaints, status = _loaded(command, options.load_core, patience)
            if status or not out:
                raise Failed(f"{complaints.strip()[-300:]} {server.tail()}".strip())
            if server.ended():
                raise Failed(f"the server ended with status {server.process.returncode}: {server.tail()}")
        figures: dict[str, Any] = json.loads(out)
        if figures.get("ready", scenario.clients) != scenario.clients:
            raise Failed(f"only {figures['ready']} of {scenario.clients} clients got in")
        if closed := figures.get("closed_by_server"):
            raise Failed(f"the server closed {closed} clients that read all they got; {complaints.strip()[-200:]}")
        wall = time.monotonic() - begin
        figures["wall_s"] = round(wall, 2)
        figures["foreign_load"] = round(max(0.0, core_busy_s(options.server_core) - busy - server.cpu_s) / wall, 3)
        return figures
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _loaded(command: list[str], core: int, patience: float) -> tuple[str, str, int]:
    """What the generator says, its complaints and its exit status."""
    with pinned(core):
        load = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, complaints = load.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        raise Failed(f"took more than {patience:.0f} s") from None
    finally:
        if load.poll() is None:
            load.kill()
            load.communicate()
    return out, complaints, load.returncode


def measure_append(options: Options) -> dict[str, Any]:
    """The CPU time of one bare append with fdatasync, on the server's core and the servers' disk.

    Raises:
        Failed
    """
    with tempfile.TemporaryDirectory(prefix="sidebyside-", dir=options.work) as folder, pinned(options.server_core):
        command = [str(built("append")), f"{folder}/lines", str(APPENDS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip())
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def run_all(session: Session, plan: list[tuple[int, str, str]], options: Options, deadline: float) -> None:
    """Every run of the plan in turn, and the append once in each round that has a ping; stops at the deadline."""
    rounds: set[int] = set()
    for number, (turn, scenario_name, server) in enumerate(plan, 1):
        peer, scenario = PEERS[server], SCENARIOS[scenario_name]
        where = {"round": turn, "scenario": scenario_name, "server": server}
        if scenario.besides and turn not in rounds:
            rounds.add(turn)
            _append(session, turn, options)
        left = deadline - time.monotonic()
        if left < 5:
            why = f"no time left for run {number} of {len(plan)} and what follows"
            session.failures.append({**where, "why": why})
            return
        head = f"[{number}/{len(plan)}] {server} {scenario_name}: "
        try:
            figures, aside = _calmest(peer, scenario, options, deadline)
        except Failed as error:
            session.failures.append({**where, "why": str(error)})
            _tell(f"{head}FAILED: {error}")
            continue
        session.runs += [{**where, **run, "set_aside": True} for run in aside]
        session.runs.append({**where, **figures})
        first = scenario.columns[0]
        faults = [int(figures.get(kind, 0)) for kind in FAULTS]
        bad = f"  lost/dup/reord {faults}" if any(faults) else ""
        _tell(f"{head}{first.head} {first.text([float(figures[first.key])])}{bad}")


def _calmest(
    peer: Peer, scenario: Scenario, options: Options, deadline: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run, repeated while others disturb it: the one that was disturbed least, and the others."""
    expected = scenario.expected_s(peer, options.seconds)

    def once() -> dict[str, Any]:
        return measure(peer, scenario, options, min(deadline - time.monotonic(), 30 + 4 * expected))

    runs = [once()]
    while len(runs) <= options.again and runs[0]["foreign_load"] > NOISY:
        if deadline - time.monotonic() < 2 * expected:
            break
        try:
            runs = sorted([*runs, once()], key=lambda run: float(run["foreign_load"]))
        except Failed as error:
            _tell(f"not repeated: {error}")
            break
    return runs[0], runs[1:]


def _append(session: Session, turn: int, options: Options) -> None:
    where = {"round": turn, "scenario": APPEND, "server": APPEND}
    try:
        session.runs.append({**where, **measure_append(options)})
    except Failed as error:
        session.failures.append({**where, "why": str(error)})


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
