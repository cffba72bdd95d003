"""What is said for every command: `--config`, `-v`, `-q` and `--color`, before its name and after it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from asynchat.cli import COMMANDS, group
from asynchat.cli.invocation import GlobalOption, Invocation
from tests.net.conftest import environment

NAMES = ["config", "verbose", "quiet", "color"]


def commands(command: click.Command = group, *names: str) -> Iterator[tuple[str, click.Command]]:
    """Every command, with its name in full."""
    yield " ".join(names), command
    if isinstance(command, click.Group):
        with click.Context(command) as ctx:
            for name in command.list_commands(ctx):
                inner = command.get_command(ctx, name)
                assert inner is not None
                yield from commands(inner, *names, name)


TREE = dict(commands())


def test_the_tree_is_walked_to_its_leaves() -> None:
    assert set(COMMANDS) < TREE.keys()
    assert "admin account add" in TREE


@pytest.mark.parametrize("name", TREE)
def test_every_command_takes_the_options_of_all_once_and_under_names_of_their_own(name: str) -> None:
    found = TREE[name].params
    assert [each.name for each in found if isinstance(each, GlobalOption)] == NAMES
    assert [word for word, times in Counter(word for each in found for word in each.opts).items() if times > 1] == []


LINES = [
    "serve",
    "join",
    "send hi",
    "bench",
    "admin backup copy.db",
]


@pytest.mark.parametrize("line", LINES)
def test_the_file_that_is_named_is_read_wherever_it_is_named(line: str, tmp_path: Path) -> None:
    words = line.split()
    for place in range(len(words) + 1):
        file = tmp_path / f"none-{place}.toml"
        done = CliRunner().invoke(
            group, [*words[:place], "--config", str(file), *words[place:]], env={"HOME": str(tmp_path)}
        )
        assert done.exit_code == 78, done.output
        assert f"{file}: No such file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "read"),
    [
        (["admin", "backup", "x"], {"ASYNCHAT_CONFIG": "environment"}, "environment"),
        (["--config", "before", "admin", "backup", "x"], {"ASYNCHAT_CONFIG": "environment"}, "before"),
        (["--config", "before", "admin", "backup", "x", "--config", "after"], {}, "after"),
        (["join"], {"ASYNCHAT_JOIN_CONFIG": "own", "ASYNCHAT_CONFIG": "environment"}, "own"),
        (["--config", "before", "join"], {"ASYNCHAT_JOIN_CONFIG": "own"}, "before"),
    ],
)
def test_the_nearest_name_of_a_file_counts_and_the_environment_least(
    arguments: list[str], env: dict[str, str], read: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(group, arguments, env={"HOME": str(tmp_path)} | env)
    assert f"asynchat: {read}: No such file" in done.stderr


@pytest.mark.parametrize(
    ("verbose", "quiet", "usual", "level"),
    [
        (0, False, "warning", "warning"),
        (1, False, "warning", "info"),
        (2, False, "warning", "debug"),
        (9, False, "warning", "debug"),
        (0, True, "warning", "error"),
        (1, True, "warning", "warning"),
        (0, True, "error", "error"),
        (1, False, "error", "warning"),
    ],
)
def test_the_level_goes_up_and_down_from_the_usual_one(verbose: int, quiet: bool, usual: str, level: str) -> None:
    assert Invocation(verbose=verbose, quiet=quiet).level(usual) == level


def talk_of(tmp_path: Path, *arguments: str, **env: str) -> str:
    """What a `send` that finds no server says on standard error."""
    command = [sys.executable, "-m", "asynchat", *arguments]
    done = subprocess.run(
        command, env=environment(tmp_path) | env, capture_output=True, text=True, timeout=15, check=False
    )
    assert (done.returncode, done.stdout) == (69, "")
    return done.stderr


SEND = ("send", "--url", "unix:///nonexistent", "hi")


def test_a_client_tells_as_much_as_is_asked_for(tmp_path: Path) -> None:
    told, traced = "the server is unix:///nonexistent", "Traceback"
    usual = talk_of(tmp_path, *SEND)
    assert (told in usual, traced in usual) == (False, False)
    for more in (
        talk_of(tmp_path, "-v", *SEND),
        talk_of(tmp_path, *SEND, "-v"),
        talk_of(tmp_path, *SEND, ASYNCHAT_VERBOSE="1"),
    ):
        assert (told in more, traced in more) == (True, False)
    for most in (talk_of(tmp_path, "-vv", *SEND), talk_of(tmp_path, "-v", *SEND, "-v")):
        assert (told in most, traced in most) == (True, True)
    assert told not in talk_of(tmp_path, "-vq", *SEND)


def test_admin_tells_which_server_it_asks(tmp_path: Path) -> None:
    assert "asking the server at" in talk_of(tmp_path, "-v", "admin", "stats")
    assert "asking the server at" not in talk_of(tmp_path, "admin", "stats")
