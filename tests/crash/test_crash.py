"""What was acknowledged survives `kill -9`, and a broken server is found out; `make crash` has many more kills."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.campaign import Plan, carry_out

PROGRAM = Path(__file__).parent / "run"
RUNS = 5
"""How often a broken server may come off: whether a kill comes at a bad moment is chance."""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("durability", ["sync", "process"])
async def test_what_was_acknowledged_is_there_once_after_every_kill(durability: str, tmp_path: Path) -> None:
    report = await carry_out(Plan(kills=5, durability=durability, seed=5), tmp_path)
    assert report.faults == []
    assert report.said.acked
    assert report.said.repeats
    assert report.changes


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("control", "guilt"),
    [
        pytest.param("ack-before-commit", r"^lost: .* was acknowledged$", id="it tells before it stores"),
        pytest.param("no-key", r"^doubled: .* is kept as ", id="it forgets the key"),
    ],
)
def test_a_server_that_is_broken_is_found_guilty(control: str, guilt: str) -> None:
    for seed in range(RUNS):
        command = [sys.executable, str(PROGRAM), "--kills", "1", "--seed", str(seed), "--control", control]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
        if re.search(guilt, done.stdout, re.MULTILINE):
            assert done.returncode == 1
            return
    pytest.fail(f"the last run:\n{done.stdout}{done.stderr}")
