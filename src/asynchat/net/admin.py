"""The admin socket: a unix socket that only its owner can open, for `asynchat admin` while the server runs.

JSON lines: a request is `{"verb": …}` with what the verb needs, an answer `{"ok": …}` or `{"error": {"code", "text"}}`.
After the answer to `{"verb": "console"}` the connection is a console, in both directions; after that to `stop` or
`drain` it ends when the server has ended and let go of its data.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from asynchat.chat.errors import Refused, StoreError
from asynchat.net.office import CONSOLE, STOPPING, Office

log = logging.getLogger("asynchat.admin")

LINE_LIMIT = 64 * 1024


class Reader(asyncio.StreamReader):
    """One that knows whether the other end says no more, though not all of it was read."""

    ended = False

    def feed_eof(self) -> None:
        self.ended = True
        super().feed_eof()


class Admin:
    """Answers on the socket `path`, for the `office`.

    Who stops the server is put into `until_the_end`, to be let go once all of it is gone.
    """

    def __init__(self, path: Path, office: Office, until_the_end: list[asyncio.StreamWriter]) -> None:
        self._path = path
        self._office = office
        self._until_the_end = until_the_end

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
                assert isinstance(reader, Reader)
                group.create_task(self._converse(reader, writer))

            def protocol() -> asyncio.StreamReaderProtocol:
                return asyncio.StreamReaderProtocol(Reader(LINE_LIMIT), connected)

            server = await asyncio.get_running_loop().create_unix_server(protocol, sock=sock)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._path.unlink(missing_ok=True)  # first: where it is there and nobody listens, a server was killed
                server.close()

    async def _converse(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        taken = False
        try:
            while line := await reader.readline():
                answer = await self.answer(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
                if answer.get("ok") == CONSOLE:
                    taken = True
                    await self._operate(reader, writer)
                    return
                if answer.get("ok") == STOPPING:
                    taken = True
                    self._until_the_end.append(writer)
                    return
        except (OSError, ValueError):  # ValueError: a line beyond the limit
            return
        except Exception:
            log.exception("a request failed")
        finally:
            if not taken:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _operate(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        """From now on a console is spoken to, which takes what was typed before it was there."""
        conversation = self._office.connections.operate(writer)
        ended = reader.ended
        reader.feed_eof()
        if typed := await reader.read():
            conversation.data_received(typed)
        if ended:
            conversation.eof_received()

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to a request."""
        try:
            request = json.loads(line)
            verb = self._office.verbs[request["verb"]]
        except (ValueError, KeyError, TypeError):
            return {"error": {"code": "BAD_REQUEST", "text": "a request is a JSON object with a verb that there is"}}
        try:
            return {"ok": await verb(request)}
        except Refused as refused:
            return {"error": {"code": refused.code, "text": refused.text}}
        except StoreError as error:
            log.error("%s could not be done: %s", request["verb"], error)
            return {"error": {"code": "STORAGE", "text": str(error)}}
        except (KeyError, TypeError, ValueError) as error:
            return {"error": {"code": "BAD_REQUEST", "text": f"{request['verb']} needs {error}"}}


def administer(
    path: Path | None, office: Office, until_the_end: list[asyncio.StreamWriter], group: asyncio.TaskGroup
) -> asyncio.Task[None] | None:
    """Answer on the admin socket in a task of the group, if there is to be one."""
    if path is None:
        return None
    admin = Admin(path, office, until_the_end)
    try:
        sock = admin.bind()
    except StoreError as error:  # a path too long, for one: people can chat without
        log.warning("`asynchat admin` will not work: %s", error)
        return None
    return group.create_task(admin.run(sock), name="asynchat admin")
