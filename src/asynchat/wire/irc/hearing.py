"""What an IRC session hears through the fan-out: its own echoes, what is for it alone, whom it watches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from asynchat.chat.errors import Refused
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
from asynchat.chat.names import casefold
from asynchat.chat.rooms import Room
from asynchat.chat.sessions import Pending
from asynchat.wire.house import House
from asynchat.wire.irc import caps, numerics
from asynchat.wire.irc.answers import Answering
from asynchat.wire.irc.modes import user_letters
from asynchat.wire.irc.render import dialect
from asynchat.wire.irc.replies import with_tag
from asynchat.wire.session import Link, behind

if TYPE_CHECKING:
    from asynchat.wire.irc.session import IrcSession

TOLD_BY_REPLY = (Invited, AwaySet, AccountSet, MarkerSet, MetadataSet)
"""What a numeric tells who did it."""


class Hearing(Answering):
    """The part of an IRC session that the fan-out and other sessions speak to."""

    __slots__ = ("_labels",)

    def __init__(self, house: House, link: Link, now: float) -> None:
        super().__init__(house, link, now)
        self._labels: dict[str, str] | None = None  # event id to label, of talk that is on its way

    @property
    def _whole(self) -> IrcSession:
        """This session as commands know it, of which this class is a part."""
        return cast("IrcSession", self)

    def own(self, event: Event, via_me: bool) -> bytes:
        if via_me and type(event) is Said and not self._labels and caps.ECHO_MESSAGE not in self.capabilities:
            return b""
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
            line += self._captured(None, lambda: show_room(self._whole, room))
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
        by, watches = event.by, self.hub.state.watchers.has
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

    def was_behind(self, name: str, lines: int | None, lost: int | None) -> None:
        nick = self.user.nick if self.user is not None else "*"
        text = f"{behind(name, lines, lost)}; showing from the next one"
        self.peer.overtake(f":{self.house.name} NOTICE {nick} :{text}\r\n".encode())

    def failed(self, event: Event, refused: Refused) -> None:
        if isinstance(event, Said):  # whoever did something else is waiting for it and is told so
            label = self._labels.pop(event.id, None) if self._labels else None
            line = f":{self.house.name} FAIL PRIVMSG {refused.code} {event.to} :{refused.text}\r\n".encode()
            self.peer.write(line if label is None else with_tag(line, f"label={label}"))

    def repeated(self, event: Event, first: Event) -> None:
        label = self._labels.pop(event.id, None) if self._labels else None
        line = f"@msgid={first.id} :{self.house.name} ACK\r\n".encode()
        self.peer.write(line if label is None else with_tag(line, f"label={label}"))

    def label(self, pending: Pending, label: str | None) -> None:
        """Have the echo of something that is on its way bear a label."""
        if label is not None and caps.LABELED_RESPONSE in self.capabilities and not pending.done:
            if self._labels is None:
                self._labels = {}
            self._labels[pending.event.id] = label

    def moved(self, room: Room, old: str, reason: str) -> None:
        if caps.RENAME not in self.capabilities and casefold(old) != casefold(room.name):
            show_moved(self._whole, room, old, reason)

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
        show_room(self._whole, room)

    def subscribe(self, words: frozenset[str]) -> None:
        """Follow these words of metadata from now on."""
        self.subscribed = words
        self.enable(self.capabilities)

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


from asynchat.wire.irc.commands.rooms import show_moved, show_room  # noqa: E402  (commands are written for sessions)
