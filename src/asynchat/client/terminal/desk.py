"""The desk: all servers that somebody is at, what is heard there, and what is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from asynchat.chat.errors import AsynchatError, BadMessage, Refused
from asynchat.chat.names import casefold
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.notices import Back, Notice, Reconnecting
from asynchat.client.positions import now
from asynchat.client.show import Line, error, news, show, show_notice
from asynchat.client.talker import Talker
from asynchat.client.terminal import backlog
from asynchat.client.terminal.commands import run
from asynchat.client.terminal.connecting import Connect, Connecting
from asynchat.client.terminal.face import Face
from asynchat.client.terminal.hearing import Hearing
from asynchat.client.terminal.places import Place, Server
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

LANDING_S = 10.0
"""How long what was typed last may take to be stored."""
TYPING_EACH_S = 3.0
"""How often others are told that somebody types. (IRCv3 typing)"""


class Desk:
    """One person at a terminal. What is typed goes to `here`.

    `bell` says for what it rings: mentions, all or none; `on_mention` is told of each line that is for the reader.
    """

    def __init__(
        self,
        face: Face,
        *,
        connect: Connect,
        bell: str = "mentions",
        on_mention: Callable[[Line, Place], Coroutine[Any, Any, None]] | None = None,
        tells_typing: bool = True,
    ) -> None:
        self.face = face
        self.servers: list[Server] = []
        self.here: Place | None = None
        self._last: Server | None = None  # where one looked
        self.tells_typing = tells_typing
        self.ignored: set[str] = set()  # casefolded
        self.reason = ""  # why one goes
        self.replies_to: Place | None = None  # who last spoke to one alone
        self.typed = 0  # lines
        self.connecting: Connecting
        self._connect = connect
        self._bell = bell
        self._on_mention = on_mention
        self._day = datetime.now().astimezone().date()
        self._landing: dict[asyncio.Task[None], tuple[Talker, str]] = {}  # what is said, in order
        self._ears: dict[Server, Hearing] = {}
        self._hearing: dict[Server, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup
        self._told_typing_at = 0.0
        self._over: asyncio.Future[None]
        self._seated: asyncio.Event  # the first rooms are entered

    async def run(self, clients: list[tuple[Talker, tuple[str, ...]]], *, absent: Sequence[str] = ()) -> None:
        """Sit there until somebody leaves: by /quit, the end of what is typed, or because no server is left.

        At `absent` servers, known by URL, one will be too, once they can be reached.

        Raises:
            Lost: the connection ended by itself, and there is no other server.
            Refused: it did, and the server does not want us any more.
            ExceptionGroup: of these.
        """
        self._over, self._seated = asyncio.get_running_loop().create_future(), asyncio.Event()
        try:
            async with asyncio.TaskGroup() as self._group:
                self.connecting = Connecting(self, self._connect, self._group)
                typing = self._group.create_task(self._type())
                for client, rooms in clients:
                    await self.sit_down(client, rooms)
                for url in absent:
                    self.connecting.begin(url, "", looks=False)
                self._seated.set()
                await asyncio.wait([typing, self._over], return_when=asyncio.FIRST_COMPLETED)
                self.connecting.end()
                await self._finish()
                for task in (typing, *self._hearing.values()):
                    task.cancel()
        finally:
            for server in self.servers:
                await server.client.close(self.reason)

    def leave(self) -> None:
        """It is over."""
        if not self._over.done():
            self._over.set_result(None)

    # Servers and places.

    async def sit_down(
        self, client: Talker, rooms: tuple[str, ...], *, looks: Callable[[], bool] | None = None
    ) -> None:
        """Be at one more server, in these rooms, and look at each if one still `looks` there then.

        Who looks nowhere looks at the first.
        """
        server = Server(client)
        self.servers.append(server)
        self._ears[server] = Hearing(self, server)
        self._hearing[server] = self._group.create_task(self._hear(server))
        for room in rooms:
            if looks is not None:
                server.ask_for(room, looks)
            try:
                await client.join(room)
            except Refused:  # the server's words are shown
                continue
            except (NotAcknowledged, BadMessage) as failure:
                self.tell(error(str(failure)))
        hearing = self._ears[server]
        for line in await backlog.missed(client):
            hearing.take_missed(line)

    def stand_up(self, server: Server, *, asked: bool = True) -> None:
        """Be at that server no more; unless one has `asked` for that one looks nowhere then, as in `closed`."""
        self.servers.remove(server)
        if self.here is not None and self.here.server is server:
            if asked:
                self._look_elsewhere()
            else:
                self.here = None
        if not self.servers:
            self.leave()
        self.face.changed()

    def closed(self, place: Place, *, asked: bool = True) -> None:
        """A place is not open any more. Unless one has `asked` for that one looks nowhere: nobody else decides where
        one's words go.
        """
        if place is self.here and asked:
            self._look_elsewhere()
        elif place is self.here:
            self.here, self._last = None, place.server
        self.face.changed()

    def _look_elsewhere(self) -> None:
        before, self.here = self.here, None
        near = before.server.places if before is not None and before.server in self.servers else []
        place = next(iter([*near, *self.places]), None)
        if place is not None:
            self.look(place)

    @property
    def server(self) -> Server:
        """Where one looks."""
        if self.here is not None:
            return self.here.server
        return self._last if self._last in self.servers else self.servers[0]

    @property
    def places(self) -> list[Place]:
        """All that is open, in order; their numbers begin with 1."""
        return [place for server in self.servers for place in server.places]

    def find(self, name: str) -> Place | None:
        """A place by its number or its name; here first, `server/name` is understood too."""
        if name.isdecimal() and 0 < int(name[:6]) <= len(self.places):
            return self.places[int(name[:6]) - 1]
        label, slash, rest = name.partition("/")
        for server in [self.server, *self.servers]:
            if slash and casefold(label) == casefold(server.label) and (place := server.get(rest)) is not None:
                return place
            if (place := server.get(name)) is not None:
                return place
        return None

    def came_to(self, place: Place, looks: Callable[[], bool] | None) -> None:
        """One is in a room now; `looks` tells whether one looks there, if one asked for it. Who looked nowhere does.

        Nobody else decides where one's words go, and what is half typed is meant for where one looked meanwhile.
        """
        typing = self._seated.is_set() and self.face.hides and self.face.half_typed
        if (self.here is None and not typing) or (looks is not None and looks()):
            self.here = place
        elif looks is not None:
            name = self.name_of(place)
            number = self.places.index(place) + 1 if place in self.places else name
            self.tell(news(f"in {name} too; /switch {number} looks there"))

    def look(self, place: Place) -> None:
        """Look at a place from now on."""
        if place is self.here:
            return
        self.here = place
        lines, before = place.take()
        if self.face.hides:
            more = f"; {before} more: /history" if before else ""
            unread = f", {len(lines) + before} unread{more}" if lines else ""
            self.tell(news(f"now in {self.name_of(place)}{unread}"))
        self.put(lines)
        self.face.changed()

    def name_of(self, place: Place) -> str:
        """What a place is called, harmless to a terminal: with its server, if there are several."""
        name = plain(place.name)
        return f"{place.server.label}/{name}" if len(self.servers) > 1 else name

    # Showing.

    def tell(self, *lines: Line) -> None:
        """Show lines of ours."""
        self.face.show(lines)

    def put(self, lines: list[Line]) -> None:
        """Show lines that have a time: each new day is told."""
        shown: list[Line] = []
        for line in lines:
            if line.when is not None and line.when.date() != self._day:
                self._day = line.when.date()
                shown.append(news(f"{line.when:%Y-%m-%d}"))
            shown.append(line)
        if shown:
            self.face.show(shown)

    def alert(self, line: Line, place: Place) -> None:
        """A line came that is for the reader."""
        if self._bell != "none":
            self.face.ring()
        if self._on_mention is not None:
            self._group.create_task(self._on_mention(line, place))

    @property
    def rings_for_all(self) -> bool:
        """Whether the bell rings for each line."""
        return self._bell == "all"

    # Hearing.

    async def _hear(self, server: Server) -> None:
        hearing = self._ears[server]
        async for heard in server.client.runs():
            if isinstance(heard, list):
                hearing.take(heard)
            else:
                self._notice(server, hearing, heard)
            if self.face.full:
                await self.face.room()
        ended_by = server.client.ended_by
        if server not in self.servers:
            return
        if len(self.servers) == 1 and not self._over.done():
            raise ended_by or Lost("the connection was closed")
        if ended_by is not None:
            self.tell(error(f"{server.label}: {ended_by}"))
        self.stand_up(server, asked=False)

    def _notice(self, server: Server, hearing: Hearing, notice: Notice) -> None:
        server.away = isinstance(notice, Reconnecting)
        line = show_notice(notice)
        self.tell(line._replace(where=f"[{server.label}]") if len(self.servers) > 1 else line)
        hearing.note_name(tell=isinstance(notice, Back))
        self.face.changed()

    # Typing.

    async def _type(self) -> None:
        async with aclosing(self.face.lines()) as lines:
            async for text in lines:
                self.typed += 1
                if text.strip() == "quit":
                    break
                try:
                    if text[:1] == "/" and text[:2] != "//":
                        await run(self, text)
                    elif text.strip():
                        await self._seated.wait()
                        self.say(text[1:] if text[:2] == "//" else text)
                except AsynchatError as failure:
                    self.tell(error(str(failure)))
                    if isinstance(failure, Lost) and not self._goes_on:
                        raise
                if self._over.done():
                    break
        self.leave()

    @property
    def _goes_on(self) -> bool:
        """Whether there is a server that one comes back to."""
        return any(each.client.reconnects and each.client.ended_by is None for each in self.servers)

    def say(self, text: str, *, to: Place | None = None, action: bool = False) -> None:
        """Say something here, or elsewhere; it is told if it cannot be stored.

        Raises:
            Refused: NOT_IN_ROOM, one is nowhere.
            Lost, BadMessage
        """
        place = to or self.here
        if place is None:
            raise Refused("NOT_IN_ROOM", "you look at no room; /join #room, /switch name")
        client = place.server.client
        said = client.start_sending(place.name, text, action=action)
        landing = self._group.create_task(self._land(place, text, said, action=action))
        self._landing[landing] = client, text
        landing.add_done_callback(lambda done: self._landing.pop(done, None))
        self._told_typing_at = 0.0
        self.face.changed()

    async def _land(self, place: Place, text: str, said: list[asyncio.Future[Message]], *, action: bool) -> None:
        """See that it is stored; show it, if the server does not say it back."""
        client = place.server.client
        for each in said:
            try:
                stored = await client.answer(each)
            except Refused:
                pass  # the server's words are shown
            except NotAcknowledged as failure:
                self.tell(error(str(failure)))
            except (Lost, asyncio.CancelledError) as end:
                self._tell_unsent(client)
                if isinstance(end, Lost):
                    return  # who notices that it is the end tells why
                raise
            else:
                place.server.last_said = stored.tags.get("msgid", place.server.last_said)
                if self.face.echoes and "echo-message" not in client.capabilities:
                    words = f"\x01ACTION {text}\x01" if action else text
                    own = Message("PRIVMSG", [place.name, words], source=client.nick, tags={"time": now()})
                    self.put(show(own, client.nick))
            self.face.changed()

    def _tell_unsent(self, client: Talker) -> None:
        """Tell what was said to a server and is not known to be stored, in order."""
        what = "perhaps not stored" if client.connected else "not sent"
        for landing, (to, text) in list(self._landing.items()):
            if to is client:
                del self._landing[landing]
                self.tell(*(error(f"{what}: {line}") for line in text.split("\n")))

    def types(self, text: str) -> None:
        """The line that is being typed has changed; others are told, now and then."""
        place, now = self.here, asyncio.get_running_loop().time()
        if place is None or not self.tells_typing or text[:1] == "/":
            return
        client = place.server.client
        if "message-tags" not in client.capabilities:
            return
        state = "active" if text.strip() else "done"
        if state == "active" and now - self._told_typing_at < TYPING_EACH_S:
            return
        if state == "done" and not self._told_typing_at:
            return
        self._told_typing_at = now if text.strip() else 0.0
        try:
            client.signal(place.name, {"+typing": state})
        except (Lost, BadMessage):
            return

    async def _finish(self) -> None:
        """Wait for what is on its way; what waits for a connection is told instead."""
        if self._landing and any(server.client.connected for server in self.servers):
            await asyncio.wait(self._landing, timeout=LANDING_S)
        landing = list(self._landing)
        for each in landing:
            each.cancel()
        await asyncio.gather(*landing, return_exceptions=True)
