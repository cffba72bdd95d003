"""Every option is a variable of the environment, named by what one types."""

from __future__ import annotations

import click
import pytest

from asynchat.cli.invocation import GlobalOption
from asynchat.cli.variables import variable, variables
from tests.cli.test_invocation import TREE


@pytest.mark.parametrize(
    ("command", "option", "names"),
    [
        ("send", "--json", ["ASYNCHAT_SEND_JSON"]),
        ("send", "--url", ["ASYNCHAT_SEND_URL", "ASYNCHAT_URL"]),
        ("serve", "--port", ["ASYNCHAT_SERVE_PORT", "ASYNCHAT_PORT"]),
        ("bench", "--bytes", ["ASYNCHAT_BENCH_BYTES"]),
        ("join", "--no-reconnect", ["ASYNCHAT_JOIN_NO_RECONNECT"]),
        ("admin account add", "--password-stdin", ["ASYNCHAT_ADMIN_ACCOUNT_ADD_PASSWORD_STDIN"]),
    ],
)
def test_an_option_has_the_variable_of_its_name_first(command: str, option: str, names: list[str]) -> None:
    (found,) = (each for each in TREE[command].params if option in each.opts)
    assert variables(found) == names


@pytest.mark.parametrize("command", [name for name in TREE if name])
def test_no_option_has_another_one_s_variable(command: str) -> None:
    options = [each for each in TREE[command].params if isinstance(each, click.Option)]
    names = [name for each in options for name in variables(each)]
    assert len(set(names)) == len(names)
    assert all(not each.allow_from_autoenv for each in options if not isinstance(each, GlobalOption))


def test_the_nearer_variable_is_the_one_that_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    (url,) = (each for each in TREE["send"].params if "--url" in each.opts)
    monkeypatch.setenv("ASYNCHAT_URL", "b")
    assert variable(url) == "ASYNCHAT_URL"
    with click.Context(TREE["send"]) as ctx:
        assert url.resolve_envvar_value(ctx) == "b"
        monkeypatch.setenv("ASYNCHAT_SEND_URL", "a")
        assert url.resolve_envvar_value(ctx) == "a"
    assert variable(url) == "ASYNCHAT_SEND_URL"
