"""Coming in without a client: the name, the password, the greeting. (FEATURES.md, 2.4)"""

from __future__ import annotations

import pytest

from asynchat.chat.hub import Limits
from tests.conversation import CLOSED, Client, Town


async def meets(town: Town, *lines: str | bytes, wire: str = "line") -> list[str]:
    """What somebody new hears on saying these lines."""
    client = town.connect(wire)
    client.name = "new"
    await client.says(*lines)
    return client.hears()


async def test_the_first_line_is_the_name(town: Town) -> None:
    assert await meets(town, "alice") == ["*** hello alice, you are in #lobby. /help, /quit."]
    assert await meets(town, "nat") == ["*** hello nat, you are in #lobby with alice. /help, /quit."]
    assert await meets(town, b" carol \r\n") == ["*** hello carol, you are in #lobby with alice, nat. /help, /quit."]


async def test_of_more_than_ten_people_the_number_is_told(town: Town) -> None:
    for number in range(11):
        heard = await meets(town, f"guest{number}x")
    assert heard[0].count(",") == 11  # ten names, and the commands
    assert await meets(town, "late") == ["*** hello late, you are in #lobby with 11 others. /help, /quit."]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("alice", "!!! NAME_TAKEN alice is in use; try alice2"),
        ("ALICE", "!!! NAME_TAKEN ALICE is in use; try ALICE2"),
        ("", "*** type your name and press Enter"),
        ("   ", "*** type your name and press Enter"),
        ("9lives", "!!! BAD_NAME 9lives is no name"),
        ("two words", "!!! BAD_NAME two words is no name"),
        ("jürgen", "!!! BAD_NAME jürgen is no name"),
        ("server", "!!! NAME_RESERVED server is a name that only the server has"),
        ("#lobby", "!!! BAD_NAME #lobby is no name"),
        ("\x1b[31mred", "!!! BAD_NAME \ufffd[31mred is no name"),
        ("/who", "!!! BAD_NAME /who is no name"),
        ("x" * 33, f"!!! BAD_NAME {'x' * 32} is no name"),
    ],
)
async def test_a_name_that_cannot_be_is_refused_and_another_may_be_tried(town: Town, name: str, answer: str) -> None:
    await town.person("alice")
    heard = await meets(town, name, "bob")
    assert heard[0].startswith(answer)
    assert heard[1] == "*** hello bob, you are in #lobby with alice. /help, /quit."


async def test_a_suggested_name_is_free_and_fits() -> None:
    async with Town(limits=Limits(name=6)) as town:
        for name in ("alicia", "alici2"):
            await town.person(name)
        assert (await meets(town, "alicia"))[0] == "!!! NAME_TAKEN alicia is in use; try alici3"


async def test_of_two_who_want_a_name_at_once_one_gets_it(town: Town) -> None:
    one, two = town.connect(), town.connect()
    await town.at_once((one, b"sam\n"), (two, b"Sam\n"))
    assert one.hears()[0].startswith("*** hello sam")
    assert two.hears() == ["!!! NAME_TAKEN Sam is in use; try Sam2"]


async def test_a_first_line_with_a_name_and_a_text_names_and_speaks(town: Town) -> None:
    nat = await town.person("nat")
    client = town.connect()
    await client.says(b"tim: hello: you")
    await town.passes(0.2)
    await client.says(b"tim: again")
    await town.passes(0.2)
    assert nat.hears() == ["*** tim joined", "<tim> hello: you", "<tim> again"]


async def test_a_name_put_before_each_line_is_taken_off_once(town: Town) -> None:
    await town.person("nat")
    await town.person("tim")
    await town.plays("""
        tim> tim: hi
        nat< <tim> hi
        tim> TIM: tim: hi
        nat< <tim> tim: hi
        tim> nat: hi
        nat< <tim> nat: hi
        tim> tim:hi
        nat< <tim> tim:hi
    """)
    await town.clients[1].says("tim: ", "tim: \t")
    assert town.clients[0].hears() == []


async def test_the_gate_asks_for_the_password() -> None:
    async with Town(password="open sesame") as town:
        heard = await meets(town, "alice", "wrong", "open sesame", "hi")
        assert [line.split(" is ")[0] for line in heard] == [
            "*** password:",
            "!!! BAD_PASSWORD that",
            "*** hello alice, you are in #lobby. /help, /quit.",
        ]


@pytest.mark.parametrize("wire", ["line", "frame"])
async def test_three_wrong_passwords_close_the_connection(wire: str) -> None:
    async with Town(password="x") as town:
        heard = await meets(town, "alice", "a", "", "c", "x", wire=wire)
        assert [line.removeprefix("!!! | ").removeprefix("!!! ").split()[0] for line in heard[1:-1]] == [
            "BAD_PASSWORD"
        ] * 3
        assert heard[-1] == CLOSED
        assert not town.hub.state.users


async def test_a_password_may_have_any_character() -> None:
    async with Town(password="pässwörd 漢") as town:
        assert "hello" in (await meets(town, "alice", "pässwörd 漢"))[1]


async def test_a_name_taken_while_the_password_is_asked_for_is_asked_for_again() -> None:
    async with Town(password="x") as town:
        slow, quick = town.connect(), town.connect()
        await slow.says("sam")
        await quick.says("sam", "x")
        await slow.says("x", "tom", "x")
        assert [line[:20] for line in slow.hears()] == [
            "*** password:",
            "!!! NAME_TAKEN sam i",
            "*** password:",
            "*** hello tom, you a",
        ]


async def test_who_gives_no_name_is_let_go(town: Town) -> None:
    client = town.connect()
    await client.says("")
    await town.passes(59)
    assert not client.closed
    await town.passes(2)
    assert client.hears()[1:] == ["!!! TIMEOUT no name was given", CLOSED]


async def test_what_was_said_last_is_shown_on_coming_in() -> None:
    async with Town(replay=2) as town:
        nat = await town.person("nat")
        await nat.says("one", "two", "/me waves")
        assert (await meets(town, "ann"))[1:] == ["[03:04] <nat> two", "[03:04] * nat waves"]


async def test_a_house_may_show_nothing_of_the_past() -> None:
    async with Town(replay=0) as town:
        nat = await town.person("nat")
        await nat.says("one")
        assert len(await meets(town, "ann")) == 1


async def test_nothing_is_heard_before_the_greeting_and_no_line_is_lost(town: Town) -> None:
    nat, ann = await town.person("nat"), town.connect()
    await town.at_once((ann, b"ann\n"), (nat, b"hi\nho\n"))
    heard = ann.hears()
    assert heard[0].startswith("*** hello ann")
    assert sorted(line.rpartition(" ")[2] for line in heard[1:]) == ["hi", "ho"]


async def test_who_may_not_enter_the_lobby_is_here_all_the_same(town: Town) -> None:
    alice = await town.irc("alice", "#lobby")
    await alice.says("MODE #lobby +k secret")
    heard = await meets(town, "bob", "hello", "/join #lobby secret")
    assert [line[:22] for line in heard] == [
        "*** hello bob. /help, ",
        "!!! BAD_KEY #lobby nee",
        "!!! NOT_IN_ROOM you ar",
        "*** joined #lobby (2):",
    ]


async def test_who_ends_is_seen_to_leave(town: Town) -> None:
    def gone(client: Client) -> Client:
        client.hears()
        return client

    nat, ann, bob = await town.person("nat"), await town.person("ann"), await town.person("bob")
    await gone(ann).vanishes()
    await bob.ends()
    assert nat.hears() == ["*** ann left (connection lost)", "*** bob left (connection closed)"]
