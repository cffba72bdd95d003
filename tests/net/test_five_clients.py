"""Five kinds of client meet in one room on one port."""

from __future__ import annotations

import asyncio

import pytest

import asynchat
from tests.net.conftest import (
    NEWS,
    Client,
    FrameClient,
    GreetedClient,
    IrcClient,
    LineClient,
    TutorialClient,
    Walk,
    on_both_loops,
    settings,
)

KINDS: dict[str, type[Client]] = {
    "nat": LineClient,
    "tom": TutorialClient,
    "greg": GreetedClient,
    "fred": FrameClient,
    "irene": IrcClient,
}
GREETING_NICK = {"greeting": "nick", "greeting_after": 0.1}
LONG = "".join(f"{number:04d}é€😀" for number in range(400))  # characters of one, two, three and four bytes
TWO_LINES = b"PRIVMSG #lobby :first\r\nPRIVMSG #lobby :second\r\n"  # as an IRC client sends them


async def all_five(port: int, walk_in: Walk) -> dict[str, Client]:
    return {name: await walk_in(kind, port, name) for name, kind in KINDS.items()}


async def take_turns(room: dict[str, Client], name: str, text: str) -> None:
    """Somebody says something, and all the others have heard it."""
    await room[name].say(text)
    for other, client in room.items():
        if other != name:
            await client.until(name, text)


@on_both_loops
async def test_each_of_five_kinds_hears_every_other_once_and_in_order_and_never_itself(walk_in: Walk) -> None:
    async with asynchat.Server(settings(server=GREETING_NICK)) as server:
        room = await all_five(server.port, walk_in)
        said = {name: [f"{name} says {number}" for number in range(4)] for name in room}
        for number in range(4):
            for name in room:
                await take_turns(room, name, said[name][number])
        await server.close()
        for client in room.values():
            await client.rest()
    for listener, client in room.items():
        for speaker in room:
            assert client.said_by(speaker) == ([] if speaker == listener else said[speaker])
        assert {who for who, _ in client.talk} == room.keys() - {listener}


@on_both_loops
async def test_lines_of_five_at_the_same_time_keep_each_senders_order(walk_in: Walk) -> None:
    """Those who send no newline say one thing each: two sends in a moment may be one line to the server."""
    async with asynchat.Server(settings(server=GREETING_NICK)) as server:
        room = await all_five(server.port, walk_in)
        said = {
            name: [f"{name} {number}" for number in range(1 if isinstance(client, TutorialClient) else 100)]
            for name, client in room.items()
        }

        async def speak(name: str) -> None:
            for text in said[name]:
                await room[name].say(text)

        async def listen(name: str) -> None:
            missing = {(who, texts[-1]) for who, texts in said.items() if who != name}
            while missing:
                missing.discard(await room[name].hear())

        async with asyncio.TaskGroup() as group:
            for name in room:
                group.create_task(speak(name))
                group.create_task(listen(name))
        await server.close()
        for client in room.values():
            await client.rest()
    for listener, client in room.items():
        for speaker in room:
            assert client.said_by(speaker) == ([] if speaker == listener else said[speaker])


@on_both_loops
@pytest.mark.parametrize("speaker", KINDS)
async def test_a_line_of_5000_bytes_arrives_whole_wherever_it_is_cut(speaker: str, walk_in: Walk) -> None:
    """The cuts are in the middle of characters; IRC takes lines of 512 bytes, so there it is said in pieces."""
    assert len(LONG.encode()) > 5000
    async with asynchat.Server(settings(server=GREETING_NICK)) as server:
        room = await all_five(server.port, walk_in)
        client = room[speaker]
        if isinstance(client, IrcClient):
            data = "".join(f"PRIVMSG #lobby :{LONG[at : at + 100]}\r\n" for at in range(0, len(LONG), 100)).encode()
        elif isinstance(client, FrameClient):
            data = f"{len(LONG.encode()):<10}{LONG}".encode()
        elif isinstance(client, TutorialClient):
            data = f"{speaker}: {LONG}".encode()
        else:
            data = f"{LONG}\n".encode()
        for piece in cut_inside_characters(data):
            await client.send(piece)
            await asyncio.sleep(0)
        for name, other in room.items():
            if name != speaker:
                while "".join(other.said_by(speaker)) != LONG:
                    assert LONG.startswith("".join(other.said_by(speaker)))
                    await other.hear()
                if not isinstance(other, IrcClient) and not isinstance(client, IrcClient):
                    assert other.said_by(speaker) == [LONG]


def cut_inside_characters(data: bytes) -> list[bytes]:
    """Pieces of about 300 bytes, each but the last ending in the middle of a character."""
    pieces, start = [], 0
    for at in range(1, len(data)):
        if at - start >= 300 and data[at] & 0xC0 == 0x80:
            pieces.append(data[start:at])
            start = at
    assert len(pieces) > 10
    return [*pieces, data[start:]]


@on_both_loops
async def test_bytes_that_come_one_by_one_are_the_same_to_every_wire(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        for kind, name in ((LineClient, "ben"), (FrameClient, "fred"), (IrcClient, "irene")):
            client = await walk_in(kind, server.port)
            whole: list[bytes] = []
            client.send = lambda data, whole=whole: keep(whole, data)
            with pytest.raises(KeptAll):
                await client.enter(name)
            with pytest.raises(KeptAll):
                await client.say("ﾊﾛｰ 👋 one by one")
            for byte in b"".join(whole):
                client.writer.write(bytes([byte]))
                await asyncio.sleep(0)
            await listener.until(name, "ﾊﾛｰ 👋 one by one")


class KeptAll(Exception):
    """What was to be sent is kept instead."""


async def keep(whole: list[bytes], data: bytes) -> None:
    whole.append(data)
    raise KeptAll


@on_both_loops
async def test_a_bare_quit_leaves_and_the_others_are_told(walk_in: Walk) -> None:
    async with asynchat.Server(settings(server=GREETING_NICK)) as server:
        room = await all_five(server.port, walk_in)
        for name in ("nat", "tom", "greg", "fred"):
            leaver = room.pop(name)
            await leaver.send(b"4         quit" if isinstance(leaver, FrameClient) else b"quit" + leaver.end)
            assert (await leaver.rest())[-1] == (NEWS, "bye")
            for other in room.values():
                await other.until(NEWS, "QUIT :quit" if isinstance(other, IrcClient) else f"{name} left (quit)")
        assert isinstance(room["irene"], IrcClient)
        assert len([line for line in room["irene"].raw if " QUIT " in line]) == 4


@on_both_loops
async def test_two_lines_in_one_packet_both_arrive_without_the_server_saying_anything(walk_in: Walk) -> None:
    async with asynchat.Server(settings(history={"replay": 0})) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        packets = {
            "ben": (LineClient, b"first\nsecond\n"),
            "fred": (FrameClient, b"5         first6         second"),
            "irene": (IrcClient, TWO_LINES),
        }
        for name, (kind, packet) in packets.items():
            client = await walk_in(kind, server.port, name)
            heard = len(client.talk) + len(client.news)
            await client.send(packet)
            await listener.until(name, "second")
            assert listener.said_by(name) == ["first", "second"]
            await listener.say(f"to {name}")
            await client.until("nat", f"to {name}")
            assert len(client.talk) + len(client.news) == heard + 1


@on_both_loops
async def test_name_and_lines_in_one_packet_are_a_name_and_lines(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        listener = await walk_in(LineClient, server.port, "nat")
        packets = {
            "ben": (LineClient, b"ben\nfirst\nsecond\n"),
            "fred": (FrameClient, b"4         fred5         first6         second"),
            "irene": (IrcClient, b"NICK irene\r\nUSER i 0 * i\r\nJOIN #lobby\r\n" + TWO_LINES),
        }
        for name, (kind, packet) in packets.items():
            client = await walk_in(kind, server.port)
            await client.send(packet)
            await listener.until(name, "second")
            assert listener.said_by(name) == ["first", "second"]


@on_both_loops
async def test_a_tutorial_client_that_names_itself_in_its_first_line_is_understood(walk_in: Walk) -> None:
    async with asynchat.Server(port=0) as server:
        listener = await walk_in(IrcClient, server.port, "irene")
        client = await walk_in(TutorialClient, server.port)
        await client.send(b"tom: hello")
        await listener.until("tom", "hello")
        assert listener.said_by("tom") == ["hello"]


@on_both_loops
async def test_people_on_three_addresses_one_of_which_greets_are_in_one_room(walk_in: Walk) -> None:
    """Addresses take every wire each; only the one that says so greets with NICK."""
    listen = ["127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0?greeting=nick"]
    async with asynchat.Server(settings(server={"listen": listen, "greeting_after": 0.1})) as server:
        first, second, third = (int(address.rpartition(":")[2]) for address in server.addresses)
        assert len({first, second, third}) == 3
        silent = await walk_in(LineClient, first)
        await silent.until(NEWS, "type your name")
        room = {
            "nat": await silent.enter("nat"),
            "fred": await walk_in(FrameClient, second, "fred"),
            "tom": await walk_in(TutorialClient, second, "tom"),
            "greg": await walk_in(GreetedClient, third, "greg"),
            "irene": await walk_in(IrcClient, third, "irene"),
        }
        for name in room:
            await take_turns(room, name, f"hello from {name}")
