"""What a person sees of a message: lines of text, or nothing; harmless to a terminal, whatever a server sends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from asynchat.chat.names import casefold
from asynchat.client.notices import Elsewhere, Notice, Reconnecting
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

NEWS, NO = "***", "!!!"
_ROOMS = frozenset("#&@+%~")
"""How targets begin that are rooms, or those of a role in one."""


class Sort(StrEnum):
    """What a line is."""

    SAID = "said"
    ACTION = "action"
    NOTICE = "notice"
    NEWS = "news"
    ERROR = "error"


class Line(NamedTuple):
    """One line, harmless. `who` says it, if anybody does; `where` goes before it, e.g. `[#ops]`.

    `mention`: it is for the reader. `when` is the time in the reader's zone, None if nobody tells. `role` is the sign
    of who says it, in a room.
    """

    text: str
    sort: Sort
    who: str = ""
    when: datetime | None = None
    where: str = ""
    mention: bool = False
    role: str = ""

    @property
    def marked(self) -> str:
        """Who it comes from, as it is shown: `<bob>`, `* bob`, `-bob-`, `***`, `!!!`."""
        match self.sort:
            case Sort.SAID:
                return f"<{self.role}{self.who}>"
            case Sort.ACTION:
                return f"* {self.role}{self.who}"
            case Sort.NOTICE:
                return f"-{self.role}{self.who}-"
            case Sort.NEWS:
                return NEWS
        return NO

    def __str__(self) -> str:
        return f"{self.where} {self.marked} {self.text}" if self.where else f"{self.marked} {self.text}"

    @property
    def talk(self) -> bool:
        """Whether somebody said it."""
        return self.sort in (Sort.SAID, Sort.ACTION, Sort.NOTICE)


def news(text: str) -> Line:
    """Something that is told."""
    return Line(plain(text), Sort.NEWS)


def error(text: str) -> Line:
    """Something that went wrong."""
    return Line(plain(text), Sort.ERROR)


def time_of(message: Message) -> datetime | None:
    """When it was said, here, to the second; None if the server does not tell. (IRCv3 server-time)"""
    text = message.tag("time")
    return _time(f"{text[:19]}Z" if text[-1:] == "Z" else text) if text else None


@lru_cache(maxsize=64)
def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def nick_of(message: Message) -> str:
    """Who it comes from, without the host."""
    return _nick(message.source)


@lru_cache(maxsize=1024)
def _nick(source: str) -> str:
    return plain(source.partition("!")[0])


def talk(message: Message) -> tuple[str, str] | None:
    """The target and the text of a line of talk; None if it is no talk."""
    if message.command not in ("PRIVMSG", "NOTICE") or len(message.params) < 2:
        return None
    return message.params[0], message.params[1]


@lru_cache(maxsize=16)
def _name_in(me: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(casefold(me))}(?![\w-])")


def mentions(me: str, text: str) -> bool:
    """Whether a text has the name in it, as a word of its own."""
    folded = text.lower()
    return _folded(me) in folded and bool(me) and _name_in(me).search(folded) is not None


_folded = lru_cache(maxsize=16)(casefold)


def show(message: Message, me: str) -> list[Line]:
    """The lines for a message; none if there is nothing to see. `me` is the reader's own name."""
    shower = _SHOW.get(message.command)
    if shower is not None:
        return shower(message, me)
    if len(message.command) == 3 and message.command.isdecimal():
        if message.command[0] in "45":
            return [error(" ".join(message.params[1:]))]
        if message.command not in _SILENT:
            return [news(" ".join(message.params[1:]))]
    return []


def said(run: Sequence[Message], me: str) -> list[Line] | None:
    """The lines for what was said in one room and came at once; None if `show` has to look at each message, since one
    may be hostile, of another kind, or for the reader.

    It costs a third of that: all texts are looked at as one, and what came between two messages of one second is of
    that second too.
    """
    texts = [message.params[1] for message in run]
    together = " ".join(texts)
    if plain(together) != together or _folded(me) in together.lower():
        return None
    first = time_of(run[0])
    times = repeat(first) if first == time_of(run[-1]) else map(time_of, run)
    nicks = map(nick_of, run)
    return [Line(text, Sort.SAID, nick, when) for text, nick, when in zip(texts, nicks, times, strict=False)]


def show_notice(notice: Notice) -> Line:
    """The line for what became of the connection."""
    if isinstance(notice, Reconnecting):
        return error(f"connection lost, retrying in {max(1, math.ceil(notice.in_s))} s")
    if isinstance(notice, Elsewhere):
        return error(f"the server does not have what came last of {notice.room}; going on after {notice.time}")
    if notice.missed is None:
        return news("back; what was said meanwhile cannot be told")
    return news(f"back, {notice.missed} missed:" if notice.missed else "back, nothing missed")


def _privmsg(message: Message, me: str) -> list[Line]:
    if len(message.params) < 2:
        return []
    to, text = message.params[:2]
    nick, when = nick_of(message), time_of(message)
    mine = nick == me
    direct = to[:1] not in _ROOMS
    sort = Sort.SAID if message.command == "PRIVMSG" else Sort.NOTICE
    where = f"[dm {plain(to) if mine else nick}]" if direct and sort is Sort.SAID else ""
    if text[:1] == "\x01":
        if not text.startswith("\x01ACTION "):
            return []
        sort, text = Sort.ACTION, text[8:].rstrip("\x01")
    mention = not mine and (bool(where) or mentions(me, text))
    if "\n" in text:
        return [Line(plain(line), sort, nick, when, where, mention) for line in text.split("\n")]
    return [Line(plain(text), sort, nick, when, where, mention)]


def _param(message: Message, index: int) -> str:
    return plain(message.params[index]) if len(message.params) > index else ""


def _rest(message: Message, index: int) -> str:
    return plain(" ".join(message.params[index:]))


def _reason(message: Message, index: int) -> str:
    reason = _param(message, index)
    return f" ({reason})" if reason else ""


Telling = Callable[[Message, str], str]


def _told(tell: Telling, sort: Sort = Sort.NEWS) -> Callable[[Message, str], list[Line]]:
    return lambda message, me: [Line(tell(message, me), sort, when=time_of(message))]


def _joined(message: Message, me: str) -> str:
    nick = nick_of(message)
    return f"joined {_param(message, 0)}" if nick == me else f"{nick} joined {_param(message, 0)}"


def _topic(message: Message, me: str) -> str:
    text, nick = _param(message, 1), nick_of(message)
    return f'{nick} set the topic: "{text}"' if text else f"{nick} took the topic away"


def _invited(message: Message, me: str) -> str:
    whom = _param(message, 0)
    return f"{nick_of(message)} invites {'you' if whom == me else whom} to {_param(message, 1)}"


def _away(message: Message, me: str) -> str:
    return f"{nick_of(message)} is away{_reason(message, 0)}" if message.params else f"{nick_of(message)} is back"


def _idle(message: Message, me: str) -> str:
    seconds = _param(message, 2)
    return f"{_param(message, 1)} has said nothing for {seconds} s"


_NEWS: dict[str, Telling] = {
    "JOIN": _joined,
    "PART": lambda m, me: f"{nick_of(m)} left {_param(m, 0)}{_reason(m, 1)}",
    "QUIT": lambda m, me: f"{nick_of(m)} left{_reason(m, 0)}",
    "KICK": lambda m, me: f"{_param(m, 1)} was kicked by {nick_of(m)}{_reason(m, 2)}",
    "NICK": lambda m, me: f"{nick_of(m)} is now {_param(m, 0)}",
    "TOPIC": _topic,
    "MODE": lambda m, me: f"{nick_of(m)} sets {_rest(m, 0)}",
    "INVITE": _invited,
    "AWAY": _away,
    "RENAME": lambda m, me: f"{_param(m, 0)} is now called {_param(m, 1)}{_reason(m, 2)}",
    "REDACT": lambda m, me: f"{nick_of(m)} took something back{_reason(m, 2)}",
    "WALLOPS": lambda m, me: f"{nick_of(m)} to all: {_param(m, 0)}",
    "REGISTER": lambda m, me: _rest(m, 2),
    "NOTE": lambda m, me: _rest(m, 2),
    "WARN": lambda m, me: _rest(m, 2),
    "301": lambda m, me: f"{_param(m, 1)} is away{_reason(m, 2)}",
    "305": lambda m, me: "you are back",
    "306": lambda m, me: "you are away",
    "311": lambda m, me: f"{_param(m, 1)} is {_param(m, 2)}@{_param(m, 3)} ({_param(m, 5)})",
    "312": lambda m, me: f"{_param(m, 1)} is at {_rest(m, 2)}",
    "317": _idle,
    "319": lambda m, me: f"{_param(m, 1)} is in {_param(m, 2)}",
    "322": lambda m, me: f"{_param(m, 1)} {_param(m, 2)}" + (f', "{topic}"' if (topic := _param(m, 3)) else ""),
    "324": lambda m, me: f"{_param(m, 1)} has {_rest(m, 2)}",
    "330": lambda m, me: f"{_param(m, 1)} is logged in as {_param(m, 2)}",
    "331": lambda m, me: f"{_param(m, 1)} has no topic",
    "332": lambda m, me: f'topic of {_param(m, 1)}: "{_param(m, 2)}"',
    "341": lambda m, me: f"{_param(m, 1)} is invited to {_param(m, 2)}",
    "352": lambda m, me: f"{_param(m, 5)} ({_param(m, 2)}@{_param(m, 3)}) in {_param(m, 1)}",
    "353": lambda m, me: f"in {_param(m, 2)}: {_param(m, 3)}",
    "367": lambda m, me: f"banned in {_param(m, 1)}: {_param(m, 2)}",
}
_SILENT = frozenset(
    f"{number:03}"
    for numbers in (range(1, 6), (42, 221), range(250, 267), (315, 318, 321, 323, 329, 333, 366, 368, 369, 375, 376))
    for number in numbers
) | {"396", "422", "900", "901", "903", "907", *map(str, range(730, 735)), *map(str, range(760, 775))}
"""Numerics that are for programs, or say what is known anyway."""
_ERRORS: dict[str, Telling] = {
    "ERROR": lambda m, me: _param(m, 0),
    "FAIL": lambda m, me: _rest(m, 1),
}
_SHOW: dict[str, Callable[[Message, str], list[Line]]] = {
    "PRIVMSG": _privmsg,
    "NOTICE": _privmsg,
    "422": lambda m, me: [],
    **{command: _told(tell) for command, tell in _NEWS.items()},
    **{command: _told(tell, Sort.ERROR) for command, tell in _ERRORS.items()},
}
