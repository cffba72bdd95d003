"""`asynchat config`: which files, what counts and from where, what is wrong, and a file to start from."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from asynchat.cli import group
from asynchat.cli.settings.schema import CLIENT, SERVER, Schema
from asynchat.cli.settings.starter import starter
from asynchat.config.client import ClientSettings
from asynchat.config.server import Settings, declared
from asynchat.config.values import changed

SCHEMAS = pytest.mark.parametrize("schema", [SERVER, CLIENT], ids=["server", "client"])


class Home:
    """A home of its own for each test, and nothing of this machine's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = folder / ".config" / "asynchat"

    def write(self, name: str, content: str) -> Path:
        self.user.mkdir(parents=True, exist_ok=True)
        (self.user / name).write_text(content)
        return self.user / name

    def run(self, *arguments: str, **env: str | None) -> Result:
        clean: dict[str, str | None] = {"XDG_CONFIG_HOME": None, "HOME": str(self.folder), "ASYNCHAT_CONFIG": None}
        done = CliRunner().invoke(group, ["config", *arguments], env=clean | env)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("ASYNCHAT_URL", "ASYNCHAT_NAME", "ASYNCHAT_ROOM", "ASYNCHAT_HOST", "ASYNCHAT_PORT"):
        monkeypatch.delenv(name, raising=False)
    return Home(tmp_path)


# path


def test_path_prints_what_is_read_strongest_first_and_whether_it_is_there(home: Home) -> None:
    file = home.write("client.toml", "")
    assert home.run("path").stdout.splitlines() == [
        f"server  missing  {home.user}/server.toml",
        "server  missing  /etc/asynchat/server.toml",
        f"client  read     {file}",
        "client  missing  /etc/asynchat/client.toml",
    ]
    assert home.run("path", "--client").stdout.splitlines()[0] == f"client  read     {file}"
    assert "client" not in home.run("path", "--server").stdout


def test_a_file_that_is_named_is_the_only_one(home: Home) -> None:
    file = home.write("mine.toml", "")
    assert home.run("path", "--server", "--config", str(file)).stdout == f"server  read     {file}\n"
    assert home.run("path", "--server", ASYNCHAT_CONFIG="none.toml").stdout == "server  missing  none.toml\n"


# show


def lines_of(done: Result) -> dict[str, str]:
    """What `show` has behind each setting, by its name."""
    assert done.exit_code == 0, done.output
    return dict(re.findall(r"^(\w+) = .*  # (.*)$", done.stdout, re.MULTILINE))


def test_show_is_toml_that_comes_to_the_defaults(home: Home) -> None:
    values = tomllib.loads(home.run("show").stdout)
    assert Settings().with_values(values, "shown") == Settings()
    default = tomllib.loads(home.run("show", "--client").stdout)["default"]
    assert changed(ClientSettings(), default, "shown") == ClientSettings()


@SCHEMAS
def test_show_names_every_setting(schema: Schema, home: Home) -> None:
    shown = home.run("show", f"--{schema.name}").stdout
    for section, each in schema.declared():
        if "." not in section:
            assert re.search(rf"^(# )?{each.name} (=|is not set)", shown, re.MULTILINE)


def test_show_says_where_each_comes_from(home: Home) -> None:
    file = home.write("server.toml", '[server]\nname = "lab"\nnetwork = "Lab"\nport = 1\n[limits]\ntopic = 9\n')
    done = home.run("show", "--server-name", "here", ASYNCHAT_PORT="2", ASYNCHAT_SERVE_MAX_LINE="1KiB")
    values, origins = tomllib.loads(done.stdout), lines_of(done)
    assert (values["server"]["name"], origins["name"]) == ("here", "option --server-name")
    assert (values["server"]["network"], origins["network"]) == ("Lab", str(file))
    assert (values["server"]["port"], origins["port"]) == (2, "environment ASYNCHAT_PORT")
    assert (values["limits"]["max_line"], origins["max_line"]) == ("1KiB", "environment ASYNCHAT_SERVE_MAX_LINE")
    assert (values["limits"]["topic"], origins["topic"]) == (9, str(file))
    assert (values["limits"]["nick"], origins["nick"]) == (32, "default")


def test_show_names_the_variable_that_counts(home: Home) -> None:
    done = home.run("show", ASYNCHAT_PORT="2", ASYNCHAT_SERVE_PORT="3")
    assert tomllib.loads(done.stdout)["server"]["port"] == 3
    assert lines_of(done)["port"] == "environment ASYNCHAT_SERVE_PORT"


def test_a_port_that_replaces_addresses_is_named_for_them(home: Home) -> None:
    home.write("server.toml", '[server]\nlisten = [":1"]\n')
    done = home.run("show", "--port", "5")
    assert tomllib.loads(done.stdout)["server"]["listen"] == []
    assert lines_of(done)["listen"] == "option --port"


def test_show_of_a_client(home: Home) -> None:
    file = home.write("client.toml", '[default]\nname = "ann"\n[profile.lab]\nurl = "asynchat://lab"\n')
    done = home.run("show", "--client", "-r", "#ops", ASYNCHAT_URL="asynchat://there")
    values = tomllib.loads(done.stdout)
    assert values["default"].items() >= {"url": "asynchat://there", "name": "ann", "rooms": ["#ops"]}.items()
    assert values["profile"] == {"lab": {"url": "asynchat://lab"}}
    assert 'url = "asynchat://there"  # environment ASYNCHAT_URL\n' in done.stdout
    assert f'name = "ann"  # {file}\n' in done.stdout
    assert 'rooms = ["#ops"]  # option --room\n' in done.stdout
    assert f'url = "asynchat://lab"  # {file}\n' in done.stdout


def test_a_profile_that_is_named_counts_for_what_it_says(home: Home) -> None:
    file = home.write("client.toml", '[default]\nname = "ann"\n[profile.lab]\nurl = "asynchat://lab"\ntls = true\n')
    for done in (home.run("show", "--client", "-u", "lab"), home.run("show", "--client", ASYNCHAT_URL="lab")):
        shown = done.stdout.partition("\n[profile.lab]")[0]
        assert f'url = "asynchat://lab"  # {file} [profile.lab]\n' in shown
        assert f"tls = true  # {file} [profile.lab]\n" in shown
        assert f'name = "ann"  # {file}\n' in shown


def test_a_profile_takes_the_place_of_one_in_a_weaker_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = home.write("weak.toml", '[default]\nname = "ann"\n[profile.lab]\nurl = "asynchat://old"\nrooms = ["#old"]\n')
    strong = home.write("strong.toml", '[profile.lab]\nurl = "asynchat://lab"\n')
    monkeypatch.setattr("asynchat.cli.settings.origins.config_files", lambda *_: [weak, strong])
    done = home.run("show", "--client", "-u", "lab")
    values = tomllib.loads(done.stdout)
    assert values["profile"] == {"lab": {"url": "asynchat://lab"}}
    assert (values["default"]["url"], values["default"]["name"]) == ("asynchat://lab", "ann")


def test_a_flag_is_an_option_like_others(home: Home) -> None:
    done = home.run("show", "--client", "--insecure", ASYNCHAT_SEND_TLS="1")
    assert "insecure = true  # option --insecure\n" in done.stdout
    assert "tls = true  # environment ASYNCHAT_SEND_TLS\n" in done.stdout


def test_secrets_are_not_shown(home: Home) -> None:
    home.write("server.toml", '[server]\npassword = "sesame"\n[operators."B ob"]\npassword = "sesame"\n')
    done = home.run("show")
    assert "sesame" not in done.output
    values = tomllib.loads(done.stdout)
    assert values["server"]["password"] == values["operators"]["B ob"]["password"] == "********"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--port", "x"], 78, "[server] port"),
        (["--colour"], 2, "No such option"),
        (["--memory"], 2, "No such option"),
        (["--config", "none.toml"], 78, "none.toml"),
        (["word"], 2, "unexpected extra argument"),
    ],
)
def test_what_show_cannot_use_is_told(arguments: list[str], code: int, words: str, home: Home) -> None:
    done = home.run("show", *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr


# check


WRONG_SERVER = """
port = 1
[sever]
a = 1
b = 2
[server]
prot = 1
port = 70000
name = "lab"
listen = ["nonsense"]
[limits]
max_line = 1
topic = "x"
nick = 7
[operators.bob]
pass = "x"
[operators.eve]
password = ""
[operators.ann]
password = "sesame"
"""


def test_check_prints_every_problem_on_a_line(home: Home) -> None:
    file = home.write("server.toml", WRONG_SERVER)
    done = home.run("check", str(file))
    assert done.exit_code == 78
    assert [line.removeprefix(f"{file}: ") for line in done.stdout.splitlines()] == [
        "there is no section [port]",
        "there is no section [sever]; did you mean server?",
        "[server] has no prot; did you mean port?",
        "[server] port: 70000 is no port: they end at 65535",
        "[server] listen: nonsense: an address is [HOST]:PORT, tcp://HOST:PORT or unix://PATH; ports end at 65535",
        "[limits] max_line: 1 is less than 512",
        "[limits] topic: 'x' is no whole number",
        "[operators.bob] has no pass; did you mean password?",
        "[operators.eve] password is missing",
    ]
    assert done.stderr == ""


def test_check_knows_a_client_s_file_by_what_is_said_by_its_name_and_by_its_sections(home: Home) -> None:
    content = '[default]\nurl = 1\nrooms = "#a"\n[profile.lab]\nnme = "x"\n[other]\nx = 1\n'
    for file, more in (("client.toml", []), ("mine.toml", []), ("server.toml", ["--client"])):
        path = home.write(file, content)
        done = home.run("check", *more, str(path))
        assert done.exit_code == 78
        assert done.stdout.splitlines() == [
            f"{path}: [default] url: 1 is no text",
            f"{path}: [default] rooms: '#a' is no list of texts",
            f"{path}: [profile.lab] has no nme; did you mean name?",
            f"{path}: there is no section [other]",
        ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[default", "client.toml: Expected"),
        ("profile = 1", "[profile]"),
        ("[profile]\nlab = 1", "[profile.lab] is no section"),
    ],
)
def test_check_of_what_is_hardly_a_file(content: str, words: str, home: Home) -> None:
    done = home.run("check", str(home.write("client.toml", content)))
    assert done.exit_code == 78
    assert words in done.stdout


def test_a_misspelt_section_is_told_of_the_file_that_it_is_in(home: Home) -> None:
    file = home.write("client.toml", "[defualt]\nrooms = []\n")
    problem = f"{file}: there is no section [defualt]"
    assert home.run("check", str(file)).stdout == f"{problem}\n"
    shown = home.run("show", "--client")
    assert (shown.exit_code, shown.stderr) == (78, f"asynchat: {problem}\n")
    file.write_text("[server]\n")
    assert home.run("check", str(file)).stdout == f"{file}: there is no section [server]\n"


def test_check_without_a_file_looks_at_all_that_is_read(home: Home) -> None:
    good = home.run("check")
    assert (good.exit_code, good.stdout, good.stderr) == (0, "", "all that is read is in order\n")
    server = home.write("server.toml", "[server]\nprot = 1\n")
    client = home.write("client.toml", "[default]\nnme = 1\n")
    done = home.run("check")
    assert done.exit_code == 78
    assert done.stdout.splitlines() == [
        f"{server}: [server] has no prot; did you mean port?",
        f"{client}: [default] has no nme; did you mean name?",
    ]
    assert home.run("check", "--client").stdout.count("\n") == 1
    assert "No such file" in home.run("check", "--config", "none.toml").stdout


def test_a_file_that_is_named_is_checked_as_what_it_is(home: Home) -> None:
    server = home.write("one.toml", "[server]\nport = 1\n")
    client = home.write("other.toml", "[default]\nrooms = []\n")
    assert [home.run("check", "--config", str(file)).exit_code for file in (server, client)] == [0, 0]
    assert home.run("check", "--client", "--config", str(server)).exit_code == 78


def test_check_without_a_file_looks_at_the_environment_too(home: Home) -> None:
    assert "[server] port: 'x' is no whole number" in home.run("check", ASYNCHAT_PORT="x").stdout
    assert "'rude' is not one of" in home.run("check", ASYNCHAT_SERVE_GREETING="rude").stdout
    assert home.run("check", "--client", ASYNCHAT_PORT="x").exit_code == 0


def test_check_can_be_quiet(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asynchat.cli.logs.set_up", lambda *_, **__: None)  # the log of this process stays as it is
    done = CliRunner().invoke(group, ["-q", "config", "check", str(home.write("server.toml", ""))])
    assert (done.exit_code, done.output) == (0, "")


# init


@SCHEMAS
def test_init_writes_a_file_for_its_owner_s_eyes_that_changes_nothing(schema: Schema, home: Home) -> None:
    done = home.run("init", f"--{schema.name}")
    file = home.user / schema.file
    assert (done.exit_code, done.stdout) == (0, f"{file}\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert home.run("check").exit_code == 0
    assert set(lines_of(home.run("show", f"--{schema.name}")).values()) == {"default"}
    assert [path.name for path in home.user.iterdir()] == [schema.file]


def test_init_never_writes_over_a_file_unless_it_is_forced(home: Home) -> None:
    file = home.write("server.toml", "[server]\nport = 1\n")
    file.chmod(0o644)
    done = home.run("init")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--force" in done.stderr
    assert file.read_text() == "[server]\nport = 1\n"
    assert home.run("init", "--force").exit_code == 0
    assert "#port = 12345" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in home.user.iterdir()] == ["server.toml"]


def test_init_writes_where_config_says(home: Home) -> None:
    file = home.folder / "new" / "mine.toml"
    assert home.run("init", "--config", str(file)).stdout == f"{file}\n"
    assert file.is_file()


def test_init_where_no_file_can_be_ends_it_with_74(home: Home) -> None:
    (home.folder / "file").write_text("")
    done = home.run("init", "--config", str(home.folder / "file" / "server.toml"))
    assert done.exit_code == 74
    assert "Not a directory" in done.stderr


def uncommented(schema: Schema, *, only: tuple[str, str] | None = None) -> str:
    """The starter file without the # of one setting, or of all."""
    section, lines = "", []
    for line in starter(schema).splitlines():
        if found := re.fullmatch(r"#?\[(.+)\]", line):
            section = found[1]
            lines.append(line.removeprefix("#") if only is None or only[0] == section else line)
        else:
            name = re.match(r"#(\w+) = ", line)
            wanted = name and (only is None or only == (section, name[1]))
            lines.append(line.removeprefix("#") if wanted else line)
    return "\n".join(lines)


EACH = [(schema, section, each) for schema in (SERVER, CLIENT) for section, each in schema.declared()]


@pytest.mark.parametrize(
    ("schema", "section", "each"), EACH, ids=[f"{section}-{each.name}" for _, section, each in EACH]
)
def test_each_setting_of_a_starter_file_can_be_uncommented(
    schema: Schema, section: str, each: Any, tmp_path: Path
) -> None:
    file = tmp_path / schema.file
    file.write_text(uncommented(schema, only=(section, each.name)))
    assert schema.problems(file) == []
    values = tomllib.loads(file.read_text())
    for name in section.split("."):
        values = values[name]
    assert values.keys() == {each.name}
    if each.default not in (None, ""):
        assert each.metadata["parse"](values[each.name]) == each.default


@SCHEMAS
def test_all_settings_of_a_starter_file_can_be_uncommented(schema: Schema, tmp_path: Path) -> None:
    file = tmp_path / schema.file
    file.write_text(uncommented(schema))
    assert schema.problems(file) == []


def test_a_starter_file_tells_what_each_setting_does_and_its_option() -> None:
    text = starter(SERVER)
    for _, each in declared():
        assert f"# {each.metadata['help']}" in text
        assert f" ({each.metadata['option']})\n" in text or not each.metadata["option"]


def test_the_password_of_a_starter_file_is_another_each_time() -> None:
    first, second = (tomllib.loads(uncommented(SERVER))["server"]["password"] for _ in range(2))
    assert first != second
    assert len(first) >= 20
