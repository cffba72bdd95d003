"""One person without a client: first a name, then lines and /commands."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from asynchat.chat.errors import BadName, BadText, KeptOut, NameTaken, Refused, StoreError
from asynchat.chat.events import Event, Invited, Kind, Place, Said
from asynchat.chat.names import casefold
from asynchat.chat.users import lasting_id
from asynchat.wire.house import House
from asynchat.wire.resumes import Left
from asynchat.wire.session import NEVER, Gap, Link, Session, behind
from asynchat.wire.talk.render import NEWS, NO, Framing, Phrase, Plain, dialect, phrases
from asynchat.wire.text import plain

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.chat.sessions import Pending
    from asynchat.chat.users import User
    from asynchat.wire.talk.commands import Row

log = logging.getLogger("asynchat")

SHOWN_NAMES = 10
"""With more people than this a room's greeting tells their number."""
TRIES = 3
"""How often a password may be wrong."""


class Stage(Enum):
    """What the next line is."""

    NAME = "name"
    GATE = "gate"  # the server's password
    ACCOUNT = "account"  # that of the account that owns the name
    TALK = "talk"


class TalkSession(Session):
    """A conversation in lines of text; a wire gives it the framing, and the lines through `line`."""

    framing: Framing
    commands: ClassVar[Mapping[str, Row]]

    __slots__ = ("_first", "_name", "_read_on", "_stage", "_tries", "acks", "heard", "ids", "key", "room", "times")

    dialect: Plain

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self.ids = self.times = self.acks = False
        self.dialect = self.spoken(several=False)
        self.room: str | None = None  # where a line without a command goes
        self.wake_at = now + house.register_timeout_s
        self.key = ""  # by which this person may come back
        self.heard: dict[Place, int] = {}  # of which rooms it has heard everything after which id
        self._read_on: tuple[int, dict[Place, int]] | None = None
        self._name = ""
        self._first = ""  # what came with the name
        self._stage = Stage.NAME
        self._tries = 0

    # What the framing calls.

    async def line(self, data: bytes | None) -> None:
        """Take one line; None is one that was too long."""
        try:
            text = self._text(data)
            if self._stage is Stage.TALK:
                await self._talk(text)
            elif self._stage is Stage.NAME:
                await self._take_name(text)
            else:
                await self._take_password(text)
        except NameTaken as refused:
            self.no(refused.code, f"{refused.text}; try {self.hub.free_name(*refused.about)}")
        except KeptOut as refused:
            if self.user is None:
                self.keep_out(refused)
            else:
                self.no(refused.code, refused.text)
        except Refused as refused:
            if self.user is not None:
                await self.settle(self.user.last)  # a no must not overtake the +OK of what was said before
            self.no(refused.code, refused.text)
        except StoreError as error:
            log.error("a command could not be answered: %s", error)
            self.no("INTERNAL_ERROR", "the log cannot be read")

    def _text(self, data: bytes | None) -> str:
        """A line as text.

        Raises:
            Refused, BadText
        """
        if data is None:
            raise Refused("TOO_LONG", str(self.house.max_line))
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise Refused("INVALID_UTF8", "that was not UTF-8") from None
        if "\0" in text or "\r" in text:
            raise BadText
        return text

    async def eof(self) -> None:
        if self.user is not None:
            await self.settle(self.user.last)
        await self.leveled()

    async def wake(self, now: float) -> None:
        if self.user is None and now >= self.wake_at:
            self.no("TIMEOUT", "no name was given")
            self.end()

    # What the fan-out calls.

    def own(self, event: Event, via_me: bool) -> bytes:
        if not via_me:
            return self.dialect.render(event)
        if isinstance(event, Said) and self.acks:
            return type(self).framing(Phrase("+OK", event.id))
        return b""  # what it did is answered by the command that did it

    def told(self, event: Event) -> bytes:
        if isinstance(event, Invited):
            text = f"{event.by.nick} invites you to {event.room}: /join {event.room}"
            return type(self).framing(Phrase(NEWS, plain(text)))
        return self.dialect.render(event)

    def moved(self, room: Room, old: str, reason: str) -> None:
        if self.room is not None and casefold(self.room) == casefold(old):
            self.room = room.name

    def failed(self, event: Event, refused: Refused) -> None:
        if isinstance(event, Said):
            self.no(refused.code, refused.text)

    def repeated(self, event: Event, first: Event) -> None:
        if self.acks:
            self.say_phrase(Phrase("+OK", first.id))

    def was_behind(self, name: str, lines: int | None, lost: int | None) -> None:
        text = f"{behind(name, lines, lost)}; showing from the next one"
        self.peer.overtake(type(self).framing(Phrase(NEWS, plain(text))))

    async def gone(self, reason: str) -> None:
        user = self.user
        if user is None or user.source.account is not None or self.superseded:  # who comes back by a password
            await super().gone(reason)
            return
        rooms = tuple(room.name for room in user.rooms)
        await super().gone(reason)
        until_ms = self.hub.clock_ms() + int(self.house.resume_window_s * 1000)
        self.house.resumes.leave(self.key, Left(user.id, user.nick, rooms, self.room, self.seen, until_ms))

    def tell(self, text: str) -> None:
        self.news(text)

    def keep_out(self, refused: KeptOut) -> None:
        self.leaving = self.leaving or "banned"
        self.logged_out = True
        self.no(refused.code, refused.text)
        self.end()

    def put_out(self, reason: str) -> None:
        self.leaving = self.leaving or reason
        self.news(reason)
        self.end()

    # What the commands use.

    def news(self, text: str) -> None:
        """Tell something: `*** text`."""
        self.say_phrase(Phrase(NEWS, plain(text)))

    def no(self, code: str, text: str) -> None:
        """Refuse something: `!!! CODE text`."""
        self.say_phrase(Phrase(NO, plain(f"{code} {text}")))

    def say_phrase(self, phrase: Phrase) -> None:
        self.peer.write(type(self).framing(phrase))

    def guessed_wrong(self, code: str, text: str) -> None:
        """Refuse a password or the like; who guesses too often is put out."""
        self._tries += 1
        self.no(code, text)
        if self._tries >= TRIES:
            self.end()

    def read_on_from(self, position: int, heard: dict[Place, int]) -> None:
        """Once the answer to this command is out, show everything after an id that was not heard."""
        self._read_on = (position, heard)

    def end(self) -> None:
        """Close the connection."""
        self.closing = True
        self.link.close()

    async def done(self, pending: Pending | None) -> None:
        """Wait until what this session did is stored and shown.

        Raises:
            Refused: it could not be stored.
        """
        if pending is not None:
            await pending

    def speak(self) -> None:
        """Speak as the settings now say; the push lists are told."""
        user = self.user
        spoken = self.spoken(several=user is not None and len(user.rooms) > 1)
        if spoken is self.dialect:
            return
        rooms = [room for room in user.rooms if room.hears(self)] if user else []
        for room in rooms:
            room.deafen(self)
        self.dialect = spoken
        for room in rooms:
            room.hear(self)

    def spoken(self, *, several: bool) -> Plain:
        """The dialect of these settings, for somebody in several rooms or not."""
        return dialect(type(self).framing, several=several, ids=self.ids, times=self.times)

    async def enter_room(self, name: str, key: str | None = None) -> tuple[Room, Event | None]:
        """Enter a room, or go back to one; what is typed goes there from now on."""
        assert self.user is not None
        pending = self.hub.join(self.user, name, key, via=self)
        await self.done(pending)
        room = self.hub.room(name)
        self.room = room.name
        if pending is not None:
            self.heard[room.place] = int(pending.event.id) - 1
        else:
            self.heard.setdefault(room.place, int(self.hub.applied))
        self.speak()
        return room, pending.event if pending is not None else None

    async def replay(self, room: Room, entered: Event) -> None:
        """Show what was said before it entered a room, last; or since its name was last there."""
        since = room.left.get(casefold(entered.by.nick))
        lines = await self.missed(room.place, Gap(since, entered.id))
        if lines:
            self.heard[room.place] = int(lines[0].id) - 1
        self.play(lines)

    async def catch_up(self, places: Sequence[Place], gap: Gap) -> None:
        """Show what was said in its rooms and to it, while it was absent."""
        lines = {line.id: line for place in places for line in await self.missed(place, gap)}
        self.play(sorted(lines.values(), key=lambda line: int(line.id)), with_rooms=True)

    def play(self, lines: Sequence[Event], *, with_rooms: bool = False) -> None:
        """Show lines of the past, with the times."""
        for line in lines:
            room = self.dialect.room_before(line) if with_rooms else ""
            for phrase in self.phrases(line):
                self.say_phrase(phrase._replace(before=f"[{self.time_of(line)}] {room}{phrase.before}"))

    def time_of(self, event: Event) -> str:
        """When it was, as this person is told."""
        return f"{event.at:%H:%M}"

    def phrases(self, event: Event) -> list[Phrase]:
        """What talk of the past is shown as: as it was shown when it was said."""
        before = f"#{event.id} " if self.ids else ""
        return [phrase._replace(before=before) for phrase in phrases(event)] if event.talk else []

    # The dialogue.

    async def _take_name(self, text: str) -> None:
        """The first line is the name; tutorial clients send `name: text` at once."""
        name, colon, first = text.partition(": ")
        name = name.strip()
        if not name:
            self.news("type your name and press Enter")
            return
        owned = self._asks_for_password_of(name)
        try:
            self.hub.check_name(name, name if owned else None)
        except BadName as refused:
            raise type(refused)(plain(name)[: self.hub.limits.name]) from None
        if self.house.accounts_required and not owned:
            raise Refused("ACCOUNT_REQUIRED", f"only the registered come in here, and {name} is not")
        if self.hub.is_taken(name) and not owned:
            self.hub.doubt(name)
            raise NameTaken(name)
        self._name, self._first = name, first if colon else ""
        if self.house.password is not None:
            self._ask(Stage.GATE, "password:")
        elif owned:
            self._ask_for_password()
        else:
            await self._come_in()

    def _ask(self, stage: Stage, question: str) -> None:
        self._stage = stage
        self.news(question)

    def _asks_for_password_of(self, name: str) -> bool:
        return self.house.asks_all or self.house.is_owned(name)

    def _ask_for_password(self) -> None:
        what = "is registered." if self.house.is_owned(self._name) else "has a"
        self._ask(Stage.ACCOUNT, f"{self._name} {what} password:")

    async def _take_password(self, text: str) -> None:
        """The server's password, or that of the account whose name it is."""
        try:
            if self._stage is Stage.ACCOUNT:
                assert self.house.logins is not None
                account = await self.house.logins.check_password(self._name, text, address=self.address)
                if casefold(account) != casefold(self._name):  # an application lets people log in by other names
                    self._name = account
                await self._come_in(account)
            elif not self.house.opens(text):
                raise Refused("BAD_PASSWORD", "that is not the password")
            elif self._asks_for_password_of(self._name):
                self._ask_for_password()
            else:
                await self._come_in()
        except KeptOut:
            raise
        except Refused as refused:
            self.guessed_wrong(refused.code, refused.text)

    async def _come_in(self, account: str | None = None) -> None:
        self._stage = Stage.NAME  # should the name be taken after all
        self.peer.hold()
        try:
            gap: Gap | None = None
            if account is not None and lasting_id(account) in self.hub.state.people:
                gap = await self.return_to(lasting_id(account))
                user = self.hub.state.people[lasting_id(account)]
            else:
                user = await self.enter(self._name, "~line", self._name, account=account, lasting=account is not None)
            self._stage = Stage.TALK
            self.wake_at = NEVER
            await self._settle_in(user, gap)
        finally:
            self.peer.release()
        if self._first:
            await self._talk(self._first)

    async def _settle_in(self, user: User, gap: Gap | None) -> None:
        """Enter the room where everybody comes in, and say hello."""
        absent_from = [user.inbox, *(room.place for room in user.rooms)]
        if not user.lasting:
            self.key = self.house.resumes.new(self)
        key = f" resume key {self.key}" if self.key else ""
        try:
            room, entered = await self.enter_room(self.house.room)
        except Refused as refused:
            self.news(f"hello {user.nick}. /help, /quit.{key}")
            self.no(refused.code, refused.text)
            return
        self.news(f"hello {user.nick}, you are in {room.name}{self.company(room)}. /help, /quit.{key}")
        if entered is not None:
            await self.replay(room, entered)
        if gap is not None:
            await self.catch_up(absent_from, gap)

    def company(self, room: Room) -> str:
        """With whom one is in a room, in words."""
        others = [member.nick for member in room.members if member is not self.user]
        if len(others) > SHOWN_NAMES:
            return f" with {len(others)} others"
        return f" with {', '.join(others)}" if others else ""

    async def _talk(self, text: str) -> None:
        assert self.user is not None
        if casefold(text.strip()) in ("quit", "/quit"):
            text = "/quit"
        if text[:1] == "/" and text[:2] != "//":
            await self.settle(self.user.last)
            self.peer.hold()  # what it answers is one write
            try:
                await run(self, text)
            finally:
                self.peer.release()
            if self._read_on is not None:
                self.house.read_on(self, *self._read_on)
                self._read_on = None
            return
        if text[:2] == "//":
            text = text[1:]
        await self.say_here(text)

    async def say_here(self, text: str, kind: Kind = Kind.MESSAGE) -> None:
        """Say something in the current room; a name that the client put before it is taken off."""
        assert self.user is not None
        name, colon, rest = text.partition(": ")
        if colon and casefold(name) == casefold(self.user.nick):
            text = rest
        if not text.strip():
            return
        if self.room is None:
            self.no("NOT_IN_ROOM", f"you are in no room; try /join {self.house.room}")
            return
        await self.say(self.room, text, kind)


from asynchat.wire.talk.commands import COMMANDS, run  # noqa: E402  (the commands are written in terms of the session)

TalkSession.commands = COMMANDS
