"""A program on a terminal of its own, as a person sees it."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect
import pyte

from tests.net.conftest import PATIENCE_S, environment


class Terminal:
    """`asynchat` with `arguments` on a terminal of that size; `raw` is all that it wrote."""

    def __init__(
        self, folder: Path, *arguments: str, env: dict[str, str] | None = None, rows: int = 24, columns: int = 80
    ) -> None:
        self.raw = b""
        self._screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        kept = {name: value for name, value in environment(folder).items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "asynchat", *arguments],
            env=kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | (env or {}),
            dimensions=(rows, columns),
            timeout=PATIENCE_S,
            maxread=65536,
        )
        self.child.delaybeforesend = None
        self._before = termios.tcgetattr(self.child.child_fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without the ends that are empty."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def all(self) -> list[str]:
        """The same, with what has been scrolled away."""
        gone = ["".join(line[at].data for at in range(self._screen.columns)) for line in self._screen.history.top]
        return [line.rstrip() for line in gone] + self.lines

    def color_of(self, text: str) -> set[str]:
        """The colours in which a text stands on the screen, if it does."""
        for number, line in enumerate(self._screen.display):
            if (at := line.find(text)) >= 0:
                return {self._screen.buffer[number][column].fg for column in range(at, at + len(text))}
        return set()

    def read(self) -> bool:
        """Take what there is to read; whether there was anything."""
        try:
            data = self.child.read_nonblocking(65536, 0.02)
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    def until(self, *texts: str) -> None:
        """Wait until all of that is on the screen; whether who says it runs the room need not be said."""

        def there(text: str) -> bool:
            return any(text in line or text in line.replace("<@", "<") for line in self.lines)

        self.wait(lambda: all(map(there, texts)), str(texts))

    def until_gone(self, text: str) -> None:
        """Wait until that is not on the screen."""
        self.wait(lambda: not any(text in line for line in self.lines), f"no {text}")

    def wait(self, there: Callable[[], bool], what: str) -> None:
        """Wait until something is so, and read on meanwhile; as long as there is something to read it may be yet."""

        end = time.monotonic() + PATIENCE_S
        while not there():
            if self.read():
                end = time.monotonic() + PATIENCE_S
            if time.monotonic() > end:
                shown = "\n".join(self.lines)
                raise AssertionError(f"waited for {what}; the screen is\n{shown}")

    def type(self, text: str) -> None:
        self.child.send(text.encode())

    def enter(self, text: str) -> None:
        self.child.send(text.encode() + b"\r")

    def resize(self, rows: int, columns: int) -> None:
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.child.pid, number)

    def ended(self) -> int:
        """The exit code, once it has ended."""
        self.gone()
        code = self.child.exitstatus
        assert code is not None, f"signal {self.child.signalstatus}"
        return code

    def gone(self) -> None:
        """Wait until it has ended, however it did."""
        while self.read() or self.child.isalive():
            continue

    def stopped_and_continued(self) -> None:
        """What a shell does: stop it with a signal that it cannot catch, take the terminal, and let it go on."""
        os.kill(self.child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WNOWAIT)
        self.take_back()
        os.kill(self.child.pid, signal.SIGCONT)

    def take_back(self) -> None:
        """Give the terminal the modes that it had at first."""
        termios.tcsetattr(self.child.child_fd, termios.TCSANOW, self._before)

    @property
    def shows_what_is_typed(self) -> bool:
        """Whether the terminal itself does so."""
        return bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ECHO)

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal's settings are those that it had at first."""
        return termios.tcgetattr(self.child.child_fd)[:4] == self._before[:4]


@contextmanager
def terminal(folder: Path, *arguments: str, **more: object) -> Iterator[Terminal]:
    """A terminal that is closed with the test."""
    with Terminal(folder, *arguments, **more) as made:  # type: ignore[arg-type]
        yield made
