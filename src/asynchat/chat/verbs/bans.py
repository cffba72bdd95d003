"""Keeping people off the server."""

from __future__ import annotations

from asynchat.chat import policy
from asynchat.chat.bans import check_mask, network_of, normal
from asynchat.chat.errors import BadSetting, ListFull, NeedOperator, NoSuchBan
from asynchat.chat.events import Banished, Pardoned, Source
from asynchat.chat.names import casefold, is_reserved
from asynchat.chat.sessions import Pending, Session
from asynchat.chat.users import SERVER, User
from asynchat.chat.verbs.deciding import Deciding, one_line

MASK = 300
"""Characters of a mask."""
PLACE = "!"
"""Where it belongs what the server does to itself."""


class BanVerbs(Deciding):
    """The verbs about who may be here at all."""

    def admit(self, source: Source | None, address: str) -> None:
        """Let somebody in who comes from there, and is that if it is known.

        Raises:
            KeptOut: a ban fits.
        """
        if not self.state.bans or (source is not None and source.user == SERVER.user):
            return
        ban = self.state.bans.fitting(source, address, self.clock_ms())
        if ban is not None:
            raise ban.refusal

    def banish(
        self, user: User, mask: str, reason: str = "", *, until_ms: int | None = None, via: Session | None = None
    ) -> Pending:
        """Keep off who comes from a network, or is called so; see `bans.normal`. Who is here stays.

        Raises:
            NeedServer, NeedOperator: it is the server.
            BadMask, BadSetting, ListFull, BadText
        """
        policy.run_server(user)
        if is_reserved(mask):
            raise NeedOperator("the server", text="nobody bans the server")
        if network_of(mask) is None:
            check_mask(mask)
        mask = normal(mask)
        if not mask.isprintable() or " " in mask or len(mask) > MASK:
            raise BadSetting("the server", "ban", mask[:MASK])
        bans = self.state.bans.all
        if len(bans) >= self.limits.bans and casefold(mask) not in bans:
            raise ListFull("the server", mask)
        reason = one_line(reason, self.limits.reason)
        event = self._make(Banished, user, (PLACE,), mask=mask, reason=reason, until_ms=until_ms)
        return self._change(event, user, via)

    def pardon(self, user: User, mask: str, *, via: Session | None = None) -> Pending:
        """Take a ban back.

        Raises:
            NeedServer, NoSuchBan
        """
        policy.run_server(user)
        ban = self.state.bans.all.get(casefold(normal(mask)))
        if ban is None:
            raise NoSuchBan(mask)
        return self._change(self._make(Pardoned, user, (PLACE,), mask=ban.mask), user, via)

    def pardon_all(self, now_ms: int) -> list[Pending]:
        """Take back the bans that were to hold until now."""
        return [
            self.journal.put(self._make(Pardoned, self.server, (PLACE,), mask=ban.mask), None)
            for ban in tuple(self.state.bans.all.values())
            if ban.until_ms is not None and ban.until_ms <= now_ms
        ]
