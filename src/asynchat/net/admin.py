"""The admin socket: a unix socket that only its owner can open, for `asynchat admin` while the server runs.

JSON lines: a request is `{"verb": …}` with what the verb needs, an answer `{"ok": …}` or `{"error": {"code", "text"}}`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from asynchat.chat.errors import Refused, StoreError
from asynchat.chat.hub import Hub
from asynchat.net.forgetting import forget
from asynchat.net.journal import Journal
from asynchat.net.logins import Logins
from asynchat.store import Log

log = logging.getLogger("asynchat.admin")

LINE_LIMIT = 64 * 1024
Verb = Callable[[dict[str, Any]], Awaitable[Any]]


class Admin:
    """Answers on the socket `path`; `logins` is None where there are no accounts."""

    def __init__(self, path: Path, *, hub: Hub, journal: Journal, store: Log, logins: Logins | None) -> None:
        self._path = path
        self._hub = hub
        self._journal = journal
        self._store = store
        self._logins = logins
        self._verbs: dict[str, Verb] = {
            "account-add": self._account_add,
            "account-certificate": self._account_certificate,
            "account-password": self._account_password,
            "account-forget": self._account_forget,
            "account-list": self._account_list,
            "stats": self._stats,
        }

    def bind(self) -> socket.socket:
        """The socket, which nobody else can open from the first moment on.

        Raises:
            StoreError: it cannot be made.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old = os.umask(0o177)
        try:
            self._path.unlink(missing_ok=True)  # left by a server that was killed: the data's lock is ours
            sock.bind(str(self._path))
            sock.listen(8)
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            raise StoreError(f"{self._path}: {error.strerror or error}") from None
        finally:
            os.umask(old)
        return sock

    async def run(self, sock: socket.socket) -> None:
        """Answer until cancelled; the socket goes with it."""
        async with asyncio.TaskGroup() as group:

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                group.create_task(self._converse(reader, writer))

            server = await asyncio.start_unix_server(connected, sock=sock, limit=LINE_LIMIT)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()
                self._path.unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):  # ValueError: a line beyond the limit
            return
        except Exception:
            log.exception("a request failed")
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to a request."""
        try:
            request = json.loads(line)
            verb = self._verbs[request["verb"]]
        except (ValueError, KeyError, TypeError):
            return {"error": {"code": "BAD_REQUEST", "text": "a request is a JSON object with a verb that there is"}}
        try:
            return {"ok": await verb(request)}
        except Refused as refused:
            return {"error": {"code": refused.code, "text": refused.text}}
        except StoreError as error:
            log.error("%s could not be done: %s", request["verb"], error)
            return {"error": {"code": "STORAGE", "text": str(error)}}
        except (KeyError, TypeError) as error:
            return {"error": {"code": "BAD_REQUEST", "text": f"{request['verb']} needs {error}"}}

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

    async def _stats(self, request: dict[str, Any]) -> dict[str, int]:
        state = self._hub.state
        return {"people": len(state.people), "rooms": len(state.rooms) - len(state.empty), "void": state.void}
