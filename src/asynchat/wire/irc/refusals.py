"""The domain's refusals in IRC's words: one table, used in one place.

A code stands with a numeric and the names that go before its text, given by their place in `Refused.about`; what has
no numeric is a standard reply. (IRCv3 standard-replies)
"""

from __future__ import annotations

from typing import NamedTuple

from asynchat.chat import errors
from asynchat.wire.irc import numerics
from asynchat.wire.irc.numerics import Numeric


class Words(NamedTuple):
    """A numeric, which of the names it is about go before its text, and whether that is the refusal's own."""

    numeric: Numeric
    about: tuple[int, ...] = (0,)
    own: bool = False


REFUSALS: dict[str, Words] = {
    errors.NoSuchName.code_: Words(numerics.ERR_NOSUCHNICK),
    errors.NoSuchRoom.code_: Words(numerics.ERR_NOSUCHCHANNEL),
    errors.NotInRoom.code_: Words(numerics.ERR_NOTONCHANNEL),
    errors.NotTheirRoom.code_: Words(numerics.ERR_USERNOTINCHANNEL, (0, 1)),
    errors.AlreadyInRoom.code_: Words(numerics.ERR_USERONCHANNEL, (0, 1)),
    errors.NameTaken.code_: Words(numerics.ERR_NICKNAMEINUSE),
    errors.BadName.code_: Words(numerics.ERR_ERRONEUSNICKNAME),
    errors.NameReserved.code_: Words(numerics.ERR_ERRONEUSNICKNAME, own=True),
    errors.BadRoomName.code_: Words(numerics.ERR_NOSUCHCHANNEL),
    errors.NeedOperator.code_: Words(numerics.ERR_CHANOPRIVSNEEDED),
    errors.BadKey.code_: Words(numerics.ERR_BADCHANNELKEY),
    errors.RoomFull.code_: Words(numerics.ERR_CHANNELISFULL),
    errors.InviteOnly.code_: Words(numerics.ERR_INVITEONLYCHAN),
    errors.Banned.code_: Words(numerics.ERR_BANNEDFROMCHAN),
    errors.MembersOnly.code_: Words(numerics.ERR_NEEDREGGEDNICK),
    errors.CannotSpeak.code_: Words(numerics.ERR_CANNOTSENDTOCHAN),
    errors.TooManyRooms.code_: Words(numerics.ERR_TOOMANYCHANNELS),
    errors.ListFull.code_: Words(numerics.ERR_BANLISTFULL, (0, 1)),
    "UNKNOWN_COMMAND": Words(numerics.ERR_UNKNOWNCOMMAND),
    errors.NoText.code_: Words(numerics.ERR_NOTEXTTOSEND, ()),
}
