"""`asynchat send --spool`: what waits in a folder is stored once, in order, whatever happens."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asynchat.chat.errors import StoreError
from asynchat.cli.send.spool import Author, Spool
from tests.cli.program import asynchat, lines
from tests.net.conftest import PATIENCE_S, Serve, environment, serve

pytestmark = pytest.mark.timeout(60)  # programs start, and a busy machine takes its time

__all__ = ["serve"]


def heard(folder: Path, url: str) -> list[str]:
    return lines(asynchat(folder, url, "history", "--format", "{text}"))


def spool(folder: Path, url: str, name: str = "bob") -> Spool:
    return Spool(folder / "spool", Author(url, name))


def waiting(folder: Path, url: str, name: str = "bob") -> list[str]:
    return [each.text for each in spool(folder, url, name)]


def send(folder: Path, url: str, *arguments: str, stdin: bytes | None = b"") -> subprocess.CompletedProcess[bytes]:
    return asynchat(folder, url, "send", "--spool", str(folder / "spool"), *arguments, stdin=stdin)


def test_what_could_not_be_sent_goes_with_the_next_in_order_and_once(serve: Serve, tmp_path: Path) -> None:
    server = serve("--data", str(tmp_path / "data"))
    server.kill()
    for text in ("one", "two\nlines"):
        done = send(tmp_path, server.url, text)
        assert done.returncode == 0
        assert b"waits in the spool" in done.stderr
    assert waiting(tmp_path, server.url) == ["one", "two\nlines"]
    again = serve("--data", str(tmp_path / "data"), port=str(server.port))
    assert send(tmp_path, again.url, "three").returncode == 0
    assert waiting(tmp_path, server.url) == []
    assert heard(tmp_path, again.url) == ["one", "two", "lines", "three"]
    assert send(tmp_path, again.url).returncode == 0
    assert heard(tmp_path, again.url) == ["one", "two", "lines", "three"]


def test_what_was_stored_before_the_end_is_not_stored_again(serve: Serve, tmp_path: Path) -> None:
    """The file is there still, as after kill -9 between the server's answer and its removal."""
    server = serve("--memory")
    spool(tmp_path, server.url).put("#lobby", "once", "k" * 32)
    (path,) = (tmp_path / "spool").glob("*.json")
    kept = path.read_bytes()
    assert send(tmp_path, server.url).returncode == 0
    path.write_bytes(kept)
    assert send(tmp_path, server.url).returncode == 0
    assert heard(tmp_path, server.url) == ["once"]


def test_what_is_refused_is_put_aside_and_the_rest_goes(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    kept = spool(tmp_path, server.url)
    kept.put("nobody", "for nobody", "a" * 32)
    kept.put("#lobby", "hello", "b" * 32)
    (tmp_path / "spool" / "00-nonsense.json").write_text("{")
    done = send(tmp_path, server.url)
    assert done.returncode == 77
    assert waiting(tmp_path, server.url) == []
    assert heard(tmp_path, server.url) == ["hello"]
    aside = sorted((tmp_path / "spool" / "refused").iterdir())
    assert [each.read_text() for each in aside if "nonsense" in each.name] == ["{"]
    assert [json.loads(each.read_text())["text"] for each in aside if "nonsense" not in each.name] == ["for nobody"]


@pytest.mark.timeout(40)
def test_a_stream_outlives_the_server(serve: Serve, tmp_path: Path) -> None:
    server = serve("--data", str(tmp_path / "data"))
    command = [sys.executable, "-m", "asynchat", "send", "--stream", "-u", server.url, "-n", "bob", "--json"]
    stream = subprocess.Popen(
        [*command, "--spool", str(tmp_path / "spool")],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert stream.stdin is not None
    assert stream.stdout is not None
    stream.stdin.write(b"one\n")
    stream.stdin.flush()
    assert json.loads(stream.stdout.readline())["to"] == "#lobby"
    server.kill()
    stream.stdin.write(b"two\nthree\n")
    stream.stdin.flush()
    again = serve("--data", str(tmp_path / "data"), port=str(server.port))
    stream.communicate(b"four\n", timeout=PATIENCE_S)
    assert stream.returncode == 0
    assert send(tmp_path, again.url).returncode == 0  # if it ended before the server was back
    assert heard(tmp_path, again.url) == ["one", "two", "three", "four"]


def test_code_and_what_nobody_waits_for(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    assert asynchat(tmp_path, server.url, "send", "--code", "log", stdin=b"boom\n").returncode == 0
    assert asynchat(tmp_path, server.url, "send", "--no-ack", "quick").returncode == 0
    assert heard(tmp_path, server.url)[:3] == ["```log", "boom", "```"]
    assert lines(asynchat(tmp_path, server.url, "tail", "--once", "--since", "1h", "--format", "{text}"))[-1] == "quick"


@pytest.mark.parametrize("text", ["a\0b", "caf\udce9"])
def test_what_nobody_could_say_does_not_keep_back_the_rest(text: str, serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    spool(tmp_path, server.url).put("#lobby", text, "a" * 32)
    send(tmp_path, server.url, "next")
    assert waiting(tmp_path, server.url) == []
    assert heard(tmp_path, server.url) == ["next"]
    assert len(list((tmp_path / "spool" / "refused").iterdir())) == 1


def test_what_waits_for_another_server_or_name_waits_on(serve: Serve, tmp_path: Path) -> None:
    down, up = serve("--memory"), serve("--memory")
    down.kill()
    assert send(tmp_path, down.url, "-r", "#ops", "secret").returncode == 0
    spool(tmp_path, up.url, "ci").put("#lobby", "built", "a" * 32)
    done = send(tmp_path, up.url, "hello")
    assert done.returncode == 0
    assert done.stderr.decode().splitlines() == [
        f"asynchat: 1 message waits in the spool for send -n bob -u {down.url}",
        f"asynchat: 1 message waits in the spool for send -n ci -u {up.url}",
    ]
    assert heard(tmp_path, up.url) == ["hello"]
    assert lines(asynchat(tmp_path, up.url, "history", "#ops")) == []
    assert waiting(tmp_path, down.url) == ["secret"]
    assert waiting(tmp_path, up.url, "ci") == ["built"]


def test_what_the_disk_has_no_room_for_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = spool(tmp_path, "asynchat://nowhere:1")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        kept.put("#lobby", "hello", "a" * 32)
    assert list((tmp_path / "spool").iterdir()) == []
