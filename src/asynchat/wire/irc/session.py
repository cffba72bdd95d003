"""One IRC connection: registration, dispatch, waits, labels.

Talk is put into the journal and not waited for: two thousand lines are a handful of commits. Every other command waits
until the last thing its user did is shown, so that a PONG never overtakes what was said before it; what it replies
gathers in one buffer and comes out together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from asynchat.chat.errors import BadMessage, Refused
from asynchat.chat.events import (
    AccountSet,
    AwaySet,
    Departed,
    Entered,
    Event,
    FlagsSet,
    Invited,
    Joined,
    MarkerSet,
    MetadataSet,
    Renamed,
    Said,
)
from asynchat.chat.names import casefold, is_room
from asynchat.chat.sessions import Pending
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.batches import Lines
from asynchat.wire.irc.message import BODY_LIMIT, CLIENT_TAGS_LIMIT, TAGS_LIMIT, EmptyMessage, Message, escape
from asynchat.wire.irc.modes import user_letters
from asynchat.wire.irc.numerics import Numeric
from asynchat.wire.irc.refusals import REFUSALS
from asynchat.wire.irc.render import Irc, dialect, fitting
from asynchat.wire.irc.replies import Replies, with_tag
from asynchat.wire.lines import Splitter
from asynchat.wire.session import House, Link, Session

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.wire.irc.commands import Command
    from asynchat.wire.irc.commands.accounts import Exchange

NESTED = (b"@batch=", b"BATCH -")
"""How a line begins that is in a batch already, or ends one."""
GRACE_S = 30.0
"""How long a PING may stay unanswered."""
TOLD_BY_REPLY = (Invited, AwaySet, AccountSet, MarkerSet, MetadataSet)
"""What a numeric tells who did it."""
SHOWN = 64
"""Characters of a wrong word that are repeated in a standard reply."""
PREFIX_ROOM = 120
"""More than the longest mask takes: shorter lines fit in any case."""


class IrcSession(Session):
    """An IRC client. `nick`, `ident` and `realname` are what it asked for before it was let in."""

    wire = "irc"

    __slots__ = (
        "_labels",
        "_replies",
        "_splitter",
        "account",
        "batches",
        "cap_version",
        "capabilities",
        "ident",
        "negotiating",
        "nick",
        "password",
        "pinged",
        "pre_away",
        "realname",
        "sasl",
        "subscribed",
        "wanted",
        "words",
    )

    dialect: Irc

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self.wake_at = now + house.register_timeout_s
        self.capabilities: frozenset[str] = frozenset()
        self.cap_version = 0
        self.negotiating = False
        self.dialect = dialect(self.capabilities)
        self.nick = ""
        self.wanted = ""  # the name it asked for last, had or not
        self.ident = ""
        self.realname = ""
        self.password: str | None = None
        self.account: str | None = None  # logged in to before being let in
        self.sasl: Exchange | None = None
        self.batches: dict[str, Lines] | None = None  # that the client has begun and not ended
        self.subscribed: frozenset[str] = frozenset()
        self.pre_away: str | None = None
        self.words: dict[str, str] = {}  # metadata set before being let in
        self.pinged = False
        self._splitter = Splitter(TAGS_LIMIT + BODY_LIMIT + 2)
        self._replies: Replies | None = None
        self._labels: dict[str, str] | None = None  # event id to label, of talk that is on its way

    # What the server calls.

    async def receive(self, data: bytes) -> None:
        await self.run(self._splitter.feed(data))

    async def eof(self) -> None:
        if self.user is not None:
            await self.settle(self.user.last)

    async def wake(self, now: float) -> None:
        quiet_s = now - self.heard_at
        interval_s = self.house.ping_interval_s
        if self.user is None:
            self.error("Registration timed out")
        elif quiet_s < interval_s:
            self.pinged = False
            self.wake_at = self.heard_at + interval_s
        elif self.pinged and quiet_s >= interval_s + GRACE_S:
            self.leaving = f"Ping timeout: {int(quiet_s)} seconds"
            self.error(self.leaving)
        else:
            if not self.pinged:
                self.pinged = True
                self.peer.write(f"PING {self.house.name}\r\n".encode())
            self.wake_at = self.heard_at + interval_s + GRACE_S

    # What the fan-out calls.

    def own(self, event: Event, via_me: bool) -> bytes:
        if via_me and isinstance(event, TOLD_BY_REPLY):
            return b""
        if isinstance(event, FlagsSet | MarkerSet):
            return self._about_me(event)
        if isinstance(event, Joined) and event.away is not None:
            event = replace(event, away=None)  # that one is away oneself one knows
        line = self.dialect.render(event)
        if (
            isinstance(event, Joined)
            and not via_me
            and (room := self.hub.state.places.get(event.places[0])) is not None
        ):
            line += self._captured(None, lambda: show_room(self, room))
        if type(event) is Said:
            label = self._labels.pop(event.id, None) if via_me and self._labels else None
            if via_me and caps.ECHO_MESSAGE not in self.capabilities:
                line = b"" if label is None else f":{self.house.name} ACK\r\n".encode()
            if label is not None:
                line = with_tag(line, f"label={label}")
        if via_me and self._replies is not None and self._replies.held:
            self._replies.lines.append(line)
            return b""
        return line

    def told(self, event: Event) -> bytes:
        if isinstance(event, Invited):
            tags = self.dialect.prefix(event)
            return f"{tags}:{event.by.mask} INVITE {event.target.nick} {event.room}\r\n".encode()
        return self.dialect.render(event)

    def watched(self, event: Event, told: bool) -> bytes:
        if isinstance(event, Entered | Departed | Renamed):
            return self._came_or_went(event)
        if told or caps.EXTENDED_MONITOR not in self.capabilities:
            return b""
        return self.dialect.render(event)

    def _came_or_went(self, event: Entered | Departed | Renamed) -> bytes:
        """Who watches a name is told when somebody takes it or gives it up. (IRCv3 monitor)"""
        by, watches = event.by, self.hub.state.watches
        nick = event.nick if isinstance(event, Renamed) else by.nick
        if isinstance(event, Renamed) and casefold(nick) == casefold(by.nick):
            return b""
        head = f":{self.house.name} {{}} {self.user.nick if self.user else '*'} :"
        lines = b""
        if not isinstance(event, Entered) and watches(self, by.nick):
            lines += f"{head.format(numerics.RPL_MONOFFLINE.code)}{by.nick}\r\n".encode()
        if not isinstance(event, Departed) and watches(self, nick):
            lines += f"{head.format(numerics.RPL_MONONLINE.code)}{nick}!{by.ident}@{by.host}\r\n".encode()
        return lines

    def _about_me(self, event: FlagsSet | MarkerSet) -> bytes:
        if isinstance(event, MarkerSet):
            shown = caps.READ_MARKER in self.capabilities
            return f":{self.house.name} MARKREAD {event.to} timestamp={event.read}\r\n".encode() if shown else b""
        on, off = (user_letters(flags) for flags in (event.on, event.off))
        letters = (f"+{on}" if on else "") + (f"-{off}" if off else "")
        return f":{event.by.nick} MODE {event.by.nick} :{letters}\r\n".encode()

    def failed(self, event: Event, refused: Refused) -> None:
        if isinstance(event, Said):  # whoever did something else is waiting for it and is told so
            label = self._labels.pop(event.id, None) if self._labels else None
            line = f":{self.house.name} FAIL PRIVMSG {refused.code} {event.to} :{refused.text}\r\n".encode()
            self.peer.write(line if label is None else with_tag(line, f"label={label}"))

    def repeated(self, event: Event, first: Event) -> None:
        label = self._labels.pop(event.id, None) if self._labels else None
        line = f"@msgid={first.id} :{self.house.name} ACK\r\n".encode()
        self.peer.write(line if label is None else with_tag(line, f"label={label}"))

    def put_out(self, reason: str) -> None:
        self.leaving = self.leaving or reason
        self.error(reason)

    # What the commands use.

    @property
    def holding(self) -> bool:
        """Whether this session's own events belong among the replies of the command that runs."""
        return self._replies is not None and self._replies.held

    def send(self, line: str) -> None:
        """Reply with a line, cut to what a message may be."""
        line = fitting(line)
        if caps.SERVER_TIME in self.capabilities:
            line = f"@time={self.dialect.server_time(self.hub.clock_ms())} {line}"
        data = f"{line}\r\n".encode()
        if self._replies is not None:
            self._replies.lines.append(data)
        else:
            self.peer.write(data)

    def reply(self, numeric: Numeric, *params: str, text: str | None = None) -> None:
        """Reply with a numeric: its parameters, then `text` or the numeric's own."""
        self.send(self._numeric(numeric, params, text))

    def reply_numeric(self, numeric: Numeric, params: Sequence[str], text: str | None) -> None:
        """Reply with a numeric that is put together elsewhere."""
        self.send(self._numeric(numeric, params, text))

    def numeric_line(self, numeric: Numeric, params: Sequence[str], text: str | None) -> bytes:
        """A numeric as a line, for a batch."""
        return f"{fitting(self._numeric(numeric, params, text))}\r\n".encode()

    def _numeric(self, numeric: Numeric, params: Sequence[str], text: str | None) -> str:
        nick = self.user.nick if self.user else self.nick or "*"
        words = " ".join((f":{self.house.name} {numeric.code} {nick}", *map(_middle, params)))
        text = numeric.text if text is None else text
        return words if text is None else f"{words} :{text}"

    def fail(self, command: str, code: str, *about: str, text: str) -> None:
        """Reply with a standard reply. (IRCv3 standard-replies)"""
        shown = (_middle(word)[:SHOWN] for word in about)
        self.send(" ".join((f":{self.house.name} FAIL {command} {code}", *shown)) + f" :{text}")

    def refuse(self, refused: Refused, command: str) -> None:
        """Put a refusal into IRC's words."""
        words = REFUSALS.get(refused.code)
        if words is None:
            self.fail(command, refused.code, *refused.about, text=refused.text)
        else:
            self.reply(words.numeric, *(refused.about[index] for index in words.about))

    def refuse_under(self, label: str | None, refused: Refused, command: str) -> None:
        """Refuse something that had a label, outside of the command that runs."""
        self._aside(label, lambda: self.refuse(refused, command))

    def fail_under(self, label: str | None, command: str, code: str, *about: str, text: str) -> None:
        """Reply with a standard reply to something that had a label, outside of the command that runs."""
        self._aside(label, lambda: self.fail(command, code, *about, text=text))

    def _aside(self, label: str | None, reply: Callable[[], None]) -> None:
        chunk = self._captured(label if caps.LABELED_RESPONSE in self.capabilities else None, reply)
        if self._replies is not None:
            self._replies.lines.append(chunk)
        else:
            self.peer.write(chunk)

    def _captured(self, label: str | None, reply: Callable[[], None]) -> bytes:
        """What something would reply, as bytes."""
        running, self._replies = self._replies, Replies(label)
        try:
            reply()
            return self._replies.final(self.house.name, batches=caps.BATCH in self.capabilities)
        finally:
            self._replies = running

    def show_entered(self, room: Room) -> None:
        """Tell a session of a user who is in a room that it is there too."""
        user = self.user
        assert user is not None
        now_ms = self.hub.clock_ms()
        entered = Joined(by=user.source, at_ms=now_ms, id="0", room=room.name, realname=user.realname, kept=False)
        chunk = self.dialect.render(entered)
        if self._replies is not None:
            self._replies.lines.append(chunk)
        else:
            self.peer.write(chunk)
        show_room(self, room)

    def error(self, reason: str) -> None:
        """Say why, and close."""
        self.send(f"ERROR :{reason}")
        self.closing = True
        self.link.close()

    def send_batch(self, kind: str, rendered: Sequence[bytes], *about: str) -> None:
        """Reply with lines that belong together, in a batch if the client knows batches. (IRCv3 batch)"""
        assert self._replies is not None
        if caps.BATCH not in self.capabilities:
            self._replies.lines += rendered
            return
        name = f"b{self._replies.batches}"
        self._replies.batches += 1
        self.send(" ".join((f":{self.house.name} BATCH +{name} {kind}", *about)))
        self._replies.lines += [
            line if line.startswith(NESTED) else with_tag(line, f"batch={name}")
            for chunk in rendered
            for line in chunk.splitlines(keepends=True)
        ]
        self.send(f":{self.house.name} BATCH -{name}")

    def subscribe(self, words: frozenset[str]) -> None:
        """Follow these words of metadata from now on."""
        self.subscribed = words
        self.enable(self.capabilities)

    @property
    def labelled(self) -> bool:
        """Whether the command that runs has a label."""
        return self._replies is not None and self._replies.label is not None

    def answer_later(self) -> None:
        """The label of this command is answered by a later one."""
        if self._replies is not None:
            self._replies.later = True

    @property
    def may_be_back(self) -> bool:
        """Whether this may be another session of somebody who is here: it has logged in, or is about to."""
        return self.account is not None or (self.negotiating and caps.SASL in self.capabilities)

    @property
    def may_be_away_before(self) -> bool:
        return caps.PRE_AWAY in self.capabilities

    @property
    def asks_for_history(self) -> bool:
        """Whether the client fetches what it missed by itself."""
        return caps.CHATHISTORY in self.capabilities

    @property
    def marks_read(self) -> bool:
        return caps.READ_MARKER in self.capabilities

    @property
    def wants_names(self) -> bool:
        return caps.NO_IMPLICIT_NAMES not in self.capabilities

    def moved(self, room: Room, old: str, reason: str) -> None:
        if caps.RENAME not in self.capabilities and casefold(old) != casefold(room.name):
            show_moved(self, room, old, reason)

    async def done(self, pending: Pending | None) -> None:
        """Wait until what this session did is stored and shown. Replies so far come before it.

        Raises:
            Refused: it could not be stored.
        """
        replies = self._replies
        if replies is not None and not replies.held and (chunk := replies.take()):
            self.peer.write(chunk)
        if pending is not None:
            await pending

    def enable(self, capabilities: frozenset[str]) -> None:
        """Speak with these capabilities from now on; the push lists are told."""
        self.capabilities = capabilities
        spoken = dialect(capabilities & caps.RENDERED, self.subscribed)
        if spoken is self.dialect:
            return
        rooms = [room for room in self.user.rooms if room.hears(self)] if self.user else []
        for room in rooms:
            room.deafen(self)
        self.dialect = spoken
        for room in rooms:
            room.hear(self)

    # Dispatch.

    async def line(self, line: bytes | None) -> None:
        if line == b"":
            return
        try:
            message = self._parse(line)
        except BadMessage as error:
            await self.refuse_line(error)
            return
        command = COMMANDS.get(message.command)
        if message.tags and self.batches is not None and "batch" in message.tags:
            await add_line(self, message)
            return
        label = None
        if message.tags and caps.LABELED_RESPONSE in self.capabilities and "label" in message.tags:
            label = escape(message.tags["label"])  # it is only ever written
        if command is not None and command.talk and self.user is not None and message.params:
            target = message.params[0]
            if "," not in target and (label is None or is_room(target)):  # else the answer may be several lines
                await self._talk(command, message, label)
                return
        await self._run(command, message, label)

    def _parse(self, line: bytes | None) -> Message:
        """The message that a line is.

        Raises:
            BadMessage
        """
        if line is None:
            raise TooLongLine
        if len(line) > BODY_LIMIT - PREFIX_ROOM:
            tags = tags_length(line)
            if tags > CLIENT_TAGS_LIMIT or len(line) - tags > BODY_LIMIT:
                raise TooLongLine
        try:
            message = Message.parse(line.decode())
        except UnicodeDecodeError:
            name = Message.parse(line.decode(errors="replace")).command
            raise NotUtf8(name if name in COMMANDS else "*") from None
        if len(line) > BODY_LIMIT - PREFIX_ROOM and not self._can_be_relayed(line, message):
            raise TooLongLine
        return message

    async def refuse_line(self, error: BadMessage) -> None:
        """Tell that a line is no message, after everything that was said before it."""
        if self.user is not None:
            await self.settle(self.user.last)
        if isinstance(error, TooLongLine):
            self.reply(numerics.ERR_INPUTTOOLONG)
        elif isinstance(error, NotUtf8):
            self.fail(str(error), "INVALID_UTF8", text="Message rejected: it is not valid UTF-8")
        elif not isinstance(error, EmptyMessage):
            self.fail("*", "BAD_MESSAGE", text=f"Message rejected: {error}")

    def _can_be_relayed(self, line: bytes, message: Message) -> bool:
        """Whether a line of talk still fits once the speaker's mask stands before it."""
        command = COMMANDS.get(message.command)
        if command is None or not command.talk or self.user is None:
            return True
        mask = len(self.user.source.mask.encode()) + 2 + (b" :" not in line)
        return len(line) - tags_length(line) + mask <= BODY_LIMIT

    async def _talk(self, command: Command, message: Message, label: str | None) -> None:
        """A line of talk to one target: put, not waited for."""
        try:
            pending = await command.function(self, message)
        except Refused as refused:
            assert self.user is not None
            await self.settle(self.user.last)
            if message.command != "NOTICE" or label is not None:  # a notice is never answered (RFC 2812, 3.3.2)
                self.refuse_under(label, refused, message.command)
            return
        if pending is not None:
            self.label(pending, label)

    def label(self, pending: Pending, label: str | None) -> None:
        """Have the echo of something that is on its way bear a label."""
        if label is not None and caps.LABELED_RESPONSE in self.capabilities and not pending.done:
            if self._labels is None:
                self._labels = {}
            self._labels[pending.event.id] = label

    async def _run(self, command: Command | None, message: Message, label: str | None) -> None:
        """Any other command: after everything its user did before, with its replies together."""
        if self.user is not None:
            await self.settle(self.user.last)
        replies = self._replies = Replies(label)
        if label is not None or (command is not None and command.holds):
            replies.held = True
            self.peer.hold()
        try:
            if self._may_run(command, message):
                assert command is not None
                await command.function(self, message)
        except Refused as refused:
            self.refuse(refused, message.command)
        finally:
            self._flush()

    def _may_run(self, command: Command | None, message: Message) -> bool:
        if command is None:
            if self.user is None:
                self.reply(numerics.ERR_NOTREGISTERED)
            else:
                self.reply(numerics.ERR_UNKNOWNCOMMAND, message.command)
        elif self.user is None and not command.before:
            self.reply(numerics.ERR_NOTREGISTERED)
        elif self.user is not None and not command.after:
            self.reply(numerics.ERR_ALREADYREGISTERED)
        elif len(message.params) < command.least:
            self.reply(numerics.ERR_NEEDMOREPARAMS, command.name)
        else:
            return True
        return False

    def _flush(self) -> None:
        replies, self._replies = self._replies, None
        assert replies is not None
        chunk = replies.final(self.house.name, batches=caps.BATCH in self.capabilities)
        if replies.held:
            self.peer.release(chunk)
        elif chunk:
            self.peer.write(chunk)


class TooLongLine(BadMessage):
    """The line is longer than a message may be, or would be once it is relayed."""


class NotUtf8(BadMessage):
    """The line is not UTF-8; its text is the command's name. (IRCv3 utf8only)"""


def tags_length(line: bytes) -> int:
    """How many bytes of a line are tags, with the `@` and the space after them."""
    return line.find(b" ") + 1 if line[:1] == b"@" else 0


def _middle(word: str) -> str:
    """A word as it can stand in the middle of a reply."""
    if word and " " not in word and word[0] != ":":
        return word
    return word.replace(" ", "_").lstrip(":") or "*"


from asynchat.wire.irc.commands import COMMANDS  # noqa: E402  (the commands are written in terms of the session)
from asynchat.wire.irc.commands.rooms import show_moved, show_room  # noqa: E402
from asynchat.wire.irc.commands.talk import add_line  # noqa: E402
