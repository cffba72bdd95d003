"""A person at one server, over one connection after the other: what was said is stored, what is said is heard once.

With `reconnect` a connection that is lost is made again. Lines wait in the outbox until they are acknowledged and are
sent again under the same key; what was missed is fetched, and what comes live meanwhile waits for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Self

from asynchat.chat.errors import AsynchatError, Refused
from asynchat.chat.names import casefold
from asynchat.client.catchup import PAST, Catchup
from asynchat.client.connection import TALK, Connection
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable, Untrusted
from asynchat.client.heard import Heard, size_of
from asynchat.client.multiline import Limits
from asynchat.client.notices import Back, Notice, Reconnecting
from asynchat.client.outbox import Outbox, Saying
from asynchat.client.patience import Backoff, Patience
from asynchat.client.positions import Positions, is_talk, place_of
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
MOST_HELD = 16 * 1024 * 1024
"""Bytes of what comes live while the past is fetched; a server that says more is left, and come back to."""


class Client:
    """Somebody at one server under one name.

        async with Client(Url.parse("asynchat://localhost"), Identity(name="alice")) as client:
            await client.join("#lobby")
            await client.send("#lobby", "hello")

    `nick` is the name that it got: alice2, if somebody else is alice. Iterating gives every message that the server
    sends, and notices of what became of the connection, until the end; a client that is not to `hear` keeps none.
    `timeout_s` is how long the server may take for anything, `past` how many lines from before one came are handed on
    when it enters a room, `history` whether the server will be asked for more of them, `wait_s` for how long it is
    tried to reach it at first.
    `ended_by` is why it is over, if it was not closed.

    `trust` says how the server proves who it is; `wanted` are capabilities to ask for besides those that it needs.

    Raises on entering:
        Unreachable, Untrusted
        Refused: NAME_RESERVED, the name is that of an account; BAD_PASSWORD; or what the server says.
    """

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
    ) -> None:
        self.url = url
        self.reconnects = reconnect
        self.ended_by: AsynchatError | None = None
        self.identity = identity
        self._trust = trust
        self._wanted = WANTED | frozenset(wanted) | ({HISTORY} if history or (reconnect and hear) else set())
        self._limits: Limits | None = None
        self._timeout_s = timeout_s
        self._hear = hear
        self._wait_s = wait_s
        self._patience = patience or Patience()
        self._connection: Connection | None = None
        self._here = asyncio.Event()  # the connection is up, the rooms are entered, everything is caught up
        self._life: asyncio.Task[None] | None = None
        self._closing = False
        self._ended = False
        self._rooms: dict[str, tuple[str, str]] = {}  # wanted: casefolded name to name and key
        self._outbox = Outbox()
        self._positions = Positions()
        self._catchup = Catchup(self._positions, past)
        self._resent: list[Saying] = []  # since the last time that everything was caught up
        self._heard = Heard()
        self._held: deque[Message] | None = None  # what comes live and must wait for the past
        self._held_bytes = 0
        self._dropping = ""  # the room whose talk is not held, since it is fetched
        self._holding = asyncio.Lock()

    async def __aenter__(self) -> Self:
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
        while (heard := await self._heard.next()) is not None:
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
    def resumes(self) -> bool:
        """Whether the server can be asked what was said before. (IRCv3 chathistory)"""
        return self._connection is not None and self._connection.resumes

    # What one can do.

    async def join(self, room: str, key: str = "", *, after: str | None = None) -> None:
        """Enter a room, and enter it again after each reconnect.

        With `after`, a message as CHATHISTORY refers to it (`msgid=…`, `timestamp=…`), everything that was said after
        that is handed on, instead of the last lines; they are fetched as they are taken.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        if after is not None:
            self._positions.place(casefold(room), after)
        while True:
            connection = await self._there()
            try:
                async with self._holding:
                    await self._enter(connection, room, key, whole=after is not None)
                return
            except Lost:
                if not self.reconnects or self._ended:
                    raise
                if self._connection is connection:  # it is noticed here before the client's life has noticed
                    self._here.clear()

    async def part(self, room: str, reason: str = "") -> None:
        """Leave a room.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        await self.request(Message("PART", [room, reason] if reason else [room]))

    async def request(self, message: Message, *, quiet: bool = False) -> list[Message]:
        """Ask for something; returns the lines of the answer, which are not handed on elsewhere if it is `quiet`.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        connection = await self._there()
        return await connection.answered(connection.ask(message, quiet=quiet))

    async def send(self, to: str, text: str, *, key: str | None = None, action: bool = False) -> list[str]:
        """Say something to a room or a person, and wait until it is stored.

        A text of several lines is one message where the server knows such, else one for each line; so is one that is
        too long. Several have the keys `key/1`, `key/2` …; their ids are returned, "" where the server has none.
        Without a key each gets one of its own, so that sending it again is always safe.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        said = self.start_sending(to, text, key=key, action=action)
        return [(await self.answer(each)).tags.get("msgid", "") for each in said]

    def start_sending(
        self, to: str, text: str, *, key: str | None = None, action: bool = False, command: str = "PRIVMSG"
    ) -> list[asyncio.Future[Message]]:
        """Like `send`, but waits for nothing: each of what it returns is to be given to `answer`.

        Without a connection it waits for the next one.

        Raises:
            BadMessage, Lost
        """
        if self._ended or not (self.connected or self.reconnects):
            raise Lost("the connection is closed")
        sayings = self._outbox.add(to, text, key=key, action=action, command=command, limits=self._limits)
        if self.connected and self._connection is not None:
            with suppress(Lost):  # they wait, or fail, when that is noticed
                for saying in sayings:
                    self._outbox.send(saying, self._connection)
        return [saying.stored for saying in sayings]

    async def answer(self, stored: asyncio.Future[Message]) -> Message:
        """The server's acknowledgement of something. Who reconnects waits for it as long as it takes.

        Raises:
            Refused, Lost, NotAcknowledged
        """
        try:
            async with asyncio.timeout(None if self.reconnects else self._timeout_s):
                if self._connection is not None and not stored.done():
                    with suppress(Lost):  # which the answer tells
                        await self._connection.drained()
                return await asyncio.shield(stored)
        except TimeoutError:
            raise NotAcknowledged(f"{self.url} did not say in time that it was done") from None

    async def drained(self) -> None:
        """Wait until most of what was written is sent.

        Raises:
            Lost
        """
        if self._connection is not None:
            await self._connection.drained()

    def signal(self, to: str, tags: Mapping[str, str]) -> None:
        """Send tags alone, which nobody keeps: that one types, for example. (IRCv3 message-tags, TAGMSG)

        Raises:
            BadMessage, Lost
        """
        if self._connection is None or not self.connected:
            raise Lost("there is no connection")
        self._connection.signal(to, tags)

    async def register(self, password: str) -> None:
        """Make an account of the name that it has, which is logged in to from then on. (IRCv3 account-registration)

        Raises:
            Refused, Lost, NotAcknowledged, BadMessage
        """
        name = self.nick
        await self.request(Message("REGISTER", [name, "*", password]))
        self.identity = dataclasses.replace(self.identity, name=name, account=name, password=password)

    def write(self, command: str, *params: str) -> None:
        """Send a command and wait for nothing.

        Raises:
            BadMessage: a parameter cannot be written.
            Lost: there is no connection now.
        """
        if self._connection is None or not self.connected:
            raise Lost("there is no connection")
        self._connection.write(command, *params)

    def end_hearing(self) -> None:
        """Hand on what was heard so far, and nothing more."""
        self._hear = False
        self._heard.end()

    async def close(self, reason: str = "") -> None:
        """Say goodbye."""
        self._closing = True
        if self._life is not None and self._connection is not None and self._connection.ended is None:
            with suppress(Lost):
                self._connection.write("QUIT", *([reason] if reason else []))
                await asyncio.wait([self._life], timeout=2)
        await self._end_life()

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
                    self._hand_on(Reconnecting(pause))
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
                        await self._come(connection, group)
                        self._here.set()
                        ready.set_result(None)
                except (Lost, NotAcknowledged, Refused, Unreachable) as failure:
                    error = failure
                    connection.abort()
        finally:
            self._here.clear()
            self._outbox.lost(keeps_keys=connection.keeps_keys and self.reconnects)
            if not self.reconnects:
                self._outbox.fail(Lost(connection.ended or "the connection is closed"))
            await connection.close()
        return error if error is not None else Lost(connection.ended or "the connection was closed")

    async def _come(self, connection: Connection, group: asyncio.TaskGroup, *, asks: int = 0) -> None:
        """Be let in."""
        group.create_task(connection.read(self._take, self._heard.room))
        await connection.register(patience=self._patience, asks=asks)
        self._connection = connection
        self._limits = connection.multiline
        self._positions.begin(connection.welcomed_at)

    async def _come_back(self, connection: Connection, group: asyncio.TaskGroup) -> None:
        """Be let in again, enter the rooms, say what waits, and hand on what was missed, then what came meanwhile."""
        async with self._holding:
            # If the connection is lost before the end, what is held is dropped: the next one fetches it.
            held = self._held = deque()
            self._held_bytes = 0
            await self._come(connection, group, asks=self._patience.asks)
            rooms = await self._reenter(connection)
            self._send_waiting(connection)
            complete = False
            if self._hear and connection.resumes:
                complete = await self._catchup.fetch(connection, rooms, held)
            self._hand_on_missed(complete)
            self._release()
            self._send_waiting(connection)
            self._here.set()

    async def _enter(self, connection: Connection, room: str, key: str, *, whole: bool) -> None:
        """Enter a room, and hand on first that one is in, then what was said there, then what is said now."""
        held = self._held = deque()
        self._held_bytes = 0
        try:
            await connection.answered(connection.ask(_join(room, key)))
            self._rooms[casefold(room)] = (room, key)
            while self._held and not is_talk(self._held[0]):
                self._pass_on(self._held.popleft())  # that one is in, and who is there
            if self._hear and connection.resumes:
                if whole:
                    await self._read_up(connection, room, held)
                else:
                    self._pass_lines(await self._catchup.past(connection, room), room)
        finally:
            self._release()

    async def _read_up(self, connection: Connection, room: str, held: deque[Message]) -> None:
        """Hand on what was said in a room after its position, a page at a time, up to what comes live.

        What comes live before that is near is dropped: it is fetched in its turn.
        """
        self._dropping = casefold(room)
        try:
            while True:
                page, more = await self._catchup.next_page(connection, room)
                self._pass_lines(page, room)
                if not more:
                    break
                held.clear()
                self._held_bytes = 0
                await self._heard.room()
        finally:
            self._dropping = ""
        await self._catchup.fetch(connection, [room], held, people=False)
        for _, line in self._catchup.take():
            self._pass_lines([line], room)

    def _pass_lines(self, lines: Iterable[Message], room: str) -> None:
        """Hand on lines of a room that were fetched."""
        for line in lines:
            self._positions.passed(line, casefold(room))
            self._hand_on(line)

    async def _reenter(self, connection: Connection) -> list[str]:
        """Enter the rooms that are wanted; returns those that could be."""
        asked = [(name, connection.ask(_join(name, key))) for name, key in self._rooms.values()]
        entered = []
        for name, answer in asked:
            try:
                await connection.answered(answer)
            except Refused:  # the server's words are handed on
                continue
            entered.append(name)
        return entered

    def _send_waiting(self, connection: Connection) -> None:
        """Say what waits for a connection, in order."""
        for saying in self._outbox:
            if saying.asked is None:
                self._outbox.send(saying, connection)
                self._resent.append(saying)

    def _end(self, error: AsynchatError) -> None:
        self._ended = True
        self.ended_by = None if self._closing else error
        self._outbox.fail(Lost(str(error)))
        self._here.set()  # whoever waits for it is told that it is over
        self._heard.end()

    async def _end_life(self) -> None:
        if self._life is not None:
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life

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

    # Hearing.

    def _take(self, message: Message) -> None:
        """A message has come.

        Raises:
            Lost: too much is held.
        """
        if message.command not in TALK:
            self._note(message)
        if self._held is None:
            self._pass_on(message)
            return
        if self._dropping and is_talk(message) and place_of(message, self.nick) == self._dropping:
            return
        self._held.append(message)
        self._held_bytes += size_of(message)
        if self._held_bytes > MOST_HELD:
            raise Lost("the server says more than can be kept while it answers")

    def _note(self, message: Message) -> None:
        """Note where we are, and how others are called."""
        nick, params = message.source.partition("!")[0], message.params
        mine = casefold(nick) == casefold(self.nick)
        if message.command == "NICK" and params:
            self._positions.renamed(nick, params[0])
        elif message.command == "JOIN" and params and mine:
            self._positions.enter(message)
            self._rooms.setdefault(casefold(params[0]), (params[0], ""))
        elif message.command == "RENAME" and len(params) > 1 and (room := self._rooms.pop(casefold(params[0]), None)):
            self._positions.renamed(params[0], params[1])
            self._rooms[casefold(params[1])] = (params[1], room[1])
        elif (message.command == "PART" and params and mine) or (
            message.command == "KICK" and len(params) > 1 and casefold(params[1]) == casefold(self.nick)
        ):
            self._positions.leave(params[0])
            self._rooms.pop(casefold(params[0]), None)

    def _release(self) -> None:
        """Hand on what was held, and from now on everything at once."""
        while self._held:
            self._pass_on(self._held.popleft())
        self._held, self._held_bytes = None, 0

    def _pass_on(self, message: Message) -> None:
        """Hand on what came live, unless it was fetched already."""
        if self._hear and is_talk(message):
            place = place_of(message, self.nick)
            if not self._positions.is_new(message, place):
                return
            self._positions.passed(message, place)
        self._hand_on(message)

    def _hand_on_missed(self, complete: bool) -> None:
        """Hand on that we are back, and what was fetched.

        Of one's own lines those that wait for their echo are handed on as that would be: in no batch.
        """
        stored = (saying.stored for saying in self._resent if saying.stored.done() and not saying.stored.exception())
        own = {said.result().tags.get("msgid", "") for said in stored} - {""}
        lines, missed, msgid = [], 0, ""
        for place, line in self._catchup.take():
            msgid = line.tags.get("msgid", msgid)
            missed += msgid not in own
            lines.append((place, _live(line) if msgid in own else line))
        self._resent.clear()
        self._hand_on(Back(missed if complete else None))
        for place, line in lines:
            self._positions.passed(line, place)
            self._hand_on(line)

    def _hand_on(self, heard: Message | Notice) -> None:
        if self._hear:
            self._heard.put(heard)


def _join(room: str, key: str) -> Message:
    return Message("JOIN", [room, key] if key else [room])


def _live(line: Message) -> Message:
    """A line as if it came by itself."""
    tags = {name: value for name, value in line.tags.items() if name != "batch"}
    return Message(line.command, line.params, source=line.source, tags=tags)
