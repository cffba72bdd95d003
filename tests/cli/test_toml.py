"""Settings as TOML: what is written is read as the same, and secrets are not shown."""

from __future__ import annotations

import tomllib
from dataclasses import field, make_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.cli.settings.toml import comment, header, is_secret, masked, plain, written
from asynchat.config.values import age, duration, number, setting, size, switch, text, texts


def setting_of(parse: Any) -> Any:
    made = make_dataclass("Section", [("one", object, setting(None, parse, "one")), ("other", int, field(default=0))])
    return made.__dataclass_fields__["one"]  # type: ignore[attr-defined]


VALUES = [
    (duration, st.integers(0, 10**12).map(lambda ms: ms / 1000)),
    (age, st.integers(0, 10**6).map(float)),
    (size, st.integers(0, 2**50)),
    (number, st.integers(0, 2**40)),
    (text, st.text()),
    (texts, st.lists(st.text()).map(tuple)),
    (switch, st.booleans()),
]


@pytest.mark.parametrize(("parse", "values"), VALUES, ids=[parse.__name__ for parse, _ in VALUES])
def test_what_is_written_is_read_as_the_same(parse: Any, values: st.SearchStrategy[Any]) -> None:
    each = setting_of(parse)

    @given(values)
    def check(value: Any) -> None:
        assert parse(tomllib.loads(f"it = {written(each, value)}")["it"]) == value

    check()


@pytest.mark.parametrize(
    ("parse", "value", "shown"),
    [
        (duration, 60.0, '"1m"'),
        (duration, 90.0, '"90s"'),
        (duration, 0.5, '"500ms"'),
        (duration, 0.0625, "0.0625"),
        (duration, 0.0, "0.0"),
        (age, 0.0, '"forever"'),
        (age, 86_400.0, '"1d"'),
        (size, 16 * 1024, '"16KiB"'),
        (size, 1000, "1000"),
        (size, 0, "0"),
        (switch, True, "true"),
        (texts, ("a", '"'), '["a", "\\""]'),
        (text, "a\x7f\n", '"a\\u007f\\n"'),
    ],
)
def test_values_are_written_as_people_write_them(parse: Any, value: Any, shown: str) -> None:
    assert written(setting_of(parse), value) == shown


@pytest.mark.parametrize(
    ("name", "secret"),
    [("password", True), ("sasl_password", True), ("token", True), ("password_command", False), ("key", False)],
)
def test_what_is_a_secret_is_known_by_its_name(name: str, secret: bool) -> None:
    assert is_secret(name) == secret
    assert (masked(name, "sesame") == "sesame") != secret
    assert masked(name, "") == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ircs://ann:sesame@chat.example:6697/", "ircs://ann:********@chat.example:6697/"),
        ("ircs://:sesame@chat.example", "ircs://:********@chat.example"),
        ("ircs://ann@chat.example", "ircs://ann@chat.example"),
        ("asynchat://localhost:12345", "asynchat://localhost:12345"),
        ("unix:///run/a:b@c", "unix:///run/a:b@c"),
    ],
)
def test_the_password_of_a_url_is_not_shown(url: str, shown: str) -> None:
    assert masked("url", url) == shown


@given(st.text(min_size=1))
def test_a_section_may_have_any_name_and_a_comment_any_text(name: str) -> None:
    whole = name.encode("utf-8", "replace").decode()
    assert tomllib.loads(f"{header(f'operators.{name}')}\nit = {plain(1)}  {comment(name)}\n") == {
        "operators": {whole: {"it": 1}}
    }
