"""`asynchat serve` on a terminal, as its operator sees it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.terminal.pty import Terminal, terminal
from tests.netcat import Netcat

pytestmark = pytest.mark.timeout(60)  # programs start, and a busy machine takes its time


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Terminal]:
    with terminal(tmp_path, "serve", "--port", "0", "--data", str(tmp_path / "data")) as serving:
        serving.until("netcat", "you are the server")
        yield serving


def port_of(serving: Terminal) -> int:
    (line,) = [line for line in serving.all if "nc localhost" in line]
    return int(line.split()[-1])


@pytest.fixture
def fred(serving: Terminal) -> Iterator[Netcat]:
    guest = Netcat(port_of(serving), "fred")
    yield guest
    guest.close()


def test_the_operator_speaks_first_and_what_is_half_typed_survives(serving: Terminal, fred: Netcat) -> None:
    serving.until("+ fred")
    serving.enter("welcome everybody")
    assert fred.until("welcome").startswith("<server> welcome everybody")
    serving.until("<@server> welcome everybody")
    serving.type("half typed")
    serving.until("> half typed")
    fred.say("hello boss")
    serving.until("<fred> hello boss", "> half typed")


def test_people_at_a_terminal_see_who_runs_the_room(serving: Terminal, tmp_path: Path) -> None:
    url = f"asynchat://127.0.0.1:{port_of(serving)}"
    with terminal(tmp_path, "join", url, "--name", "alice") as alice:
        alice.until("in #lobby: @server @alice")
        serving.enter("welcome everybody")
        alice.until("<@server> welcome everybody")
        with terminal(tmp_path, "join", url, "--name", "bob") as bob:
            bob.until("#lobby (3)")
            bob.enter("hi")
            alice.until("<bob> hi")
            alice.enter("/op bob")
            alice.until("sets #lobby +o bob")
            bob.enter("now?")
            alice.until("<@bob> now?")


def test_somebody_is_put_out_and_the_rest_is_commands(serving: Terminal, fred: Netcat) -> None:
    serving.enter("/msg fred a word")
    assert "a word" in fred.until("[dm server]")
    serving.type("/wh\t\r")
    serving.until("fred", "line")
    serving.enter("/kick fred spam")
    fred.until("kicked")
    serving.until("spam")


@pytest.mark.parametrize("keys", ["/stop\r", "\x04", "\x03"], ids=["/stop", "Ctrl-D", "Ctrl-C"])
def test_the_server_ends_and_the_terminal_is_as_before(serving: Terminal, fred: Netcat, keys: str) -> None:
    serving.type(keys)
    fred.until("the server is stopping")
    assert serving.ended() == 0
    assert serving.is_as_before


def test_the_server_ends_by_a_signal_and_the_terminal_is_as_before(serving: Terminal) -> None:
    serving.type("half typed")
    serving.until("half typed")
    serving.kill(signal.SIGTERM)
    assert serving.ended() == 0
    assert serving.is_as_before


def test_a_trace_stands_above_the_line_that_is_typed(tmp_path: Path) -> None:
    with terminal(tmp_path, "serve", "--port", "0", "--memory", "--trace", columns=160) as serving:
        serving.until("netcat", "you are the server")
        serving.type("half typed")
        guest = Netcat(port_of(serving), "nat")
        guest.say("hello\x1b[2J")
        serving.until("hello", "Said", "> half typed")
        assert b"hello\x1b[2J" not in serving.raw
        guest.close()
