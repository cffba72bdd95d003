"""A load on a server: many clients in rooms of their own, who talk for a while and count what arrives.

It is an open loop: lines are due on a fixed schedule, however slow the server is, and their latency counts from when
they were due. (Waiting for answers would have a server that stalls be asked less, and look better than it is.) At rate
0 it is a closed one: each room has some lines on their way, and says the next when they have arrived.

At the end nothing is called lost until the server has had its say: each client asks for a PONG, which comes after all
that it said, then once more, which comes after all that the others said.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Coroutine
from typing import Any

from asynchat.chat.errors import Refused
from asynchat.client.alarm import Alarm
from asynchat.client.crowd import Room, Tally
from asynchat.client.errors import Unreachable
from asynchat.client.figures import LATE_US, Figures, Spread
from asynchat.client.histogram import Histogram
from asynchat.client.member import Member
from asynchat.client.url import Url

LEAST_TEXT, MOST_TEXT = 48, 350
"""Bytes of text: what a line says of itself, and what fits into a line of IRC with everything before it."""
CONNECTING = 50
"""Clients that come in at a time."""
ENTER_S = 30.0
"""How long the server may take to let one in."""
SETTLE_S = 10.0
"""How long what is on its way at the end is waited for."""
QUIET_S = 0.5
"""When the server has had its say and nothing came for so long, nothing will."""
INTERRUPTED_S = 1.0
"""How long it is waited for if somebody is in a hurry."""
LEAVE_S = 5.0
"""How long the server may take to close the connections."""
AT_ONCE = 64
"""Lines that are said, if they are overdue, before the others are listened to."""


class Load:
    """A load: `clients`, evenly in `rooms`, say `rate_per_s` lines of `text_bytes` bytes in each room for `seconds`.

    At rate 0 they say as many as the server takes. `tally` is what was heard up to now.
    """

    def __init__(
        self,
        url: Url,
        *,
        clients: int,
        rooms: int,
        rate_per_s: float,
        text_bytes: int,
        seconds: float,
        password: str | None = None,
    ) -> None:
        self.url = url
        self.seconds = seconds
        self.tally = Tally()
        self.interrupted = False
        self.enter_us = Histogram()
        self._clients = clients
        self._rate_per_s = rate_per_s
        self._password = password
        self._run = secrets.token_hex(3)
        marks = [f"bench-{self._run}-{number}" for number in range(rooms)]
        self._rooms = [Room(f"#{mark}", mark, self.tally, text_bytes) for mark in marks]
        self._members: list[Member] = []
        self._peer: tuple[str, int] | None = None
        self._scope: asyncio.Timeout | None = None
        self._began = 0.0
        self._talked_s = 0.0
        self._cpu_s = 0.0
        self._unsent = 0
        self._late = 0
        self._settled = False

    async def run(self) -> Figures:
        """Connect, talk, wait for what is on its way, leave.

        Raises:
            Refused: the server does not let a client in.
            Unreachable
            ExceptionGroup: of these.
        """
        try:
            if await self._phase(self._enter_all()):
                await self._phase(self._talk(), self.seconds)
                self._stop_talking()
                await self._settle()
        finally:
            await self._leave()
        return self._figures()

    def stop(self) -> None:
        """End the phase that it is in before its time; what was measured so far counts."""
        self.interrupted = True
        self._end_phase()

    @property
    def connected(self) -> int:
        """How many clients are in their room."""
        return self.enter_us.count - sum(member.put_out for member in self._members)

    @property
    def sent(self) -> int:
        """How many lines were said."""
        return sum(room.sent for room in self._rooms)

    @property
    def elapsed_s(self) -> float:
        """For how long people have been talking."""
        return time.perf_counter() - self._began if self._began and not self._talked_s else self._talked_s

    async def _phase(self, work: Coroutine[Any, Any, None], seconds: float | None = None) -> bool:
        """Do something for at most so long; returns whether it came to its end."""
        try:
            async with asyncio.timeout(seconds) as self._scope:
                await work
        except TimeoutError:
            return False
        finally:
            self._scope = None
        return True

    def _end_phase(self) -> None:
        if self._scope is not None and not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())

    # Entering.

    async def _enter_all(self) -> None:
        await self._enter(0)  # if that goes wrong, it would for all
        places = asyncio.Semaphore(CONNECTING)
        async with asyncio.TaskGroup() as group:
            for index in range(1, self._clients):
                await places.acquire()
                group.create_task(self._enter(index)).add_done_callback(lambda _: places.release())

    async def _enter(self, index: int) -> None:
        """Have a client connect, be let in and enter its room.

        Raises:
            Refused, Unreachable
        """
        room = self._rooms[index % len(self._rooms)]
        member = Member(room, f"b{self._run[:4]}{index}", self._password)
        self._members.append(member)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(ENTER_S):
                await self._connect(member)
                await member.entered
        except Refused as no:
            raise Refused(no.code, f"{no.text} (the server to client {index + 1} of {self._clients})") from None
        except Unreachable as error:
            raise Unreachable(f"{self.url}: {error} (client {index + 1} of {self._clients})") from None
        except TimeoutError:
            raise Unreachable(f"{self.url} does not let client {index + 1} of {self._clients} in") from None
        except OSError as error:
            raise Unreachable(f"{self.url}: {error.strerror or error}") from None
        self.enter_us.add(int((time.perf_counter() - began) * 1_000_000))

    async def _connect(self, member: Member) -> None:
        loop = asyncio.get_running_loop()
        if self.url.path:
            await loop.create_unix_connection(lambda: member, self.url.path)
            return
        host, port = self._peer or (self.url.host, self.url.port)
        transport, _ = await loop.create_connection(lambda: member, host, port)
        if self._peer is None:  # looked up once
            self._peer = transport.get_extra_info("peername")[:2]

    # Talking.

    async def _talk(self) -> None:
        for room in self._rooms:
            room.open()
        self.tally.begin()
        self._began, self._cpu_s = self.tally.began, time.process_time()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            if self._rate_per_s:
                await self._talk_on_schedule()
            else:
                self._talk_eagerly()

    async def _watch(self) -> None:
        """Talk no longer when nobody is connected."""
        for member in self._members:
            await member.over.wait()
        self._end_phase()

    async def _talk_on_schedule(self) -> None:
        """Say each line when it is due, in one room after the other, with equal pauses."""
        pause_s = 1 / (self._rate_per_s * len(self._rooms))
        self._unsent = math.ceil(self.seconds / pause_s)
        with Alarm() as alarm:
            for number in range(self._unsent):
                due = self._began + number * pause_s
                ahead_s = due - time.perf_counter()
                if ahead_s > 0 or number % AT_ONCE == 0:
                    await alarm.wait_until(due)
                if self._rooms[number % len(self._rooms)].say(due):
                    self._unsent -= 1
                    self._late += (time.perf_counter() - due) * 1_000_000 > LATE_US

    def _talk_eagerly(self) -> None:
        for room in self._rooms:
            room.eager = True
            room.fill()

    def _stop_talking(self) -> None:
        for room in self._rooms:
            room.eager = False
        self._talked_s = time.perf_counter() - self._began
        self._cpu_s = time.process_time() - self._cpu_s
        if self.interrupted and self._rate_per_s:  # what was not due yet is not missed
            due = min(math.ceil(self._talked_s * self._rate_per_s * len(self._rooms)), self.sent + self._unsent)
            self._unsent = max(due - self.sent, 0)

    # Ending.

    async def _settle(self) -> None:
        """Wait for what is on its way."""
        self._settled = await self._phase(self._have_it_said(), INTERRUPTED_S if self.interrupted else SETTLE_S)

    async def _have_it_said(self) -> None:
        """Wait until the server has delivered everything, or has nothing more to deliver."""
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                for member in self._members:
                    group.create_task(member.ping())
        before = -1
        while self._on_the_way() and self.tally.delivered > before:
            before = self.tally.delivered
            await asyncio.sleep(QUIET_S)

    def _on_the_way(self) -> int:
        """Deliveries to clients that are connected which have not come."""
        here = [(room, member) for room in self._rooms for member in room.members if member.owed is None]
        return sum(room.owed_to(member) - member.heard for room, member in here)

    async def _leave(self) -> None:
        """Have everybody leave, and drop who has not when time is up."""
        for member in self._members:
            member.leave()
        try:
            await self._phase(self._all_over(), LEAVE_S)
        finally:
            for member in self._members:
                member.abort()

    async def _all_over(self) -> None:
        for member in self._members:
            if member.connected:
                await member.over.wait()

    def _figures(self) -> Figures:
        tally, sent = self.tally, self.sent
        wanting = sum(room.owed_to(member) - member.heard for room in self._rooms for member in room.members)
        undelivered = 0 if self._settled else self._on_the_way() - sum(len(each.missing) for each in self._members)
        measured_s = max(self._talked_s, tally.last_us / 1_000_000)
        per_s = 1 / measured_s if measured_s else 0.0
        return Figures(
            entered=self.enter_us.count,
            enter_us=Spread.of(self.enter_us),
            measured_s=round(measured_s, 3),
            sent=sent,
            sent_per_s=round(sent * per_s, 1),
            unsent=self._unsent,
            delivered=tally.delivered,
            delivered_per_s=round(tally.delivered * per_s, 1),
            received_bytes_per_s=round(tally.received_bytes * per_s),
            latency_us=Spread.of(tally.latency_us),
            lost=wanting - undelivered,
            duplicated=tally.duplicated,
            reordered=tally.reordered,
            undelivered=undelivered,
            put_out=sum(member.put_out for member in self._members),
            late=self._late,
            cpu_share=round(self._cpu_s / self._talked_s, 3) if self._talked_s else 0.0,
            interrupted=self.interrupted,
            server_said=dict(tally.server_said),
        )
