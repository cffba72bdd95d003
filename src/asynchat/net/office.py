"""The office: what `asynchat admin` asks a server for, one verb each, and the figures."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from asynchat.chat.errors import Refused
from asynchat.config import BadConfig
from asynchat.net.connections import Connections
from asynchat.net.forgetting import forget
from asynchat.net.journal import Journal
from asynchat.net.logins import Logins
from asynchat.store import Log
from asynchat.wire.house import House

Verb = Callable[[dict[str, Any]], Awaitable[Any]]


class Office:
    """Does what it is asked, for whoever may ask; `logins` is None where there are no accounts.

    A verb takes what came with it, and may raise `Refused`, `StoreError`, and `KeyError` for what is missing.
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
    ) -> None:
        self.connections = connections
        self._house = house
        self._hub = house.hub
        self._journal = journal
        self._store = store
        self._logins = logins
        self._reload = reload
        self._began = time.monotonic()
        house.stats = self.figures
        self.verbs: dict[str, Verb] = {
            "account-add": self._account_add,
            "account-certificate": self._account_certificate,
            "account-password": self._account_password,
            "account-forget": self._account_forget,
            "account-list": self._account_list,
            "console": self._console,
            "reload": self._read_again,
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
        await self._accounts.set_password(str(request["name"]), str(request["password"]))

    async def _account_certificate(self, request: dict[str, Any]) -> None:
        change = self._accounts.remove_certificate if request.get("remove") else self._accounts.add_certificate
        await change(str(request["name"]), str(request["fingerprint"]))

    async def _account_add(self, request: dict[str, Any]) -> str:
        return await self._accounts.register(str(request["name"]), str(request["password"]), request.get("email"))

    async def _account_forget(self, request: dict[str, Any]) -> int:
        account, logins = str(request["name"]), self._accounts
        return await forget(account, hub=self._hub, journal=self._journal, store=self._store, logins=logins)

    async def _account_list(self, request: dict[str, Any]) -> list[str]:
        return sorted(await self._logins.names()) if self._logins is not None else []

    # The server.

    async def _console(self, request: dict[str, Any]) -> str:
        return "console"

    async def _read_again(self, request: dict[str, Any]) -> None:
        try:
            await self._reload()
        except BadConfig as error:
            raise Refused("BAD_CONFIG", str(error)) from None

    async def _stop(self, request: dict[str, Any]) -> None:
        self._house.stop(str(request.get("reason") or "the server is stopping"))

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


def _memory() -> int:
    """What this process has in memory, in bytes; 0 where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
