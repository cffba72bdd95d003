"""Talk, and taking it back."""

from __future__ import annotations

from asynchat.chat import policy
from asynchat.chat.errors import BadText, CannotSpeak, InvalidKey, NeedOperator, NoSuchRoom, NoText, TooLong
from asynchat.chat.events import Kind, Place, Redacted, Role, Said, Setting, said
from asynchat.chat.names import casefold
from asynchat.chat.sessions import Pending, Session
from asynchat.chat.users import User, conversation
from asynchat.chat.verbs.deciding import Deciding, is_unicode, one_line

KEY_LEAST, KEY_MOST = 16, 128
"""Characters of a key: whoever has no account shares the keys with all others who have none."""
REQUEST = "\x01"
"""What begins a request of one program to another. (CTCP)"""


def asks(text: str) -> bool:
    """Whether a text, or a line of it, is a request of one program to another."""
    return text[:1] == REQUEST or f"\n{REQUEST}" in text


class TalkVerbs(Deciding):
    """The verbs for words."""

    def say(
        self,
        user: User,
        to: str,
        text: str,
        *,
        kind: Kind = Kind.MESSAGE,
        tags: tuple[tuple[str, str], ...] = (),
        key: str | None = None,
        kept: bool = True,
        least: Role = Role.NONE,
        cuts: tuple[int, ...] = (),
        via: Session | None = None,
    ) -> Pending:
        """Say something in a room or to a person. `text` may have several lines.

        What was said before by the same account under the same `key` is not said again; whoever has no account is told
        from others by the key alone.

        Raises:
            NoText, BadText, TooLong, InvalidKey, NoSuchRoom, CannotSpeak, NoSuchName
        """
        if not text and kind is not Kind.SIGNAL:
            raise NoText
        if "\r" in text or "\0" in text or not (text.isascii() or is_unicode(text)):
            raise BadText
        if len(text) > self.limits.text >> 2 and len(text.encode()) > self.limits.text:
            raise TooLong(str(self.limits.text))
        if key is not None and not (KEY_LEAST if user.source.account is None else 1) <= len(key) <= KEY_MOST:
            raise InvalidKey
        target: str | None = None
        if to[:1] == "#":
            room = self.state.rooms.get(to.lower() if to.isascii() else casefold(to))
            if room is None or not room.members:
                raise NoSuchRoom(to)
            policy.speak(user, room)
            if Setting.NO_REQUESTS in room.flags and kind is not Kind.ACTION and asks(text):
                raise CannotSpeak(room.name)
            to = room.name
            places: tuple[Place, ...] = room.places
        else:
            person = self.user(to)
            to, target = person.nick, person.id
            places = tuple(dict.fromkeys((person.inbox, user.inbox, conversation(user.id, person.id))))
        basics = (user.source, self._at_ms(), str(next(self._ids)), places, kept)
        event = said(basics, (to, text, kind, target, tags, key, least, cuts))
        pending = user.last = self.journal.put(event, via)
        return pending

    def redact(self, user: User, line: Said, reason: str, *, via: Session | None = None) -> Pending:
        """Take back what was said: one's own, or in a room that one runs anybody's.

        Raises:
            NoSuchRoom, NotInRoom, NeedOperator, BadText
        """
        # By its place: the room may have another name by now, and its old name may be another room's.
        room = self.state.places.get(line.places[0]) if line.target is None else None
        if line.by.user != user.id:
            if line.target is not None:
                raise NeedOperator(line.to, text="only who said it may take it back")
            if room is None or not room.members:
                raise NoSuchRoom(line.to)
            policy.operate(user, room)
        event = self._make(
            Redacted,
            user,
            line.places,
            to=line.to if room is None else room.name,
            target=line.target,
            said=line.id,
            reason=one_line(reason, self.limits.reason),
        )
        return self._change(event, user, via)
