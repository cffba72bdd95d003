"""What an IRC session replies: lines, numerics, standard replies, batches, into the buffer of the command that runs.

Without a command that runs they go to the peer at once. (Modern IRC, "Numerics"; IRCv3 standard-replies, batch,
labeled-response)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asynchat.chat.errors import KeptOut, Refused
from asynchat.chat.sessions import Pending
from asynchat.wire.house import House
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.numerics import Numeric
from asynchat.wire.irc.refusals import REFUSALS
from asynchat.wire.irc.render import Irc, dialect, fitting
from asynchat.wire.irc.replies import Replies, with_tag
from asynchat.wire.session import Link, Session

Reply = tuple[Numeric, Sequence[str], str | None]
"""A numeric, its parameters, and its text if it is not the numeric's own."""
NESTED = (b"@batch=", b"BATCH -")
"""How a line begins that is in a batch already, or ends one."""
SHOWN = 64
"""Characters of a wrong word that are repeated in a standard reply."""


class Answering(Session):
    """The part of an IRC session that commands reply through.

    `nick` is the name that the client asked for before it was let in, `subscribed` the words of metadata it follows.
    """

    __slots__ = ("_replies", "capabilities", "nick", "subscribed")

    dialect: Irc

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self.capabilities: frozenset[str] = frozenset()
        self.subscribed: frozenset[str] = frozenset()
        self.dialect = dialect(self.capabilities)
        self.nick = ""
        self._replies: Replies | None = None

    # What the client has asked for; commands look at nothing else.

    @property
    def tags(self) -> bool:
        """Whether it sends and hears tags. (IRCv3 message-tags)"""
        return caps.MESSAGE_TAGS in self.capabilities

    @property
    def multiline(self) -> bool:
        """Whether it may send a long text as a batch. (IRCv3 multiline)"""
        return caps.MULTILINE in self.capabilities

    @property
    def metadata(self) -> bool:
        """Whether it hears of the words that users and rooms bear. (IRCv3 metadata)"""
        return caps.METADATA in self.capabilities

    @property
    def plays_events(self) -> bool:
        """Whether history shows it more than talk. (IRCv3 chathistory, event-playback)"""
        return caps.EVENT_PLAYBACK in self.capabilities

    @property
    def every_prefix(self) -> bool:
        """Whether it is shown all roles of a member, not the highest alone. (IRCv3 multi-prefix)"""
        return caps.MULTI_PREFIX in self.capabilities

    @property
    def full_names(self) -> bool:
        """Whether NAMES shows it masks. (IRCv3 userhost-in-names)"""
        return caps.USERHOST_IN_NAMES in self.capabilities

    # What it is answered.

    @property
    def holding(self) -> bool:
        """Whether this session's own events belong among the replies of the command that runs."""
        return self._replies is not None and self._replies.held

    def send(self, line: str) -> None:
        """Reply with a line, cut to what a message may be."""
        self.send_lines(f"{fitting(line)}\r\n")

    def send_lines(self, lines: str) -> None:
        """Reply with lines that fit, each of which begins with the server's name, with their ends."""
        if caps.SERVER_TIME in self.capabilities:
            time = f"@time={self.dialect.server_time(self.hub.clock_ms())} "
            lines = time + lines.replace("\r\n:", f"\r\n{time}:")
        data = lines.encode()
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

    def reply_all(self, *replies: Reply) -> None:
        """Reply with several numerics at once."""
        self.send_lines(numeric_lines(self.house.name, self.called, *replies))

    def numeric_line(self, numeric: Numeric, params: Sequence[str], text: str | None) -> bytes:
        """A numeric as a line, for a batch."""
        return f"{fitting(self._numeric(numeric, params, text))}\r\n".encode()

    def _numeric(self, numeric: Numeric, params: Sequence[str], text: str | None) -> str:
        return numeric_line(self.house.name, self.called, numeric, params, text)

    @property
    def called(self) -> str:
        """What numerics call this client."""
        return self.user.source.nick if self.user is not None else self.nick or "*"

    def fail(self, command: str, code: str, *about: str, text: str) -> None:
        """Reply with a standard reply. (IRCv3 standard-replies)"""
        shown = (_middle(word)[:SHOWN] for word in about)
        self.send(" ".join((f":{self.house.name} FAIL {command} {code}", *shown)) + f" :{text}")

    def refuse(self, refused: Refused, command: str) -> None:
        """Put a refusal into IRC's words."""
        words = REFUSALS.get(refused.code)
        if isinstance(refused, KeptOut):  # of which the room's numeric would tell a lie
            self.reply(numerics.ERR_YOUREBANNEDCREEP, text=refused.text)
        elif words is None:
            self.fail(command, refused.code, *refused.about, text=refused.text)
        else:
            text = refused.text if words.own else None
            self.reply(words.numeric, *(refused.about[index] for index in words.about), text=text)

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

    @property
    def labelled(self) -> bool:
        """Whether the command that runs has a label."""
        return self._replies is not None and self._replies.label is not None

    def answer_later(self) -> None:
        """The label of this command is answered by a later one."""
        if self._replies is not None:
            self._replies.later = True

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


def numeric_line(server: str, nick: str, numeric: Numeric, params: Sequence[str], text: str | None) -> str:
    """A numeric to somebody: its parameters, then `text` or the numeric's own."""
    line = f":{server} {numeric.code} {nick}"
    for word in params:
        line += f" {_middle(word)}"
    if text is None:
        text = numeric.text
    return line if text is None else f"{line} :{text}"


def numeric_lines(server: str, nick: str, *replies: Reply) -> str:
    """Several numerics to somebody, cut to what a message may be, with their ends."""
    return "".join([f"{fitting(numeric_line(server, nick, *reply))}\r\n" for reply in replies])


def _middle(word: str) -> str:
    """A word as it can stand in the middle of a reply."""
    if word and " " not in word and word[0] != ":":
        return word
    return word.replace(" ", "_").lstrip(":") or "*"
