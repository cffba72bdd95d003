"""The mode letters: which setting of a room each stands for, and whether it takes a parameter.

(Modern IRC, "Channel Modes"; `CHANMODES=A,B,C,D` of 005 is made from this table)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from asynchat.chat.events import FLAGS, LISTS, ROLES, Flag, Role, Setting


class Mode(NamedTuple):
    """A letter, what it sets, and the sign before a member's nick that has it."""

    letter: str
    setting: Setting
    prefix: str = ""


MODES = (
    Mode("o", Setting.OPERATOR, "@"),
    Mode("h", Setting.HELPER, "%"),
    Mode("v", Setting.VOICE, "+"),
    Mode("b", Setting.BAN),
    Mode("e", Setting.BAN_EXCEPTION),
    Mode("I", Setting.INVITE_EXCEPTION),
    Mode("k", Setting.KEY),
    Mode("l", Setting.LIMIT),
    Mode("C", Setting.NO_REQUESTS),
    Mode("i", Setting.INVITE_ONLY),
    Mode("m", Setting.MODERATED),
    Mode("n", Setting.NO_OUTSIDERS),
    Mode("R", Setting.MEMBERS_ONLY),
    Mode("s", Setting.SECRET),
    Mode("t", Setting.TOPIC_LOCKED),
)
SETTING = {mode.letter: mode.setting for mode in MODES}
LETTER = {mode.setting: mode.letter for mode in MODES}


def _letters(settings: frozenset[Setting]) -> str:
    return "".join(mode.letter for mode in MODES if mode.setting in settings)


PREFIX = "({}){}".format(
    "".join(mode.letter for mode in MODES if mode.prefix), "".join(mode.prefix for mode in MODES if mode.prefix)
)
CHANMODES = f"{_letters(LISTS)},{LETTER[Setting.KEY]},{LETTER[Setting.LIMIT]},{_letters(FLAGS)}"
LETTERS = "".join(sorted(mode.letter for mode in MODES))
WITH_PARAMETER = "".join(sorted(mode.letter for mode in MODES if mode.setting not in FLAGS))


USER_MODES = {Flag.BOT: "B", Flag.INVISIBLE: "i", Flag.OPERATOR: "o", Flag.WALLOPS: "w"}
"""Letters of what users are."""


def user_letters(flags: Iterable[Flag]) -> str:
    """The letters of these."""
    return "".join(sorted(USER_MODES[flag] for flag in flags))


def prefixes(roles: Role, *, every: bool) -> str:
    """The signs before a member's nick: the highest, or `every` one. (IRCv3 multi-prefix)"""
    if not roles:
        return ""
    signs = "".join(mode.prefix for mode in MODES if mode.prefix and roles & ROLES[mode.setting])
    return signs if every else signs[:1]
