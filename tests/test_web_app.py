"""The chat in a web application runs, under a real ASGI server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from asynchat.testing import Person
from tests.cli.program import asynchat, lines
from tests.net.conftest import PATIENCE_S, environment

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where the application listens; it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = int(listener.getsockname()[1])
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "web_app:app",
            "--fd",
            str(listener.fileno()),
            "--log-level",
            "error",
        ]
        program = subprocess.Popen(
            command, cwd=EXAMPLES, env=environment(tmp_path), pass_fds=[listener.fileno()], stderr=subprocess.PIPE
        )
        yield found  # whoever connects waits in the listener's queue until it is ready
        program.terminate()
        _, said = program.communicate(timeout=PATIENCE_S)
        assert said == b""


def test_people_of_the_web_and_of_the_port_meet(port: int, tmp_path: Path) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S) as page:
        url = json.load(page)["chat"]
    with Person(url, "nat") as nat:
        web = f"ws://127.0.0.1:{port}/chat/"
        done = asynchat(tmp_path, web, "send", "hello from the web")
        assert done.returncode == 0, done.stderr
        assert nat.hear("hello from the web").who == "bob"
        nat.say("hello from netcat")
        nat.say("/who")
        nat.hear("#lobby (1)")
        said = lines(asynchat(tmp_path, web, "history", "--format", "{from}: {text}"))
        assert said == ["bob: hello from the web", "nat: hello from netcat"]


def test_what_is_no_web_socket_gets_a_page_and_says_nothing(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/chat/", timeout=PATIENCE_S) as page:
        assert b"WebSocket" in page.read()
