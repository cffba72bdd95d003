"""Moderation: running a room from code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Self, Unpack

from asynchat.chat.events import ROLES, Change, Setting
from asynchat.chat.names import full_mask
from asynchat.net.app.ban import Ban, ban_of
from asynchat.net.app.settings import RoomSettings, changes_to, settings_of
from asynchat.net.app.talk import Talk
from asynchat.wire.app import AppSession
from asynchat.wire.moving import tell_moved

ROLE: Mapping[str, Setting] = {setting.value: setting for setting in ROLES}


class Moderation(Talk):
    """The part of a room that is about who may do what in it. Each verb returns once it is stored and shown."""

    __slots__ = ()

    async def set_topic(self, text: str, *, by: str) -> None:
        """Give it a topic; an empty one takes it away. It is cut to the limit (`[limits] topic`).

        Raises:
            Refused: NOT_ALLOWED, unless the topic is unlocked or `by` runs the room.
        """
        hub = self._inside().hub
        await self._do(lambda session: hub.set_topic(session.present, self.name, text, via=session), by=by)

    async def invite(self, name: str, *, by: str) -> None:
        """Let somebody in, and tell them: past a key, a limit, a ban, but not where only people with an account enter.

        Raises:
            Refused: NOT_ALLOWED, the room is invite-only and `by` neither runs it nor helps; NO_SUCH_NAME,
                ALREADY_IN_ROOM.
        """
        hub = self._inside().hub
        await self._do(lambda session: hub.invite(session.present, self.name, name, via=session), by=by)

    async def kick(self, name: str, reason: str = "", *, by: str) -> None:
        """Put somebody out of it.

        Raises:
            Refused: NOT_ALLOWED, NO_SUCH_NAME, NOT_THEIR_ROOM.
        """
        hub = self._inside().hub
        await self._do(lambda session: hub.kick(session.present, self.name, name, reason, via=session), by=by)

    def settings(self) -> RoomSettings:
        """What is set in it, the key too. `room.change(**settings, by="server")` has it so again.

        Raises:
            Refused: NO_SUCH_ROOM, nobody was ever in it.
        """
        return settings_of(self._inside().room(self.name))

    async def change(self, *, by: str, **settings: Unpack[RoomSettings]) -> None:
        """Change what is set in it, all at once: `room.change(moderated=True, key=None, by="ci")`.

        What is not named stays as it is; of the lists all is named that is to be on them.

        Raises:
            Refused: NOT_ALLOWED; BAD_SETTING, that is no value for it; LIST_FULL.
            TypeError: there is no such setting.
        """
        hub = self._inside().hub

        def change(session: AppSession) -> Awaitable[object] | None:
            changes = changes_to(hub.room(self.name), settings)
            return hub.change(session.present, self.name, changes, via=session)

        await self._do(change, by=by)

    async def rename(self, name: str, reason: str = "", *, by: str) -> Self:
        """Give it another name; who is in it, what is set and what was said stay. Returns the room of that name.

        Raises:
            Refused: NOT_ALLOWED, BAD_ROOM_NAME, NAME_TAKEN.
        """
        hub = self._inside().hub

        async def rename(session: AppSession) -> None:
            pending = hub.rename_room(session.present, self.name, name, reason, via=session)
            await pending
            tell_moved(hub, pending.event)

        await self._do(rename, by=by)
        return type(self)(name, self._inside)

    async def give_role(self, name: str, role: Literal["operator", "helper", "voice"], *, by: str) -> None:
        """Give a member a role: `voice` speaks where it is moderated, a `helper` also invites, kicks and gives voice,
        an `operator` may do everything. Roles add up; nothing if they have it.

        Raises:
            Refused: NOT_ALLOWED, NO_SUCH_NAME, NOT_THEIR_ROOM.
            ValueError: there is no such role.
        """
        await self._set_role(name, role, True, by)

    async def take_role(self, name: str, role: Literal["operator", "helper", "voice"], *, by: str) -> None:
        """Take a role back; nothing if they do not have it. Everybody may give up their own.

        Raises:
            Refused: NOT_ALLOWED, NO_SUCH_NAME, NOT_THEIR_ROOM.
            ValueError: there is no such role.
        """
        await self._set_role(name, role, False, by)

    async def ban(self, who: str, *, seconds: float | None = None, by: str) -> None:
        """Keep somebody from entering it, and from speaking if they are there; `kick` puts them out.

        `who` is a name, `nick!ident@host` with `*` and `?`, of which parts may be left out, or `a:account`. It holds
        for so many `seconds`, None for ever; the last word on who it is counts.

        Raises:
            Refused: NOT_ALLOWED, LIST_FULL, BAD_SETTING: nobody can be meant by that.
        """
        await self._list(True, full_mask(who), seconds, by)

    async def unban(self, who: str, *, by: str) -> None:
        """Take a ban back, said as `ban` was told or as `bans` tells it; nothing if there is none.

        Raises:
            Refused: NOT_ALLOWED.
        """
        await self._list(False, full_mask(who), None, by)

    async def mute(self, who: str, *, seconds: float | None = None, by: str) -> None:
        """Keep somebody from speaking in it, unless they have a role; all is said as for `ban`.

        Raises:
            Refused: NOT_ALLOWED, LIST_FULL, BAD_SETTING.
        """
        await self._list(True, f"m:{full_mask(who)}", seconds, by)

    async def unmute(self, who: str, *, by: str) -> None:
        """Let somebody speak again; nothing if they could.

        Raises:
            Refused: NOT_ALLOWED.
        """
        await self._list(False, f"m:{full_mask(who)}", None, by)

    def bans(self) -> list[Ban]:
        """Who is kept out of it, oldest first.

        Raises:
            Refused: NO_SUCH_ROOM, nobody was ever in it.
        """
        return self._banned(mute=False)

    def mutes(self) -> list[Ban]:
        """Who is kept from speaking in it, oldest first.

        Raises:
            Refused: NO_SUCH_ROOM, nobody was ever in it.
        """
        return self._banned(mute=True)

    async def _list(self, on: bool, mask: str, seconds: float | None, by: str) -> None:
        hub = self._inside().hub
        until_ms = None if seconds is None else hub.clock_ms() + round(seconds * 1000)
        one = Change(setting=Setting.BAN, on=on, value=mask, until_ms=until_ms)
        await self._do(lambda session: hub.change(session.present, self.name, [one], via=session), by=by)

    def _banned(self, *, mute: bool) -> list[Ban]:
        entries = self._inside().room(self.name).entries(Setting.BAN)
        return [ban_of(entry) for entry in entries if entry.mute is mute]

    async def _set_role(self, name: str, role: str, on: bool, by: str) -> None:
        setting, hub = ROLE.get(role), self._inside().hub
        if setting is None:
            raise ValueError(f"{role!r} is no role: {', '.join(ROLE)}")

        def change(session: AppSession) -> Awaitable[object] | None:
            user = hub.user(name)
            one = Change(setting=setting, on=on, value=user.nick, user=user.id)
            return hub.change(session.present, self.name, [one], via=session)

        await self._do(change, by=by)

    async def _do(self, verb: Callable[[AppSession], Awaitable[object] | None], *, by: str) -> None:
        await self._inside().speakers.do(verb, by=by, room=self.name)
