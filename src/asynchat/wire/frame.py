"""The frame wire: packets with a header of ten bytes, a length in ASCII, left-justified.

The first packet from a client is its name. To a client every line is two packets, who and what; the house itself is
called `***`, and `!!!` when it refuses. (The protocol of a well-known socket tutorial.)
"""

from __future__ import annotations

from asynchat.wire.house import House
from asynchat.wire.session import Link
from asynchat.wire.talk.render import Phrase
from asynchat.wire.talk.session import TalkSession

HEADER = 10


def packet(data: bytes) -> bytes:
    """A packet of one message."""
    return f"{len(data):<{HEADER}}".encode() + data


def framing(phrase: Phrase) -> bytes:
    """Two packets: who, what."""
    return packet(f"{phrase.before}{phrase.who}".encode()) + packet(phrase.text.encode())


class BadFrame(Exception):
    """A header that is no length, or one that is absurd."""


class Unpacker:
    """Cuts a stream into packets of at most `limit` bytes."""

    __slots__ = ("_rest", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._rest = b""

    @property
    def pending(self) -> bool:
        """Whether part of a packet has come."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that this data completes.

        Raises:
            BadFrame: the stream cannot be followed any further; packets before it come out first, on the call before.
        """
        buffer = self._rest + data
        packets: list[bytes] = []
        at = 0
        while len(buffer) - at >= HEADER:
            header = buffer[at : at + HEADER].rstrip(b" ")
            good = header.isdigit() and int(header) <= self.limit
            if not good:
                if packets:
                    break
                raise BadFrame
            end = at + HEADER + int(header)
            if end > len(buffer):
                break
            packets.append(buffer[at + HEADER : end])
            at = end
        self._rest = buffer[at:]
        return packets


class FrameSession(TalkSession):
    """A client of the length-header protocol."""

    wire = "frame"
    framing = staticmethod(framing)

    __slots__ = ("_unpacker",)

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._unpacker = Unpacker(house.max_line)

    async def receive(self, data: bytes) -> None:
        while not self.closing:
            try:
                packets = self._unpacker.feed(data)
            except BadFrame:
                self.no("BAD_FRAME", f"a header is ten bytes, a length up to {self.house.max_line} and spaces")
                self.leaving = "bad frame"
                self.end()
                return
            if not packets:
                return
            await self.run([each.removesuffix(b"\n").removesuffix(b"\r") for each in packets])
            data = b""
