"""MODE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.chat import policy
from asynchat.chat.errors import BadSetting, NoSuchName
from asynchat.chat.events import FLAGS, LISTS, ROLES, Change, Flag, Setting
from asynchat.chat.names import full_mask
from asynchat.wire.irc import numerics
from asynchat.wire.irc.commands import command
from asynchat.wire.irc.modes import LETTER, MODES, SETTING, USER_MODES, user_letters
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
        await _own_modes(session, target, words)
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
            changes.append(Change(setting=setting, on=False, value="*"))
            del values[:1]  # whatever it was: the key goes
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


async def _own_modes(session: IrcSession, target: str, words: list[str]) -> None:
    """Show or change what one is. `o` can only be given up."""
    assert session.user is not None
    user = session.user
    if not same_name(target, user.nick):
        session.hub.user(target)
        session.reply(numerics.ERR_USERSDONTMATCH)
        return
    if not words:
        session.reply(numerics.RPL_UMODEIS, f"+{user_letters(user.flags)}")
        return
    flags = {letter: flag for flag, letter in USER_MODES.items()}
    wanted: dict[Flag, bool] = {}
    on, unknown = True, False
    for letter in words[0]:
        if letter in "+-":
            on = letter == "+"
        elif letter not in flags:
            unknown = True
        elif not (on and flags[letter] is Flag.OPERATOR):
            wanted[flags[letter]] = on
    if unknown:
        session.reply(numerics.ERR_UMODEUNKNOWNFLAG)
    ons, offs = ([flag for flag, wish in wanted.items() if wish is value] for value in (True, False))
    await session.done(session.hub.set_flags(user, ons, offs, via=session))
