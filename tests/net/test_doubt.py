"""A name whose bearer is dead and does not know it."""

from __future__ import annotations

import asyncio

import pytest

import asynchat
from asynchat.wire.irc import session as irc_session
from tests.net.conftest import NEWS, NO, IrcClient, LineClient, Walk, on_both_loops


@on_both_loops
async def test_over_sockets_a_dead_client_gives_its_name_up_though_its_timer_is_far(
    walk_in: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(irc_session, "ANSWER_S", 0.2)
    async with asynchat.Server(port=0) as server:
        await walk_in(IrcClient, server.port, "alice")
        nat = await walk_in(LineClient, server.port, "nat")
        await asyncio.sleep(0.3)  # it has been silent for a while
        other = await walk_in(LineClient, server.port)
        await other.say("alice")
        await other.until(NO, "NAME_TAKEN")
        await nat.until(NEWS, "alice left (Ping timeout: somebody asked for the name)")
        await other.enter("alice")
