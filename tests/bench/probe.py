"""A process that asks a server again and again how long it takes to answer.

    python -m tests.bench.probe PORT

One connection sends a PING every 5 ms, whether or not the last is answered; a second says a line every 20 ms in a room
where a third listens. When standard input ends it prints what it has seen, as JSON: for each when it was sent, in
seconds of the monotonic clock, and the milliseconds until it was heard; and how late it was itself, which is no fault
of the server's.
"""

from __future__ import annotations

import gc
import json
import os
import re
import select
import sys
import time
from contextlib import suppress

from tests.bench.client import Client

PING_EVERY_MS = 5
TALK_EVERY_MS = 20
ROOM = "#elsewhere"
MARK = re.compile(rb"~(\d+)~")


class Asking:
    """Something that is sent every so often, and heard again on a connection under its number."""

    def __init__(self, through: Client, heard_by: Client, line: bytes, every_ms: float) -> None:
        self.heard_by = heard_by.socket
        self.due = time.monotonic()
        self.seen: list[tuple[float, float]] = []
        self.late: list[tuple[float, float]] = []
        self._socket = through.socket
        self._line = line
        self._every_s = every_ms / 1000
        self._sent: list[float] = []
        self._rest = b""

    def ask(self, now: float) -> None:
        """Send what is due."""
        if now < self.due:
            return
        self.late.append((self.due, (now - self.due) * 1000))
        self._socket.sendall(self._line % len(self._sent))
        self._sent.append(now)
        self.due = max(self.due + self._every_s, now)

    def hear(self) -> None:
        """Take what has come."""
        *lines, self._rest = (self._rest + self.heard_by.recv(1 << 16)).split(b"\n")
        now = time.monotonic()
        for line in lines:
            if line.startswith(b"PING "):
                self.heard_by.sendall(b"PONG" + line[4:] + b"\n")
            elif (match := MARK.search(line)) is not None:
                sent = self._sent[int(match[1])]
                self.seen.append((sent, (now - sent) * 1000))


def main() -> None:
    """The program."""
    with suppress(OSError):  # root only: so that it is not kept waiting by the others on its core
        os.nice(-10)
    port = int(sys.argv[1])
    with Client(port, "pinger") as pinger, Client(port, "talker") as talker, Client(port, "listener") as listener:
        for client in (talker, listener):
            client.ask(f"JOIN {ROOM}", b" 366 ")
        pings = Asking(pinger, pinger, b"PING ~%d~\r\n", PING_EVERY_MS)
        talk = Asking(talker, listener, f"PRIVMSG {ROOM} :~%d~\r\n".encode(), TALK_EVERY_MS)
        gc.disable()
        while True:
            now = time.monotonic()
            pings.ask(now)
            talk.ask(now)
            pause = max(0.0, min(pings.due, talk.due) - time.monotonic())
            readable, _, _ = select.select([pings.heard_by, talk.heard_by, sys.stdin], [], [], pause)
            for each in (pings, talk):
                if each.heard_by in readable:
                    each.hear()
            if sys.stdin in readable:
                break
    json.dump({"ping": pings.seen, "talk": talk.seen, "late": pings.late}, sys.stdout)


if __name__ == "__main__":
    main()
