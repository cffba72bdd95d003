"""`asynchat send` and `join`: what they say, and the code with which they end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from asynchat.chat.errors import Refused
from asynchat.cli.exits import exits
from tests.net.conftest import PATIENCE_S, Process, Serve, environment, serve

__all__ = ["serve"]


@pytest.fixture
def server(serve: Serve) -> Process:
    return serve("--memory")


def asynchat(
    tmp_path: Path, url: str, *arguments: str | bytes, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "asynchat", *arguments]
    env = environment(tmp_path) | {"ASYNCHAT_URL": url, "ASYNCHAT_NAME": "bob"}
    return subprocess.run(command, cwd=tmp_path, input=stdin, env=env, capture_output=True, timeout=20, check=False)


def heard_on_joining(tmp_path: Path, url: str) -> list[str]:
    return asynchat(tmp_path, url, "join", "--name", "reader").stdout.decode().splitlines()


def test_words_of_the_command_line_are_one_line(server: Process, tmp_path: Path) -> None:
    assert asynchat(tmp_path, server.url, "send", "hello", "all").returncode == 0
    assert heard_on_joining(tmp_path, server.url) == ["<bob> hello all"]


def test_standard_input_is_one_message_with_its_lines(server: Process, tmp_path: Path) -> None:
    done = asynchat(tmp_path, server.url, "send", "--json", stdin="één\nzwei 👋\n".encode())
    assert [json.loads(line)["to"] for line in done.stdout.splitlines()] == ["#lobby"]
    assert heard_on_joining(tmp_path, server.url) == ["<bob> één", "<bob> zwei 👋"]


def test_a_stream_is_sent_line_by_line_and_in_order(server: Process, tmp_path: Path) -> None:
    lines = "".join(f"{number}\n" for number in range(200)).encode()
    assert asynchat(tmp_path, server.url, "send", "--stream", stdin=lines).returncode == 0
    assert heard_on_joining(tmp_path, server.url) == [f"<bob> {number}" for number in range(180, 200)]


def test_the_same_key_is_stored_once(server: Process, tmp_path: Path) -> None:
    first, again = (asynchat(tmp_path, server.url, "send", "--key", "k", "--json", "once") for _ in range(2))
    assert first.stdout == again.stdout != b""
    assert heard_on_joining(tmp_path, server.url) == ["<bob> once"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        pytest.param(["--to", "nobody", "hi"], b"", 77, id="nobody of that name"),
        pytest.param([], b"\xff\xfe", 65, id="not UTF-8"),
        pytest.param([], b"", 65, id="nothing"),
        pytest.param([""], b"", 65, id="nothing as an argument"),
        pytest.param([b"caf\xe9"], b"", 65, id="an argument that is not UTF-8"),
        pytest.param([b"caf\xe9", "--spool", "spool"], b"", 65, id="one that is not UTF-8 into a spool"),
        pytest.param(["--spool", "spool"], b"caf\xe9", 65, id="not UTF-8 into a spool"),
        pytest.param(["--spool", "spool"], b"a\0b", 65, id="a NUL into a spool"),
        pytest.param([], b"a\0b", 65, id="a NUL"),
        pytest.param(["--stream"], b"a\0b", 65, id="a NUL in a stream"),
        pytest.param(["--stream", "hi"], b"", 2, id="a text and a stream"),
        pytest.param(["-r", b"#\xe9", "hi"], b"", 2, id="a room that is not UTF-8"),
        pytest.param(["-n", b"\xe9", "hi"], b"", 2, id="a name that is not UTF-8"),
        pytest.param(["--to", b"\xe9", "hi"], b"", 2, id="a person that is not UTF-8"),
        pytest.param(["--url", "asynchat://a..b", "hi"], b"", 69, id="no name of a machine"),
        pytest.param(["--url", "gopher://x", "hi"], b"", 2, id="no URL"),
        pytest.param(["--config", "missing.toml", "hi"], b"", 78, id="no such configuration"),
        pytest.param(["--password-file", "missing", "hi"], b"", 78, id="a missing file"),
    ],
)
def test_what_goes_wrong_has_its_code(
    arguments: list[str | bytes], stdin: bytes, code: int, server: Process, tmp_path: Path
) -> None:
    done = asynchat(tmp_path, server.url, "send", *arguments, stdin=stdin)
    assert done.returncode == code, done.stderr
    assert done.stderr
    assert b"Traceback" not in done.stderr


def test_without_a_server_it_ends_with_69(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert asynchat(tmp_path, f"asynchat://127.0.0.1:{port}", "send", "hi").returncode == 69


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"asynchat://127.0.0.1:{silent.getsockname()[1]}"
        assert asynchat(tmp_path, url, "send", "--timeout", "0.3", "hi").returncode == 69


def test_the_password_is_read_from_a_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('[server]\npassword = "sesame"\n')
    (tmp_path / "right").write_text("sesame\n")
    (tmp_path / "wrong").write_text("simsim\n")
    server = serve("--memory", "--config", str(tmp_path / "server.toml"))
    for file, code in (("right", 0), ("wrong", 77)):
        done = asynchat(tmp_path, server.url, "send", "--password-file", str(tmp_path / file), "hi")
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, None], ids=["/dev/null", "a file"])
def test_standard_input_may_be_anything(stdin: int | None, server: Process, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("from a file\n")
    env = environment(tmp_path) | {"ASYNCHAT_URL": server.url, "ASYNCHAT_NAME": "bob"}
    with file.open("rb") as lines:
        source = lines if stdin is None else stdin
        done = subprocess.run(
            [sys.executable, "-m", "asynchat", "join"],
            stdin=source,
            env=env,
            capture_output=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert heard_on_joining(tmp_path, server.url) == (["<bob> from a file"] if stdin is None else [])


def test_a_pipeline_that_ends_is_quiet(server: Process, tmp_path: Path) -> None:
    asynchat(tmp_path, server.url, "send", "hello")
    env = environment(tmp_path) | {"ASYNCHAT_URL": server.url, "ASYNCHAT_NAME": "bob"}
    command = f"'{sys.executable}' -m asynchat join < /dev/null | head -c 1; echo; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] in ("0", "141")


def start_join(tmp_path: Path, url: str, *arguments: str) -> subprocess.Popen[bytes]:
    """`join` in a pipe."""
    command = [sys.executable, "-m", "asynchat", "join", *arguments]
    env = environment(tmp_path) | {"ASYNCHAT_URL": url, "ASYNCHAT_NAME": "bob"}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, bufsize=0
    )


def see(stream: IO[bytes] | None, text: str) -> None:
    assert stream is not None
    while text not in (line := stream.readline().decode()):
        assert line, f"it ended before {text!r}"


def test_join_survives_a_server_that_is_killed(serve: Serve, tmp_path: Path) -> None:
    first = serve("--data", str(tmp_path / "data"))
    with start_join(tmp_path, first.url) as bob:
        assert bob.stdin is not None
        see(bob.stderr, "*** in #lobby")
        bob.stdin.write(b"before\n")
        assert asynchat(tmp_path, first.url, "send", "--name", "ann", "one").returncode == 0
        see(bob.stdout, "<ann> one")
        first.kill()
        see(bob.stderr, "!!! connection lost, retrying in 1 s")
        bob.stdin.write(b"while it is down\n")
        second = serve("--data", str(tmp_path / "data"), port=str(first.port))
        see(bob.stderr, "*** back")
        bob.stdin.write(b"after\n")
        bob.stdin.close()
        assert bob.wait(20) == 0
    lines = ["<bob> before", "<ann> one", "<bob> while it is down", "<bob> after"]
    assert heard_on_joining(tmp_path, second.url) == lines


def test_without_reconnect_join_ends_with_75_when_the_connection_is_lost(server: Process, tmp_path: Path) -> None:
    with start_join(tmp_path, server.url, "--no-reconnect") as bob:
        see(bob.stderr, "*** in #lobby")
        server.kill()
        assert bob.wait(20) == 75


def test_join_waits_for_a_server_that_is_not_up_yet(serve: Serve, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"asynchat://127.0.0.1:{port}"
    assert asynchat(tmp_path, url, "join").returncode == 69
    with start_join(tmp_path, url, "--wait", "15") as bob:
        assert bob.stdin is not None
        serve("--memory", port=str(port))
        see(bob.stderr, "*** in #lobby")
        bob.stdin.close()
        assert bob.wait(20) == 0


@pytest.mark.parametrize(("refusal", "code"), [("STORAGE_FULL", 74), ("STORAGE_ERROR", 75), ("CANNOT_SPEAK", 77)])
def test_a_server_that_could_not_store_it_is_told_from_one_that_would_not(refusal: str, code: int) -> None:
    with pytest.raises(SystemExit) as ended, exits():
        raise ExceptionGroup("", [Refused(refusal, "no")])
    assert ended.value.code == code


def test_who_no_longer_reads_the_output_ends_it_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "asynchat", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        timeout=20,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("history >&-", 74, id="what is printed, to a closed one"),
        pytest.param("history > /dev/full", 74, id="what is printed, to a full one"),
        pytest.param("tail --once > /dev/full", 74, id="what is tailed, to a full one"),
        pytest.param("rooms >&-", 74, id="a list, to a closed one"),
        pytest.param("send hi >&-", 0, id="nothing, to a closed one"),
        pytest.param("send --stream <&- 2>&-", 0, id="nothing from a closed one"),
        pytest.param("join <&- 2>&-", 0, id="nothing is said, and remarks go nowhere"),
    ],
)
def test_standard_streams_may_be_closed(command: str, code: int, server: Process, tmp_path: Path) -> None:
    assert asynchat(tmp_path, server.url, "send", "hello").returncode == 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as nat, nat.makefile("rb") as heard:
        nat.sendall(b"nat\n")
        see(heard, "hello nat")  # a room with nobody in it is not listed
        env = environment(tmp_path) | {"ASYNCHAT_URL": server.url, "ASYNCHAT_NAME": "bob"}
        script = f"'{sys.executable}' -m asynchat {command}"
        done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, timeout=20, check=False)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"ignored" not in done.stderr


def test_a_password_is_asked_for_at_a_terminal_or_not_at_all(server: Process, tmp_path: Path) -> None:
    arguments = ["send", "-u", server.url, "-n", "bob", "--account", "bob", "--ask-password", "hi"]
    done = subprocess.run(
        [sys.executable, "-m", "asynchat", *arguments],
        input=b"sesame\n",
        env=environment(tmp_path),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        start_new_session=True,  # so that there is none
    )
    assert done.returncode == 2
    assert b"no terminal" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("send", "--key", "", "x"), "--key is empty"),
        (("send", "--room", "", "x"), "cannot be the name of a room"),
        (("send", "--room", "#no room", "x"), "cannot be the name of a room"),
        (("send", "--room", "ops", "x"), "'#ops'?"),
        (("send", "--to", "", "x"), "nobody's name"),
        (("send", "--to", "ann", "--room", "#ops", "x"), "not to both"),
        (("send", "--timeout", "nan", "x"), "no number of seconds"),
        (("send", "--timeout", "0", "x"), "no number of seconds"),
        (("send", "--timeout", "-1", "x"), "no number of seconds"),
        (("join", "--wait", "nan"), "no number of seconds"),
        (("join", "--room", ""), "cannot be the name of a room"),
        (("tail", "a,b"), "cannot be the name of a room"),
        (("history", "--around", "1", "--limit", "0"), "--limit"),
        (("history", "--format", "{text:1000000000000}"), "wider than any line"),
        (("send", "--pin", "ab" * 32, "x"), "--pin is for TLS"),
        (("send", "--ca", "/nowhere", "x"), "--ca is for TLS"),
        (("send", "--cert", "/nowhere", "x"), "--cert is for TLS"),
    ],
)
def test_what_can_mean_nothing_is_a_usage_error(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = asynchat(tmp_path, "asynchat://127.0.0.1:1", *arguments)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_pin_of_a_profile_is_not_passed_over_either(tmp_path: Path) -> None:
    (tmp_path / ".config" / "asynchat").mkdir(parents=True)
    profile = f'[profile.home]\nurl = "asynchat://127.0.0.1:1"\npin = "{"ab" * 32}"\n'
    (tmp_path / ".config" / "asynchat" / "client.toml").write_text(profile)
    done = asynchat(tmp_path, "home", "send", "x")
    assert done.returncode == 2
    assert b"asynchats://127.0.0.1:1" in done.stderr


def test_a_room_of_the_environment_is_none_for_a_person(server: Process, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "asynchat", "send", "-u", server.url, "-n", "bob", "--to", "bob", "to myself"],
        env=environment(tmp_path) | {"ASYNCHAT_ROOM": "#ops"},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_numeric_says_what_it_is_about(server: Process, tmp_path: Path) -> None:
    done = asynchat(tmp_path, server.url, "send", "--to", "ghost", "x")
    assert (done.returncode, done.stderr) == (77, b"asynchat: ghost: No such nick/channel (401)\n")


def test_whose_name_is_registered_is_told_how_to_log_in(server: Process, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as nat, nat.makefile("rw") as stream:
        stream.write("bob\n/register correct horse\n")
        stream.flush()
        while "registered" not in stream.readline():
            continue
    done = asynchat(tmp_path, server.url, "send", "x")
    assert done.returncode == 77
    assert b"--account bob, and --ask-password or --password-file" in done.stderr
