"""MODE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat import policy
from asynchat.chat.errors import BadSetting, NoSuchName
from asynchat.chat.events import FLAGS, LISTS, ROLES, Change, Setting
from asynchat.chat.names import full_mask
from asynchat.wire.irc import numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.modes import LETTER, MODES, SETTING
from asynchat.wire.session import same_name

if TYPE_CHECKING:
    from asynchat.chat.rooms import Room
    from asynchat.wire.irc.message import Message
    from asynchat.wire.irc.session import IrcSession

CHANGES = 20
"""How many changes one MODE may make; `MODES` of 005."""
SHOWN = 32
"""How much of a wrong parameter is repeated."""
LISTINGS = {
    Setting.BAN: (numerics.RPL_BANLIST, numerics.RPL_ENDOFBANLIST),
    Setting.BAN_EXCEPTION: (numerics.RPL_EXCEPTLIST, numerics.RPL_ENDOFEXCEPTLIST),
    Setting.INVITE_EXCEPTION: (numerics.RPL_INVEXLIST, numerics.RPL_ENDOFINVEXLIST),
}


@command("MODE", 1)
async def mode(session: IrcSession, message: Message) -> None:
    """Show or change the settings of a room, or one's own."""
    target, *words = message.params
    if not target.startswith("#"):
        _own_modes(session, target, words)
        return
    assert session.user is not None
    room = session.hub.room(target)
    if not words:
        policy.see(session.user, room)
        _send_modes(session, room)
        return
    changes = _changes(session, room, words)
    if changes:
        try:
            await session.done(session.hub.change(session.user, target, changes, via=session))
        except BadSetting as refused:
            _, setting, value = refused.about
            letter = LETTER[Setting(setting)]
            shown = value if value and " " not in value and len(value) < SHOWN else "*"
            session.reply(numerics.ERR_INVALIDMODEPARAM, room.name, letter, shown, text="Invalid parameter")


def _changes(session: IrcSession, room: Room, words: list[str]) -> list[Change]:
    """What a MODE asks for; lists that it asks to see are shown, what it gets wrong is told."""
    letters, *values = words
    changes: list[Change] = []
    on = True
    shown: set[Setting] = set()
    for letter in letters:
        if letter in "+-":
            on = letter == "+"
            continue
        setting = SETTING.get(letter)
        if setting is None:
            session.reply(numerics.ERR_UNKNOWNMODE, letter)
        elif setting in FLAGS or (setting is Setting.LIMIT and not on):
            changes.append(Change(setting=setting, on=on))
        elif setting in LISTS and not values:
            if setting not in shown:
                shown.add(setting)
                _send_list(session, room, setting)
        elif setting is Setting.KEY and not on:
            changes.append(Change(setting=setting, on=False, value=values.pop(0) if values else "*"))
        elif not values:
            text = f"You must specify a parameter for {letter}"
            session.reply(numerics.ERR_INVALIDMODEPARAM, room.name, letter, "*", text=text)
        elif len(changes) < CHANGES:
            change = _with_value(session, setting, on, values.pop(0))
            if change is not None:
                changes.append(change)
    return changes


def _with_value(session: IrcSession, setting: Setting, on: bool, value: str) -> Change | None:
    if setting in ROLES:
        try:
            user = session.hub.user(value)
        except NoSuchName as refused:
            session.refuse(refused, "MODE")
            return None
        return Change(setting=setting, on=on, value=user.nick, user=user.id)
    if setting in LISTS:
        value = full_mask(value)
    return Change(setting=setting, on=on, value=value)


def _send_modes(session: IrcSession, room: Room) -> None:
    member = session.user in room.members
    letters, values = "+", []
    for each in MODES:
        if each.setting in room.flags:
            letters += each.letter
        elif each.setting is Setting.KEY and room.key is not None:
            letters += each.letter
            values.append(room.key if member else "*")
        elif each.setting is Setting.LIMIT and room.limit is not None:
            letters += each.letter
            values.append(str(room.limit))
    session.reply(numerics.RPL_CHANNELMODEIS, room.name, letters, *values)
    session.reply(numerics.RPL_CREATIONTIME, room.name, str(room.created_ms // 1000))


def _send_list(session: IrcSession, room: Room, setting: Setting) -> None:
    """A list; exceptions are for who runs the room."""
    assert session.user is not None
    policy.see(session.user, room)
    if setting is not Setting.BAN:
        policy.help_run(session.user, room)
    entry, end = LISTINGS[setting]
    for each in room.entries(setting):
        session.reply(entry, room.name, each.mask, each.by, str(each.at_ms // 1000))
    session.reply(end, room.name)


def _own_modes(session: IrcSession, target: str, words: list[str]) -> None:
    assert session.user is not None
    if not same_name(target, session.user.nick):
        session.hub.user(target)
        session.reply(numerics.ERR_USERSDONTMATCH)
    elif words and words[0].strip("+-"):
        session.reply(numerics.ERR_UMODEUNKNOWNFLAG)
    else:
        session.reply(numerics.RPL_UMODEIS, "+")
