"""What is heard at one server, and where at the desk it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from asynchat.chat.names import casefold
from asynchat.client.heard import Run
from asynchat.client.positions import is_talk, place_of
from asynchat.client.show import Line, Sort, news, nick_of, said, show
from asynchat.client.terminal import backlog, roles
from asynchat.client.terminal.places import Place, Server
from asynchat.client.terminal.typists import TYPING_FOR_S
from asynchat.wire.irc.message import Message

if TYPE_CHECKING:
    from asynchat.client.terminal.desk import Desk

MOST_RECENT = 500


class Hearing:
    """Takes what a server says: keeps up who is where, and shows what is to be seen."""

    def __init__(self, desk: Desk, server: Server) -> None:
        self._desk = desk
        self._server = server
        self._nick = server.client.nick
        self._recent: dict[str, None] = {}  # ids of what came by conversation lately
        self._handlers: dict[str, Callable[[Message], None]] = {
            name.removeprefix("_on_").upper(): getattr(self, name) for name in dir(self) if name.startswith("_on_")
        }

    def take(self, run: Run) -> None:
        """What has come together."""
        message = run[0]
        handler = self._handlers.get(message.command)
        if is_talk(message):
            self._talk(run)
        elif handler is not None:
            handler(message)
        else:
            self._show(message, self._desk.here)

    def take_missed(self, message: Message) -> None:
        """A line of a conversation from while one was away, unless it has come live."""
        if message.tags.get("msgid", "") not in self._recent:
            self.take([message])

    def _remember(self, msgid: str) -> None:
        self._recent[msgid] = None
        if len(self._recent) > MOST_RECENT:
            del self._recent[next(iter(self._recent))]

    def note_name(self, *, tell: bool) -> None:
        """One may be called otherwise since there is another connection."""
        before, self._nick = self._nick, self._server.client.nick
        if tell and before != self._nick:
            self._desk.tell(news(f"{before} is in use; you are {self._nick}"))

    # Showing.

    def _show(self, message: Message, place: Place | None) -> None:
        self._put(show(message, self._nick), place, live="batch" not in message.tags)

    def _put(self, lines: list[Line], place: Place | None, *, live: bool) -> None:
        """Show lines, if one looks there, or if they are for the reader; else keep them for later."""
        desk, hides = self._desk, self._desk.face.hides
        if place is not None and place.roles:
            lines = [line._replace(role=place.role_of(line.who)) if line.who else line for line in lines]
        shown = lines
        if hides and place is not None and place is not desk.here:
            shown = [line for line in lines if self._everywhere(line)]
            held = [line for line in lines if line.talk and not self._everywhere(line)]
            if held:
                place.hold(held)
                desk.face.changed()
        desk.put([self._placed(line, place) for line in shown])
        for line in lines:
            if line.mention and live and place is not None:
                desk.alert(line, place)
            elif desk.rings_for_all and line.talk:
                desk.face.ring()

    def _everywhere(self, line: Line) -> bool:
        """Whether it is shown wherever one looks: what is for the reader, or is said to one alone, by people and by
        programs.
        """
        return line.mention or line.sort is Sort.NOTICE or bool(line.where)

    def _placed(self, line: Line, place: Place | None) -> Line:
        """The line with where it belongs, if that is not where one looks, or is not clear."""
        desk = self._desk
        if place is not None and place is desk.here and desk.face.hides:
            return line._replace(where="") if line.where else line
        several = len(desk.servers) > 1
        if place is not None and line.where and place is desk.here:
            return line._replace(where="")
        if line.where or place is None:
            return line._replace(where=f"[{self._server.label}] {line.where}".rstrip()) if several else line
        one_room = not desk.face.hides and sum(each.is_room for each in desk.places) < 2
        if place is desk.here and (desk.face.hides or one_room or not line.talk):
            return line
        if not line.talk and not several:
            return line
        return line._replace(where=f"[{desk.name_of(place)}]") if not one_room else line

    # Talk.

    def _talk(self, run: Run) -> None:
        me, ignored = self._nick, self._desk.ignored
        if ignored:
            run = [message for message in run if casefold(nick_of(message)) not in ignored]
        if not run:
            return
        place = self._place_of(run[0], me)
        if place is not None:
            place.note(run[0])
            place.spoke([nick_of(message) for message in run])
            if not place.is_room:
                self._talk_alone(run[-1], place)
        if not self._desk.face.echoes:  # what is one's own stands where it was typed; what is of the past is shown
            run = [message for message in run if nick_of(message) != me or "batch" in message.tags]
        lines = said(run, me) if len(run) > 1 else None
        if lines is not None:
            self._put(lines, place, live=True)
            return
        for message in run:
            self._show(message, place)

    def _talk_alone(self, message: Message, place: Place) -> None:
        if nick_of(message) != self._nick:
            self._desk.replies_to = place
        self._remember(message.tags.get("msgid", ""))
        backlog.read(self._server.client, place.name, message)

    def _place_of(self, message: Message, me: str) -> Place | None:
        """Where a line of talk belongs; None for what servers and services say."""
        target = message.params[0]
        if target[:1] == "#":  # mostly
            return self._server.get(target)
        name = place_of(message, me)
        if name[:1] in self._server.room_signs:
            return self._server.get(name)
        if message.command == "NOTICE" or "!" not in message.source:
            return self._server.get(name)
        mine = casefold(nick_of(message)) == casefold(me)
        return self._server.open(target if mine else message.source.partition("!")[0])

    def _on_tagmsg(self, message: Message) -> None:
        """Somebody types, or has stopped. (IRCv3 typing)"""
        state, nick = message.tags.get("+typing"), nick_of(message)
        me = self._server.client.nick
        if state is None or not message.params or casefold(nick) in {casefold(me), *self._desk.ignored}:
            return
        place = self._server.get(place_of(message, me))
        if place is None:
            return
        if state == "active":
            loop = asyncio.get_running_loop()
            place.typing.types(nick, loop.time())
            loop.call_later(TYPING_FOR_S, self._desk.face.changed)
        else:
            place.typing.stops(nick)
        self._desk.face.changed()

    # Who is where.

    def _on_join(self, message: Message) -> None:
        if not message.params:
            return
        room, nick = message.params[0], message.source.partition("!")[0]
        mine = casefold(nick) == casefold(self._server.client.nick)
        known = self._server.get(room)
        place = self._server.open(room) if mine else known
        if place is not None:
            if mine:
                place.people.clear()
                place.roles.clear()
            place.meet([nick])
        if mine and place is not None and known is None:
            self._desk.came_to(place, self._server.asked_for(place))
        self._show(message, place)

    def _on_part(self, message: Message) -> None:
        self._gone(message, message.source.partition("!")[0])

    def _on_kick(self, message: Message) -> None:
        self._gone(message, message.params[1] if len(message.params) > 1 else "")

    def _gone(self, message: Message, nick: str) -> None:
        place = self._server.get(message.params[0]) if message.params else None
        mine = casefold(nick) == casefold(self._server.client.nick)
        self._show(message, self._desk.here if mine else place)
        if place is None:
            return
        place.leave(nick)
        if mine:
            self._server.close(place.name)
            self._desk.closed(place, asked=self._server.asked_to_leave(place.name))

    def _on_quit(self, message: Message) -> None:
        nick = message.source.partition("!")[0]
        were = [place for place in self._server.places if place.leave(nick)]
        if not self._desk.face.hides or self._desk.here in were:
            self._show(message, self._desk.here)
        self._desk.face.changed()

    def _on_nick(self, message: Message) -> None:
        if not message.params:
            return
        old, new = message.source.partition("!")[0], message.params[0]
        are = [place for place in self._server.places if place.rename(old, new)]
        self._server.renamed(old, new)
        mine = casefold(new) == casefold(self._server.client.nick)
        self._nick = self._server.client.nick
        if not self._desk.face.hides or mine or self._desk.here in are:
            self._show(message, self._desk.here)
        self._desk.face.changed()

    def _on_rename(self, message: Message) -> None:
        """A room is called otherwise. (IRCv3 draft/channel-rename)"""
        self._show(message, self._desk.here)
        if len(message.params) > 1:
            self._server.renamed(message.params[0], message.params[1])

    def _on_353(self, message: Message) -> None:
        """Who is in a room, some of them."""
        if len(message.params) < 4:
            return
        place = self._server.get(message.params[2])
        if place is not None:
            marks = "".join(roles.signs(self._server.client.isupport).values())
            for name in message.params[3].split():
                bare, role = roles.split(name, marks)
                place.meet([bare])
                place.give(bare, role)
        self._show(message, self._desk.here)

    def _on_topic(self, message: Message) -> None:
        self._show(message, self._server.get(message.params[0]) if message.params else None)

    _on_redact = _on_topic

    def _on_mode(self, message: Message) -> None:
        place = self._server.get(message.params[0]) if message.params else None
        if place is not None:
            for role, name, given in roles.changes(message.params[1:], self._server.client.isupport):
                place.give(name, role if given else "")
        self._show(message, place)

    def _on_away(self, message: Message) -> None:
        """Who goes away and comes back is not told each time."""
