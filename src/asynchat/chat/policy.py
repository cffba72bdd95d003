"""Who may do what. Each question is asked once, when a verb decides; a no is raised."""

from __future__ import annotations

from collections.abc import Collection

from asynchat.chat.errors import (
    BadKey,
    Banned,
    CannotSpeak,
    InviteOnly,
    MembersOnly,
    NeedOperator,
    NoSuchRoom,
    NotInRoom,
    NotTheirRoom,
    RoomFull,
)
from asynchat.chat.events import ROLES, Change, Role, Setting
from asynchat.chat.rooms import Member, Room
from asynchat.chat.users import User


def is_banned(user: User, room: Room) -> bool:
    """Whether a ban fits the user and no exception does."""
    if Setting.BAN not in room.lists:
        return False
    return room.listed(Setting.BAN, user.source) and not room.listed(Setting.BAN_EXCEPTION, user.source)


def is_muted(user: User, room: Room) -> bool:
    """Whether a ban, on speaking or at all, fits the user and no exception does."""
    if Setting.BAN not in room.lists:
        return False
    muted = room.listed(Setting.BAN, user.source, mute=True)
    return (muted and not room.listed(Setting.BAN_EXCEPTION, user.source, mute=True)) or is_banned(user, room)


def member(user: User, room: Room) -> Member:
    """The user's membership.

    Raises:
        NotInRoom: there is none.
    """
    found = room.members.get(user)
    if found is None:
        raise NotInRoom(room.name)
    return found


def their_membership(user: User, room: Room) -> Member:
    """Another user's membership.

    Raises:
        NotTheirRoom: there is none.
    """
    found = room.members.get(user)
    if found is None:
        raise NotTheirRoom(user.nick, room.name)
    return found


def may_see(user: User, room: Room) -> bool:
    """Whether the room may be known of."""
    return Setting.SECRET not in room.flags or user in room.members


def see(user: User, room: Room) -> None:
    """Let the user know of the room and who is in it.

    Raises:
        NoSuchRoom: it is secret, and the user is not in it.
    """
    if not may_see(user, room):
        raise NoSuchRoom(room.name)


def look_in(user: User, room: Room) -> None:
    """Let the user know what is kept with the room: a member, or anybody who could just walk in.

    Raises:
        NoSuchRoom
    """
    closed = {Setting.SECRET, Setting.INVITE_ONLY, Setting.MEMBERS_ONLY} & room.flags or room.key is not None
    if user not in room.members and (closed or is_banned(user, room)):
        raise NoSuchRoom(room.name)


def enter(user: User, room: Room, key: str | None, coming: int) -> None:
    """Let the user enter.

    An invitation opens every door but that of a room for people with an account.

    `coming` is how many are on their way into the room.

    Raises:
        Banned, MembersOnly, InviteOnly, BadKey, RoomFull
    """
    invited = user.id in room.invited
    if is_banned(user, room) and not invited:
        raise Banned(room.name)
    if Setting.MEMBERS_ONLY in room.flags and user.source.account is None:
        raise MembersOnly(room.name)
    if invited or (not room.flags and room.key is None and room.limit is None):
        return
    if Setting.INVITE_ONLY in room.flags and not room.listed(Setting.INVITE_EXCEPTION, user.source):
        raise InviteOnly(room.name)
    if room.key is not None and key != room.key:
        raise BadKey(room.name)
    if room.limit is not None and len(room.members) + coming >= room.limit:
        raise RoomFull(room.name)


def speak(user: User, room: Room) -> None:
    """Let the user speak in the room. A member with a role may always.

    Raises:
        CannotSpeak: it is moderated, closed to outsiders, or the user is banned.
    """
    membership = room.members.get(user)
    if membership is not None and not room.lists and Setting.MODERATED not in room.flags:
        return
    if membership is None:
        if Setting.NO_OUTSIDERS in room.flags or Setting.MODERATED in room.flags or is_muted(user, room):
            raise CannotSpeak(room.name)
    elif not membership.roles and (Setting.MODERATED in room.flags or is_muted(user, room)):
        raise CannotSpeak(room.name)


def operate(user: User, room: Room) -> Member:
    """Let the user run the room.

    Raises:
        NotInRoom, NeedOperator
    """
    membership = member(user, room)
    if not membership.roles & Role.OPERATOR:
        raise NeedOperator(room.name)
    return membership


def help_run(user: User, room: Room) -> Member:
    """Let the user do what helpers may.

    Raises:
        NotInRoom, NeedOperator
    """
    membership = member(user, room)
    if not membership.roles & (Role.OPERATOR | Role.HELPER):
        raise NeedOperator(room.name)
    return membership


def set_topic(user: User, room: Room) -> None:
    """Let the user set the topic.

    Raises:
        NotInRoom, NeedOperator
    """
    if Setting.TOPIC_LOCKED in room.flags:
        help_run(user, room)
    else:
        member(user, room)


def kick(user: User, room: Room, target: Member) -> None:
    """Let the user put a member out: helpers may, but not an operator.

    Raises:
        NotInRoom, NeedOperator
    """
    membership = help_run(user, room)
    if target.roles & Role.OPERATOR and not membership.roles & Role.OPERATOR:
        raise NeedOperator(room.name)


def invite(user: User, room: Room) -> None:
    """Let the user invite: any member, but into an invite-only room only who runs it.

    Raises:
        NotInRoom, NeedOperator
    """
    if Setting.INVITE_ONLY in room.flags:
        help_run(user, room)
    else:
        member(user, room)


def change(user: User, room: Room, changes: Collection[Change]) -> None:
    """Let the user change these settings: operators all, helpers voice, anybody give up a role of their own.

    Raises:
        NotInRoom, NeedOperator
    """
    roles = member(user, room).roles
    if roles & Role.OPERATOR:
        return
    for each in changes:
        giving_up = not each.on and each.user == user.id and each.setting in ROLES
        helping = each.setting is Setting.VOICE and roles & Role.HELPER
        if not giving_up and not helping:
            raise NeedOperator(room.name)
