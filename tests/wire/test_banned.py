"""Who is banned from the server hears so on every wire, and gets no further."""

from __future__ import annotations

from base64 import b64encode

import pytest

from asynchat.chat.errors import BadDuration
from asynchat.chat.events import Setting
from asynchat.wire.banishing import banish as keep_off
from tests.conversation import CLOSED, Town, words

NO = "you are banned from this server (spam)"


async def banish(town: Town, *masks: str) -> None:
    for mask in masks:
        town.hub.banish(town.hub.server, mask, "spam")
    await town.settles()


@pytest.mark.parametrize("mask", ["192.0.2.0/24", "nat", "*!~line@*"])
async def test_on_the_line_wire(town: Town, mask: str) -> None:
    await banish(town, mask)
    nat = town.connect("line")
    await nat.says("nat")
    assert nat.hears() == [f"!!! BANNED {NO}", CLOSED]
    assert not town.hub.state.people


@pytest.mark.parametrize("mask", ["192.0.2.0/24", "fred"])
async def test_on_the_frame_wire(town: Town, mask: str) -> None:
    await banish(town, mask)
    fred = town.connect("frame")
    await fred.says("fred")
    assert fred.hears() == [f"!!! | BANNED {NO}", CLOSED]


@pytest.mark.parametrize("mask", ["192.0.2.7", "irene!*@here"])
async def test_on_irc(town: Town, mask: str) -> None:
    await banish(town, mask)
    irene = town.connect("irc")
    await irene.says("NICK irene", "USER irene 0 * :Irene")
    *_, refusal, error, closed = irene.hears()
    assert refusal.startswith(":asynchat 465 ")
    assert refusal.endswith(f" :{NO}")
    assert (error, closed) == (f"ERROR :{NO}", CLOSED)


async def test_on_the_web(town: Town) -> None:
    await banish(town, "192.0.2.7")
    browser = town.connect("line")
    await browser.sends(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = browser.hears_bytes()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.endswith(f"{NO}\n".encode())


async def test_a_password_of_a_banned_account_does_not_help() -> None:
    async with Town(accounts={"Alice": "sesame"}, always_on=True) as town:
        alice = await town.irc("alice", "#lobby", account="Alice")
        await banish(town, "a:alice")
        await alice.vanishes()
        nat = town.connect("line")
        await nat.says("alice", "sesame")
        assert nat.hears()[-2:] == [f"!!! BANNED {NO}", CLOSED]
        irene = town.connect("irc")
        await irene.says("CAP REQ sasl", "NICK alice", "USER a 0 * :A", *town.login("Alice"), "CAP END")
        assert words(irene.hears())[-3:] == ["465", "ERROR", CLOSED]


async def test_who_logs_in_later_or_takes_a_banned_name_stays_who_they_were() -> None:
    async with Town(accounts={"Alice": "sesame"}) as town:
        await banish(town, "a:alice", "mallory")
        irene = await town.irc("irene")
        await irene.says("NICK mallory")
        assert irene.hears() == [f":asynchat 465 irene :{NO}"]
        fields = b64encode(b"\0Alice\0sesame").decode()
        await irene.says("AUTHENTICATE PLAIN", f"AUTHENTICATE {fields}")
        assert irene.hears()[-1] == f":asynchat 465 irene :{NO}"
        nat = await town.person("nat")
        await nat.says("/name mallory")
        assert nat.hears() == [f"!!! BANNED {NO}"]
        assert {user.nick for user in town.hub.state.people.values()} == {"irene", "nat"}


async def test_who_is_here_is_put_out_and_the_console_is_not(town: Town) -> None:
    await town.console()
    await town.person("nat")
    await town.irc("irene", "#lobby")
    await town.plays("""
        op>     /ban 192.0.2.0/24 1h spam
        op<     …:…:… *** 192.0.2.0/24 is banned from the server for 1h (spam)
        op<     …:…:… - nat (banned)
        op<     …:…:… - irene (banned)
        nat<    !!! BANNED you are banned from this server (spam)
        nat<    (closed)
        irene<  :asynchat 465 irene :you are banned from this server (spam)
        irene<  ERROR :you are banned from this server (spam)
        irene<  :nat!~line@here QUIT :banned
        irene<  (closed)
        op>     /bans
        op<     *** server banned: 192.0.2.0/24 for 60m (spam)
        op<     *** end
        op>     /unban 192.0.2.0/24
        op<     …:…:… *** 192.0.2.0/24 is not banned from the server any more
        op>     /unban 192.0.2.0/24
        op<     !!! NO_SUCH_BAN 192.0.2.0/24 is not banned from the server
        op>     /banish bob*
        op<     …:…:… *** bob*!*@* is banned from the server
        op>     /pardon bob*
        op<     …:…:… *** bob*!*@* is not banned from the server any more
    """)


async def test_a_ban_of_a_name_is_one_from_the_room_and_puts_it_out_of_that(town: Town) -> None:
    await town.console()
    await town.person("nat")
    await town.plays("""
        op>     /ban nat 1h spam and more
        op<     *** nat banned from #lobby for 1h
        op<     …:…:… - nat (kicked: spam and more)
        nat<    *** server added ban nat!*@* for 1h
        nat<    *** nat was kicked by server (spam and more)
        nat>    /join #lobby
        nat<    !!! BANNED you are banned from #lobby
        op>     /bans
        op<     *** #lobby banned: nat!*@* for 60m, by server!server@localhost
        op<     *** end
        op>     /unban nat
        op<     *** nat is not banned any more
        op>     /ban zed
        op<     *** zed banned from #lobby
    """)


NO_DURATION = "is no duration: 90s, 10m, 1h30m, 7d, 2w, up to 100 years"
NO_ADDRESS = "is an address: only the server's operator keeps those off, with /ban"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("/ban nat 10min", f"BAD_DURATION 10min {NO_DURATION}"),
        ("/ban nat 10 m", f"BAD_DURATION 10 {NO_DURATION}"),
        ("/ban nat 0s", f"BAD_DURATION 0s {NO_DURATION}"),
        ("/ban nat 99999999999999d", f"BAD_DURATION 99999999999999d {NO_DURATION}"),
        ("/mute nat -1h", f"BAD_DURATION -1h {NO_DURATION}"),
        ("/mute nat 10min", f"BAD_DURATION 10min {NO_DURATION}"),
        ("/ban 300.0.0.0/8 5m", "BAD_MASK '300.0.0.0/8' is no name, address or network"),
        ("/ban 10.0.0.0/33", "BAD_MASK '10.0.0.0/33' is no name, address or network"),
        ("/ban !", "BAD_MASK '!' is no name, address or network"),
        ("/mute 999.1.1.1", "BAD_MASK '999.1.1.1' is no name, address or network"),
        ("/mute 192.0.2.7", f"BAD_MASK 192.0.2.7 {NO_ADDRESS}"),
        ("/mute m:", "BAD_MASK '' is no name, address or network"),
        ("/ban server", "NOT_ALLOWED nobody bans the server"),
        ("/mute Server 1h", "NOT_ALLOWED nobody bans the server"),
        ("/unban zed", "NO_SUCH_BAN zed is not banned from #lobby"),
        ("/unban 999.1.1.1", "NO_SUCH_BAN 999.1.1.1 is not banned from #lobby"),
        ("/unmute zed", "NO_SUCH_BAN zed is not muted in #lobby"),
    ],
)
@pytest.mark.parametrize("who", ["console", "person"])
async def test_a_slip_of_who_runs_a_room_is_no_ban(town: Town, who: str, said: str, answer: str) -> None:
    await town.person("nat")
    op = await (town.console() if who == "console" else town.person("op"))
    await town.clients[0].says("/op op")
    town.forget()
    await op.says(said)
    assert op.hears() == [f"!!! {answer}"]
    assert not list(town.hub.room("#lobby").entries(Setting.BAN))
    assert not town.hub.state.bans


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("/banish nat 10min", f"BAD_DURATION 10min {NO_DURATION}"),
        ("/banish 192.0.2.0/24 0s", f"BAD_DURATION 0s {NO_DURATION}"),
        ("/ban 192.0.2.0/24 10min", f"BAD_DURATION 10min {NO_DURATION}"),
        ("/banish 10.0.0.0/33", "BAD_MASK '10.0.0.0/33' is no name, address or network"),
        ("/banish server", "NOT_ALLOWED nobody bans the server"),
        ("/pardon 999.1.1.1", "NO_SUCH_BAN 999.1.1.1 is not banned from the server"),
    ],
)
async def test_a_slip_of_the_operator_is_no_ban(town: Town, said: str, answer: str) -> None:
    op = await town.console()
    await town.person("nat")
    town.forget()
    await op.says(said)
    assert op.hears() == [f"!!! {answer}"]
    assert not town.hub.state.bans


@pytest.mark.parametrize("how_long_ms", [0, -1, 10**18])
async def test_a_ban_holds_for_some_time_at_least_and_a_hundred_years_at_most(town: Town, how_long_ms: int) -> None:
    with pytest.raises(BadDuration):
        await keep_off(town.hub, "bob", how_long_ms=how_long_ms)


async def test_hours_and_minutes_are_understood(town: Town) -> None:
    await town.console()
    await town.person("nat")
    await town.plays("""
        op>     /mute nat 1h30m
        op<     *** nat muted for 90m
        nat<    *** server added ban m:nat!*@* for 90m
        op>     /unmute nat
        op<     *** nat is not muted any more
        nat<    *** server removed ban m:nat!*@*
    """)


async def test_other_consoles_are_told_also_when_it_ends_by_itself(town: Town) -> None:
    first, second = await town.console("first"), await town.console("second")
    await first.says("/banish bob 10m")
    town.hub.pardon_all(town.hub.clock_ms() + 600_000)
    await town.settles()
    assert [line.partition(" ")[2] for line in second.hears()] == [
        "*** bob!*@* is banned from the server for 10m",
        "*** bob!*@* is not banned from the server any more",
    ]
