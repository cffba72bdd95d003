"""Keeping no more than is to be kept: talk that is too old, or too much for its room, goes."""

from __future__ import annotations

import asyncio
import logging

from asynchat.chat.errors import StoreError
from asynchat.chat.hub import Hub
from asynchat.config.server import StoreSettings
from asynchat.store import Log

log = logging.getLogger("asynchat")

FIRST_S, EVERY_S = 60.0, 3600.0


async def keep(settings: StoreSettings, hub: Hub, store: Log) -> None:
    """Trim the log a while after the start and every hour, until cancelled; nothing if all of it is to be kept."""
    if not (settings.keep or settings.keep_lines):
        return
    pause_s = FIRST_S
    while True:
        await asyncio.sleep(pause_s)
        pause_s = EVERY_S
        before_ms = hub.clock_ms() - int(settings.keep * 1000) if settings.keep else None
        try:
            gone = await store.trim(before_ms=before_ms, most=settings.keep_lines or None)
            if gone:
                log.info("%d lines were to be kept no longer", gone)
        except StoreError as error:
            log.error("what is to be kept no longer is there still: %s", error)
        except Exception:  # a bug: it must not end the server
            log.exception("what is to be kept no longer is there still")
