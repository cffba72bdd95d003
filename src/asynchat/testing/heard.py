"""What a person hears: a line of the wire for people, taken apart."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

_LINE = re.compile(
    r"""(?:\[\d\d:\d\d\]\ |\d\d:\d\d\ |\#\d+\ |\[(?P<room>\#\S*)\]\ )*  # times, an id, the room, in any order
    (?:<(?P<message>\S+)>|\*\ (?P<action>\S+)|-(?P<notice>\S+)-|\[dm\ (?P<direct>\S+)\]|(?P<sign>\S+))
    \ ?(?P<text>.*)""",
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {"!!!": "refusal", "+OK": "receipt"}


class _Pair(NamedTuple):
    who: str
    text: str


class Heard(_Pair):
    """Who said what: as a tuple, and when compared, `(who, text)`.

    `who` is a name, `***` for news of the server, `!!!` for a refusal. `kind` is `message`, `action` ("* alice waves"),
    `notice`, `direct` (said to one person), `news`, `refusal` or `receipt` (after `/acks on`). `room` is the name of
    the room, which is told to who is in several; None to others.
    """

    room: str | None = None
    kind: str = "message"

    def __new__(cls, who: str, text: str, *, room: str | None = None, kind: str = "message") -> Self:
        made = super().__new__(cls, who, text)
        made.room, made.kind = room, kind
        return made

    def __repr__(self) -> str:
        room = f", room={self.room!r}" if self.room is not None else ""
        return f"Heard({self.who!r}, {self.text!r}{room}, kind={self.kind!r})"


def heard(line: str) -> Heard:
    """What a line says."""
    match = _LINE.fullmatch(line)
    if match is None:  # it is empty
        return Heard("", line, kind="news")
    kinds = match.groupdict()
    room, text, sign = kinds.pop("room"), kinds.pop("text"), kinds.pop("sign")
    for kind, who in kinds.items():
        if who is not None:
            return Heard(who, text, room=room, kind=kind)
    return Heard(sign, text, room=room, kind=_SIGNS.get(sign, "news"))
