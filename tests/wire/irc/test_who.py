"""WHO: masks, flags, the fields of one's choice, and who is not shown. (Modern IRC, "WHO"; IRCv3 whox)"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conversation import Client, Town, words


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """alice, logged in, the operator of #a, and bob in it with voice; eve in no room; hid, invisible, in #a and #b."""
    async with Town(accounts={"Alice": "pw"}, operators={"root": "pw"}) as town:
        await town.irc("alice", "#a", account="Alice")
        await town.irc("bob", "#a")
        await town.irc("eve")
        await town.irc("hid", "#a", "#b")
        await town.clients[0].says("MODE #a +v bob")
        await town.clients[3].says("MODE hid +i")
        town.forget()
        yield town


async def asks(client: Client, line: str) -> list[str]:
    """The rows, without the numeric and the nick."""
    await client.says(f"WHO {line}")
    *rows, end = client.hears()
    assert words([end]) == ["315"]
    return [row.split(" ", 3)[3] for row in rows]


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        ("#a", "alice bob"),
        ("#A", "alice bob"),
        ("#b", ""),
        ("#z", ""),
        ("*", "alice bob eve"),
        ("b*", "bob"),
        ("B?B", "bob"),
        ("*!~eve@*", "eve"),
        ("here", "alice bob eve"),
        ("~bob", "bob"),
        ("Alice", "alice"),
        ("hid", "hid"),
        ("hi?", ""),
        ("zed", ""),
        ("", "alice bob eve"),
        ("0", ""),
    ],
)
async def test_a_mask_finds_those_whom_one_may_see(town: Town, mask: str, found: str) -> None:
    rows = await asks(town.clients[2], mask or ":")
    assert [row.split(" ")[4] for row in rows] == found.split()


async def test_the_invisible_are_seen_by_those_who_share_a_room(town: Town) -> None:
    rows = await asks(town.clients[1], "#a")
    assert [row.split(" ")[4] for row in rows] == ["alice", "bob", "hid"]
    rows = await asks(town.clients[1], "hi*")
    assert [(row.split(" ")[0], row.split(" ")[4]) for row in rows] == [("#a", "hid")]


async def test_an_invisible_person_is_not_betrayed_by_the_room_of_the_answer(town: Town) -> None:
    """Who knows the nick may know of the person, not of where it is: WHOIS keeps that too."""
    (row,) = await asks(town.clients[2], "hid")
    assert row.startswith("* ")
    await town.clients[2].says("WHOIS hid")
    assert not any("#" in line for line in town.clients[2].hears())


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ("n", "alice"),
        ("nuhsr", "~alice here asynchat alice :Alice"),
        ("na", "alice Alice"),
        ("an", "alice Alice"),
        ("tcuihsnfdlaor,42", "42 #a ~alice 255.255.255.255 here asynchat alice H@ 0 0 Alice n/a :Alice"),
        ("t,7", "7"),
        ("t", "0"),
        ("nn", "alice"),
        ("nX", "alice"),
        ("f", "H@"),
    ],
)
async def test_the_fields_are_those_asked_for_in_the_order_there_is(town: Town, fields: str, row: str) -> None:
    bob = town.clients[1]
    await bob.says(f"WHO alice %{fields}")
    line = bob.hears()[0]
    assert line == f":asynchat 354 bob {row}"


async def test_who_has_no_account_has_account_0_and_ones_own_address_is_shown(town: Town) -> None:
    bob = town.clients[1]
    assert await asks(bob, "bob %ai") == ["192.0.2.7 0"]


@pytest.mark.parametrize(
    ("does", "flags"),
    [
        ("AWAY :tea", "G+"),
        ("MODE bob +B", "H+B"),
        ("OPER root pw", "H*+"),
    ],
)
async def test_flags_tell_what_somebody_is(town: Town, does: str, flags: str) -> None:
    alice, bob, *_ = town.clients
    await bob.says(does)
    alice.hears()
    assert await asks(alice, "bob %f") == [flags]


async def test_operators_alone_are_found_if_that_is_asked(town: Town) -> None:
    alice, bob, eve, _ = town.clients
    await bob.says("OPER root pw")
    town.forget()
    assert [row.split(" ")[4] for row in await asks(alice, "* o")] == ["bob"]
    assert await asks(eve, "* o%n") == ["bob"]
    assert await asks(bob, "alice %i") == ["192.0.2.7"]


@pytest.mark.parametrize("option", ["%", "%,", "%,token", "%X", "o", "%n,a:b", "%" + "n" * 400, "%t," + "9" * 400])
async def test_odd_options_are_answered_on_lines_that_fit(town: Town, option: str) -> None:
    alice = town.clients[0]
    await alice.says(f"WHO alice {option}")
    heard = alice.hears()
    assert words(heard)[-1] == "315"
    assert all(len(line.encode()) <= 510 and "  " not in line.partition(" :")[0] for line in heard)


@pytest.mark.parametrize("mask", ["*" * 400, "*a" * 200, "?" * 400, "[", "\\", "(?:", "a" * 400])
async def test_a_hostile_mask_costs_nothing(town: Town, mask: str) -> None:
    alice = town.clients[0]
    await alice.says(f"WHO {mask}")
    assert words(alice.hears())[-1] == "315"


async def test_a_secret_room_is_in_no_answer(town: Town) -> None:
    alice, _, eve, _ = town.clients
    await alice.says("MODE #a +s")
    alice.hears()
    for line in ("#a", "alice", "*", "#a %cn", "* %c"):
        assert not any("#a" in row for row in await asks(eve, line))


async def test_long_real_names_fit_on_every_line(town: Town) -> None:
    client = town.connect("irc")
    nick, room = "n" * 32, "#" + "r" * 63
    await client.says(
        f"NICK {nick}", f"USER {'u' * 18} 0 * :{'x' * 390}", f"JOIN {room}", f"WHO {room}", f"WHOIS {nick}"
    )
    await client.says(f"WHO {nick} %tcuihsnfdlaor,{'9' * 3}", f"USERHOST {' '.join([nick] * 5)}", "QUIT")
    for line in client.hears():
        assert len(line.encode()) <= 510
    late = await town.irc("m" * 32)
    await late.says(f"WHOWAS {nick}")
    assert all(len(line.encode()) <= 510 for line in late.hears())


async def test_who_is_in_many_rooms_has_them_on_several_lines(town: Town) -> None:
    client = await town.irc("many")
    names = [f"#{number:02}{'r' * 50}" for number in range(30)]
    for name in names:
        await client.says(f"JOIN {name}")
    town.forget()
    await town.clients[2].says("WHOIS many")
    lines = [line for line in town.clients[2].hears() if words([line]) == ["319"]]
    assert all(len(line) <= 510 for line in lines)
    assert [name.lstrip("@") for line in lines for name in line.partition(" :")[2].split()] == names


async def test_the_names_of_a_room_with_the_longest_names_fit(town: Town) -> None:
    room, nick = "#" + "r" * 63, "n" * 32
    client = await town.irc(nick, room, caps="userhost-in-names multi-prefix")
    for number in range(15):
        await town.irc(f"m{number:02}" + "m" * (29 - number % 7), room)
    town.forget()
    await client.says(f"NAMES {room}", "CAP REQ :-userhost-in-names", f"NAMES {room}")
    assert all(len(line) <= 510 for line in client.hears())
