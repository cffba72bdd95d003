"""One connection of a load: it comes into its room, says what it is told to, and checks what it hears.

Hearing is what costs: a line said in a room of 100 is heard 99 times. So a line that bears the mark of the room is
looked at as bytes, and only the few others are parsed.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from typing import cast

from asynchat.chat.errors import BadMessage, Refused
from asynchat.client.crowd import Room
from asynchat.client.errors import Unreachable
from asynchat.wire.irc.message import Message

GAPS = 1000
"""Numbers that a member misses and waits for; one that comes later than that many others counts as a duplicate."""
LINE_LIMIT = 64 * 1024
"""The longest line that a server may send."""
NEWS = frozenset({b"JOIN", b"PART", b"QUIT", b"MODE", b"353"})
"""What comes for each member that comes and goes: not worth parsing."""

_clock = time.perf_counter


class Member(asyncio.Protocol):
    """A connection, one member of one room.

    `entered` is done when it is in, or could not be; `over` is set when the connection has ended. `heard` is how many
    different lines it heard, `missing` those that were overtaken and have not come. `blocked` says that the server does
    not take what was written, or that the connection is over; `owed` is how much it should have heard until then.
    """

    def __init__(self, room: Room, nick: str, password: str | None) -> None:
        self.place = len(room.members)
        self.nick = nick
        self.expected = array("I")  # by place: the next number
        self.heard = 0
        self.missing: set[tuple[int, int]] = set()
        self.blocked = False
        self.owed: int | None = None
        self.ended: str | None = None
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()
        self._ponged: asyncio.Future[None] | None = None
        self._room = room
        self._tally = room.tally
        self._password = password
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._leaving = False
        room.members.append(self)

    # Coming and going.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        self._transport = cast(asyncio.Transport, transport)
        if self._password is not None:
            self.write(f"PASS :{self._password}".encode())
        self.write(f"NICK {self.nick}".encode())
        self.write(f"USER {self.nick} 0 * :asynchat bench".encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.ended = self.ended or (str(exc) if exc is not None else "the connection was closed")
        self.blocked = True
        if not self.entered.done():
            self.entered.set_exception(Unreachable(self.ended))
            self.entered.exception()  # whoever awaits it is told
        self.over.set()
        if self._ponged is not None and not self._ponged.done():
            self._ponged.set_result(None)
        if not self._leaving:
            self._room.gone(self)

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._transport is not None and not self.over.is_set()

    @property
    def put_out(self) -> bool:
        """Whether the connection ended, and not because it left."""
        return self.ended is not None and not self._leaving

    def leave(self) -> None:
        """Say goodbye; what comes from now on is not listened to."""
        if self.entered.cancelled() or not self.entered.done():  # it was given up
            self.abort()
        elif not self.put_out and self._transport is not None:
            self._leaving = True
            self.write(f"PART {self._room.name}".encode())
            self.write(b"QUIT :measured")

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    # Saying.

    def write(self, line: bytes) -> None:
        """Send a line."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(line + b"\r\n")

    def pause_writing(self) -> None:
        """The server does not take what is sent."""
        self.blocked = True

    def resume_writing(self) -> None:
        """It does again."""
        self.blocked = False
        self._room.landed(0)

    async def ping(self) -> None:
        """Wait until the server has answered everything that it was sent."""
        self._ponged = asyncio.get_running_loop().create_future()
        if self.ended is None:
            self.write(b"PING bench")
            await self._ponged

    # Hearing.

    def data_received(self, data: bytes) -> None:
        """Look at each line that came; the time of all of them is now."""
        if self._leaving:
            return
        room, tally, expected, latency_us = self._room, self._tally, self.expected, self._tally.latency_us
        tally.received_bytes += len(data)
        now_us = int((_clock() - tally.began) * 1_000_000)
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        mark, skip = room.mark, len(room.mark)
        whole = (room.text_bytes + 3, room.text_bytes + 2)  # a space and a colon before it; a CR after it, or none
        new = 0
        for line in lines:
            at = line.find(mark)
            if at < 0:
                self._hear_other(line)
                continue
            try:
                place_, number_, due_us, _ = line[at + skip :].split(b" ", 3)
                place, number = int(place_), int(number_)
                if len(line) - at not in whole:
                    continue  # it was changed
                if number == expected[place]:
                    expected[place] = number + 1
                elif not self._is_new(place, number):
                    continue
                latency_us.add(now_us - int(due_us))
            except (ValueError, IndexError):  # it was changed
                continue
            new += 1
        if new:
            self.heard += new
            tally.delivered += new
            tally.last_us = now_us
            room.landed(new)
        if len(self._rest) > LINE_LIMIT:
            self._end("a line beyond all limits")

    def _is_new(self, place: int, number: int) -> bool:
        """Whether this line, which is not the one that is expected, has not been heard; counts what that means."""
        if number >= self._room.numbers[place]:
            return False  # nobody has said it: it was changed
        first = self.expected[place]
        if number > first:
            overtaken = [(place, each) for each in range(first, min(number, first + GAPS))]
            self.missing.update(overtaken[: GAPS - len(self.missing)])
            self.expected[place] = number + 1
            self._room.in_flight -= number - first  # they are not waited for
            return True
        if (place, number) in self.missing:
            self.missing.discard((place, number))
            self._tally.reordered += 1
            self._room.in_flight += 1  # it was no longer waited for
            return True
        self._tally.duplicated += 1
        return False

    def _hear_other(self, line: bytes) -> None:
        """A line that no member has said."""
        parts = line.split(b" ", 2)
        if len(parts) > 1 and parts[1] in NEWS:
            return
        try:
            message = Message.parse(line.rstrip(b"\r").decode(errors="replace"))
        except BadMessage:
            return
        command, words = message.command, message.params[-1] if message.params else ""
        if command == "PING":
            self.write(f"PONG :{words}".encode())
        elif command == "PONG" and self._ponged is not None and not self._ponged.done():
            self._ponged.set_result(None)
        elif not self.entered.done():
            self._come_in(message)
        elif command in ("ERROR", "FAIL", "KICK") or is_refusal(message):
            self._tally.note(f"{code_of(message)} {words}")
            self.ended = words if command == "ERROR" else self.ended
        elif command == "NOTICE" and "!" not in message.source:
            self._tally.note(words)
        elif command == "PRIVMSG" and words.startswith("bench-"):
            self._tally.duplicated += 1  # it was said in another room

    def _come_in(self, message: Message) -> None:
        """A step on the way into the room, or the end of it."""
        command, words = message.command, message.params[-1] if message.params else ""
        if command in ("376", "422"):  # the end of the welcome
            self.write(f"JOIN {self._room.name}".encode())
        elif command == "366":  # the end of who is there
            self.entered.set_result(None)
        elif command in ("ERROR", "FAIL") or is_refusal(message):
            self.entered.set_exception(Refused(code_of(message), words))
            self.entered.exception()  # whoever awaits it is told

    def _end(self, reason: str) -> None:
        self.ended = reason
        self.abort()


def is_refusal(message: Message) -> bool:
    """Whether it is a numeric that says no; that there is no message of the day is none."""
    command = message.command
    return len(command) == 3 and command.isdigit() and command[0] in "45" and command != "422"


def code_of(message: Message) -> str:
    """What a no is called: the numeric, the code of a FAIL, or ERROR."""
    return message.params[1] if message.command == "FAIL" and len(message.params) > 2 else message.command
