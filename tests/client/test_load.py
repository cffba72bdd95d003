"""A load on servers that do well, on some that do not, and on some that do not want it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import asynchat
from asynchat.chat.errors import Refused
from asynchat.client import load as loads
from asynchat.client.errors import Unreachable
from asynchat.client.figures import Figures, Spread
from asynchat.client.histogram import Histogram
from asynchat.client.load import Load
from asynchat.client.url import Url
from tests.client.scripted import CUT, Scripted, welcome
from tests.client.twisted import Twist, Twisted
from tests.net.conftest import on_both_loops, settings

PLAIN = {
    "USER ": welcome()["CAP END"],
    "JOIN ": ":{nick}!u@h JOIN {first}\n:srv 366 {nick} {first} :End of names",
    "PING": ":srv PONG srv :{last}",
    "QUIT": CUT,
}
"""The answers of a server to a client without capabilities."""


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also who stops it waits for what is on its way, however slow the machine is."""
    monkeypatch.setattr(loads, "INTERRUPTED_S", loads.SETTLE_S)


def load_on(port: int, **options: Any) -> Load:
    given = {"clients": 2, "rooms": 1, "rate_per_s": 0, "text_bytes": 80, "seconds": 0.2} | options
    return Load(Url("127.0.0.1", port), **given)


def port_of(server: asynchat.Server) -> int:
    return int(server.url.rpartition(":")[2])


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.001)


@on_both_loops
async def test_every_line_comes_once_to_each_of_the_others() -> None:
    async with asynchat.Server(port=0) as server:
        load = load_on(port_of(server), clients=7, rooms=2, rate_per_s=50, seconds=0.3)
        figures = await load.run()
    assert figures.sound
    assert figures.sent + figures.unsent == 30
    rooms = [room for room in load._rooms if room.sent]
    assert figures.delivered == sum(room.sent * (len(room.members) - 1) for room in rooms)
    assert [len(room.members) for room in rooms] == [4, 3]
    assert figures.entered == 7
    assert figures.latency_us.max > 0 < figures.enter_us.max


@on_both_loops
async def test_at_rate_0_they_go_on_as_long_as_the_server_takes_it() -> None:
    async with asynchat.Server(port=0) as server, asyncio.TaskGroup() as group:
        load = load_on(port_of(server), clients=3, seconds=3600)
        running = group.create_task(load.run())
        await until(lambda: load.sent > 100)
        load.stop()
    figures = running.result()
    assert figures.sound
    assert figures.delivered == figures.sent * 2


async def test_nothing_is_called_lost_before_the_server_has_had_its_say(
    server: asynchat.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "QUIET_S", 0)
    async with Twisted(port_of(server), lambda _index, _number, line: [line], turns=50) as slow:
        figures = await load_on(slow.port).run()
    assert figures.sound
    assert figures.delivered == figures.sent


async def test_each_run_has_rooms_and_names_of_its_own_and_leaves_nobody_behind(server: asynchat.Server) -> None:
    both = [load_on(port_of(server), clients=4, rooms=2) for _ in range(2)]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(load.run()) for load in both]
    assert all(each.result().sound for each in running)
    assert len({room.name for load in both for room in load._rooms}) == 4
    assert not any(member.connected for load in both for member in load._members)


def drop(_: int, number: int, line: bytes) -> list[bytes]:
    return [] if number == 3 else [line]


def double(_: int, number: int, line: bytes) -> list[bytes]:
    return [line, line] if number == 3 else [line]


def change(_: int, number: int, line: bytes) -> list[bytes]:
    return [line.replace(b"....", b"...")] if number == 3 else [line]


def swap() -> Twist:
    held: dict[int, bytes] = {}

    def twist(index: int, number: int, line: bytes) -> list[bytes]:
        if number == 3:
            held[index] = line
            return []
        return [line, held[index]] if number == 4 else [line]

    return twist


@pytest.mark.parametrize(
    ("twist", "lost", "duplicated", "reordered"),
    [
        pytest.param(lambda _index, _number, line: [line], 0, 0, 0, id="nothing"),
        pytest.param(drop, 2, 0, 0, id="drops"),
        pytest.param(double, 0, 2, 0, id="doubles"),
        pytest.param(change, 2, 0, 0, id="changes"),
        pytest.param(swap(), 0, 0, 2, id="swaps"),
    ],
)
async def test_a_server_that_does_wrong_to_a_line_is_found_out(
    server: asynchat.Server, twist: Twist, lost: int, duplicated: int, reordered: int
) -> None:
    async with Twisted(port_of(server), twist) as twisted:
        figures = await load_on(twisted.port).run()
    assert (figures.lost, figures.duplicated, figures.reordered) == (lost, duplicated, reordered)
    assert figures.delivered + figures.lost == figures.sent
    assert figures.undelivered == 0
    assert figures.sound == (not lost + duplicated + reordered)


async def test_a_line_that_nothing_follows_is_missed_too(server: asynchat.Server) -> None:
    def deafen(index: int, _number: int, line: bytes) -> list[bytes]:
        return [] if index == 1 else [line]

    async with Twisted(port_of(server), deafen) as twisted:
        load = load_on(twisted.port)
        figures = await load.run()
    assert figures.lost == load._rooms[0].numbers[0] > 0
    assert figures.delivered == load._rooms[0].numbers[1]


async def test_who_is_put_out_is_counted_and_not_waited_for(server: asynchat.Server) -> None:
    def cut(index: int, number: int, line: bytes) -> list[bytes] | None:
        return None if (index, number) == (2, 5) else [line]

    async with Twisted(port_of(server), cut) as twisted:
        figures = await load_on(twisted.port, clients=4).run()
    assert figures.put_out == 1
    assert not figures.sound
    assert figures.undelivered == 0


@pytest.mark.parametrize("rate", [0, 1000])
async def test_a_server_that_closes_ends_it_and_has_the_last_word(rate: float) -> None:
    async with asynchat.Server(port=0) as server, asyncio.TaskGroup() as group:
        load = load_on(port_of(server), clients=4, seconds=3600, rate_per_s=rate)
        running = group.create_task(load.run())
        await until(lambda: load.tally.delivered)
        await server.close()
    figures = running.result()
    assert figures.put_out == 4
    assert not figures.interrupted
    assert [words for words in figures.server_said if words.startswith("ERROR ")]


@pytest.mark.parametrize(
    ("sections", "password", "words"),
    [
        ({"limits": {"max_clients": 3}}, None, "ERROR Server full, try again later (the server to client 4 of 6)"),
        ({"server": {"password": "sesame", "port": 0}}, None, "464 "),
        ({"server": {"password": "sesame", "port": 0}}, "simsim", "464 "),
        ({"accounts": {"mode": "required"}}, None, "ACCOUNT_REQUIRED You must log in"),
    ],
    ids=["full", "no password", "a wrong password", "accounts only"],
)
async def test_a_no_is_told_in_the_servers_words(sections: dict[str, Any], password: str | None, words: str) -> None:
    async with asynchat.Server(settings(**sections)) as server:
        with pytest.raises((Refused, ExceptionGroup)) as refused:
            await load_on(port_of(server), clients=6, password=password).run()
    error: BaseException = refused.value
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Refused)
    assert words in str(error)


async def test_the_right_password_lets_in() -> None:
    async with asynchat.Server(settings(server={"password": "sesame", "port": 0})) as server:
        assert (await load_on(port_of(server), password="sesame").run()).sound


async def test_a_room_that_cannot_be_entered_is_a_no() -> None:
    answers = PLAIN | {"JOIN ": ":srv 471 {nick} {first} :Cannot join (+l)"}
    async with Scripted(answers) as server:
        with pytest.raises(Refused, match=r"471 Cannot join \(\+l\)"):
            await load_on(server.port).run()


async def test_a_server_that_closes_without_a_word_is_not_there() -> None:
    async with Scripted({"NICK": CUT}) as server:
        with pytest.raises(Unreachable, match="client 1 of 2"):
            await load_on(server.port).run()


async def test_a_server_that_does_not_answer_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "ENTER_S", 0.05)
    async with Scripted({}) as server:
        with pytest.raises(Unreachable, match="does not let client 1 of 2 in"):
            await load_on(server.port).run()
        assert server.said("QUIT") == []  # it is not waited for


async def test_what_the_server_says_meanwhile_is_kept() -> None:
    answers = PLAIN | {"PRIVMSG": ":srv 404 {nick} {first} :Cannot send\nPING :there"}
    async with Scripted(answers) as server:
        figures = await load_on(server.port).run()
        assert server.said("PONG")
        assert (len(server.said("PART #bench-")), len(server.said("QUIT"))) == (2, 2)
    assert figures.server_said == {"404 Cannot send": figures.sent}
    assert figures.lost == figures.sent > 0


async def test_what_may_still_come_is_not_called_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "SETTLE_S", 0.05)
    answers = PLAIN | {"PING": ""}
    async with Scripted(answers) as server:
        figures = await load_on(server.port).run()
    assert (figures.lost, figures.undelivered) == (0, figures.sent)
    assert not figures.sound


@pytest.mark.parametrize("rate", [0, 1000])
async def test_who_stops_it_gets_what_was_measured(server: asynchat.Server, rate: float) -> None:
    load = load_on(port_of(server), rate_per_s=rate, seconds=3600)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(load.run())
        await until(lambda: load.tally.delivered)
        load.stop()
    figures = running.result()
    assert figures.interrupted
    assert figures.sound
    assert 0 < figures.delivered == figures.sent
    assert figures.unsent < 3600 * 1000


async def test_it_can_be_stopped_before_anybody_is_in() -> None:
    async with Scripted({}) as server, asyncio.TaskGroup() as group:
        load = load_on(server.port)
        running = group.create_task(load.run())
        await until(lambda: server.heard and server.heard[0])
        load.stop()
    figures = running.result()
    assert (figures.interrupted, figures.entered, figures.sent) == (True, 0, 0)


NOTHING = Figures(
    entered=2,
    enter_us=Spread.of(Histogram()),
    measured_s=1.0,
    sent=1000,
    sent_per_s=1000.0,
    unsent=0,
    delivered=1000,
    delivered_per_s=1000.0,
    received_bytes_per_s=0,
    latency_us=Spread.of(Histogram()),
    lost=0,
    duplicated=0,
    reordered=0,
    undelivered=0,
    put_out=0,
    late=0,
    cpu_share=0.1,
    interrupted=False,
    server_said={},
)


def test_it_is_sound_only_if_nothing_at_all_is_wrong() -> None:
    assert NOTHING.sound
    for name in ("lost", "duplicated", "reordered", "undelivered", "put_out"):
        assert not replace(NOTHING, **{name: 1}).sound


def test_it_tells_when_the_generator_was_the_limit() -> None:
    assert replace(NOTHING, cpu_share=0.9, late=10).limit is None
    assert replace(NOTHING, cpu_share=0.96).limit == "it used 96% of a processor"
    assert replace(NOTHING, late=25).limit == "2.5% of the lines went out more than 10 ms late"
