"""A client whose connection is cut again and again: every line once and in order, and nothing said is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from random import Random

import asynchat
from asynchat.chat.events import Joined, Said
from asynchat.client.notices import Back, Notice
from asynchat.client.patience import Patience
from asynchat.client.registration import Identity
from asynchat.client.show import talk
from asynchat.client.talker import Talker
from asynchat.client.url import Url
from asynchat.store.sqlite import SqliteLog
from asynchat.wire.irc.message import Message
from tests.client.proxy import Proxy, cuts_at_random
from tests.net.conftest import FrameClient, Heard, IrcClient, Walk, on_both_loops, settings

AT_ONCE = Patience(draw=lambda: 0.0, sleep=lambda _: asyncio.sleep(0), name_s=1_000_000)
"""No pauses. The server may take many rounds until it has seen a dead session off, and alice shall stay alice."""
PACE, MOST = 20, 10
SETTINGS = settings(limits={"flood": False}, history={"max_request": 20, "replay": 0})
WORDS = ["tea", "überall", "naïve", "日本語", "👋🏽", "x" * 200, "…", "--", "ΑΒΓ" * 20]


class Person:
    """A client of ours behind a proxy, and all that it was handed on."""

    def __init__(self, proxy: Proxy, **options: object) -> None:
        url = Url("127.0.0.1", proxy.port)
        self.client = Talker(url, Identity(name="alice"), reconnect=True, patience=AT_ONCE, **options)  # type: ignore[arg-type]
        self.transcript: list[Heard] = []
        self.notices: list[Notice] = []
        self.said: list[str] = []
        self.answers: list[asyncio.Future[Message]] = []
        self._grown = asyncio.Event()

    def say(self, text: str) -> None:
        self.said.append(text)
        self.answers += self.client.start_sending("#lobby", text)

    async def keep_saying(self, proxy: Proxy, random: Random) -> None:
        """Say one thing after the other; each passes the proxy or has the client connect, so that it always goes on."""
        for number in count():
            self.say(f"{number} {words(random)}"[:120])
            if len(self.client.unsent) < MOST:
                await proxy.moved()
            else:
                await self.client.answer(self.answers[-MOST])

    async def listen(self) -> None:
        async for heard in self.client:
            if not isinstance(heard, Message):
                self.notices.append(heard)
            elif (said := talk(heard)) is not None and said[0] == "#lobby":
                self.transcript += [(heard.source.partition("!")[0], line) for line in said[1].split("\n")]
            self._grown.set()

    async def until(self, heard: Callable[[], bool]) -> None:
        while not heard():
            self._grown.clear()
            await self._grown.wait()

    async def stored(self) -> list[str]:
        """The ids of what was said, once all of it is stored."""
        return [(await self.client.answer(each)).tags["msgid"] for each in self.answers]


async def listen(client: IrcClient | FrameClient) -> None:
    while True:
        await client.hear()


def words(random: Random) -> str:
    return " ".join(random.choices(WORDS, k=random.randint(1, 4)))


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def chatter(proxy: Proxy, random: Random, say: Callable[[str], Awaitable[None]]) -> None:
    """Say one thing after the other; meanwhile some things pass through the proxy."""
    for number in count():
        await say(f"{number} {words(random)}")
        for _ in range(random.randint(1, PACE)):
            await proxy.moved()


async def all_talk(proxy: Proxy, person: Person, port: int, walk_in: Walk, random: Random, *, cuts: int) -> None:
    """Five people talk, and a person behind the proxy does, until it was cut off so many times."""
    until = proxy.made + cuts
    tom, tim, ted, tod = [await walk_in(IrcClient, port, name) for name in ("tom", "tim", "ted", "tod")]
    fred = await walk_in(FrameClient, port, "fred")
    async with asyncio.TaskGroup() as group:
        talkers = [group.create_task(listen(each)) for each in (tom, tim, ted, tod, fred)]
        says: list[Callable[[str], Awaitable[None]]] = [each.say for each in (tom, tim, ted, tod)]
        # Olga, who knows no multiline, hears a message of several lines as several.
        says.append(lambda text: fred.say(text.replace(" ", "\n")))
        talkers += [group.create_task(chatter(proxy, random, say)) for say in says]
        talkers.append(group.create_task(person.keep_saying(proxy, random)))
        proxy.begin(cuts_at_random(random, cuts))
        while proxy.made < until:
            await proxy.moved()
        for each in talkers:
            each.cancel()


@on_both_loops
async def test_200_cuts_cost_no_line_and_double_none(walk_in: Walk) -> None:
    async with asynchat.Server(SETTINGS) as server, Proxy(server.port) as proxy:
        olga = await walk_in(IrcClient, server.port, "olga")  # who hears all of it in the server's order
        person = Person(proxy)
        async with person.client as alice, asyncio.TaskGroup() as group:
            await alice.join("#lobby")
            ears = [group.create_task(person.listen()), group.create_task(listen(olga))]
            await all_talk(proxy, person, server.port, walk_in, Random(200), cuts=200)
            stored = await person.stored()
            await stop(ears[1])
            await olga.say("the end")
            await olga.ping()
            await person.until(lambda: ("olga", "the end") in person.transcript)
            ears[0].cancel()
    assert person.transcript == [*olga.talk, ("olga", "the end")]
    assert olga.said_by("alice") == person.said
    assert stored == sorted(set(stored), key=int)
    assert len(stored) == len(person.said)
    assert proxy.in_character > 20
    assert proxy.in_batch > 20
    assert len(missed := [notice.missed for notice in person.notices if isinstance(notice, Back)]) > 20
    assert sum(number or 0 for number in missed) > 100


async def kept(store: Path) -> list[Heard]:
    """What the file keeps of the lobby, line by line. Not all of it was shown to somebody when the server stopped."""
    log = SqliteLog(store)
    await log.open()
    try:
        places = [event.places[0] async for page in log.replay(0) for event in page if isinstance(event, Joined)]
        said = await log.page(places[0], after="0", limit=1_000_000)
        return [(event.by.nick, line) for event in said if isinstance(event, Said) for line in event.text.split("\n")]
    finally:
        await log.close()


@on_both_loops
async def test_a_restart_of_the_server_between_the_cuts_changes_nothing(walk_in: Walk, tmp_path: Path) -> None:
    store, random = tmp_path / "chat.db", Random(7)
    async with Proxy(0) as proxy, asyncio.TaskGroup() as group:
        async with asynchat.Server(SETTINGS, store=store, durability="process") as server:
            proxy.upstream = server.port
            person = Person(proxy)
            await person.client.__aenter__()
            await person.client.join("#lobby")
            ear = group.create_task(person.listen())
            await all_talk(proxy, person, server.port, walk_in, random, cuts=30)
            proxy.cut_all()
            person.say("when it stops")
        person.say("while it is down")
        async with asynchat.Server(SETTINGS, store=store, durability="process") as server:
            olga = await walk_in(IrcClient, server.port, "olga")
            proxy.upstream = server.port
            await all_talk(proxy, person, server.port, walk_in, random, cuts=30)
            stored = await person.stored()
            await olga.say("the end")
            await person.until(lambda: ("olga", "the end") in person.transcript)
            await person.client.close()
            ear.cancel()
    assert person.transcript == await kept(store)
    assert [text for who, text in person.transcript if who == "alice"] == person.said
    assert stored == sorted(set(stored), key=int)
    assert len(stored) == len(person.said)
