"""What is set in a room, as an application sees and changes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypedDict, cast

from asynchat.chat.events import FLAGS, LISTS, Change, Setting
from asynchat.chat.names import casefold, full_mask
from asynchat.chat.rooms import Room


class RoomSettings(TypedDict, total=False):
    """What is set in a room; `Room.settings` gives all of it, `Room.change` takes some.

    - `topic_locked`: only who runs the room or helps sets the topic. `no_outsiders`: only members speak in it. A new
      room has both.
    - `moderated`: only members with a role speak. `no_requests`: programs ask each other nothing in it (CTCP).
    - `invite_only`: only the invited enter, `members_only`: only people with an account. `secret`: nobody outside is
      told of it. `key`: a word that is asked of who enters, `limit`: how many may be in it; None is none.
    - `ban_exceptions`: masks of those whom no ban means, `invite_exceptions`: of those who need no invitation.
    """

    topic_locked: bool
    no_outsiders: bool
    moderated: bool
    no_requests: bool
    invite_only: bool
    members_only: bool
    secret: bool
    key: str | None
    limit: int | None
    ban_exceptions: tuple[str, ...]
    invite_exceptions: tuple[str, ...]


NAMES: Mapping[str, Setting] = {
    **{flag.value.replace("-", "_"): flag for flag in Setting if flag in FLAGS},
    "key": Setting.KEY,
    "limit": Setting.LIMIT,
    "ban_exceptions": Setting.BAN_EXCEPTION,
    "invite_exceptions": Setting.INVITE_EXCEPTION,
}


def settings_of(room: Room) -> RoomSettings:
    """All that is set in a room."""
    found: dict[str, Any] = {}
    for name, setting in NAMES.items():
        if setting in FLAGS:
            found[name] = setting in room.flags
        elif setting in LISTS:
            found[name] = tuple(entry.mask for entry in room.entries(setting))
        else:
            found[name] = room.key if setting is Setting.KEY else room.limit
    return cast("RoomSettings", found)


def changes_to(room: Room, wanted: RoomSettings) -> list[Change]:
    """What has to be changed in a room for it to have these.

    Raises:
        TypeError: there is no such setting.
    """
    changes: list[Change] = []
    for name, value in wanted.items():
        setting = NAMES.get(name)
        if setting is None:
            raise TypeError(f"a room has no setting {name!r}: {', '.join(NAMES)}")
        if setting in LISTS:
            changes += _list_changes(room, setting, value)  # type: ignore[arg-type]  # the table knows better
        elif setting in FLAGS:
            changes.append(Change(setting=setting, on=bool(value)))
        elif value is not None:
            changes.append(Change(setting=setting, on=True, value=str(value)))
        else:
            changes.append(Change(setting=setting, on=False, value="*" if setting is Setting.KEY else None))
    return changes


def _list_changes(room: Room, setting: Setting, masks: Iterable[str]) -> Iterator[Change]:
    """Take off a list what is not to be on it, put onto it what is."""
    wanted = {casefold(mask): mask for mask in map(full_mask, masks)}
    there = {casefold(entry.mask): entry.mask for entry in room.entries(setting)}
    yield from (Change(setting=setting, on=False, value=mask) for key, mask in there.items() if key not in wanted)
    yield from (Change(setting=setting, on=True, value=mask) for key, mask in wanted.items() if key not in there)
