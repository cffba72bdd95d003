"""What can go wrong, in one tree, and the stable code of every refusal.

    AsynchatError
    ├── Refused            the user asked for what is not to be had; expected, shown, harmless
    │   └── NoSuchRoom …   one class per reason, each with its code
    ├── BadMessage         the other end broke its protocol
    └── StoreError         the store failed; ours

The code of a refusal is the same everywhere: `FAIL` on IRC, `!!! CODE` on the plain wire, `error.code` in JSON,
`Refused.code` in Python.
"""

from __future__ import annotations

from typing import ClassVar


class AsynchatError(Exception):
    """The root of everything that asynchat raises."""


class BadMessage(AsynchatError):
    """The peer broke the rules of its protocol."""


class StoreError(AsynchatError):
    """The store could not keep or read something; `full` tells a full disk from other faults."""

    def __init__(self, text: str, *, full: bool = False) -> None:
        super().__init__(text)
        self.full = full


class Refused(AsynchatError):
    """A no with a reason.

    `code` is upper case with underscores and never changes once released; `text` is for people;
    `about` are the names it is about (a room, a user), as the asker wrote them.
    """

    def __init__(self, code: str, text: str, about: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.about = about


class Reason(Refused):
    """A refusal whose code and text are those of its class; it is built from the names it is about."""

    code_: ClassVar[str]
    text_: ClassVar[str]

    def __init__(self, *about: str, text: str = "") -> None:
        super().__init__(self.code_, text or self.text_.format(*about), about)


class NoSuchName(Reason):
    """Nobody of that name is here. `about`: the name."""

    code_, text_ = "NO_SUCH_NAME", "nobody here is called {0}"


class NoSuchRoom(Reason):
    """There is no such room, or it may not be known of. `about`: the room."""

    code_, text_ = "NO_SUCH_ROOM", "there is no room {0}"


class NotInRoom(Reason):
    """The asker is not in the room. `about`: the room."""

    code_, text_ = "NOT_IN_ROOM", "you are not in {0}"


class NotTheirRoom(Reason):
    """The person spoken of is not in the room. `about`: the person, the room."""

    code_, text_ = "NOT_THEIR_ROOM", "{0} is not in {1}"


class AlreadyInRoom(Reason):
    """The person invited is in the room. `about`: the person, the room."""

    code_, text_ = "ALREADY_IN_ROOM", "{0} is already in {1}"


class NameTaken(Reason):
    """Somebody has that name. `about`: the name."""

    code_, text_ = "NAME_TAKEN", "{0} is in use"


class BadName(Reason):
    """That cannot be a person's name. `about`: the name."""

    code_, text_ = "BAD_NAME", "{0} is no name: letters, digits and _-[]\\`^{{}}| only, and no digit or - first"


class BadRoomName(Reason):
    """That cannot be a room's name. `about`: the name."""

    code_, text_ = "BAD_ROOM_NAME", "{0} is no room name: # first, and no spaces, commas or control characters"


class NameReserved(BadName):
    """Only the server itself bears that name. `about`: the name."""

    code_, text_ = "NAME_RESERVED", "{0} is a name that only the server has"


class NeedOperator(Reason):
    """Only an operator of the room may do that. `about`: the room."""

    code_, text_ = "NOT_ALLOWED", "needs op in {0}"


class BadKey(Reason):
    """The room has a key and this is not it. `about`: the room."""

    code_, text_ = "BAD_KEY", "{0} needs its key"


class RoomFull(Reason):
    """As many are in the room as its limit allows. `about`: the room."""

    code_, text_ = "ROOM_FULL", "{0} is full"


class InviteOnly(Reason):
    """Only the invited may enter. `about`: the room."""

    code_, text_ = "INVITE_ONLY", "{0} is invite-only"


class Banned(Reason):
    """The asker is banned from the room. `about`: the room."""

    code_, text_ = "BANNED", "you are banned from {0}"


class KeptOut(Reason):
    """The asker is banned from the server. `about`: nothing."""

    code_, text_ = "BANNED", "you are banned from this server"


class NoSuchBan(Reason):
    """There is no such ban. `about`: the mask."""

    code_, text_ = "NO_SUCH_BAN", "{0} is not banned from the server"


class NeedServer(Reason):
    """Only the server's operator, at its console, may do that. `about`: nothing."""

    code_, text_ = "NOT_SERVER", "only the server's operator may do that"


class MembersOnly(Reason):
    """Only people with an account may enter. `about`: the room."""

    code_, text_ = "MEMBERS_ONLY", "{0} is for registered people only"


class CannotSpeak(Reason):
    """The asker may not speak in the room. `about`: the room."""

    code_, text_ = "CANNOT_SPEAK", "you may not speak in {0}"


class TooManyRooms(Reason):
    """The asker is in as many rooms as is allowed. `about`: the room."""

    code_, text_ = "TOO_MANY_ROOMS", "you are in too many rooms to enter {0}"


class ListFull(Reason):
    """The room's list has no place left. `about`: the room, the entry."""

    code_, text_ = "LIST_FULL", "the list of {0} is full"


class BadSetting(Reason):
    """That value does not suit the setting. `about`: the room, the setting, the value."""

    code_, text_ = "BAD_SETTING", "{2!r} is no value for {1} of {0}"


class NoSuchMessage(Reason):
    """There was no such message said there, or it was taken back. `about`: its id."""

    code_, text_ = "UNKNOWN_MSGID", "there is no message {0} there"


class BadMask(Reason):
    """That fits nobody: no name has such characters, and it is no network either. `about`: the mask."""

    code_, text_ = "BAD_MASK", "{0!r} is no name, address or network"


class BadDuration(Reason):
    """That is no duration, or none that anything can hold for. `about`: the duration."""

    code_, text_ = "BAD_DURATION", "{0} is no duration: 90s, 10m, 1h30m, 7d, 2w, up to 100 years"


class NoText(Reason):
    """There is nothing in it to say. `about`: nothing."""

    code_, text_ = "NO_TEXT", "nothing to say"


class BadText(Reason):
    """NUL or CR inside a text. `about`: nothing."""

    code_, text_ = "BAD_TEXT", "NUL and CR cannot be part of a text"


class InvalidKey(Reason):
    """A key that cannot tell one send from all others. `about`: nothing."""

    code_, text_ = "INVALID_KEY", "a key has 16 to 128 characters; with an account, it may be shorter"


class TooLong(Reason):
    """Longer than allowed. `about`: the limit in bytes."""

    code_, text_ = "TOO_LONG", "longer than {0} bytes"


class StorageFull(Reason):
    """The disk is full: it was not stored and nobody saw it. `about`: nothing."""

    code_, text_ = "STORAGE_FULL", "the server's disk is full; it was not said"


class StorageError(Reason):
    """The store failed: it was not stored and nobody saw it. `about`: nothing."""

    code_, text_ = "STORAGE_ERROR", "the server could not store it; it was not said"
