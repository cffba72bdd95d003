"""One IRC connection: registration, dispatch, waits, labels.

Talk is put into the journal and not waited for: two thousand lines are a handful of commits. Every other command waits
until the last thing its user did is shown, so that a PONG never overtakes what was said before it; what it replies
gathers in one buffer and comes out together.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from asynchat.chat.errors import BadMessage, KeptOut, Refused, StoreError
from asynchat.chat.names import is_room
from asynchat.wire.house import House
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.batches import Lines
from asynchat.wire.irc.hearing import Hearing
from asynchat.wire.irc.message import BODY_LIMIT, CLIENT_TAGS_LIMIT, TAGS_LIMIT, EmptyMessage, Message, escape
from asynchat.wire.irc.render import fitting
from asynchat.wire.irc.replies import Replies
from asynchat.wire.lines import Splitter
from asynchat.wire.session import HIGH_WATER, NEVER, Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asynchat.wire.irc.commands import Command
    from asynchat.wire.irc.commands.accounts import Exchange

log = logging.getLogger("asynchat")

ANSWER_S = 5.0
"""How long a session may be silent whose name somebody else asks for."""
GRACE_S = 30.0
"""How long a PING may stay unanswered."""
LISTED_BYTES = 400
"""How much of a capability list goes on one line."""
PREFIX_ROOM = 120
"""More than the longest mask takes: shorter lines fit in any case."""


class IrcSession(Hearing):
    """An IRC client. `ident` and `realname` are what it told before it was let in."""

    wire = "irc"

    __slots__ = (
        "_splitter",
        "account",
        "batches",
        "cap_version",
        "doubted_at",
        "ident",
        "negotiating",
        "password",
        "pinged_at",
        "pre_away",
        "realname",
        "sasl",
        "wanted",
        "words",
    )

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self.wake_at = now + house.register_timeout_s
        self.cap_version = 0
        self.negotiating = False
        self.wanted = ""  # the name it asked for last, had or not
        self.ident = ""
        self.realname = ""
        self.password: str | None = None
        self.account: str | None = None  # logged in to before being let in
        self.sasl: Exchange | None = None
        self.batches: dict[str, Lines] | None = None  # that the client has begun and not ended
        self.pre_away: str | None = None
        self.words: dict[str, str] = {}  # metadata set before being let in
        self.pinged_at: float | None = None
        self.doubted_at: float | None = None  # NEVER: it will be asked
        self._splitter = Splitter(TAGS_LIMIT + BODY_LIMIT + 2)

    # What the server calls.

    def at_once(self, data: bytes) -> bool:
        end = len(data) - 1
        if data.find(b"\n") != end or self._splitter.rest or self._splitter.discarding:
            return False
        pace = self.link.pace
        if self.closing or self.level is not None or self.peer.unsent() > HIGH_WATER or not (pace is None or pace.free):
            return False
        if self.hub.journal.crowded:
            return False
        said = self.quick(data[: end - 1] if data[end - 1 : end] == b"\r" else data[:end])
        if said and pace is not None:
            pace()
        return said

    async def receive(self, data: bytes) -> None:
        await self.run(self._splitter.feed(data))

    async def eof(self) -> None:
        if self.user is not None:
            await self.settle(self.user.last)
        await self.leveled()

    async def wake(self, now: float) -> None:
        if self.doubted_at is not None and self.user is not None and not self._answers_doubt(now):
            return
        quiet_s = now - self.heard_at
        interval_s = self.house.ping_interval_s
        if self.user is None:
            self.error("Registration timed out")
        elif quiet_s < interval_s or self.lagging:  # a PING would come after all that it has not read
            self.pinged_at = None
            self.wake_at = (now if self.lagging else self.heard_at) + interval_s
        elif self.pinged_at is not None and now >= self.pinged_at + GRACE_S:
            self.leaving = f"Ping timeout: {int(quiet_s)} seconds"
            self.error(self.leaving)
        else:
            if self.pinged_at is None:
                self.pinged_at = now
                self.peer.write(f"PING {self.house.name}\r\n".encode())
            self.wake_at = self.pinged_at + GRACE_S

    def doubt(self) -> None:
        if self.user is not None and self.doubted_at is None and not (self.closing or self.lagging):
            self.doubted_at = NEVER
            self.wake_at = 0.0
            self.link.rouse()

    def _answers_doubt(self, now: float) -> bool:
        """Whether it was heard since it was doubted; if it is not for some seconds, it is gone."""
        doubted_at = self.doubted_at
        assert doubted_at is not None
        if doubted_at is NEVER:
            if now - self.heard_at < ANSWER_S:
                self.doubted_at = None
                return True
            self.doubted_at = now
            self.peer.write(f"PING {self.house.name}\r\n".encode())
        elif self.heard_at > doubted_at:
            self.doubted_at = None
            return True
        elif now >= doubted_at + ANSWER_S:
            self.leaving = "Ping timeout: somebody asked for the name"
            self.error(self.leaving)
            return False
        self.wake_at = (now if doubted_at is NEVER else doubted_at) + ANSWER_S
        return False

    def refurnished(self, before: Mapping[str, str]) -> None:
        gone, new = caps.changes(before, self.house.capabilities)
        self.enable(self.capabilities.difference(gone))
        if self.cap_version >= 302 or caps.CAP_NOTIFY in self.capabilities:
            for subcommand, names in (("DEL", gone), ("NEW", caps.listing(new, self.offered))):
                if names:
                    self.list_capabilities(subcommand, names)

    def put_out(self, reason: str) -> None:
        self.leaving = self.leaving or reason
        self.error(reason)

    def tell(self, text: str) -> None:
        self.peer.write(f"{fitting(f':{self.house.name} NOTICE {self.called} :{text}')}\r\n".encode())

    def keep_out(self, refused: KeptOut) -> None:
        self.refuse(refused, "*")
        super().keep_out(refused)

    # What the commands ask.

    def cap(self, subcommand: str, rest: str, more: str = "") -> None:
        """Send a line of capability negotiation."""
        nick = self.user.nick if self.user is not None else self.nick or "*"
        self.send(f":{self.house.name} CAP {nick} {subcommand} {more}:{rest}")

    def list_capabilities(self, subcommand: str, names: list[str]) -> None:
        """A list, on several lines if need be and the client knows version 302."""
        lines = [""]
        for name in names:
            if self.cap_version >= 302 and len(lines[-1]) + len(name) > LISTED_BYTES:
                lines.append("")
            lines[-1] += f" {name}" if lines[-1] else name
        *others, last = lines
        for line in others:  # of a whole list all lines but the last are marked
            self.cap(subcommand, line, "* " if subcommand in ("LS", "LIST") else "")
        self.cap(subcommand, last)

    @property
    def offered(self) -> dict[str, str]:
        """The capabilities on offer to this client, and their values."""
        return caps.shown(
            self.house.capabilities, self.house.tls_policy, secure=self.link.secure, version=self.cap_version
        )

    def may_be_back(self, name: str) -> bool:
        """Whether this may be another session of who is here under a name: it has logged in, or may be about to.

        Most clients say their name before they know that they can log in.
        """
        if self.account is not None:
            return True
        return self.negotiating and (caps.SASL in self.capabilities or self.house.is_owned(name))

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

    # Dispatch.

    def quick(self, line: bytes) -> bool:
        """Say a plain line in one room: what `line` would do, for a third of the time and without a wait."""
        user = self.user
        if user is None or line[:9] != b"PRIVMSG #" or len(line) > BODY_LIMIT - PREFIX_ROOM:
            return False
        to, colon, text = line[8:].partition(b" :")
        if not colon or b" " in to or b"," in to or not text or text[0] == 1:  # a request, or an action
            return False
        if user.changing is not None:
            if not user.changing.done:
                return False
            user.changing = None
        try:
            self.hub.say(user, to.decode(), text.decode(), via=self)
        except (Refused, UnicodeDecodeError):
            return False  # and is told why
        return True

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
        except StoreError as error:
            log.error("%s could not be answered: %s", message.command, error)
            self.fail(message.command, "INTERNAL_ERROR", text="The log cannot be read")
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


from asynchat.wire.irc.commands import COMMANDS  # noqa: E402  (the commands are written in terms of the session)
from asynchat.wire.irc.commands.talk import add_line  # noqa: E402
