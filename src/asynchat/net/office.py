"""The office: what `asynchat admin` asks a server for, one verb each, and the figures."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asynchat.chat.errors import Refused
from asynchat.chat.events import Setting
from asynchat.config.values import BadConfig
from asynchat.net.connections import Connections
from asynchat.net.forgetting import forget
from asynchat.net.journal import Journal
from asynchat.store import Log
from asynchat.wire.banishing import banish
from asynchat.wire.house import House

if TYPE_CHECKING:
    from asynchat.net.logins import Logins

CONSOLE, STOPPING = "console", "stopping"
"""Answers after which a connection is not asked anything any more."""
MOST = 10**15
"""No time is longer, in seconds or milliseconds; clocks overflow."""
Verb = Callable[[dict[str, Any]], Awaitable[Any]]


class Office:
    """Does what it is asked, for whoever may ask; `logins` is None where there are no accounts.

    A verb takes what came with it, and may raise `Refused`, `StoreError`, and before anything is done `KeyError`,
    `TypeError` and `ValueError` for what is missing or is not what it should be.
    """

    def __init__(
        self,
        house: House,
        *,
        connections: Connections,
        journal: Journal,
        store: Log,
        logins: Logins | None,
        reload: Callable[[], Awaitable[None]],
        drain: Callable[[str, float | None], Awaitable[None]],
    ) -> None:
        self.connections = connections
        self._house = house
        self._hub = house.hub
        self._journal = journal
        self._store = store
        self._logins = logins
        self._reload = reload
        self._drain_all = drain
        self._began = time.monotonic()
        house.stats = self.figures
        self.verbs: dict[str, Verb] = {
            "account-add": self._account_add,
            "account-certificate": self._account_certificate,
            "account-password": self._account_password,
            "account-forget": self._account_forget,
            "account-list": self._account_list,
            "ban-add": self._ban_add,
            "ban-list": self._ban_list,
            "ban-remove": self._ban_remove,
            "console": self._console,
            "drain": self._drain,
            "kick": self._kick,
            "reload": self._read_again,
            "room-close": self._room_close,
            "room-list": self._room_list,
            "room-topic": self._room_topic,
            "stats": self._stats,
            "stop": self._stop,
        }

    # Accounts.

    @property
    def _accounts(self) -> Logins:
        if self._logins is None:
            raise Refused("NO_ACCOUNTS", "this server has no accounts")
        return self._logins

    async def _account_password(self, request: dict[str, Any]) -> None:
        await self._accounts.set_password(_text(request, "name"), _text(request, "password"))

    async def _account_certificate(self, request: dict[str, Any]) -> None:
        change = self._accounts.remove_certificate if request.get("remove") else self._accounts.add_certificate
        await change(_text(request, "name"), _text(request, "fingerprint"))

    async def _account_add(self, request: dict[str, Any]) -> str:
        return await self._accounts.register(
            _text(request, "name"), _text(request, "password"), _text_or_none(request, "email")
        )

    async def _account_forget(self, request: dict[str, Any]) -> int:
        account, logins = _text(request, "name"), self._accounts
        return await forget(account, hub=self._hub, journal=self._journal, store=self._store, logins=logins)

    async def _account_list(self, request: dict[str, Any]) -> list[str]:
        return sorted(await self._logins.names()) if self._logins is not None else []

    # Rooms and people: what the server itself does there.

    async def _room_list(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "name": room.name,
                "topic": room.topic.text if room.topic is not None else None,
                "secret": Setting.SECRET in room.flags,
                "members": [("@" if member.roles else "") + user.nick for user, member in room.members.items()],
            }
            for room in self._hub.state.rooms.values()
            if room.members
        ]

    async def _room_topic(self, request: dict[str, Any]) -> None:
        await self._hub.set_topic(self._hub.server, _text(request, "room"), _text(request, "text"))

    async def _room_close(self, request: dict[str, Any]) -> int:
        hub, room = self._hub, self._hub.room(_text(request, "room"))
        reason = _text_or_none(request, "reason") or "the room is closed"
        people = [user for user in room.members if not user.is_server]
        for pending in [hub.kick(hub.server, room.name, user.nick, reason) for user in people]:
            await pending
        return len(people)

    async def _kick(self, request: dict[str, Any]) -> None:
        reason = _text_or_none(request, "reason") or "server"
        await self._hub.kick(self._hub.server, _text(request, "room"), _text(request, "name"), reason)

    async def _ban_add(self, request: dict[str, Any]) -> int:
        how_long_ms = _number_or_none(request, "how_long_ms", whole=True)
        return await banish(
            self._hub,
            _text(request, "mask"),
            _text_or_none(request, "reason") or "",
            int(how_long_ms) if how_long_ms is not None else None,
        )

    async def _ban_remove(self, request: dict[str, Any]) -> None:
        await self._hub.pardon(self._hub.server, _text(request, "mask"))

    async def _ban_list(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        bans = self._hub.state.bans.all.values()
        return [{"mask": ban.mask, "reason": ban.reason, "until_ms": ban.until_ms, "by": ban.by} for ban in bans]

    # The server.

    async def _drain(self, request: dict[str, Any]) -> str:
        timeout_s = _number_or_none(request, "timeout_s")
        reason = _text_or_none(request, "reason") or "the server is going to stop; please come back later"
        await self._drain_all(reason, timeout_s)
        return STOPPING

    async def _console(self, request: dict[str, Any]) -> str:
        return CONSOLE

    async def _read_again(self, request: dict[str, Any]) -> None:
        try:
            await self._reload()
        except BadConfig as error:
            raise Refused("BAD_CONFIG", str(error)) from None

    async def _stop(self, request: dict[str, Any]) -> str:
        self._house.stop(_text_or_none(request, "reason") or "the server is stopping")
        return STOPPING

    async def _stats(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.figures()

    def figures(self) -> dict[str, Any]:
        """Who and what is here, counted now."""
        state = self._hub.state
        sessions = [session for user in state.people.values() for session in user.sessions]
        wires = Counter(session.wire for session in sessions)
        return {
            "uptime_s": int(time.monotonic() - self._began),
            "people": len(state.people),
            "sessions": len(sessions),
            "wires": dict(sorted(wires.items())),
            "connections": sum(1 for _ in self.connections),
            "lagging": sum(session.lagging for session in sessions),
            "rooms": len(state.rooms) - len(state.empty),
            "last_id": self._store.last_id,
            "memory_bytes": _memory(),
            "void": state.void,
        }


def _text(request: dict[str, Any], name: str) -> str:
    """What a request has to have.

    Raises:
        KeyError, TypeError
    """
    if not isinstance(request[name], str):
        raise TypeError(f"{name} to be a text")
    return str(request[name])


def _text_or_none(request: dict[str, Any], name: str) -> str | None:
    return _text(request, name) if request.get(name) is not None else None


def _number_or_none(request: dict[str, Any], name: str, *, whole: bool = False) -> float | None:
    """A number that a request may have, and not a negative one.

    Raises:
        TypeError, ValueError
    """
    number = request.get(name)
    if number is None:
        return None
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise TypeError(f"{name} to be a number")
    if not 0 <= number <= MOST:
        raise ValueError(f"{name} to be from 0 to {MOST}")
    if whole and number != int(number):
        raise ValueError(f"{name} to be a whole number")
    return number


def _memory() -> int:
    """What this process has in memory, in bytes; 0 where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
