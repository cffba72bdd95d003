"""The people of a load: rooms full of members, who say numbered lines and count what they hear.

The text of a line is `bench-RUN-ROOM PLACE NUMBER DUE` and padding. PLACE is the speaker's place in its room, NUMBER
counts what that speaker has said, DUE is when it was due, in microseconds after the beginning. Each member knows which
number it must hear next from each of the others, so a line that is lost, comes twice or overtakes another is found out,
and so is one that was changed on its way: it counts as lost.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from asynchat.client.histogram import Histogram

if TYPE_CHECKING:
    from asynchat.client.member import Member

IN_FLIGHT = 16
"""Lines on their way in a room whose members say as many as the server takes."""
WORDS = 20
"""Different things that a server says, of which is kept how often it said them."""

_clock = time.perf_counter


class Tally:
    """What all members heard, together.

    `began` is the moment from which time is counted; `last_us` is when the last line came, since then. `server_said`
    are the server's own words while people talked (refusals, notices, errors), and how often it said them.
    """

    def __init__(self) -> None:
        self.began = _clock()
        self.delivered = 0
        self.duplicated = 0
        self.reordered = 0
        self.received_bytes = 0
        self.last_us = 0
        self.latency_us = Histogram()
        self.server_said: Counter[str] = Counter()

    def begin(self) -> None:
        """Count time from now, and what is received."""
        self.began = _clock()
        self.received_bytes = 0

    def note(self, words: str) -> None:
        """The server said something."""
        if words in self.server_said or len(self.server_said) < WORDS:
            self.server_said[words] += 1


class Room:
    """A room of a load. Its members speak in turn.

    `name` is its name, `mark` what the text of each of its lines begins with. `in_flight` are deliveries that are not
    there yet; while `eager`, the next line is said as soon as fewer than `IN_FLIGHT` lines are on their way.
    """

    def __init__(self, name: str, mark: str, tally: Tally, text_bytes: int) -> None:
        self.name = name
        self.mark = f" :{mark} ".encode()
        self.tally = tally
        self.text_bytes = text_bytes
        self.members: list[Member] = []
        self.numbers: list[int] = []  # by place: how much was said
        self.sent = 0
        self.in_flight = 0
        self.eager = False
        self._turn = 0
        self._here = 0

    def open(self) -> None:
        """All are in: who is here now is to hear everything."""
        self._here = len(self.members)
        self.numbers = [0] * self._here
        for member in self.members:
            member.expected = array("I", self.numbers)
        for member in self.members:
            if member.ended is not None:  # it has gone again meanwhile
                self.gone(member)

    def say(self, due_s: float) -> bool:
        """Have the next member that can say a line that was due then; returns whether there was one."""
        for _ in self.members:
            place = self._turn
            member = self.members[place]
            self._turn = (place + 1) % len(self.members)
            if not member.blocked:
                break
        else:
            return False
        number = self.numbers[place]
        self.numbers[place] = member.expected[place] = number + 1  # who hears itself, hears a duplicate
        self.sent += 1
        self.in_flight += self._here - 1
        due_us = int((due_s - self.tally.began) * 1_000_000)
        text = f"{place} {number} {due_us} ".encode()
        padding = b"." * (self.text_bytes + 2 - len(self.mark) - len(text))
        member.write(b"PRIVMSG %b%b%b%b" % (self.name.encode(), self.mark, text, padding))
        return True

    def landed(self, count: int) -> None:
        """So many deliveries are there, or will never be."""
        self.in_flight -= count
        if self.eager:
            self.fill()

    def fill(self) -> None:
        """Say as much as may be on its way."""
        most = (IN_FLIGHT - 1) * (self._here - 1)
        while self._here > 1 and self.in_flight <= most and self.say(_clock()):
            pass

    def gone(self, member: Member) -> None:
        """A member is no longer connected: it hears nothing any more."""
        if self.numbers:
            member.owed = self.sent - self.numbers[member.place]
            self._here -= 1
            here = [each for each in self.members if each.owed is None]
            self.in_flight = sum(self.owed_to(each) - each.heard - len(each.missing) for each in here)

    def owed_to(self, member: Member) -> int:
        """How many lines a member should have heard."""
        if member.owed is not None:
            return member.owed
        return self.sent - self.numbers[member.place] if self.numbers else 0
