"""Who runs the server: OPER KILL WALLOPS REHASH, and what users are. (Modern IRC, "Operator Messages", "User Modes")"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conversation import CLOSED, Town, words


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """root, who may be an operator; bob in #a with it, and eve in no room."""
    async with Town(operators={"root": "sesame", "ünal": "çay"}) as town:
        await town.irc("root", "#a")
        await town.irc("bob", "#a")
        await town.irc("eve")
        town.forget()
        yield town


async def is_operator(town: Town) -> None:
    await town.clients[0].says("OPER root sesame")
    town.forget()


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("OPER root sesame", ["MODE", "381"]),
        ("OPER ünal çay", ["MODE", "381"]),
        ("OPER root wrong", ["464"]),
        ("OPER root :", ["464"]),
        ("OPER root ünal", ["464"]),
        ("OPER ROOT sesame", ["491"]),
        ("OPER nobody :", ["491"]),
        ("OPER root", ["461"]),
        ("OPER", ["461"]),
    ],
)
async def test_the_password_makes_an_operator(town: Town, line: str, answers: list[str]) -> None:
    bob = town.clients[1]
    await bob.says(line)
    assert words(bob.hears()) == answers
    await bob.says("MODE bob")
    assert bob.hears() == [f":asynchat 221 bob +{'ow' if '381' in answers else ''}"]


async def test_without_operators_nobody_is_one() -> None:
    async with Town() as town:
        bob = await town.irc("bob")
        await bob.says("OPER :", "OPER a :", "OPER a b")
        assert words(bob.hears()) == ["461", "491", "491"]


@pytest.mark.parametrize("line", ["KILL bob :x", "KILL zed :x", "WALLOPS :x", "REHASH", "KILL eve"])
async def test_others_may_not(town: Town, line: str) -> None:
    eve = town.clients[2]
    await eve.says(line)
    assert words(eve.hears()) == ["481"]
    assert not any(client.closed for client in town.clients)


async def test_a_killed_user_is_told_why_and_so_are_the_others(town: Town) -> None:
    await is_operator(town)
    await town.plays("""
        root> KILL BOB :spam and more
        bob<  ERROR :…Killed (root (spam and more))…
        bob<  (closed)
        root< :bob!~bob@here QUIT :Killed (root (spam and more))
    """)
    assert "bob" not in town.hub.state.users


@pytest.mark.parametrize(
    ("line", "answers"),
    [("KILL zed :x", ["401"]), ("KILL", ["461"]), ("KILL :", ["401"]), ("KILL #a x", ["401"]), ("KILL a,b x", ["401"])],
)
async def test_nobody_else_is_killed(town: Town, line: str, answers: list[str]) -> None:
    await is_operator(town)
    root = town.clients[0]
    await root.says(line)
    assert words(root.hears()) == answers


async def test_one_may_kill_oneself_and_people_on_other_wires(town: Town) -> None:
    nat, fran = await town.person("nat"), await town.framed("fran")
    await is_operator(town)
    root = town.clients[0]
    await root.says("KILL nat :x", "KILL fran :x", "KILL root :enough", "PRIVMSG #a :not said")
    assert nat.closed
    assert fran.closed
    assert root.hears()[-1] == CLOSED
    assert words(town.clients[1].hears()) == ["QUIT"]


async def test_a_killed_user_says_nothing_more_even_if_it_was_on_its_way(town: Town) -> None:
    await is_operator(town)
    root, bob, _ = town.clients
    await town.at_once((root, b"KILL bob :x\r\n"), (bob, b"PING 1\r\nPRIVMSG #a :one\r\nPING 2\r\nPRIVMSG #a :two\r\n"))
    heard = words(root.hears())
    assert heard.count("QUIT") == 1
    assert heard[-1] == "QUIT"


async def test_a_long_reason_fits(town: Town) -> None:
    await is_operator(town)
    root, bob, _ = town.clients
    await root.says("KILL bob :" + "x" * 480)
    assert all(len(line) <= 510 for line in (*bob.hears(), *root.hears()))


async def test_wallops_are_for_who_wants_them(town: Town) -> None:
    await is_operator(town)
    await town.clients[2].says("MODE eve +w")
    town.forget()
    await town.plays("""
        root> WALLOPS :hello all
        root< :root!~root@here WALLOPS :hello all
        eve<  :root!~root@here WALLOPS :hello all
        eve>  MODE eve -w
        eve<  :eve MODE eve :-w
        root> WALLOPS :again
        root< :root!~root@here WALLOPS :again
        root> WALLOPS
        root< :asynchat 461 root WALLOPS :Not enough parameters
    """)


async def test_rehash_reads_the_configuration_again() -> None:
    read = []

    async def reload() -> None:
        read.append(1)

    async with Town(operators={"root": "sesame"}, reload=reload) as town:
        root = await town.irc("root")
        await root.says("REHASH")
        assert not read
        await root.says("OPER root sesame", "REHASH")
        assert words(root.hears()) == ["481", "MODE", "381", "382"]
        assert read == [1]


# What users are.


@pytest.mark.parametrize(
    ("asked", "answers", "then"),
    [
        ("+i", [":bob MODE bob :+i"], "+i"),
        ("i", [":bob MODE bob :+i"], "+i"),
        ("+iw", [":bob MODE bob :+iw"], "+iw"),
        ("+i-i", [], "+"),
        ("-i", [], "+"),
        ("+o", [], "+"),
        ("+Bi", [":bob MODE bob :+Bi"], "+Bi"),
        ("+x", [":asynchat 501 bob :Unknown MODE flag"], "+"),
        ("+xi", [":asynchat 501 bob :Unknown MODE flag", ":bob MODE bob :+i"], "+i"),
        ("+" + "x" * 300, [":asynchat 501 bob :Unknown MODE flag"], "+"),
        ("+i parameter", [":bob MODE bob :+i"], "+i"),
    ],
)
async def test_one_sets_what_one_is_but_no_operator(town: Town, asked: str, answers: list[str], then: str) -> None:
    bob = town.clients[1]
    await bob.says(f"MODE bob {asked}")
    assert sorted(bob.hears()) == sorted(answers)
    await bob.says("MODE BOB")
    assert bob.hears() == [f":asynchat 221 bob {then}"]


async def test_an_operator_can_stop_being_one(town: Town) -> None:
    await is_operator(town)
    root = town.clients[0]
    await root.says("MODE root -o", "KILL bob :x", "LUSERS")
    heard = root.hears()
    assert words(heard)[:2] == ["MODE", "481"]
    assert ":asynchat 252 root 0 :operator(s) online" in heard


async def test_the_counts_know_who_is_invisible_and_who_is_an_operator(town: Town) -> None:
    await is_operator(town)
    root, bob, eve = town.clients
    await bob.says("MODE bob +i")
    await eve.says("LUSERS")
    assert ":asynchat 251 eve :There are 2 users and 1 invisible on 1 servers" in eve.hears()
    await bob.vanishes()
    await root.vanishes()
    await eve.says("LUSERS")
    heard = eve.hears()
    assert ":asynchat 251 eve :There are 1 users and 0 invisible on 1 servers" in heard
    assert ":asynchat 252 eve 0 :operator(s) online" in heard


async def test_a_bot_is_shown_to_be_one(town: Town) -> None:
    """IRCv3 bot-mode."""
    root, bob, eve = town.clients
    await root.says("CAP REQ message-tags")
    await bob.says("MODE bob +B", "PRIVMSG #a :beep")
    assert "bot" in root.hears()[-1].partition(" ")[0].lstrip("@").split(";")
    await eve.says("WHOIS bob", "WHO bob")
    heard = eve.hears()
    assert ":asynchat 335 eve bob :is a bot" in heard
    assert " H" in heard[-2]
    assert heard[-2].split(" ")[8].endswith("B")
