"""Being here: coming, going, and what is told of oneself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from asynchat.chat.errors import BadSetting, ListFull, NameTaken
from asynchat.chat.events import (
    AccountSet,
    Announced,
    AwaySet,
    Departed,
    Entered,
    Flag,
    FlagsSet,
    MarkerSet,
    MetadataSet,
    RealnameSet,
    Renamed,
    Source,
)
from asynchat.chat.names import casefold
from asynchat.chat.sessions import Pending, Session
from asynchat.chat.users import SERVER, User, lasting_id
from asynchat.chat.verbs.bans import BanVerbs
from asynchat.chat.verbs.deciding import everywhere, is_unicode, one_line


class PeopleVerbs(BanVerbs):
    """The verbs that are about oneself."""

    def enter(
        self,
        nick: str,
        ident: str,
        host: str,
        realname: str,
        *,
        account: str | None = None,
        lasting: bool = False,
        via: Session | None = None,
    ) -> Pending:
        """Come in under a name, into no room yet. When it is done, `attach` gives the user.

        With an `account`, a `lasting` user stays when its last session goes; it must bear the account's name.

        Raises:
            BadName, NameTaken, KeptOut
        """
        self.check_name(nick, account)
        if self.is_taken(nick):
            raise NameTaken(nick)
        realname, event_id = one_line(realname, self.limits.reason), self._id()
        user_id = lasting_id(account) if lasting and account is not None else f"g{event_id}"
        source = Source(user=user_id, nick=nick, ident=ident, host=host, account=account)
        self._admit(source, via)
        self.claims[casefold(nick)] = source.user
        places = (f"@{user_id}",) if lasting else ()  # a guest who is in no room is forgotten by a restart
        event = Entered(by=source, at_ms=self._at_ms(), id=event_id, places=places, kept=lasting, realname=realname)
        return self.journal.put(event, via)

    def enter_as_server(self, *, via: Session | None = None) -> Pending:
        """Have the server itself come in, under the name that nobody else can take; twice is as good as once."""
        self.claims[casefold(SERVER.nick)] = SERVER.user
        event = Entered(by=SERVER, at_ms=self._at_ms(), id=self._id(), kept=False, realname="the server")
        return self.journal.put(event, via)

    def attach(self, session: Session, user_id: str) -> User:
        """Make the session one of the user's: it hears what the user hears."""
        user = self.state.people[user_id]
        user.sessions = (*user.sessions, session)
        for room in user.rooms:
            room.hear(session)
        return user

    def detach(self, session: Session, user: User) -> None:
        """The session is the user's no more, and watches nobody."""
        user.sessions = tuple(s for s in user.sessions if s is not session)
        for room in user.rooms:
            room.deafen(session)
        self.state.watchers.remove(session)

    def doubt(self, nick: str) -> None:
        """Somebody wants a name that is taken: whoever bears it shall show that they are here."""
        user = self.state.users.get(casefold(nick))
        for session in user.sessions if user is not None else ():
            session.doubt()

    def depart(self, user: User, reason: str, *, seen: str | None = None) -> Pending:
        """Go, from all rooms; `seen` is the id up to which the last session had been shown everything."""
        reason = one_line(reason, self.limits.reason)
        rooms = tuple(room.name for room in user.rooms)
        return self._change(
            self._make(Departed, user, everywhere(user), rooms=rooms, reason=reason, seen=seen), user, None
        )

    def stay(self, user: User, text: str, *, seen: str | None = None) -> Pending | None:
        """Be here as the account that a guest had logged in to, who has departed: away, in no room, so that what is
        said to it alone is kept for it.

        None if the guest had not, if the account is here already, or if somebody else bears its name.
        """
        account = user.source.account
        if account is None or user.lasting or lasting_id(account) in self.state.people or self.is_taken(account):
            return None
        source = replace(user.source, user=lasting_id(account), nick=account)
        self.claims[casefold(account)] = source.user
        stays, text = User(source, user.realname), one_line(text, self.limits.away)
        self.journal.put(self._make(Entered, stays, (stays.inbox,), realname=user.realname), None)
        return self.journal.put(self._make(AwaySet, stays, (stays.inbox,), text=text, gone=True, seen=seen), None)

    def rename(self, user: User, nick: str, *, via: Session | None = None) -> Pending:
        """Take another name.

        Raises:
            BadName, NameTaken, KeptOut
        """
        self.check_name(nick, user.source.account)
        if casefold(nick) != casefold(user.nick) and self.is_taken(nick):
            raise NameTaken(nick)
        self._admit(replace(user.source, nick=nick), via)
        self.claims[casefold(nick)] = user.id
        return self._change(self._make(Renamed, user, everywhere(user), nick=nick), user, via)

    def _admit(self, source: Source, via: Session | None) -> None:
        """Let somebody be that, unless a ban fits."""
        if self.state.bans:
            self.admit(source, via.address if via is not None else "")

    def set_away(
        self, user: User, text: str | None, *, gone: bool = False, seen: str | None = None, via: Session | None = None
    ) -> Pending:
        """Be away with a text, or back with None. `gone`: because the last session went, see `AwaySet`."""
        text = one_line(text, self.limits.away) if text else None
        return self._change(self._make(AwaySet, user, everywhere(user), text=text, gone=gone, seen=seen), user, via)

    def set_account(self, user: User, account: str | None, *, via: Session | None = None) -> Pending:
        """Be logged in, or out with None. Whether the password was right is not asked here.

        Raises:
            KeptOut
        """
        if account is not None:
            self._admit(replace(user.source, account=account), via)
        return self._change(self._make(AccountSet, user, everywhere(user), account=account), user, via)

    def set_realname(self, user: User, realname: str, *, via: Session | None = None) -> Pending:
        """Tell another real name."""
        realname = one_line(realname, self.limits.reason)
        return self._change(self._make(RealnameSet, user, everywhere(user), realname=realname), user, via)

    def set_flags(
        self, user: User, on: Iterable[Flag] = (), off: Iterable[Flag] = (), *, via: Session | None = None
    ) -> Pending | None:
        """Be something, or not any more. None if that changes nothing."""
        on = tuple(flag for flag in on if flag not in user.flags)
        off = tuple(flag for flag in off if flag in user.flags)
        if not on and not off:
            return None
        return self._change(self._make(FlagsSet, user, everywhere(user), on=on, off=off), user, via)

    def set_marker(self, user: User, to: str, read: str, *, via: Session | None = None) -> Pending | None:
        """Note up to which time, as text, `to` was read. None if it was read further already.

        Raises:
            ListFull
        """
        markers = user.markers or {}
        if markers.get(casefold(to), "") >= read:
            return None
        if len(markers) >= self.limits.metadata_keys and casefold(to) not in markers:
            raise ListFull(user.nick, to)
        places = (user.inbox,) if user.lasting else ()
        return self._change(self._make(MarkerSet, user, places, to=to, read=read), user, via)

    def set_metadata(
        self, user: User, name: str, value: str | None, *, room: str | None = None, via: Session | None = None
    ) -> Pending:
        """Keep a word with oneself, or with a room; None takes it away. Who may is for the asker to have asked.

        Raises:
            ListFull, NoSuchRoom, BadSetting: the value is too long or no single line.
        """
        if value is not None and (
            not is_unicode(value) or len(value.encode()) > self.limits.metadata_value or {"\r", "\n", "\0"} & set(value)
        ):
            raise BadSetting(room or user.nick, name, value)
        where = self.room(room) if room is not None else None
        kept = (where.metadata if where is not None else user.metadata) or {}
        if value is not None and name not in kept and len(kept) >= self.limits.metadata_keys:
            raise ListFull(room or user.nick, name)
        places = (where.place,) if where is not None else everywhere(user)
        event = self._make(MetadataSet, user, places, room=where.name if where else None, name=name, value=value)
        return self._change(event, user, via)

    def announce(self, user: User, text: str, *, via: Session | None = None) -> Pending:
        """Tell something to all who want to hear what operators say."""
        return self._change(self._make(Announced, user, (), text=one_line(text, self.limits.reason)), user, via)
