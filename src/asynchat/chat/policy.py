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
    NeedServer,
    NoSuchRoom,
    NotInRoom,
    NotTheirRoom,
    RoomFull,
)
from asynchat.chat.events import ROLES, Change, Role, Setting
from asynchat.chat.names import is_reserved
from asynchat.chat.rooms import Member, Room
from asynchat.chat.users import SERVER, User


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


def roles(user: User, room: Room) -> Role:
    """What the user may do in the room. The server itself may do everything, also from outside.

    Raises:
        NotInRoom
    """
    return Role.OPERATOR if user.is_server else member(user, room).roles


def may_see(user: User, room: Room) -> bool:
    """Whether the room may be known of."""
    return Setting.SECRET not in room.flags or user in room.members or user.is_server


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
    if user not in room.members and (closed or is_banned(user, room)) and not user.is_server:
        raise NoSuchRoom(room.name)


def enter(user: User, room: Room, key: str | None, coming: int) -> None:
    """Let the user enter.

    An invitation opens every door but that of a room for people with an account; the server needs none.

    `coming` is how many are on their way into the room.

    Raises:
        Banned, MembersOnly, InviteOnly, BadKey, RoomFull
    """
    invited = user.id in room.invited
    if user.is_server:
        return
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


def operate(user: User, room: Room) -> None:
    """Let the user run the room.

    Raises:
        NotInRoom, NeedOperator
    """
    if not roles(user, room) & Role.OPERATOR:
        raise NeedOperator(room.name)


def run_server(user: User) -> None:
    """Let the user run the server: the server itself may.

    Raises:
        NeedServer
    """
    if not user.is_server:
        raise NeedServer


def drop(user: User, target: User) -> None:
    """Let the user put somebody out of the server: the server itself may, but not itself.

    Raises:
        NeedServer, NeedOperator
    """
    run_server(user)
    if target.is_server:
        raise NeedOperator(target.nick, text="nobody puts the server out")


def help_run(user: User, room: Room) -> Role:
    """Let the user do what helpers may; what it may do is returned.

    Raises:
        NotInRoom, NeedOperator
    """
    mine = roles(user, room)
    if not mine & (Role.OPERATOR | Role.HELPER):
        raise NeedOperator(room.name)
    return mine


def set_topic(user: User, room: Room) -> None:
    """Let the user set the topic.

    Raises:
        NotInRoom, NeedOperator
    """
    if Setting.TOPIC_LOCKED in room.flags:
        help_run(user, room)
    else:
        roles(user, room)


def kick(user: User, room: Room, target: Member) -> None:
    """Let the user put a member out: helpers may, but not an operator; and nobody the server.

    Raises:
        NotInRoom, NeedOperator
    """
    mine = help_run(user, room)
    if target.user.is_server:
        raise NeedOperator(room.name, text="nobody puts the server out")
    if target.roles & Role.OPERATOR and not mine & Role.OPERATOR:
        raise NeedOperator(room.name)


def invite(user: User, room: Room) -> None:
    """Let the user invite: any member, but into an invite-only room only who runs it.

    Raises:
        NotInRoom, NeedOperator
    """
    if Setting.INVITE_ONLY in room.flags:
        help_run(user, room)
    else:
        roles(user, room)


def change(user: User, room: Room, changes: Collection[Change]) -> None:
    """Let the user change these settings: operators all, helpers voice, anybody give up a role of their own.

    The server stays an operator, and is not banned or muted, whoever wants to change that.

    Raises:
        NotInRoom, NeedOperator
    """
    mine = roles(user, room)
    if any(each.user == SERVER.user for each in changes):
        raise NeedOperator(room.name, text="the server stays an operator")
    if any(each.on and each.setting is Setting.BAN and is_reserved(each.value or "") for each in changes):
        raise NeedOperator(room.name, text="nobody bans the server")
    if mine & Role.OPERATOR:
        return
    for each in changes:
        giving_up = not each.on and each.user == user.id and each.setting in ROLES
        helping = each.setting is Setting.VOICE and mine & Role.HELPER
        if not giving_up and not helping:
            raise NeedOperator(room.name)
