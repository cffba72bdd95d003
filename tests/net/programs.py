"""Programs with a person at them: what is typed, and what they show."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.net.conftest import PATIENCE_S


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where one of the programs is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


class Program:
    """A program with a person at it: what is typed, and what it shows."""

    def __init__(self, *command: str, output: Path | None = None) -> None:
        self.shown = output
        with (output or Path(os.devnull)).open("wb") as file:
            self.popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT)

    def type(self, line: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n".encode())
        self.popen.stdin.flush()

    def see(self, text: str) -> str:
        """Wait until the text is shown; returns its line."""
        assert self.shown is not None
        return wait_for(self.shown, text)

    def close(self) -> None:
        self.popen.kill()
        self.popen.wait(PATIENCE_S)
        assert self.popen.stdin is not None
        self.popen.stdin.close()


def wait_for(path: Path, text: str) -> str:
    """Wait until a file has a line with this text in it; returns the line."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if path.exists():
            for line in path.read_text(errors="replace").splitlines():
                if text in line:
                    return line
        time.sleep(0.01)
    raise AssertionError(f"{text!r} is not in {path}: {path.read_text(errors='replace') if path.exists() else 'none'}")


class Screen:
    """A program in a terminal, that of a tmux server of its own."""

    def __init__(self, folder: Path, *command: str) -> None:
        folder.mkdir()
        self._tmux = ("tmux", "-S", str(folder / "tmux"), "-f", os.devnull)
        environment = {"HOME": str(folder), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "200", "-y", "50", *command],
            env=environment,
            check=True,
            timeout=PATIENCE_S,
        )

    def type(self, line: str) -> None:
        for keys in (["-l", "--", line], ["Enter"]):
            subprocess.run([*self._tmux, "send-keys", *keys], check=True, timeout=PATIENCE_S)

    @property
    def shown(self) -> str:
        done = subprocess.run(
            [*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True, timeout=PATIENCE_S
        )
        return done.stdout

    def see(self, text: str) -> str:
        """Wait until the text is on the screen; returns its line."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for line in self.shown.splitlines():
                if text in line:
                    return line
            time.sleep(0.02)
        raise AssertionError(f"{text!r} is not on the screen:\n{self.shown}")

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False, timeout=PATIENCE_S, capture_output=True)
