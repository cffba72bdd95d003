"""Taking back from code what was said, and reacting to it."""

from __future__ import annotations

from pathlib import Path

import pytest

import asynchat
from tests.net.conftest import NEWS, IrcClient, LineClient, Walk

CAPS = "message-tags draft/message-redaction"


async def irene_who_knows_tags(walk_in: Walk, port: int) -> IrcClient:
    irene: IrcClient = await walk_in(IrcClient, port, "irene")
    await irene.command(f"CAP REQ :{CAPS}")
    await irene.until(NEWS, " ACK ")
    return irene


@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_what_was_said_is_taken_back_by_who_said_it_and_by_who_runs_the_room(
    store: str, tmp_path: Path, walk_in: Walk
) -> None:
    path = store if store == "memory" else tmp_path / store
    async with asynchat.Server(port=0, store=path) as server:
        irene = await irene_who_knows_tags(walk_in, server.port)
        room = server.room("#lobby")
        first, second, third = [await room.send(text, by="ci") for text in ("one", "two", "three")]
        await room.redact(first.id, "typo", by="ci")
        await irene.until(NEWS, f"REDACT #lobby {first.id} :typo")
        await room.redact(second.id, by="server")
        assert [message.id for message in await room.history()] == [third.id]
        with pytest.raises(asynchat.Refused) as refused:
            await room.redact(third.id, by="cd")
        assert refused.value.code == "NOT_ALLOWED"


async def test_what_was_said_to_one_person_only_its_author_takes_back(server: asynchat.Server, walk_in: Walk) -> None:
    await walk_in(LineClient, server.port, "nat")
    said = await server.user("nat").send("psst", by="ci")
    for by in ("nat2", "server"):
        with pytest.raises(asynchat.Refused) as refused:
            await server.user("NAT").redact(said.id, by=by)
        assert (refused.value.code, refused.value.text) == ("NOT_ALLOWED", "only who said it may take it back")
    await server.user("nat").redact(said.id, by="ci")
    with pytest.raises(asynchat.Refused, match="UNKNOWN_MSGID"):
        await server.user("nat").redact(said.id, by="ci")


async def test_an_id_of_nothing_that_was_said_there_is_refused(server: asynchat.Server, walk_in: Walk) -> None:
    await walk_in(LineClient, server.port, "nat")
    ops, lobby, nat = server.room("#ops"), server.room("#lobby"), server.user("nat")
    said = await ops.send("here", by="ci")
    psst = await nat.send("psst", by="ci")
    await lobby.send("there", by="ci")
    for talk, message in ((lobby, said.id), (ops, psst.id), (nat, said.id), (server.user("cd"), psst.id), (ops, "x")):
        with pytest.raises(asynchat.Refused, match="UNKNOWN_MSGID"):
            await talk.redact(message, by="server")
        with pytest.raises(asynchat.Refused, match="UNKNOWN_MSGID"):
            await talk.react(message, "+1", by="ci")


async def test_a_reaction_is_told_to_who_knows_them_once_and_is_no_message(
    server: asynchat.Server, walk_in: Walk
) -> None:
    irene = await irene_who_knows_tags(walk_in, server.port)
    room = server.room("#lobby")
    said = await room.send("done", by="ci")
    first = await room.react(said.id, "\N{PARTY POPPER}", by="cd", key="party")
    await irene.until(NEWS, f"+draft/react=\N{PARTY POPPER};+draft/reply={said.id} :cd!~app@localhost TAGMSG #lobby")
    again = await room.react(said.id, "\N{PARTY POPPER}", by="cd", key="party")
    assert (again.id, again.new) == (first.id, False)
    assert [message.text for message in await room.history()] == ["done"]
    await room.redact(first.id, by="cd")
    await irene.until(NEWS, f"REDACT #lobby {first.id}")


async def test_a_reaction_is_refused_where_one_may_not_speak_and_if_it_is_none(server: asynchat.Server) -> None:
    room = server.room("#ops")
    said = await room.send("done", by="ci")
    await room.join(by="cd")
    await room.change(moderated=True, by="ci")
    with pytest.raises(asynchat.Refused, match="CANNOT_SPEAK"):
        await room.react(said.id, "+1", by="cd")
    for emoji, code in (("", "NO_TEXT"), ("a\0", "BAD_TEXT")):
        with pytest.raises(asynchat.Refused, match=code):
            await room.react(said.id, emoji, by="ci")
