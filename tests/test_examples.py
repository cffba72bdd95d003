"""The examples run, and do what they say, with a real client."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.netcat import Netcat

EXAMPLES = Path(__file__).parents[1] / "examples"
LOGGING = "import logging; logging.basicConfig(level=logging.INFO)\n"

Run = Callable[[str], int]


@contextmanager
def program(name: str, folder: Path) -> Iterator[int]:
    """An example in a process of its own, on any port."""
    source = (EXAMPLES / name).read_text().replace("port=12345", "port=0")
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", LOGGING + source], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        try:
            for line in running.stderr:
                if match := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                    yield int(match[1])
                    break
            else:
                pytest.fail(f"{name} does not listen")
        finally:
            running.kill()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(program(name, tmp_path))


def test_three_lines_are_a_server(run: Run) -> None:
    port = run("three_lines.py")
    with Netcat(port, "alice") as alice, Netcat(port, "bob") as bob:
        alice.say("hello")
        assert bob.until("<alice>") == "<alice> hello\n"


def test_moderation_refuses_secrets_and_counts_what_is_said(run: Run) -> None:
    port = run("moderation.py")
    with Netcat(port, "alice") as alice, Netcat(port, "bob") as bob:
        alice.say("my password=1234")
        assert alice.until("NO_SECRETS").startswith("!!! NO_SECRETS that looks like a secret")
        alice.say("hello")
        assert bob.until("<alice>") == "<alice> hello\n"
        bob.say("/top")
        assert bob.until("alice 1") == "*** alice 1\n"


def test_a_deployment_is_ordered_by_who_runs_the_room_and_told_when_it_is_done(run: Run) -> None:
    port = run("deploy_command.py")
    with Netcat(port, "alice") as alice, Netcat(port, "bob") as bob:
        bob.say("/deploy prod")
        bob.until("!!! NOT_ALLOWED")
        alice.say("/deploy moon")
        alice.until("!!! NO_SUCH_ENV there is no moon")
        alice.say("/deploy")
        alice.until("*** usage: deploy ENV")
        alice.say("/deploy staging")
        alice.until("*** deploying to staging")
        bob.until("<deployer> deployed to staging for alice")
