"""Lifting what was to hold until some time: bans and mutes."""

from __future__ import annotations

import asyncio
import logging

from asynchat.chat.errors import Refused
from asynchat.chat.hub import Hub

log = logging.getLogger("asynchat")

EVERY_S = 1.0


async def lift(hub: Hub) -> None:
    """Every second, and at once after a restart, take back what is over, until cancelled.

    To look for it costs half a millisecond where there are ten thousand rooms; a list of dates beside the rooms' own
    would have to be kept right by everything that changes them.
    """
    while True:
        try:
            for pending in (*hub.lift(hub.clock_ms()), *hub.pardon_all(hub.clock_ms())):
                await pending
        except Refused as refused:
            log.warning("a ban that is over holds still: %s", refused.text)
        except Exception:  # a bug: it must not end the server
            log.exception("what is over could not be lifted")
        await asyncio.sleep(EVERY_S)
