"""Settings: how values are read, what is refused, and which source counts more."""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import pytest
from click.testing import CliRunner

from asynchat.cli.options import setting_options, settings_from
from asynchat.config import server as config
from asynchat.config.server import Settings, declared
from asynchat.config.values import BadConfig, duration, number, one_of, read, size, switch, text, texts

NO_SIZES = ["", "x", "-1", "1.5KiB", "1 TB", "KiB", True, 1.5, None]
NO_DURATIONS = ["", "x", "-1s", "1w", "s", "1 s 2 ms", True, None]
NO_NUMBERS = ["", "-1", "1.0", "x", "²", " 1", 1.0, True, None, "9" * 5000]


@pytest.mark.parametrize(
    ("parse", "value", "meant"),
    [
        (size, "0", 0),
        (size, 512, 512),
        (size, "512", 512),
        (size, "10B", 10),
        (size, "16KiB", 16 * 1024),
        (size, "16 kib", 16 * 1024),
        (size, " 1MB ", 1_000_000),
        (size, "2MiB", 2 * 1024**2),
        (size, "3GB", 3_000_000_000),
        (size, "1GiB", 1024**3),
        (duration, "500ms", 0.5),
        (duration, "60s", 60.0),
        (duration, "1.5 s", 1.5),
        (duration, "10m", 600.0),
        (duration, "1h", 3600.0),
        (duration, "7d", 604_800.0),
        (duration, "2", 2.0),
        (duration, 0.25, 0.25),
        (duration, 3, 3.0),
        (number, "0", 0),
        (number, "12345", 12345),
        (number, 7, 7),
        (text, "", ""),
        (text, "é", "é"),
        (texts, ["a", "b"], ("a", "b")),
        (texts, (), ()),
        (switch, True, True),
        (switch, False, False),
        (switch, "Yes", True),
        (switch, "on", True),
        (switch, 1, True),
        (switch, "off", False),
        (switch, "FALSE", False),
        (switch, "0", False),
        (one_of("a", "b"), "b", "b"),
    ],
)
def test_a_value_is_read(parse, value, meant):
    assert parse(value) == meant
    assert type(parse(value)) is type(meant)


@pytest.mark.parametrize(
    ("parse", "values"),
    [
        (size, NO_SIZES),
        (duration, NO_DURATIONS),
        (number, NO_NUMBERS),
        (text, [1, None, True, ["a"]]),
        (texts, ["a", 1, [1], None]),
        (switch, ["", "maybe", 2, None]),
        (one_of("a", "b"), ["", "c", "A", None, ["a"]]),
    ],
    ids=["size", "duration", "number", "text", "texts", "switch", "one_of"],
)
def test_a_value_is_refused(parse, values):
    for value in values:
        with pytest.raises(ValueError, match=r"\w"):
            parse(value)


# Names and places.


def with_values(**sections: Any) -> Settings:
    return Settings().with_values(sections, "here")


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"serve": {}}, "here: there is no section [serve]; did you mean server?"),
        ({"zzz": {}}, "here: there is no section [zzz]"),
        ({"limits": 5}, "here: there is no section [limits]; did you mean limits?"),
        ({"server": {"prot": 1}}, "here: [server] has no prot; did you mean port?"),
        ({"limits": {"sendqueue": 1}}, "here: [limits] has no sendqueue; did you mean send_queue?"),
        ({"server": {"zzz": 1}}, "here: [server] has no zzz"),
        ({"server": {"port": "x"}}, "here: [server] port: 'x' is no whole number"),
        ({"server": {"port": -1}}, "here: [server] port: -1 is no whole number"),
        ({"limits": {"flood": "maybe"}}, "here: [limits] flood: 'maybe' is neither true nor false"),
        ({"limits": {"max_line": "1B"}}, "here: [limits] max_line: 1B is less than 512"),
        ({"operators": {"bob": {"pass": 1}}}, "here: [operators.bob] has no pass; did you mean password?"),
        (
            {"server": {"room": "lobby"}},
            "here: [server] room: lobby is no room name: # first, and no spaces, commas or control characters",
        ),
        (
            {"server": {"name": "our lab"}},
            "here: [server] name: 'our lab' is no name for a server: 1 to 63 of A-Z a-z 0-9 . _ - and no other",
        ),
        ({"server": {"network": "a\nb"}}, "here: [server] network: 'a\\nb' is not a line of printable characters"),
        ({"store": {"path": ""}}, "here: [store] path: '' names no file"),
        ({"operators": {"bob": 1}}, "here: [operators.bob] is no section"),
        ({"operators": {"bob": {}}}, "here: [operators.bob] password is missing"),
        ({"operators": {"bob": {"password": ""}}}, "here: [operators.bob] password is missing"),
        ({"store": {"durability": "often"}}, "here: [store] durability: 'often' is not one of sync, process"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(sections, told):
    with pytest.raises(BadConfig) as error:
        with_values(**sections)
    assert str(error.value) == told


def test_values_lie_on_top_of_others_and_change_nothing_else():
    first = with_values(server={"port": 1, "name": "one"}, limits={"topic": 9})
    second = first.with_values({"server": {"port": 2}}, "there")
    assert (second.server.port, second.server.name, second.limits.topic) == (2, "one", 9)
    assert first.server.port == 1
    assert dataclasses.replace(second.server, port=12345, name="asynchat") == Settings().server


@pytest.mark.parametrize(("section", "each"), list(declared()), ids=lambda value: getattr(value, "name", value))
def test_every_setting_says_what_it_does_and_its_default_is_a_value(section, each):
    help_text = each.metadata["help"]
    assert help_text
    assert not help_text.endswith(".")
    if each.default is not None and section != "operators.NAME":
        assert with_values(**{section: {each.name: each.default}}) == Settings()


def test_operators_have_sections_with_names_of_ones_choice():
    settings = with_values(operators={"alice": {"password": "a"}, "B ob": {"password": "b"}})
    assert {name: each.password for name, each in settings.operators.items()} == {"alice": "a", "B ob": "b"}
    assert not Settings().operators
    assert ("operators.NAME", "password") in [(section, each.name) for section, each in declared()]


def test_no_two_settings_have_the_same_option():
    options = [each.metadata["option"] for _, each in declared() if each.metadata["option"]]
    assert len(options) == len(set(options))
    assert all(option.startswith("--") for option in options)


# Files.


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"port = ", "Invalid value"), (b"[server\n", "Expected"), (b"a = 'caf\xe9'", "codec can't decode")],
)
def test_a_file_that_is_no_toml_is_named(tmp_path, content, why):
    path = tmp_path / "server.toml"
    path.write_bytes(content)
    with pytest.raises(BadConfig, match=why) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadConfig, match=r"none\.toml: No such file"):
        read(tmp_path / "none.toml")


def test_a_file_is_utf_8_whatever_the_locale_is(tmp_path, monkeypatch):
    """As TOML says."""
    path = tmp_path / "server.toml"
    path.write_text('[server]\nnetwork = "Café"\n', encoding="utf-8")
    read_text = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, encoding="latin-1", **more: read_text(self, encoding, **more))
    assert read(path) == {"server": {"network": "Café"}}


# Which source counts more: option, environment, --config, the user's file, default.


class Sources:
    """Where the port may come from; what is None is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "xdg" / "asynchat").mkdir(parents=True)
        self.env: dict[str, str | None] = {"XDG_CONFIG_HOME": str(folder / "xdg"), "HOME": str(folder)}

    def user_file(self, content: str) -> None:
        (self.folder / "xdg" / "asynchat" / "server.toml").write_text(content)

    def settings(self, *arguments: str, config: str | None = None, **env: str) -> Settings:
        """What a command with the options of `serve` makes of it all."""
        made: list[Settings] = []
        given = None
        if config is not None:
            given = self.folder / "given.toml"
            given.write_text(config)

        @click.command(context_settings={"auto_envvar_prefix": "ASYNCHAT"})
        @setting_options
        def command(**options: Any) -> None:
            made.append(settings_from(options, str(given) if given else None))

        CliRunner().invoke(command, arguments, env=self.env | env, catch_exceptions=False, standalone_mode=False)
        return made[0]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    for name in ("ASYNCHAT_PORT", "ASYNCHAT_HOST", "ASYNCHAT_LOG_LEVEL", "ASYNCHAT_SERVE_PORT"):
        monkeypatch.delenv(name, raising=False)
    return Sources(tmp_path)


@pytest.mark.parametrize("strongest", range(5), ids=["option", "environment", "--config", "user-file", "default"])
def test_the_stronger_source_counts(sources, strongest):
    ports = [1, 2, 3, 4, 12345]
    if strongest <= 3:
        sources.user_file("[server]\nport = 4\n")
    arguments = ["--port", "1"] if strongest <= 0 else []
    env = {"ASYNCHAT_SERVE_PORT": "2"} if strongest <= 1 else {}
    given = "[server]\nport = 3\n" if strongest <= 2 else None
    assert sources.settings(*arguments, config=given, **env).server.port == ports[strongest]


def test_what_the_stronger_source_does_not_say_the_weaker_does(sources):
    sources.user_file('[server]\nname = "one"\nport = 4\n[limits]\ntopic = 9\n')
    settings = sources.settings("--port", "1", ASYNCHAT_SERVE_MAX_LINE="1KiB")
    assert (settings.server.port, settings.server.name) == (1, "one")
    assert (settings.limits.topic, settings.limits.max_line) == (9, 1024)


@pytest.mark.parametrize(
    ("variable", "setting", "meant"),
    [
        ("ASYNCHAT_PORT=9", "server.port", 9),
        ("ASYNCHAT_HOST=10.0.0.1", "server.host", ("10.0.0.1",)),
        ("ASYNCHAT_SERVE_HOST=10.0.0.1 ::1", "server.host", ("10.0.0.1", "::1")),
        ("ASYNCHAT_LOG_LEVEL=debug", "log.level", "debug"),
        ("ASYNCHAT_SERVE_SERVER_NAME=irc.example", "server.name", "irc.example"),
        ("ASYNCHAT_SERVE_PING_INTERVAL=2m", "limits.ping_interval", 120.0),
    ],
)
def test_an_option_is_a_variable_of_the_environment_too(sources, variable, setting, meant):
    name, _, value = variable.partition("=")
    assert attrgetter(setting)(sources.settings(**{name: value})) == meant


def test_an_option_that_may_be_given_several_times_is_all_of_them(sources):
    assert sources.settings("--host", "a", "--host", "b").server.host == ("a", "b")
    assert sources.settings().server.host == Settings().server.host


def test_a_port_that_is_asked_for_counts_more_than_addresses_in_a_file(sources):
    sources.user_file('[server]\nlisten = ["unix:///run/chat.sock"]\n')
    assert sources.settings().server.listen == ("unix:///run/chat.sock",)
    assert not sources.settings("--port", "0").server.listen
    assert sources.settings("--port", "0", "--listen", ":1").server.listen == (":1",)


def test_a_bad_value_is_told_with_where_it_came_from(sources):
    with pytest.raises(BadConfig, match=r"^option: \[limits\] max_line: 'x' is no size"):
        sources.settings("--max-line", "x")
    with pytest.raises(BadConfig, match=r"given\.toml: \[server\] has no prot; did you mean port\?"):
        sources.settings(config="[server]\nprot = 1\n")
    sources.user_file("[limits]\ntopic = 0\n")
    with pytest.raises(BadConfig, match=r"xdg/asynchat/server\.toml: \[limits\] topic: 0 is less than 1"):
        sources.settings()


def test_every_option_tells_its_default(sources):
    @click.command()
    @setting_options
    def command(**options: Any) -> None:
        raise AssertionError

    shown = " ".join(CliRunner().invoke(command, ["--help"], env={"COLUMNS": "200"}).output.split())
    for _, each in declared():
        if each.metadata["option"]:
            assert each.metadata["option"] in shown
    assert "(12345)" in shown
    assert config.Settings().server.room in shown


def test_a_program_gives_settings_by_section_and_name(tmp_path: Path) -> None:
    settings = Settings.of(
        {
            "limits": {"flood": False, "max_line": "4KiB"},
            "store": MappingProxyType({"keep": "30d"}),
            "operators": {"queen": {"password": "cards"}},
        }
    )
    assert (settings.limits.flood, settings.limits.max_line, settings.store.keep) == (False, 4096, 30 * 86_400)
    assert settings.operators["queen"].password == "cards"
    assert settings.history == Settings().history
    file = tmp_path / "server.toml"
    file.write_text(
        '[limits]\nflood = false\nmax_line = "4KiB"\n[store]\nkeep = "30d"\n[operators.queen]\npassword = "cards"'
    )
    assert Settings.read(file) == Settings.read(str(file)) == settings


def test_what_is_wrong_in_the_settings_of_a_program_is_told_with_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"Settings: \[limits\] has no floood; did you mean flood\?"):
        Settings.of({"limits": {"floood": False}})
    with pytest.raises(BadConfig, match=r"Settings: there is no section \[limit\]"):
        Settings.of({"limit": {}})
    with pytest.raises(BadConfig, match=r"nowhere\.toml: No such file"):
        Settings.read(tmp_path / "nowhere.toml")
