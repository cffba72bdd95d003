"""Sessions that ask the application which runs the server: may this be said, and what is this command.

A server without hooks has nothing of this: `joined` makes other classes of the sessions, which take the place of the
plain ones (`House.sessions`), so that a line costs no question whether there is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

from asynchat.chat.errors import Refused
from asynchat.chat.events import Kind
from asynchat.chat.messages import Message
from asynchat.chat.names import casefold
from asynchat.wire.irc import commands as irc
from asynchat.wire.irc.message import BODY_LIMIT, split_text
from asynchat.wire.irc.session import IrcSession
from asynchat.wire.session import Session
from asynchat.wire.talk import commands as talk
from asynchat.wire.talk.operating import OPERATING
from asynchat.wire.talk.session import TalkSession

if TYPE_CHECKING:
    from asynchat.chat.sessions import Pending
    from asynchat.wire.irc.message import Message as IrcMessage


class Answering(Protocol):
    """A session as the commands of an application know it."""

    @property
    def plain(self) -> Session:
        """It, as everybody knows it."""

    @property
    def here(self) -> str | None:
        """The room that a command is about if it names none."""

    def answer(self, lines: Sequence[str]) -> None:
        """Tell the asker alone."""


class Slash(NamedTuple):
    """A command of an application: what it is called and takes, for `/help`, and what it does with some words."""

    name: str
    takes: str
    does: str
    run: Callable[[Answering, list[str]], Awaitable[None]]


class Application(Protocol):
    """What runs the server, as far as sessions ask it."""

    @property
    def asks(self) -> bool:
        """Whether it wants to be asked about words."""

    @property
    def slashes(self) -> Mapping[str, Slash]:
        """Its commands, by name."""

    async def asked(self, message: Message) -> str:
        """What is to be said instead of that, mostly the same.

        Raises:
            Refused: nothing is.
        """


class Asked(Session):
    """The part of a session that has its words looked at. There is no short way for a line here."""

    __slots__ = ()
    application: ClassVar[Application]

    def quick(self, line: bytes) -> bool:
        return False

    async def say(self, to: str, text: str, kind: Kind, **more: Any) -> Pending:
        user = self.user
        assert user is not None
        if kind is not Kind.SIGNAL and not user.is_server:
            changed = await self._changed(to, text, kind)
            if changed != text:
                text = changed
                more.pop("cuts", None)
        return await super().say(to, text, kind, **more)

    async def _changed(self, to: str, text: str, kind: Kind) -> str:
        user, room = self.user, self.hub.state.rooms.get(casefold(to))
        assert user is not None
        message = Message(
            id="",
            to=room.name if room is not None else to,
            text=text,
            by=user.nick,
            account=user.source.account,
            at=datetime.fromtimestamp(self.hub.clock_ms() / 1000, UTC),
            kind=kind.value,
        )
        try:
            changed = await self.application.asked(message)
        except Refused:
            await self.settle(user.last)  # the no must not overtake the echo of what was said before
            raise
        if self.user is None:
            raise Refused("PUT_OUT", "it was put out of the server")
        return changed


class AskedTalk(TalkSession):
    """The part of a line or frame session that knows the application's commands: rows of its table."""

    __slots__ = ()

    @property
    def plain(self) -> Session:
        return self

    @property
    def here(self) -> str | None:
        return self.room

    def answer(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.news(line)


class AskedIrc(IrcSession):
    """The part of an IRC session that knows the application's commands, after its own."""

    __slots__ = ()
    slashes: ClassVar[Mapping[str, irc.Command]]

    @property
    def plain(self) -> Session:
        return self

    @property
    def here(self) -> str | None:
        rooms = self.user.rooms if self.user is not None else ()
        return next(iter(rooms)).name if len(rooms) == 1 else None

    def answer(self, lines: Sequence[str]) -> None:
        head = f":{self.house.name} NOTICE {self.called} :"
        for line in lines:
            for part in split_text(line, BODY_LIMIT - len(head.encode())):
                self.send(head + part)
        replies = self._replies
        if replies is not None and not replies.held and (chunk := replies.take()):
            self.peer.write(chunk)

    async def _run(self, command: irc.Command | None, message: IrcMessage, label: str | None) -> None:
        if command is None and self.user is not None:
            command = self.slashes.get(message.command)
        await super()._run(command, message, label)


def joined[S: Session](kind: type[S], application: Application) -> type[S]:
    """That kind of session, asking the application."""
    parts: list[type] = [Asked] if application.asks else []
    names: dict[str, Any] = {"__slots__": (), "application": application}
    if application.slashes and issubclass(kind, TalkSession):
        parts.append(AskedTalk)
        names["commands"] = {**kind.commands, **{each.name: _row(each) for each in application.slashes.values()}}
    elif application.slashes and issubclass(kind, IrcSession):
        parts.append(AskedIrc)
        names["slashes"] = {each.name.upper(): _irc_row(each) for each in application.slashes.values()}
    return cast("type[S]", type(kind.__name__, (*parts, kind), names)) if parts else kind


def is_known(name: str) -> bool:
    """Whether a wire has a command of that name."""
    return name in talk.COMMANDS or name in OPERATING or name.upper() in irc.COMMANDS


def _row(slash: Slash) -> talk.Row:
    async def function(session: TalkSession, argument: str) -> None:
        session.peer.release()  # it may take its time, and others have things to say
        await slash.run(cast("AskedTalk", session), argument.split())

    return talk.Row(slash.name, slash.takes, slash.does, function, needs=False)


def _irc_row(slash: Slash) -> irc.Command:
    async def function(session: IrcSession, message: IrcMessage) -> None:
        await slash.run(cast("AskedIrc", session), " ".join(message.params).split())

    return irc.Command(slash.name.upper(), function, least=0, before=False, after=True, talk=False, holds=False)
