"""One IRC connection: registration, dispatch, waits, labels.

Talk is put into the journal and not waited for: two thousand lines are a handful of commits. Every other command waits
until the last thing its user did is shown, so that a PONG never overtakes what was said before it; what it replies
gathers in one buffer and comes out together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from asynchat.chat.errors import BadMessage, Refused
from asynchat.chat.events import AwaySet, Event, Invited, Joined, Said
from asynchat.chat.names import is_room
from asynchat.chat.sessions import Pending
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.message import BODY_LIMIT, CLIENT_TAGS_LIMIT, TAGS_LIMIT, Message
from asynchat.wire.irc.numerics import Numeric
from asynchat.wire.irc.refusals import REFUSALS
from asynchat.wire.irc.render import Irc, dialect
from asynchat.wire.irc.replies import Replies, with_tag
from asynchat.wire.lines import Splitter
from asynchat.wire.session import House, Link, Session

if TYPE_CHECKING:
    from asynchat.wire.irc.commands import Command

GRACE_S = 30.0
"""How long a PING may stay unanswered."""
PREFIX_ROOM = 120
"""More than the longest mask takes: shorter lines fit in any case."""
TURN = 64
"""Lines after which others have their turn."""


class IrcSession(Session):
    """An IRC client. `nick`, `ident` and `realname` are what it asked for before it was let in."""

    wire = "irc"

    __slots__ = (
        "_labels",
        "_replies",
        "_splitter",
        "cap_version",
        "capabilities",
        "ident",
        "negotiating",
        "nick",
        "password",
        "pinged",
        "realname",
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
        self.ident = ""
        self.realname = ""
        self.password: str | None = None
        self.pinged = False
        self._splitter = Splitter(TAGS_LIMIT + BODY_LIMIT + 2)
        self._replies: Replies | None = None
        self._labels: dict[str, str] | None = None  # event id to label, of talk that is on its way

    # What the server calls.

    async def receive(self, data: bytes) -> None:
        pace = self.link.pace
        for turn, line in enumerate(self._splitter.feed(data), 1):
            if pace is not None and (pause := pace()) is not None:
                await pause
            if line is None or line:
                await self._line(line)
            if self.closing:
                return
            if turn % TURN == 0:
                await self.hub.journal.breathe()

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
        if isinstance(event, Invited | AwaySet):
            return b""  # the numeric says it
        if isinstance(event, Joined) and event.away is not None:
            event = replace(event, away=None)  # that one is away oneself one knows
        line = self.dialect.render(event)
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
        """Reply with a line."""
        if caps.SERVER_TIME in self.capabilities:
            line = f"@time={self.dialect.server_time(self.hub.clock_ms())} {line}"
        data = f"{line}\r\n".encode()
        if self._replies is not None:
            self._replies.lines.append(data)
        else:
            self.peer.write(data)

    def reply(self, numeric: Numeric, *params: str, text: str | None = None) -> None:
        """Reply with a numeric: its parameters, then `text` or the numeric's own."""
        nick = self.user.nick if self.user else self.nick or "*"
        words = " ".join((f":{self.house.name} {numeric.code} {nick}", *params))
        text = numeric.text if text is None else text
        self.send(words if text is None else f"{words} :{text}")

    def fail(self, command: str, code: str, *about: str, text: str) -> None:
        """Reply with a standard reply. (IRCv3 standard-replies)"""
        self.send(" ".join((f":{self.house.name} FAIL {command} {code}", *about)) + f" :{text}")

    def refuse(self, refused: Refused, command: str) -> None:
        """Put a refusal into IRC's words."""
        words = REFUSALS.get(refused.code)
        if words is None:
            self.fail(command, refused.code, *refused.about, text=refused.text)
        else:
            self.reply(words.numeric, *(_middle(refused.about[index]) for index in words.about))

    def error(self, reason: str) -> None:
        """Say why, and close."""
        self.send(f"ERROR :{reason}")
        self.closing = True
        self.link.close()

    def replay(self, rendered: list[bytes], target: str) -> None:
        """Reply with lines of the past, in a batch if the client knows batches. (IRCv3 chathistory)"""
        assert self._replies is not None
        if caps.BATCH not in self.capabilities:
            self._replies.lines += rendered
            return
        lines = [with_tag(part, "batch=h") for line in rendered for part in line.splitlines(keepends=True)]
        self.send(f":{self.house.name} BATCH +h chathistory {target}")
        self._replies.lines += lines
        self.send(f":{self.house.name} BATCH -h")

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
        spoken = dialect(capabilities & caps.RENDERED)
        if spoken is self.dialect:
            return
        rooms = [room for room in self.user.rooms if room.hears(self)] if self.user else []
        for room in rooms:
            room.deafen(self)
        self.dialect = spoken
        for room in rooms:
            room.hear(self)

    # Dispatch.

    async def _line(self, line: bytes | None) -> None:
        message = self._parse(line)
        if message is None:
            return
        command = COMMANDS.get(message.command)
        label = message.tags.get("label") if message.tags and caps.LABELED_RESPONSE in self.capabilities else None
        if command is not None and command.talk and self.user is not None and message.params:
            target = message.params[0]
            if "," not in target and (label is None or is_room(target)):  # else the answer may be several lines
                await self._talk(command, message, label)
                return
        await self._run(command, message, label)

    def _parse(self, line: bytes | None) -> Message | None:
        if line is None:
            self.reply(numerics.ERR_INPUTTOOLONG)
            return None
        if len(line) > BODY_LIMIT - PREFIX_ROOM:
            tags = line.find(b" ") + 1 if line[:1] == b"@" else 0
            mask = len(self.user.source.mask) + 2 + (b" :" not in line) if self.user is not None else 0
            if tags > CLIENT_TAGS_LIMIT or len(line) - tags > BODY_LIMIT - mask:  # relayed, the mask stands before it
                self.reply(numerics.ERR_INPUTTOOLONG)
                return None
        try:
            return Message.parse(line.decode())
        except UnicodeDecodeError:
            self.fail("*", "INVALID_UTF8", text="Message rejected: it is not valid UTF-8")
        except BadMessage as error:
            if line.strip():
                self.fail("*", "BAD_MESSAGE", text=f"Message rejected: {error}")
        return None

    async def _talk(self, command: Command, message: Message, label: str | None) -> None:
        """A line of talk to one target: put, not waited for."""
        try:
            pending = await command.function(self, message)
        except Refused as refused:
            assert self.user is not None
            await self.settle(self.user.last)
            if message.command != "NOTICE" or label is not None:  # a notice is never answered (RFC 2812, 3.3.2)
                self._replies = Replies(label)
                self.refuse(refused, message.command)
                self._flush()
            return
        if label is not None and pending is not None:
            if pending.done:
                return
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
                self.reply(numerics.ERR_UNKNOWNCOMMAND, _middle(message.command))
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
        if replies.label is not None:
            chunk = replies.answer(self.house.name, batches=caps.BATCH in self.capabilities)
        else:
            chunk = replies.take()
        if replies.held:
            self.peer.release(chunk)
        elif chunk:
            self.peer.write(chunk)


def _middle(word: str) -> str:
    """A word as it can stand in the middle of a reply."""
    return word.replace(" ", "_").lstrip(":") or "*"


from asynchat.wire.irc.commands import COMMANDS  # noqa: E402  (the commands are written in terms of the session)
