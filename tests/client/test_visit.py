"""What is handed to a program, of what a talker hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from asynchat.client.handlers import Handlers
from asynchat.client.incoming import Happening
from asynchat.client.notices import Back, Notice, Reconnecting
from asynchat.client.talker import Talker
from asynchat.client.visit import Visit


class Unlucky:
    """A talker that hears of nothing but its connection."""

    nick = "helper"
    ended_by = None

    async def __aiter__(self) -> AsyncIterator[Notice]:
        for notice in (Reconnecting(1), Reconnecting(2), Reconnecting(4), Back(3), Reconnecting(1), Back(None)):
            yield notice


async def test_an_outage_is_told_once_however_often_it_is_tried_to_end_it() -> None:
    told: list[tuple[str, str]] = []

    def note(happening: Happening) -> None:
        told.append((happening.kind, happening.text))

    handlers = Handlers()
    handlers.add("lost", note)
    handlers.add("back", note)
    await Visit(cast(Talker, Unlucky()), handlers, None, lambda _: None, keeps_talks=False).work()
    assert told == [("lost", ""), ("back", "3"), ("lost", ""), ("back", "")]
