"""The programs of README run: a server with a guard in it, and a bot that answers there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asynchat.testing import Person
from tests.net.conftest import PATIENCE_S

README = (Path(__file__).parents[1] / "README.md").read_text()
SERVER, BOT = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
LOGGING = "import logging; logging.basicConfig(level=logging.INFO)\n"


@contextmanager
def running(source: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-X", "dev", "-c", LOGGING + source]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as program:
        try:
            yield program
        finally:
            program.terminate()
            program.communicate(timeout=PATIENCE_S)


def test_the_programs_of_readme_work_together(tmp_path: Path) -> None:
    with running(SERVER.replace("port=12345", "port=0"), tmp_path) as server:
        assert server.stderr is not None
        while (match := re.search(r"listening on (127\.0\.0\.1:\d+)", line := server.stderr.readline())) is None:
            assert line, "it does not listen"
        url = f"asynchat://{match[1]}"
        with (
            Person(url, "alice", room="#ops") as alice,
            running(BOT.replace("asynchat://localhost:12345", url), tmp_path),
        ):
            alice.hear("helper joined")
            alice.say("helper: are you there?")
            assert alice.hear("yes?").who == "helper"
            alice.say("-----BEGIN PRIVATE KEY-----")
            assert alice.hear("NO_SECRETS").who == "!!!"
            alice.say("/history 10")
            assert "here we are" in alice.hear("here we are").text
