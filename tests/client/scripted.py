"""A server that says what a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Self

ALL = "batch draft/chathistory echo-message labeled-response message-tags server-time"
CUT = "CUT"
"""An answer that ends the connection; what stands before it on the line is sent, without a line ending."""
BEGAN = "2026-01-01T00:00:00.000Z"

Answers = Mapping[str, str]
"""The beginning of what a client says, without its tags, to the lines that it is answered, for as long as they differ.

`{label}` is the label of the command, `{first}` and `{last}` are parameters of it, `{nick}` is the name that the client
asked for last.
"""


def welcome(*, caps: str = ALL, software: str = "asynchat-0.1.0") -> dict[str, str]:
    """The answers that let a client in."""
    numerics = [
        f"@time={BEGAN} :srv 001 {{nick}} :Welcome",
        f":srv 004 {{nick}} srv {software} i n",
        ":srv 005 {nick} CHATHISTORY=2 CHANTYPES=# :are supported",
        ":srv 422 {nick} :no MOTD",
    ]
    return {
        "CAP LS": f":srv CAP * LS :{caps}",
        "CAP REQ": ":srv CAP * ACK :{last}",
        "CAP END": "\n".join(numerics),
        "JOIN ": f"@label={{label}};time={BEGAN};msgid=10 :{{nick}}!u@h JOIN {{first}}",
        "CHATHISTORY ": batch("{label}"),
        "PING": ":srv PONG srv :{last}",
        "QUIT": CUT,
    }


def batch(label: str, *lines: str) -> str:
    """An answer of several lines: a batch of history inside of one that is labelled."""
    inside = [f"@batch=h;{line[1:]}" if line.startswith("@") else f"@batch=h {line}" for line in lines]
    begin = [f"@label={label} :srv BATCH +l labeled-response", "@batch=l :srv BATCH +h chathistory #lobby"]
    return "\n".join([*begin, *inside, "@batch=l :srv BATCH -h", ":srv BATCH -l"])


def fill_in(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


class Scripted:
    """Each connection has its answers; `heard` is what came on each of them, line by line, with tags."""

    def __init__(self, *connections: Answers) -> None:
        self.port = 0
        self.heard: list[list[str]] = []
        self._connections = connections
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def said(self, command: str) -> list[str]:
        """What came with this command, without its tags, on each connection in order."""
        lines = [line.partition(" ")[2] if line.startswith("@") else line for heard in self.heard for line in heard]
        return [line for line in lines if line.startswith(command)]

    def say(self, text: str) -> None:
        """Say a line over the last connection, by itself."""
        self._writer.write(f"{text}\r\n".encode())

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index = len(self.heard)
        self.heard.append([])
        self._writer = writer
        answers = self._connections[min(index, len(self._connections) - 1)]
        nick = ""
        try:
            while line := (await reader.readline()).decode().rstrip():
                self.heard[index].append(line)
                tags, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
                nick = rest.partition(" ")[2] if rest.startswith("NICK ") else nick
                label = next((tag[6:] for tag in tags[1:].split(";") if tag.startswith("label=")), "")
                answer = max((each for each in answers if rest.startswith(each)), key=len, default=None)
                if answer is None:
                    continue
                first = rest.split(" ")[1] if " " in rest else ""
                last = rest.partition(" :")[2] or rest.split(" ")[-1]
                words = {"{label}": label, "{first}": first, "{last}": last, "{nick}": nick}
                for each in answers[answer].splitlines():
                    text = fill_in(each, words)
                    if text.endswith(CUT):
                        writer.write(text.removesuffix(CUT).encode())
                        return
                    writer.write(f"{text}\r\n".encode())
        except OSError:
            return
        finally:
            writer.close()
