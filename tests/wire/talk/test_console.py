"""The console: the operator of a server is the user `server`, on every wire."""

from __future__ import annotations

import asyncio

import pytest

from asynchat.wire.talk.console import ConsoleSession
from asynchat.wire.talk.operating import OPERATING
from tests.conversation import CLOSED, Town, words


async def test_the_operator_speaks_first_and_everybody_hears_it(town: Town) -> None:
    await town.console()
    await town.person("nat")
    await town.framed("fred")
    await town.irc("irene", "#lobby")
    await town.plays("""
        op>     welcome everybody
        op<     …:…:… <@server> welcome everybody
        nat<    <server> welcome everybody
        fred<   server | welcome everybody
        irene<  :server!server@localhost PRIVMSG #lobby :welcome everybody
    """)


async def test_what_people_say_and_who_comes_and_goes_is_shown_with_the_time(town: Town) -> None:
    await town.console()
    nat = town.connect("line")
    nat.name = "nat"
    await town.plays("""
        nat>    nat
        nat<    *** hello nat, you are in #lobby with server. /help, /quit.
        op<     …:…:… + nat  192.0.2.7  line
        nat>    hello
        op<     …:…:… <nat> hello
        nat>    /msg server psst
        nat<    *** to server: delivered
        op<     …:…:… [dm nat] psst
        op>     /reply yes?
        op<     …:…:… [dm server] yes?
        op<     *** to nat: delivered
        nat<    [dm server] yes?
        nat>    /quit so long
        nat<    *** bye
        nat<    (closed)
        op<     …:…:… - nat (so long)
    """)


async def test_it_is_an_operator_of_every_room_and_is_shown_as_one(town: Town) -> None:
    await town.irc("irene", "#dev")
    await town.console()
    nat = await town.person("nat")
    irene = town.clients[0]
    await irene.says("JOIN #lobby", "NAMES #lobby")
    assert [line for line in irene.hears() if " 353 " in line][-1].endswith(":@server @nat irene")
    await nat.says("/who")
    assert nat.hears()[-1] == "*** #lobby (3): @server, @nat, irene"
    town.forget()
    await town.plays("""
        op>     /join #dev
        op<     *** joined #dev (2): irene
        irene<  :server!server@localhost JOIN #dev
        irene<  :server!server@localhost MODE #dev +o server
        op>     /topic Tea
        op<     *** topic of #dev: "Tea"
        irene<  :server!server@localhost TOPIC #dev :Tea
    """)


async def test_the_first_person_in_a_room_runs_it_though_the_server_was_there_before(town: Town) -> None:
    await town.console()
    await town.person("nat")
    await town.person("bob")
    roles = {user.nick: bool(member.roles) for user, member in town.hub.room("#lobby").members.items()}
    assert roles == {"server": True, "nat": True, "bob": False}


async def test_no_door_is_closed_to_it(town: Town) -> None:
    irene = await town.irc("irene", "#dev")
    op = await town.console()
    await irene.says("MODE #dev +ikls secret 1", "MODE #dev +b s*!*@*")
    await op.says("/rooms", "/join #dev")
    assert op.hears() == ["*** #dev 1 person", "*** #lobby 1 person", "*** end", "*** joined #dev (2): irene"]


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("KICK #lobby server :x", ["482"]),
        ("MODE #lobby -o server", ["482"]),
        ("NICK server", ["432"]),
        ("NICK Server", ["432"]),
        ("KILL server :x", ["483"]),
    ],
)
async def test_nobody_puts_it_out_or_takes_its_place(line: str, answers: list[str]) -> None:
    async with Town(operators={"root": "sesame"}) as town:
        root = await town.irc("root", "#lobby")
        op = await town.console()
        await root.says("OPER root sesame")
        town.forget()
        await root.says(line)
        assert words(root.hears()) == answers
        assert not op.closed
        assert town.hub.room("#lobby").members[town.hub.server].roles


async def test_its_name_is_reserved_on_every_wire_also_while_it_is_away(town: Town) -> None:
    nat, fred, irene = town.connect("line"), town.connect("frame"), town.connect("irc")
    await nat.says("server")
    await fred.says("SERVER")
    await irene.says("NICK server", "USER x 0 * :x")
    assert nat.hears() == ["!!! NAME_RESERVED server is a name that only the server has"]
    assert fred.hears() == ["!!! | NAME_RESERVED SERVER is a name that only the server has"]
    assert words(irene.hears()) == ["432"]
    await nat.says("nat", "/name server")
    assert nat.hears()[-1].startswith("!!! NAME_RESERVED ")


async def test_two_consoles_are_one_user_which_goes_with_the_last(town: Town) -> None:
    nat = await town.person("nat")
    first, second = await town.console("first"), await town.console("second")
    assert len(town.hub.server.sessions) == 2
    await first.says("hello")
    assert [line.partition(" ")[2] for line in second.hears()] == ["<@server> hello"]
    await first.says("/quit")
    assert nat.hears()[-1] == "<server> hello"
    await second.says("/quit")
    assert nat.hears() == ["*** server left (quit)"]
    assert "server" not in town.hub.state.users
    assert not town.house.consoles
    await town.console("third")
    assert nat.hears() == []  # forgotten
    assert len(town.hub.server.sessions) == 1


async def test_a_console_that_comes_while_the_last_one_goes_is_the_server_again(town: Town) -> None:
    first = await town.console("first")
    second = town.connect("line")
    second.session = ConsoleSession(town.house, second, town.now)
    first.session.closing = True
    await asyncio.gather(first.end_if_closing(), second.session.wake(town.now))
    await town.settles()
    assert town.hub.server.sessions == (second.session,)
    await second.says("here")
    assert second.hears()[-1].endswith("<@server> here")


async def test_a_kick_is_an_event_that_every_wire_shows(town: Town) -> None:
    await town.console()
    await town.person("fred")
    await town.irc("irene", "#lobby")
    await town.plays("""
        op>     /kick fred spam  and more
        op<     …:…:… - fred (kicked: spam  and more)
        fred<   *** fred was kicked by server (spam  and more)
        irene<  :server!server@localhost KICK #lobby fred :spam  and more
        op>     /kick server
        op<     !!! NOT_ALLOWED nobody puts the server out
        op>     /kick zed
        op<     !!! NO_SUCH_NAME nobody here is called zed
    """)


async def test_who_tells_name_wire_address_silence_what_is_unsent_and_rooms(town: Town) -> None:
    op = await town.console()
    nat = await town.person("nat", "/join #dev")
    await town.irc("irene")
    nat.stalls(4711)
    town.forget()
    town.now += 90
    await op.says("/who", "/who #dev")
    assert [" ".join(line.split()) for line in op.hears()] == [
        "*** @server console console 0 s 0 B #lobby",
        "*** nat line 192.0.2.7 90 s 4711 B #lobby #dev",
        "*** irene irc 192.0.2.7 90 s 0 B",
        "*** end",
        "*** #dev (1): @nat",
    ]


async def test_who_is_dropped_is_told_why_and_so_are_the_others(town: Town) -> None:
    await town.console()
    await town.person("fred")
    await town.plays("""
        op>     /drop fred flooding
        op<     *** fred dropped
        op<     …:…:… - fred (dropped: flooding)
        fred<   *** dropped: flooding
        fred<   (closed)
        op>     /drop zed
        op<     !!! NO_SUCH_NAME nobody here is called zed
        op>     /drop server
        op<     !!! NOT_ALLOWED /stop ends the server, /quit leaves its console
    """)


async def test_stop_and_stats_ask_the_house(town: Town) -> None:
    reasons: list[str] = []
    town.house.stop = reasons.append
    town.house.stats = lambda: {"people": 1, "wires": {"irc": 2, "line": 1}, "last_id": 7}
    op = await town.console()
    await op.says("/stats", "/stop for a new disk")
    figures = ["*** people: 1", "*** wires: irc 2, line 1", "*** last id: 7", "*** end"]
    assert op.hears() == [*figures, "*** the server is stopping"]
    assert reasons == ["for a new disk"]


@pytest.mark.parametrize("argument", ["", " x", " alice", " #lobby", " on", " alice hi"])
@pytest.mark.parametrize("name", sorted(OPERATING))
async def test_every_command_answers_at_least_one_line(town: Town, name: str, argument: str) -> None:
    await town.person("alice")
    op = await town.console()
    await op.says(f"/{name}{argument}")
    assert op.hears()


@pytest.mark.parametrize("name", ["name", "login", "register", "logout", "resume", "nick"])
async def test_it_has_no_command_for_being_somebody_else(town: Town, name: str) -> None:
    op = await town.console()
    await op.says(f"/{name} x")
    assert op.hears() == [f"!!! UNKNOWN /{name}; /help"]


HOSTILE = "a\x1b[2J\x07\u202e\x85\u2028\x9b31mb"


async def test_nothing_that_people_write_moves_its_cursor(town: Town) -> None:
    op = await town.console()
    irene = await town.irc("irene", "#lobby")
    other = await town.irc("other", "#lobby")
    fred = await town.framed("fred")
    await fred.says(HOSTILE, f"/me {HOSTILE}", f"/msg server {HOSTILE}", f"/part {HOSTILE}", f"/quit {HOSTILE}")
    await other.says(f"JOIN #\x1b[2J{'x'}", f"TOPIC #lobby :{HOSTILE}", f"PRIVMSG #lobby :{HOSTILE}")
    await irene.says(f"TOPIC #lobby :{HOSTILE}", f"KICK #lobby other :{HOSTILE}", f"QUIT :{HOSTILE}")
    await op.says(f"/topic {HOSTILE}", "/topic", "/rooms", "/who", "/history", f"/drop {HOSTILE}", f"/kick {HOSTILE}")
    heard = op.hears()
    assert len(heard) > 12
    for line in heard:
        assert line.replace("\ufffd", "").isprintable(), line


async def test_a_console_without_a_log_to_write_to_is_told_so_and_ends(town: Town) -> None:
    from asynchat.chat.errors import StoreError

    town.log.broken = StoreError("disk on fire")
    op = town.connect("line")
    op.session = ConsoleSession(town.house, op, town.now)
    await op.session.wake(town.now)
    await town.settles()
    heard = op.hears()
    assert heard[0].startswith("!!! STORAGE_ERROR")
    assert heard[-1] == CLOSED
