"""A town without sockets: a real hub, log, journal and fan-out, and clients whose bytes are fed by hand.

    async with Town() as town:
        alice, nat = await town.irc("alice", "#lobby"), await town.person("nat")
        await town.plays('''
            alice> PRIVMSG #lobby :hi
            nat<   <alice> hi
        ''')

In such a play `name> line` is said and `name< line` is heard. Lines said one after the other come in one packet, and
those of several people at once; then everybody must have heard what stands there, in this order, and nothing else.
`…` stands for anything, `(closed)` for the end of a connection, `-- 2.5 s` lets time pass. Nothing ever sleeps.

`Town(accounts={"Alice": "sesame"})` has accounts, in memory; `await town.irc("alice", account="Alice")` logs in.
"""

from __future__ import annotations

import asyncio
import re
import textwrap
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from asynchat.chat import snapshot
from asynchat.chat.errors import StoreError
from asynchat.chat.events import Event
from asynchat.chat.hub import Hub, Limits
from asynchat.net.fanout import Fanout
from asynchat.net.journal import Journal
from asynchat.net.peer import Peer
from asynchat.store import Stored
from asynchat.store.memory import MemoryLog
from asynchat.wire.door import Door
from asynchat.wire.house import House
from asynchat.wire.irc import caps
from asynchat.wire.irc.sasl import MECHANISMS
from asynchat.wire.session import Session
from asynchat.wire.talk.console import ConsoleSession
from tests.wire.accounts import Logins

BEGIN_MS = 1_767_323_045_678
"""2026-01-02T03:04:05.678Z: when every town begins."""
CLOSED = "(closed)"
LATE_S = 1e-6
"""Timers come a little late, never early; exactly at their time the subtraction of floats may say otherwise."""

_STEP = re.compile(r"(?P<name>\w+)(?P<way>[<>]) ?(?P<text>.*)")
_PAUSE = re.compile(r"-- (?P<seconds>[\d.]+) s")


def packet(text: str | bytes) -> bytes:
    """A packet of the frame wire: a header of ten bytes and the text."""
    data = text.encode() if isinstance(text, str) else text
    return str(len(data)).encode().ljust(10) + data


def unpacked(data: bytes) -> list[bytes]:
    """The packets in some bytes, which must be whole."""
    packets = []
    while data:
        end = 10 + int(data[:10])
        assert len(data) >= end, f"half a packet: {data!r}"
        packets.append(data[10:end])
        data = data[end:]
    return packets


def _heard_frames(data: bytes) -> list[str]:
    packets = [each.decode() for each in unpacked(data)]
    assert len(packets) % 2 == 0, f"who without what: {packets}"
    return [f"{who} | {what}" for who, what in zip(packets[::2], packets[1::2], strict=True)]


def _heard_lines(data: bytes) -> list[str]:
    lines = data.decode().split("\n")
    return lines if lines[-1] else lines[:-1]


def _heard_irc(data: bytes) -> list[str]:
    lines = data.decode().split("\r\n")
    assert lines.pop() == "", f"a line without its end: {data!r}"
    assert not any(bad in line for line in lines for bad in "\r\n\0"), f"a line in a line: {data!r}"
    return lines


class Transport:
    """The end of a connection that a `Peer` writes to."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.stuck = 0  # bytes that the other end does not take
        self.closed = False

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.written += data

    def get_write_buffer_size(self) -> int:
        return self.stuck

    def is_closing(self) -> bool:
        return self.closed


class Writer:
    """As much of a `StreamWriter` as a `Peer` needs."""

    def __init__(self) -> None:
        self.transport = Transport()


class Log(MemoryLog):
    """A log that can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: StoreError | None = None

    async def append(self, batch: Sequence[Event]) -> Sequence[Stored | StoreError]:
        if self.broken is not None:
            return [self.broken] * len(batch)
        return await super().append(batch)

    def append_at_once(self, batch: Sequence[Event]) -> Any:
        return None if self.broken is not None else super().append_at_once(batch)


class Client:
    """One connection: the link under its session, and the person at the other end."""

    def __init__(self, town: Town, wire: str, greeting: str | None) -> None:
        self._town = town
        self._writer = Writer()
        self.peer = Peer(self._writer)  # type: ignore[arg-type]  # a writer made of what is used
        self.address = "192.0.2.7"
        self.host = "here"
        self.secure = False
        self.certificate: str | None = None
        self.pace = None
        self.closed = False
        self.reason = ""
        self.wire = wire
        self.name = ""
        self.key = ""  # the resume key that it was told last
        self._told_closed = False
        self.session: Session = Door(town.house, self, town.now, greeting)

    # What the session calls.

    def become(self, session: Session) -> None:
        self.session = session

    def rouse(self) -> None:
        pass

    @property
    def lost(self) -> bool:
        return self._writer.transport.closed

    async def drained(self) -> None:
        pass

    def close(self, reason: str = "") -> None:
        self.reason = self.reason or reason

    def abort(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.session.closing = True
        self._writer.transport.closed = True

    # What tests call.

    async def says(self, *lines: str | bytes, cut: int = 0) -> None:
        """Send lines, with the ends that this client's wire has, or bytes as they are; in pieces of `cut` bytes."""
        await self.sends(self.encoded(*lines), cut=cut)
        await self._town.settles()

    async def sends(self, data: bytes, *, cut: int = 0) -> None:
        """Send bytes and not wait for what comes of it elsewhere."""
        for piece in [data[at : at + cut] for at in range(0, len(data), cut)] if cut else [data]:
            if self.session.closing:
                break
            self.session.heard_at = self._town.now
            if not self.session.at_once(piece):
                await self.session.receive(piece)
        await self.end_if_closing()

    def encoded(self, *lines: str | bytes) -> bytes:
        ends = {"line": "{}\n", "irc": "{}\r\n"}
        return b"".join(
            line
            if isinstance(line, bytes)
            else packet(line)
            if self.wire == "frame"
            else ends[self.wire].format(line).encode()
            for line in lines
        )

    def hears(self) -> list[str]:
        """The lines written since this was last asked; of frames, `who | what`."""
        how: dict[str, Callable[[bytes], list[str]]] = {"frame": _heard_frames, "irc": _heard_irc, "line": _heard_lines}
        lines = [self._without_key(line) for line in how[self.wire](self.hears_bytes())]
        if self.closed and not self._told_closed:
            self._told_closed = True
            lines.append(CLOSED)
        return lines

    def _without_key(self, line: str) -> str:
        """A line without the resume key, which is another each time."""
        line, told, key = line.partition(" resume key ")
        self.key = key if told else self.key
        return line

    def hears_bytes(self) -> bytes:
        """The bytes written since this was last asked."""
        data = bytes(self._writer.transport.written)
        self._writer.transport.written.clear()
        return data

    async def ends(self) -> None:
        """Say no more, as `nc -N` does at the end of its input."""
        if not self.session.closing:
            await self.session.eof()
        self.reason = self.reason or "connection closed"
        await self.vanishes()

    async def vanishes(self) -> None:
        """Be gone."""
        self.reason = self.reason or "connection lost"
        self.session.closing = True
        await self.end_if_closing()
        await self._town.settles()

    async def end_if_closing(self) -> None:
        if self.session.closing and not self.closed:
            self.closed = True
            await self.session.gone(self.reason)
            self._writer.transport.closed = True

    def stalls(self, unsent: int) -> None:
        """Stop reading."""
        self._writer.transport.stuck = unsent


class Town:
    """A house and its people. The keywords are those of `House`; time passes only when told to.

    With `accounts`, names to passwords, people log in by every mechanism there is.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        send_queue: int = 1 << 20,
        accounts: Mapping[str, str] | None = None,
        certificates: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.now = 1000.0
        self.clients: list[Client] = []
        self.log = Log()
        self.hub = Hub(lambda: BEGIN_MS + round((self.now - 1000.0) * 1000), limits)
        self.hub.begin_after(0)
        fanout = Fanout(self.hub, send_queue=send_queue, over=lambda session: session.drop("SendQ exceeded"))
        self.journal = Journal(self.log, fanout.deliver, dump=lambda: snapshot.dump(self.hub.state))
        self.hub.journal = self.journal
        settings.setdefault("capabilities", dict.fromkeys(caps.OFFERED, ""))
        if accounts is not None:
            self.logins = Logins(accounts, certificates)
            settings = {"mechanisms": tuple(MECHANISMS), "is_owned": self.logins.is_owned} | settings
            settings["logins"] = self.logins
        self.house = House(hub=self.hub, history=self.log, started_ms=BEGIN_MS, **settings)
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._life = asyncio.create_task(self.journal.run())  # its end is awaited below, as `Server` does it
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._life is not None
        for client in self.clients:
            if not client.closed:
                await client.vanishes()
        self.journal.close()
        await self._life

    # Who comes.

    def connect(self, wire: str = "line", *, greeting: str | None = None) -> Client:
        """Somebody of whom nothing is known; `wire` is how this client speaks."""
        client = Client(self, wire, greeting)
        self.clients.append(client)
        return client

    async def person(self, name: str, *commands: str) -> Client:
        """Somebody with netcat, in the lobby; what was heard on the way is forgotten."""
        return await self._come(self.connect("line"), name, name, *commands)

    async def framed(self, name: str, *commands: str) -> Client:
        """Somebody with a client of the frame wire, in the lobby."""
        return await self._come(self.connect("frame"), name, name, *commands)

    async def irc(self, name: str, *rooms: str, caps: str = "", account: str = "") -> Client:
        """Somebody with an IRC client, in these rooms, with these capabilities, logged in or not."""
        caps = f"{caps} sasl".strip() if account else caps
        opening = ["CAP LS 302", f"CAP REQ :{caps}", *self.login(account), "CAP END"] if caps else []
        coming = [f"NICK {name}", f"USER {name} 0 * :{name.title()}", *(f"JOIN {room}" for room in rooms)]
        return await self._come(self.connect("irc"), name, *opening, *coming)

    def login(self, account: str) -> list[str]:
        """What a client says to log in to that account, with the right password; nothing to none."""
        if not account:
            return []
        fields = f"\0{account}\0{self.logins.password_of(account)}"
        return ["AUTHENTICATE PLAIN", f"AUTHENTICATE {b64encode(fields.encode()).decode()}"]

    async def console(self, name: str = "op") -> Client:
        """The server's operator at a console; what was heard on the way is forgotten."""
        client = self.connect("line")
        client.name, client.address, client.host = name, "console", "localhost"
        client.session = ConsoleSession(self.house, client, self.now)
        await client.session.wake(self.now)
        await self.settles()
        self.forget()
        return client

    async def _come(self, client: Client, name: str, *lines: str) -> Client:
        client.name = name
        await client.says(*lines)
        assert client.session.user is not None, f"{name} was not let in: {client.hears()}"
        self.forget()
        return client

    def forget(self) -> None:
        """Forget what everybody has heard so far."""
        for client in self.clients:
            client.hears()

    # What happens.

    async def settles(self) -> None:
        """Let everything that is on its way arrive."""
        for _ in range(10_000):
            for client in self.clients:
                await client.end_if_closing()
            for _ in range(3):
                await asyncio.sleep(0)
            if self.journal._flying is None and not self.journal._gathering.entries:
                return
        raise AssertionError("the town does not come to rest")

    async def at_once(self, *saying: tuple[Client, bytes]) -> None:
        """Several people say something at the same time."""
        await asyncio.gather(*(client.sends(data) for client, data in saying))
        await self.settles()

    async def passes(self, seconds: float) -> None:
        """Let time pass and wake whoever wants to be woken meanwhile."""
        end = self.now + seconds
        for _ in range(1000):
            due = [each for each in self.clients if not each.closed and each.session.wake_at <= end]
            if not due:
                self.now = end
                return
            client = min(due, key=lambda each: each.session.wake_at)
            self.now = max(self.now, client.session.wake_at + LATE_S)
            await client.session.wake(self.now)
            await client.end_if_closing()
            await self.settles()
        raise AssertionError("somebody wants to be woken all the time")

    # Conversations as text.

    async def plays(self, script: str) -> None:
        """Play a conversation and compare what everybody hears; see the module."""
        said: dict[str, list[str]] = defaultdict(list)
        heard: dict[str, list[str]] = defaultdict(list)
        answered = False
        for line in textwrap.dedent(script).strip().split("\n"):
            step, pause = _STEP.fullmatch(line.strip()), _PAUSE.fullmatch(line.strip())
            assert step or pause, f"not a step: {line!r}"
            if step is None or (step["way"] == ">" and answered):
                await self._say_and_compare(said, heard)
                answered = False
            if pause is not None:
                await self.passes(float(pause["seconds"]))
            elif step is not None and step["way"] == ">":
                said[step["name"]].append(step["text"].strip())
            elif step is not None:
                heard[step["name"]].append(step["text"].strip())
                answered = True
        await self._say_and_compare(said, heard)

    async def _say_and_compare(self, said: dict[str, list[str]], heard: dict[str, list[str]]) -> None:
        named = {client.name: client for client in self.clients}
        await self.at_once(*((named[name], named[name].encoded(*lines)) for name, lines in said.items()))
        for name, client in named.items():
            got, wanted = client.hears(), heard[name]
            fits = len(got) == len(wanted) and all(map(matches, got, wanted))
            assert fits, f"after {dict(said)}, {name}\n  hears       {got}\n  should hear {wanted}"
        said.clear()
        heard.clear()


def matches(line: str, pattern: str) -> bool:
    """Whether a line is as written, `…` standing for anything."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line.rstrip(" "), re.DOTALL) is not None


def words(lines: Sequence[str]) -> list[str]:
    """The command of each IRC line: its numeric or verb."""
    return [bare(line).split(" ")[1 if bare(line).startswith(":") else 0] for line in lines]


def tags(line: str) -> dict[str, str]:
    """The tags of an IRC line, their values as they are written."""
    if not line.startswith("@"):
        return {}
    return {name: value for name, _, value in (tag.partition("=") for tag in line[1:].partition(" ")[0].split(";"))}


def bare(line: str) -> str:
    """An IRC line without its tags."""
    return line.partition(" ")[2] if line.startswith("@") else line
