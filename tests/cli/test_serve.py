"""`asynchat serve`: options, environment, files, and what it writes to its log."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import asynchat
from asynchat.cli import group
from asynchat.config.server import Settings, declared
from tests.net.conftest import (
    NEWS,
    NO,
    PATIENCE_S,
    FrameClient,
    GreetedClient,
    IrcClient,
    LineClient,
    Serve,
    clients,
    environment,
    serve,
    walk_in,
)

__all__ = ["clients", "serve", "walk_in"]  # the fixtures of tests/net serve here too

# What it understands, without starting anything.


class Started:
    """What `serve` would have run a server with."""

    settings: Settings
    where: str
    show: bool
    operate: bool
    print_url: bool
    colored: bool
    log: tuple[str, str]
    log_in_color: bool


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    """No server is started; what it would have been is here. Nothing of this machine's configuration is seen."""
    for name in environment(tmp_path).keys() ^ dict(os.environ).keys():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = Started()

    async def run(
        server: asynchat.Server, where: str, *, show: bool, operate: bool, print_url: bool, colored: bool
    ) -> None:
        found.settings, found.where, found.show, found.print_url = server.settings, where, show, print_url
        found.colored, found.operate = colored, operate

    def set_up(level: str, form: str, *, color: bool) -> None:
        found.log, found.log_in_color = (level, form), color

    monkeypatch.setattr("asynchat.cli.serve._serve", run)
    monkeypatch.setattr("asynchat.cli.serve.set_up", set_up)
    monkeypatch.setattr("asynchat.cli.logs.set_up", set_up)  # what -v does before any command
    return found


def run(*arguments: str, **env: str) -> Result:
    result = CliRunner().invoke(group, arguments, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_help_names_every_command_and_every_option() -> None:
    assert "serve" in run("--help").output
    text = run("serve", "--help").output
    options = [each.metadata["option"] for _, each in declared() if each.metadata["option"]]
    for option in [*options, "--data", "--memory", "--console", "--no-console", "--print-url", "--config"]:
        assert option in text


def test_version() -> None:
    assert run("--version").output == f"asynchat, version {asynchat.__version__}\n"


VALUES: dict[str, tuple[list[str], Any, Any]] = {
    "--server-name": (["lab"], "lab", "lab"),
    "--listen": (["127.0.0.1:1", "[::1]:2"], ["127.0.0.1:1", "[::1]:2"], ("127.0.0.1:1", "[::1]:2")),
    "--host": (["0.0.0.0", "::"], ["0.0.0.0", "::"], ("0.0.0.0", "::")),
    "--port": (["4711"], 4711, 4711),
    "--room": (["#ops"], "#ops", "#ops"),
    "--motd": (["motd.txt"], "motd.txt", "motd.txt"),
    "--greeting": (["nick"], "nick", "nick"),
    "--tls-cert": (["cert.pem"], "cert.pem", "cert.pem"),
    "--tls-key": (["key.pem"], "key.pem", "key.pem"),
    "--tls": (["auto"], "auto", "auto"),
    "--accounts": (["off"], "off", "off"),
    "--durability": (["process"], "process", "process"),
    "--max-clients": (["7"], 7, 7),
    "--max-line": (["2KiB"], "2KiB", 2048),
    "--send-queue": (["2MiB"], "2MiB", 2 * 1024 * 1024),
    "--read-buffer": (["1024"], 1024, 1024),
    "--keep": (["30d"], "30d", 30 * 24 * 3600.0),
    "--ping-interval": (["2m"], "2m", 120.0),
    "--resume-window": (["1h"], "1h", 3600.0),
    "--log-level": (["warning"], "warning", "warning"),
    "--log-format": (["json"], "json", "json"),
}
"""Each option that is a setting: on the command line, in TOML, and what it comes to."""
SETTINGS = {each.metadata["option"]: (section, each.name) for section, each in declared() if each.metadata["option"]}


def value_of(settings: Settings, option: str) -> Any:
    section, name = SETTINGS[option]
    return getattr(getattr(settings, section), name)


def test_this_file_knows_every_option() -> None:
    assert VALUES.keys() == SETTINGS.keys()


@pytest.mark.parametrize("option", VALUES)
def test_an_option_reaches_the_server_from_the_command_line(option: str, started: Started) -> None:
    given, _, wanted = VALUES[option]
    assert value_of(Settings(), option) != wanted
    assert run("serve", *(word for value in given for word in (option, value))).exit_code == 0
    assert value_of(started.settings, option) == wanted


@pytest.mark.parametrize("option", VALUES)
def test_an_option_reaches_the_server_from_the_environment(option: str, started: Started) -> None:
    given, _, wanted = VALUES[option]
    variable = f"ASYNCHAT_SERVE_{option[2:].replace('-', '_').upper()}"
    assert run("serve", **{variable: " ".join(given)}).exit_code == 0
    assert value_of(started.settings, option) == wanted


@pytest.mark.parametrize("option", VALUES)
def test_an_option_reaches_the_server_from_a_file(option: str, started: Started, tmp_path: Path) -> None:
    _, in_toml, wanted = VALUES[option]
    section, name = SETTINGS[option]
    file = tmp_path / "server.toml"
    file.write_text(f"[{section}]\n{name} = {json.dumps(in_toml)}\n")
    assert run("serve", "--config", str(file)).exit_code == 0
    assert value_of(started.settings, option) == wanted


def test_short_variables_say_host_port_level_and_data(started: Started, tmp_path: Path) -> None:
    result = run(
        "serve",
        ASYNCHAT_HOST="::1",
        ASYNCHAT_PORT="4711",
        ASYNCHAT_LOG_LEVEL="error",
        ASYNCHAT_DATA=str(tmp_path / "here"),
    )
    assert result.exit_code == 0
    assert started.settings.server.host == ("::1",)
    assert started.settings.server.port == 4711
    assert started.log == ("error", "text")
    assert started.settings.store.path == str(tmp_path / "here" / "asynchat.db")


def test_the_nearer_word_counts(started: Started, tmp_path: Path) -> None:
    """Option > environment > --config > the user's file > default."""
    config = tmp_path / ".config" / "asynchat"
    config.mkdir(parents=True)
    (config / "server.toml").write_text("[server]\nport = 1\nroom = '#theirs'\n")
    given = tmp_path / "given.toml"
    given.write_text("[server]\nport = 2\n")
    run("serve")
    assert (started.settings.server.port, started.settings.server.room) == (1, "#theirs")
    run("serve", "--config", str(given))
    assert started.settings.server.port == 2
    run("serve", "--config", str(given), ASYNCHAT_PORT="3")
    assert started.settings.server.port == 3
    run("serve", ASYNCHAT_PORT="3", ASYNCHAT_SERVE_PORT="4")
    assert started.settings.server.port == 4
    run("serve", "--port", "5", ASYNCHAT_PORT="3", ASYNCHAT_SERVE_PORT="4")
    assert started.settings.server.port == 5


@pytest.mark.parametrize("before", [True, False])
def test_config_may_stand_before_and_after_the_command(before: bool, started: Started, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[server]\nname = 'lab'\n")
    config = ("--config", str(file))
    assert run(*config, "serve").exit_code == 0 if before else run("serve", *config).exit_code == 0
    assert started.settings.server.name == "lab"
    started.settings = Settings()
    assert run("serve", ASYNCHAT_CONFIG=str(file)).exit_code == 0
    assert started.settings.server.name == "lab"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        pytest.param("[server]\nprot = 1\n", ["[server]", "prot", "did you mean port?"], id="unknown key"),
        pytest.param("[sever]\nport = 1\n", ["[sever]", "did you mean server?"], id="unknown section"),
        pytest.param("[server]\nport = 'many'\n", ["[server] port", "'many'"], id="no number"),
        pytest.param("[server]\nport = true\n", ["[server] port", "True"], id="a switch for a number"),
        pytest.param("[server]\nname = 1\n", ["[server] name"], id="a number for a text"),
        pytest.param("[server]\nlisten = '127.0.0.1:1'\n", ["[server] listen"], id="a text for a list"),
        pytest.param("[server]\ngreeting = 'rude'\n", ["[server] greeting", "text, nick, none"], id="no such choice"),
        pytest.param("[limits]\nmax_line = '1 parsec'\n", ["[limits] max_line", "parsec"], id="no size"),
        pytest.param("[limits]\nmax_line = 10\n", ["[limits] max_line", "512"], id="too small"),
        pytest.param("[limits]\nping_interval = 'soon'\n", ["[limits] ping_interval", "soon"], id="no duration"),
        pytest.param("server = 1\n", ["server"], id="a value for a section"),
        pytest.param("[server\n", ["line 1"], id="no TOML"),
        pytest.param("[server]\nlisten = ['nonsense']\n", ["nonsense"], id="no address"),
        pytest.param("[server]\nlisten = ['127.0.0.1:70000']\n", ["70000"], id="no port"),
        pytest.param("[server]\nport = 70000\n", ["[server] port", "70000"], id="past the last port"),
        pytest.param("[server]\nmotd = '/no/such/file'\n", ["/no/such/file"], id="no such file"),
        pytest.param("[server]\nroom = 'lobby'\n", ["[server] room", "lobby"], id="no room's name"),
    ],
)
def test_a_bad_file_ends_it_with_78_and_is_named_with_the_key(toml: str, said: list[str], tmp_path: Path) -> None:
    """What can only be found out on starting is named too."""
    file = tmp_path / "bad.toml"
    file.write_text(toml)
    extra = [] if "port" in toml or "listen" in toml else ["--port", "0"]
    command = [sys.executable, "-m", "asynchat", "serve", "--memory", "--config", str(file), *extra]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=5, env=environment(tmp_path), check=False
        )
    except subprocess.TimeoutExpired:
        pytest.fail("it serves")
    assert done.returncode == 78, done.stderr
    assert "Traceback" not in done.stderr
    for words in [*said, *(["bad.toml"] if said[0][0] == "[" else [])]:
        assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        (["serve"], "info"),
        (["-v", "serve"], "debug"),
        (["serve", "-v"], "debug"),
        (["serve", "-q"], "warning"),
        (["-q", "serve", "-q", "--log-level", "warning"], "error"),
        (["-v", "serve", "-v", "--log-level", "error"], "info"),
        (["-v", "serve", "-q", "--log-level", "error"], "error"),
    ],
)
def test_verbose_and_quiet_shift_the_level_of_the_log(arguments: list[str], level: str, started: Started) -> None:
    assert run(*arguments).exit_code == 0
    assert started.log == (level, "text")


@pytest.mark.parametrize("before", [True, False])
def test_color_is_that_of_the_banner_and_of_the_log(before: bool, started: Started) -> None:
    assert run("serve").exit_code == 0
    assert (started.colored, started.log_in_color) == (False, False)
    always = ("--color", "always")
    assert run(*always, "serve").exit_code == 0 if before else run("serve", *always).exit_code == 0
    assert (started.colored, started.log_in_color) == (True, True)


def test_a_file_that_is_not_there_ends_it_with_78(started: Started, tmp_path: Path) -> None:
    result = run("serve", "--config", str(tmp_path / "none.toml"))
    assert result.exit_code == 78
    assert "none.toml" in result.output


def test_an_option_that_is_none_ends_it_with_a_usage_error(started: Started) -> None:
    assert CliRunner().invoke(group, ["serve", "--colour"], standalone_mode=True).exit_code == 2
    assert CliRunner().invoke(group, ["serve", "--greeting", "rude"], standalone_mode=True).exit_code == 2


def test_a_value_that_does_not_fit_ends_it_with_78_and_names_the_option(started: Started) -> None:
    result = run("serve", "--max-line", "wide")
    assert result.exit_code == 78
    assert "max_line" in result.output or "--max-line" in result.output


def test_data_and_memory_say_where_it_is_kept(started: Started, tmp_path: Path) -> None:
    run("serve")
    assert started.settings.store.path == str(tmp_path / ".local/share/asynchat/asynchat.db")
    run("serve", "--data", str(tmp_path / "here"))
    assert started.settings.store.path == str(tmp_path / "here" / "asynchat.db")
    assert started.where == str(tmp_path / "here" / "asynchat.db")
    run("serve", "--memory", "--data", str(tmp_path / "nowhere"))
    assert started.settings.store.path == "memory"
    assert list((tmp_path / "nowhere").iterdir()) == []  # the folder is for the admin socket alone


def test_a_folder_that_cannot_be_ends_it_with_74(started: Started, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("serve", "--data", str(tmp_path / "file" / "data"))
    assert result.exit_code == 74
    assert "file/data" in result.output


# What it does.


async def test_what_is_set_is_seen_on_every_wire(serve: Serve, walk_in: Any, tmp_path: Path) -> None:
    motd = tmp_path / "motd.txt"
    motd.write_text("be kind\nand brief\n")
    process = serve(
        "--memory", "--server-name", "lab", "--room", "#ops", "--motd", str(motd), "--max-line", "512",
        "--greeting", "nick", "--max-clients", "4", "--read-buffer", "16", "--ping-interval", "1",
    )  # fmt: skip
    greg = await walk_in(GreetedClient, process.port, "greg")
    assert "you are in #ops." in greg.news[0]
    await greg.send(b"x" * 600)
    await greg.until(NO, "TOO_LONG 512")
    irene = await walk_in(IrcClient, process.port)
    irene.room = "#ops"
    await irene.enter("irene")
    assert irene.raw[0].startswith(":lab 001 irene :")
    assert [line.partition(" :- ")[2] for line in irene.raw if " 372 " in line] == ["be kind", "and brief"]
    await irene.until(NEWS, "PING lab")
    fred = await walk_in(FrameClient, process.port, "fred")
    await fred.say("a line that takes more than one read of sixteen bytes")
    await irene.until("fred", "a line that takes more than one read of sixteen bytes")
    await walk_in(LineClient, process.port)
    refused = await walk_in(LineClient, process.port)
    await refused.until("ERROR", "full")


async def test_it_listens_where_it_is_told_and_greets_where_it_is_told(serve: Serve, walk_in: Any) -> None:
    """The three documents' addresses: `--listen :A --listen :B --listen ':C?greeting=nick'`; all meet in one room."""
    three = ("--listen", ":0", "--listen", "127.0.0.1:0", "--listen", ":0?greeting=nick")
    process = serve("--memory", "--host", "127.0.0.1", *three, port=None)
    where = process.logged("listening on")
    first, second, third = (int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", where))
    nat = await walk_in(LineClient, first, "nat")
    fred = await walk_in(FrameClient, second, "fred")
    greg = await walk_in(GreetedClient, third, "greg")
    await greg.say("hello from greg")
    await nat.until("greg", "hello from greg")
    await fred.until("greg", "hello from greg")


async def test_print_url_prints_the_url_and_nothing_else(serve: Serve, walk_in: Any) -> None:
    process = serve("--memory")
    assert re.fullmatch(r"asynchat://127\.0\.0\.1:\d+", process.url)
    await walk_in(LineClient, process.port, "nat")
    assert process.stop() == 0
    assert process.popen.stdout is not None
    assert process.popen.stdout.read() == b""


def test_console_says_how_to_walk_in(serve: Serve) -> None:
    process = serve("--memory", "--console")
    assert process.stop() == 0
    assert process.popen.stdout is not None
    shown = process.popen.stdout.read().decode()
    assert f"nc localhost {process.port}" in shown
    assert f"asynchat join asynchat://localhost:{process.port}" in shown
    assert f"pid {process.popen.pid}" in shown


@pytest.mark.parametrize(("choice", "colored"), [("never", False), ("always", True)])
def test_the_banner_and_what_is_bad_in_the_log_are_coloured(
    choice: str, colored: bool, serve: Serve, tmp_path: Path
) -> None:
    too_long = str(tmp_path / ("d" * 120))  # for the admin socket, of which the log warns
    process = serve("--console", "--color", choice, "--data", too_long)
    assert process.stop() == 0
    assert process.popen.stdout is not None
    shown = process.popen.stdout.read().decode()
    name, mark = f"asynchat {asynchat.__version__}", "warning: "
    assert shown.startswith(f"\x1b[1m{name}\x1b[0m " if colored else f"{name} ")
    assert (f"\x1b[33m{mark}\x1b[0m" if colored else f" {mark}") in process.log


def test_an_address_in_use_ends_it_with_1_and_a_hint(serve: Serve, tmp_path: Path) -> None:
    process = serve("--memory")
    command = [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", str(process.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, env=environment(tmp_path), check=False)
    assert done.returncode == 1
    assert f"127.0.0.1:{process.port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


# What it logs.


async def test_the_log_says_name_address_and_wire_of_who_comes_and_who_goes(serve: Serve, walk_in: Any) -> None:
    process = serve("--memory")
    for kind, name, wire in ((LineClient, "nat", "line"), (FrameClient, "fred", "frame"), (IrcClient, "irene", "irc")):
        client = await walk_in(kind, process.port, name)
        assert re.fullmatch(rf"\d\d:\d\d:\d\d \+ {name}  127\.0\.0\.1  {wire}", process.logged(f"+ {name}"))
        await (client.say("quit") if kind is not IrcClient else client.command("QUIT :so long"))
        why = "Quit: so long" if kind is IrcClient else "quit"
        assert re.fullmatch(rf"\d\d:\d\d:\d\d - {name}.* \({why}\)", process.logged(f"- {name}"))
    six = await walk_in(LineClient, process.port, "sixta", host="::1")
    process.logged("+ sixta  ::1  line")
    six.reset()
    await asyncio.sleep(0.01)  # its transport closes in the next turn
    process.logged("- sixta (")


async def test_a_log_level_hides_what_is_below_it(serve: Serve, walk_in: Any) -> None:
    process = serve("--memory", "--log-level", "warning")
    nat = await walk_in(LineClient, process.port, "nat")
    await nat.say("quit")
    await nat.rest()
    assert process.stop() == 0
    assert process.log == ""


HOSTILE = "a\x1b[2J\x1b]0;owned\x07 %s {} \x85\u2028\u202e b"


@pytest.mark.parametrize("form", ["text", "json"])
async def test_whatever_people_send_is_one_escaped_line_of_the_log(form: str, serve: Serve, walk_in: Any) -> None:
    process = serve("--memory", "--log-format", form)
    fred = await walk_in(FrameClient, process.port, "fred")
    await fred.say(f"/quit {HOSTILE}\n12:00:00 + mallory  10.0.0.1  line")
    irene = await walk_in(IrcClient, process.port, "irene")
    await irene.command(f"QUIT :{HOSTILE}")
    nameless = await walk_in(LineClient, process.port)
    await nameless.send(f"{HOSTILE}\n".encode())
    await nameless.until(NO, "BAD_NAME")
    await irene.rest()
    process.logged("- irene")
    assert process.stop() == 0
    log = process.log_file.read_bytes().decode()
    assert log.endswith("\n")
    for line in log.removesuffix("\n").split("\n"):
        assert line.isprintable(), line
        if form == "json":
            assert json.loads(line).keys() >= {"time", "level", "logger", "message"}
        else:
            assert re.match(r"\d\d:\d\d:\d\d ", line)
    lines = log.splitlines()
    assert len([line for line in lines if "fred" in line]) == 2
    assert len([line for line in lines if "mallory" in line]) == 1
    assert "mallory" in next(line for line in lines if "- fred" in line)


async def test_a_traceback_in_a_json_log_stays_in_its_line(tmp_path: Path) -> None:
    program = "\n".join(  # noqa: FLY002  (it is a program)
        [
            "import logging",
            "from asynchat.cli.logs import set_up",
            "set_up('info', 'json')",
            "try: 1 / 0",
            "except ZeroDivisionError: logging.getLogger('asynchat').exception('it failed')",
        ]
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=10, check=True)
    (line,) = done.stderr.splitlines()
    entry = json.loads(line)
    assert entry["level"] == "error"
    assert entry["message"] == "it failed"
    assert "ZeroDivisionError" in entry["traceback"]


async def motd_of(port: int) -> str:
    """What an IRC client is shown of the message of the day."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"NICK ann\r\nUSER a 0 * :a\r\nQUIT\r\n")
    async with asyncio.timeout(PATIENCE_S):
        heard = (await reader.read()).decode()
    writer.close()
    return heard


async def test_sighup_reads_the_configuration_again_and_a_broken_one_changes_nothing(
    serve: Serve, tmp_path: Path
) -> None:
    config, motd = tmp_path / "server.toml", tmp_path / "motd.txt"
    motd.write_text("one")
    config.write_text(f'[server]\nmotd = "{motd}"\n')
    server = serve("--memory", "--config", str(config))
    assert ":- one" in await motd_of(server.port)
    motd.write_text("two")
    server.popen.send_signal(signal.SIGHUP)
    await asyncio.to_thread(server.logged, "the configuration was read again")
    assert ":- two" in await motd_of(server.port)
    config.write_text("[server]\nmotd = 7\n")
    server.popen.send_signal(signal.SIGHUP)
    await asyncio.to_thread(server.logged, "the configuration stays as it is")
    assert ":- two" in await motd_of(server.port)


def test_who_closes_the_terminal_ends_the_server_that_was_started_in_it(tmp_path: Path) -> None:
    """While the terminal is there SIGHUP reads the configuration again, as it does without one."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(  # in a terminal of its own, which Popen cannot give it
            sys.executable,
            [sys.executable, "-m", "asynchat", "serve", "--memory", "--port", "0", "--no-console"],
            environment(tmp_path),
        )
    shown = b""
    try:
        while b"listening on" not in shown:
            shown += os.read(terminal, 4096)
        os.kill(pid, signal.SIGHUP)
        while b"was read again" not in shown:
            shown += os.read(terminal, 4096)
    finally:
        os.close(terminal)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    pytest.fail("it goes on")
