"""Being at one server, over one connection after the other.

With `reconnect` a connection that is lost is made again. Lines wait in the outbox until they are acknowledged and are
sent again under the same key; what was missed is fetched.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from typing import Self

from asynchat.chat.errors import AsynchatError, Refused
from asynchat.chat.names import casefold
from asynchat.client.catchup import PAST
from asynchat.client.connection import TALK, Connection
from asynchat.client.ear import Ear
from asynchat.client.ending import outlive
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable, Untrusted
from asynchat.client.heard import Run
from asynchat.client.multiline import Limits
from asynchat.client.notices import Notice, Reconnecting
from asynchat.client.outbox import Outbox, Saying
from asynchat.client.patience import Backoff, Patience
from asynchat.client.registration import Identity
from asynchat.client.trust import Trust
from asynchat.client.url import Url
from asynchat.wire.irc.message import Message

WANTED = frozenset(
    {
        "batch",
        "cap-notify",
        "draft/multiline",
        "echo-message",
        "labeled-response",
        "message-tags",
        "multi-prefix",
        "server-time",
    }
)
HISTORY = "draft/chathistory"
"""Who asks for it is not shown the past of a room without asking, so only who does ask wants it."""

GOODBYE_S = 2.0
"""How long the server may take to let us go."""


class Presence:
    """The life of somebody at a server: what `Talker` builds on, whose parameters it takes."""

    def __init__(
        self,
        url: Url,
        identity: Identity,
        *,
        trust: Trust | None = None,
        wanted: Collection[str] = (),
        timeout_s: float = 10.0,
        hear: bool = True,
        reconnect: bool = False,
        wait_s: float = 0.0,
        patience: Patience | None = None,
        past: int = PAST,
        history: bool = False,
        since: str = "",
        places: Mapping[str, str] | None = None,
        times: Mapping[str, str] | None = None,
        keeps_name: bool = False,
    ) -> None:
        self.url = url
        self.reconnects = reconnect
        self.ended_by: AsynchatError | None = None
        self.identity = identity
        self._trust = trust
        self._wanted = WANTED | frozenset(wanted) | ({HISTORY} if history or (reconnect and hear) else set())
        self._limits: Limits | None = None
        self._timeout_s = timeout_s
        self._wait_s = wait_s
        self._patience = patience or Patience()
        self._connection: Connection | None = None
        self._here = asyncio.Event()  # the connection is up, the rooms are entered, everything is caught up
        self._life: asyncio.Task[None] | None = None
        self._closing = False
        self._ended = False
        self._rooms: dict[str, tuple[str, str]] = {}  # wanted: casefolded name to name and key
        self._outbox = Outbox(self._send_more)
        self._resent: list[Saying] = []  # since the last time that everything was caught up
        self._ear = Ear(lambda: self.nick, hear=hear, past=past)
        self._since = since
        self._keeps_name = keeps_name
        self._places = places or {}
        self._times = times or {}
        self._entering = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._ear.seed(self._places, self._times)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # The root of all tasks of this client: `close` awaits it. No TaskGroup can be its parent, since entering and
        # leaving may be two tasks' business.
        self._life = asyncio.create_task(self._live(ready), name="asynchat client")
        try:
            await asyncio.shield(ready)
        except BaseException:
            await self._end_life()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Message | Notice]:
        while (heard := await self._ear.heard.next()) is not None:
            yield heard

    async def runs(self) -> AsyncIterator[Run | Notice]:
        """What iterating gives, but what came together is handed on together."""
        while (heard := await self._ear.heard.next_run()) is not None:
            yield heard

    @property
    def nick(self) -> str:
        """The name that it has now, or had when there was a connection."""
        return self._connection.nick if self._connection is not None else self.identity.name

    @property
    def connected(self) -> bool:
        """Whether what is said now goes out at once."""
        return self._here.is_set() and not self._ended

    @property
    def unsent(self) -> list[str]:
        """What was said and is not known to be stored."""
        return [saying.text for saying in self._outbox]

    @property
    def outbox(self) -> Outbox:
        """What was said and is not known to be stored, whole."""
        return self._outbox

    @property
    def rooms(self) -> list[str]:
        """The rooms that it is in, or enters again when there is a connection."""
        return [name for name, _ in self._rooms.values()]

    @property
    def capabilities(self) -> frozenset[str]:
        """What was agreed on with the server, over this connection or the last."""
        return self._connection.capabilities if self._connection is not None else frozenset()

    @property
    def isupport(self) -> Mapping[str, str]:
        """What the server tells of itself. (Modern IRC, RPL_ISUPPORT)"""
        return self._connection.isupport if self._connection is not None else {}

    @property
    def began(self) -> str:
        """When it was let in first, by the server's clock; "" if that does not tell."""
        return self._ear.positions.began

    @property
    def is_level(self) -> bool:
        """Whether all that was said was heard and taken."""
        return self._ear.is_level

    @property
    def is_ours(self) -> bool:
        """Whether the server is an asynchat."""
        return self._connection is not None and self._connection.is_ours

    @property
    def resumes(self) -> bool:
        """Whether the server can be asked what was said before. (IRCv3 chathistory)"""
        return self._connection is not None and self._connection.resumes

    async def close(self, reason: str = "") -> None:
        """Say goodbye."""
        self._closing, grace_s = True, 0.0
        if self._life is not None and self._connection is not None and self._connection.ended is None:
            with suppress(Lost):
                self._connection.write("QUIT", *([reason] if reason else []))
                grace_s = GOODBYE_S
        await self._end_life(grace_s)

    # Its life.

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """Be connected, again and again if that is wanted, until closed."""
        loop, backoff, error = asyncio.get_running_loop(), Backoff(self._patience), AsynchatError("closed")
        give_up = loop.time() + self._wait_s
        try:
            while True:
                began = loop.time()
                error = await self._stay(ready)
                if not self._again(error, ready, give_up - loop.time()):
                    break
                if ready.done():
                    backoff.lasted(loop.time() - began)
                    pause = backoff.next()
                    self._ear.note(Reconnecting(pause))
                else:  # whoever waits for a server to start does not want to wait for us
                    pause = min(self._patience.first_s * self._patience.draw(), give_up - loop.time())
                await self._patience.sleep(pause)
        except BaseException as bug:
            if not ready.done() and not isinstance(bug, asyncio.CancelledError):
                ready.set_exception(bug)
                return
            raise
        finally:
            self._end(error)
        if not ready.done():
            ready.set_exception(error)

    def _again(self, error: AsynchatError, ready: asyncio.Future[None], left_s: float) -> bool:
        """Whether to connect once more, after this."""
        if self._closing or isinstance(error, Refused | Untrusted):
            return False
        return self.reconnects if ready.done() else left_s > 0

    async def _stay(self, ready: asyncio.Future[None]) -> AsynchatError:
        """Be connected once, from beginning to end; returns why it ended."""
        again = ready.done()
        identity = dataclasses.replace(self.identity, name=self.nick)
        connection = Connection(self.url, identity, wanted=self._wanted, timeout_s=self._timeout_s, trust=self._trust)
        error: AsynchatError | None = None
        try:
            await connection.open()
        except (Unreachable, Untrusted) as failure:
            return failure
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    if again:
                        await self._come_back(connection, group)
                    else:
                        await self._come_first(connection, group)
                        ready.set_result(None)
                    await self._ear.keep_level(connection)
                except (Lost, NotAcknowledged, Refused, Unreachable) as failure:
                    error = failure
                    connection.abort()
        except asyncio.CancelledError:  # there is no time for what is not sent, nor for a goodbye of TLS
            connection.abort()
            raise
        finally:
            self._here.clear()
            self._ear.lost()
            self._outbox.lost(keeps_keys=connection.keeps_keys and self.reconnects)
            if not self.reconnects:
                self._outbox.fail(Lost(connection.ended or "the connection is closed"))
            await connection.close()
        return error if error is not None else Lost(connection.ended or "the connection was closed")

    async def _come(self, connection: Connection, group: asyncio.TaskGroup, *, asks: int = 0) -> None:
        """Be let in."""
        self._ear.begin()
        connection.on_ask = self._ear.heard.wake
        group.create_task(self._listen(connection))
        await connection.register(patience=self._patience, asks=asks)
        self._connection = connection
        self._limits = connection.multiline

    async def _listen(self, connection: Connection) -> None:
        """Take what the server says, until the connection ends."""
        await connection.read(self._take, lambda: self._ear.room(connection))
        self._ear.lost()

    async def _come_first(self, connection: Connection, group: asyncio.TaskGroup) -> None:
        """Be let in for the first time."""
        await self._come(connection, group, asks=self._patience.asks if self._keeps_name else 0)
        await self._ear.come(connection, self._since)
        self._ear.release()
        self._here.set()

    async def _come_back(self, connection: Connection, group: asyncio.TaskGroup) -> None:
        """Be let in again, enter the rooms, say what waits, and hand on what was missed, then what came meanwhile."""
        async with self._entering:
            # If the connection is lost before the end, what is held is dropped: the next one fetches it.
            await self._come(connection, group, asks=self._patience.asks)
            rooms = await self._reenter(connection)
            self._send_waiting(connection)
            await self._ear.come_back(connection, rooms, self._take_resent)
            self._ear.release()
            self._send_waiting(connection)
            self._here.set()

    async def _reenter(self, connection: Connection) -> list[str]:
        """Enter the rooms that are wanted; returns those that could be."""
        asked = [(name, connection.ask(join(name, key))) for name, key in self._rooms.values()]
        entered = []
        for name, answer in asked:
            try:
                await connection.answered(answer)
            except Refused:  # the server's words are handed on
                continue
            entered.append(name)
        return entered

    def _send_waiting(self, connection: Connection) -> None:
        """Say what waits for a connection, or for its turn, in order."""
        sent = self._outbox.send(connection)
        if not self._here.is_set():
            self._resent += sent

    def _send_more(self) -> None:
        """Say what waits for its turn, if there is a connection."""
        if self._connection is not None:
            with suppress(Lost):  # it waits, or fails, when that is noticed
                self._send_waiting(self._connection)

    def _end(self, error: AsynchatError) -> None:
        self._ended = True
        self.ended_by = None if self._closing else error
        self._outbox.fail(Lost(str(error)))
        self._here.set()  # whoever waits for it is told that it is over
        self._ear.end()

    async def _end_life(self, grace_s: float = 0.0) -> None:
        if self._life is not None:
            await outlive(self._life, grace_s=grace_s)

    async def _there(self) -> Connection:
        """The connection, once there is one.

        Raises:
            Lost
        """
        if self.reconnects:
            await self._here.wait()
        if self._ended or self._connection is None or not self.connected:
            raise Lost("the connection is closed")
        return self._connection

    def _take_resent(self) -> set[str]:
        """The ids of what was sent again and is stored."""
        stored = (saying.stored for saying in self._resent if saying.stored.done() and not saying.stored.exception())
        ids = {said.result().tags.get("msgid", "") for said in stored} - {""}
        self._resent.clear()
        return ids

    # Where we are.

    def _take(self, run: Run) -> None:
        """Something has come.

        Raises:
            Lost: too much is held.
        """
        if run[0].command not in TALK:
            self._note(run[0])
        self._ear.take(run)

    def _note(self, message: Message) -> None:
        """Note where we are, and how others are called."""
        nick, params = message.source.partition("!")[0], message.params
        mine = casefold(nick) == casefold(self.nick)
        if message.command == "NICK" and params:
            self._ear.positions.renamed(nick, params[0])
        elif message.command == "JOIN" and params and mine:
            self._ear.positions.enter(message)
            self._ear.entered(params[0])
            self._rooms.setdefault(casefold(params[0]), (params[0], ""))
        elif message.command == "RENAME" and len(params) > 1 and (room := self._rooms.pop(casefold(params[0]), None)):
            self._ear.positions.renamed(params[0], params[1])
            self._rooms[casefold(params[1])] = (params[1], room[1])
        elif (message.command == "PART" and params and mine) or (
            message.command == "KICK" and len(params) > 1 and casefold(params[1]) == casefold(self.nick)
        ):
            self._ear.positions.leave(params[0])
            self._rooms.pop(casefold(params[0]), None)


def join(room: str, key: str) -> Message:
    """What enters a room."""
    return Message("JOIN", [room, key] if key else [room])
