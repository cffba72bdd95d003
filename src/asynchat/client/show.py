"""What a person sees of a message: one line of text, or nothing; harmless to a terminal, whatever a server sends."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from asynchat.client.notices import Notice, Reconnecting
from asynchat.wire.irc.message import Message
from asynchat.wire.text import plain

NEWS = "***"


def time_of(message: Message) -> datetime | None:
    """When it was said, here; None if the server does not tell. (IRCv3 server-time)"""
    try:
        return datetime.fromisoformat(message.tags["time"]).astimezone()
    except (KeyError, ValueError):
        return None


def nick_of(message: Message) -> str:
    """Who it comes from, without the host."""
    return plain(message.source.partition("!")[0])


def show(message: Message, me: str) -> str | None:
    """The lines for a message; None if there is nothing to see. `me` is the reader's own name."""
    shower = _SHOW.get(message.command)
    if shower is not None:
        return shower(message, me)
    if message.command.isdigit() and message.command[0] in "45" and message.command != "422":
        return f"!!! {plain(' '.join(message.params[1:]))}"
    return None


def show_notice(notice: Notice) -> str:
    """The line for what became of the connection."""
    if isinstance(notice, Reconnecting):
        return f"!!! connection lost, retrying in {max(1, math.ceil(notice.in_s))} s"
    if notice.missed is None:
        return f"{NEWS} back; what was said meanwhile cannot be told"
    return f"{NEWS} back, {notice.missed} missed:" if notice.missed else f"{NEWS} back, nothing missed"


def talk(message: Message) -> tuple[str, str] | None:
    """The target and the text of a line of talk; None if it is no talk."""
    if message.command not in ("PRIVMSG", "NOTICE") or len(message.params) < 2:
        return None
    return message.params[0], message.params[1]


def _privmsg(message: Message, me: str) -> str | None:
    said = talk(message)
    if said is None:
        return None
    to, text = said
    nick = nick_of(message)
    where = "" if to.startswith("#") else f"[dm {plain(to) if nick == me else nick}] "
    if text.startswith("\x01ACTION "):
        return f"{where}* {nick} {plain(text[8:].rstrip(chr(1)))}"
    if text.startswith("\x01"):
        return None
    return "\n".join(f"{where}<{nick}> {plain(line)}" for line in text.split("\n"))


def _notice(message: Message, me: str) -> str | None:
    said = talk(message)
    if said is None:
        return None
    return "\n".join(f"-{nick_of(message)}- {plain(line)}" for line in said[1].split("\n"))


def _param(message: Message, index: int) -> str:
    return plain(message.params[index]) if len(message.params) > index else ""


def _reason(message: Message, index: int) -> str:
    reason = _param(message, index)
    return f" ({reason})" if reason else ""


def _join(message: Message, me: str) -> str:
    nick = nick_of(message)
    return f"{NEWS} joined {_param(message, 0)}" if nick == me else f"{NEWS} {nick} joined {_param(message, 0)}"


def _names(message: Message, me: str) -> str:
    return f"{NEWS} in {_param(message, 2)}: {_param(message, 3)}"


_SHOW: dict[str, Callable[[Message, str], str | None]] = {
    "PRIVMSG": _privmsg,
    "NOTICE": _notice,
    "JOIN": _join,
    "PART": lambda m, me: f"{NEWS} {nick_of(m)} left {_param(m, 0)}{_reason(m, 1)}",
    "QUIT": lambda m, me: f"{NEWS} {nick_of(m)} left{_reason(m, 0)}",
    "KICK": lambda m, me: f"{NEWS} {_param(m, 1)} was kicked by {nick_of(m)}{_reason(m, 2)}",
    "NICK": lambda m, me: f"{NEWS} {nick_of(m)} is now {_param(m, 0)}",
    "TOPIC": lambda m, me: f'{NEWS} {nick_of(m)} set the topic: "{_param(m, 1)}"',
    "MODE": lambda m, me: f"{NEWS} {nick_of(m)} sets {plain(' '.join(m.params))}",
    "INVITE": lambda m, me: f"{NEWS} {nick_of(m)} invites you to {_param(m, 1)}",
    "ERROR": lambda m, me: f"!!! {_param(m, 0)}",
    "FAIL": lambda m, me: f"!!! {plain(' '.join(m.params[1:]))}",
    "332": lambda m, me: f'{NEWS} topic of {_param(m, 1)}: "{_param(m, 2)}"',
    "353": _names,
}
