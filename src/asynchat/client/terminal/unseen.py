"""A terminal that does not show what is typed, for a while."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def unseen(terminal: int = 0) -> Iterator[None]:
    """What is typed meanwhile is not shown by the terminal, if it is one; what was typed before is forgotten.

    It is as before afterwards, even if a signal ends the program.
    """
    try:
        import termios

        before = termios.tcgetattr(terminal)
    except (ImportError, OSError, ValueError):
        yield
        return
    except termios.error:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    catches = threading.current_thread() is threading.main_thread()
    caught = {
        number: signal.signal(number, end)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if catches and signal.getsignal(number) is signal.SIG_DFL  # who catches it ends in order
    }
    try:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        for number, handler in caught.items():
            signal.signal(number, handler)
