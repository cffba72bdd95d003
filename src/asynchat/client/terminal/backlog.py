"""What people said to one alone while one was away; and that one has read it. (IRCv3 chathistory, read-marker)

Only who is logged in has it: a guest is somebody else each time.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from asynchat.chat.errors import BadMessage, Refused
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.positions import is_talk
from asynchat.client.talker import Talker
from asynchat.wire.irc.message import Message

MARKER = "draft/read-marker"
BACK = timedelta(days=30)
"""So far back it is looked for people one has never answered."""
MOST_PEOPLE, MOST_LINES = 50, 100
NEVER = "9999-12-31T23:59:59.999Z"


def is_kept(client: Talker) -> bool:
    """Whether the server knows up to where one has read."""
    return client.identity.account is not None and client.resumes and MARKER in client.capabilities


async def missed(client: Talker) -> list[Message]:
    """What was said by conversation after one has read there last, in order for each person."""
    if not is_kept(client):
        return []
    lines: list[Message] = []
    with suppress(Refused, NotAcknowledged, Lost):
        for name in await _people(client):
            with suppress(Refused):  # of this one nothing is told
                lines += await _unread(client, name)
    return lines


async def _unread(client: Talker, name: str) -> list[Message]:
    marks = await client.request(Message("MARKREAD", [name]), quiet=True)
    read = next((mark.params[1] for mark in marks if mark.command == "MARKREAD" and len(mark.params) > 1), "*")
    after = read if read.startswith("timestamp=") else f"timestamp={_ago(BACK)}"
    page = await client.request(Message("CHATHISTORY", ["AFTER", name, after, str(MOST_LINES)]), quiet=True)
    said = [line for line in page if is_talk(line)]
    return said if any(line.source.partition("!")[0] != client.nick for line in said) else []


def read(client: Talker, name: str, line: Message) -> None:
    """One has read a line of a conversation."""
    if is_kept(client) and (time := line.tags.get("time", "")):
        with suppress(Lost, BadMessage):
            client.write("MARKREAD", name, f"timestamp={time}")


async def _people(client: Talker) -> list[str]:
    request = ["TARGETS", f"timestamp={_ago(BACK)}", f"timestamp={NEVER}", str(MOST_PEOPLE)]
    lines = await client.request(Message("CHATHISTORY", request), quiet=True)
    targets = [line.params[1] for line in lines if line.command == "CHATHISTORY" and len(line.params) > 2]
    return [target for target in targets if target[:1] not in "#&"]


def _ago(span: timedelta) -> str:
    return (datetime.now(UTC) - span).isoformat(timespec="milliseconds").replace("+00:00", "Z")
