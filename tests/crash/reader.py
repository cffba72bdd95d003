"""A reader: a guest who reads all that was said in a room."""

from __future__ import annotations

from tests.crash.speaker import Speaker, Unexpected
from tests.crash.transcript import Told, told

NAME = "reader"
PAGE = 1000
"""Lines of one page; the server is told to give that many."""


async def read_all(port: int, room: str) -> list[Told]:
    """Page for page from the beginning; the end must be what LATEST shows."""
    speaker = await Speaker.connect(port)
    try:
        await speaker.enter(NAME, room, more="draft/chathistory")
        lines: list[Told] = []
        while page := await _page(speaker, f"CHATHISTORY AFTER {room} msgid={lines[-1].msgid if lines else 0} {PAGE}"):
            lines += page
        latest = await _page(speaker, f"CHATHISTORY LATEST {room} * {PAGE}")
        if latest != lines[-PAGE:]:
            raise Unexpected("the latest page is not the last one")
        return lines
    finally:
        await speaker.close()


async def _page(speaker: Speaker, request: str) -> list[Told]:
    answers = await speaker.ask(request)
    return [
        told(message.params[1], message.tags["msgid"], message.by)
        for message in answers
        if message.command == "PRIVMSG" and "batch" in message.tags
    ]
