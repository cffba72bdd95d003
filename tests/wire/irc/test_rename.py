"""RENAME: a room gets another name and stays what it is. (IRCv3 channel-rename)"""

from __future__ import annotations

import pytest

from tests.conversation import Town, matches, words

CAPS = "draft/channel-rename"


async def three(town: Town) -> None:
    """alice, the operator of #a, and bob in it, who know renaming; plain in it, who does not; eve outside."""
    await town.irc("alice", "#a", caps=CAPS)
    await town.irc("bob", "#a", caps=CAPS)
    await town.irc("plain", "#a")
    await town.irc("eve")
    await town.clients[0].says("TOPIC #a :Tea", "MODE #a +mv bob")
    town.forget()


async def test_who_knows_is_told_and_who_does_not_leaves_one_room_and_enters_another(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> RENAME #a #B :Typo fix
        alice< :alice!~alice@here RENAME #a #B :Typo fix
        bob<   :alice!~alice@here RENAME #a #B :Typo fix
        plain< :plain!~plain@here PART #a :Typo fix
        plain< :plain!~plain@here JOIN #B
        plain< :asynchat 332 plain #B :Tea
        plain< :asynchat 333 plain #B alice!~alice@here 1767323045
        plain< :asynchat 353 plain = #B :@alice +bob plain
        plain< :asynchat 366 plain #B :End of /NAMES list
        bob>   PRIVMSG #b :hi
        alice< :bob!~bob@here PRIVMSG #B :hi
        plain< :bob!~bob@here PRIVMSG #B :hi
        plain> PRIVMSG #b :muted
        plain< :asynchat 404 plain #B :Cannot send to channel
        bob>   PRIVMSG #a :nobody
        bob<   :asynchat 403 bob #a :No such channel
    """)


async def test_without_a_reason_there_is_an_empty_one(town: Town) -> None:
    """ "The server to client command MUST always include the third parameter"."""
    await three(town)
    alice, bob, plain, _ = town.clients
    await alice.says("RENAME #a #b")
    assert bob.hears() == [":alice!~alice@here RENAME #a #b :"]
    assert words(plain.hears()) == ["PART", "JOIN", "332", "333", "353", "366"]


async def test_who_renames_without_knowing_it_sees_it_as_the_others_do(town: Town) -> None:
    await three(town)
    alice, bob, *_ = town.clients
    await alice.says(f"CAP REQ -{CAPS}", "RENAME #a #b")
    assert words(alice.hears()) == ["CAP", "PART", "JOIN", "332", "333", "353", "366"]
    assert words(bob.hears()) == ["RENAME"]


async def test_the_new_room_is_entered_as_the_client_wants_joins_to_be(town: Town) -> None:
    """IRCv3 extended-join: every JOIN that is sent has the account and the name."""
    await three(town)
    alice, _, plain, _ = town.clients
    await plain.says("CAP REQ extended-join")
    plain.hears()
    await alice.says("RENAME #a #b")
    assert plain.hears()[1] == ":plain!~plain@here JOIN #b * :Plain"


async def test_a_change_of_case_is_a_renaming_of_which_the_others_are_not_told(town: Town) -> None:
    """ "This fallback SHOULD NOT be used if the rename only changes the case"."""
    await three(town)
    alice, bob, plain, _ = town.clients
    await alice.says("RENAME #a #A")
    assert words(alice.hears()) == words(bob.hears()) == ["RENAME"]
    assert plain.hears() == []
    assert town.hub.state.rooms["#a"].name == "#A"


@pytest.mark.parametrize(
    ("who", "line", "answer"),
    [
        ("bob", "RENAME #a #b", "482 bob #a :…"),
        ("eve", "RENAME #a #b", "442 eve #a :…"),
        ("alice", "RENAME #z #b", "403 alice #z :…"),
        ("alice", "RENAME #a #taken", "FAIL RENAME CHANNEL_NAME_IN_USE #a #taken :…"),
        ("alice", "RENAME #a #TAKEN :x", "FAIL RENAME CHANNEL_NAME_IN_USE #a #TAKEN :…"),
        ("alice", "RENAME #a", "461 alice RENAME :…"),
        ("alice", "RENAME #a b", "403 alice b :…"),
        ("alice", "RENAME #a :#b c", "403 alice #b_c :…"),
        ("alice", "RENAME #a #b,c", "403 alice #b,c :…"),
        ("alice", "RENAME #a :", "403 alice * :…"),
        ("alice", "RENAME a #b", "403 alice a :…"),
    ],
)
async def test_what_cannot_be_renamed_stays(town: Town, who: str, line: str, answer: str) -> None:
    await three(town)
    eve = town.clients[3]
    await eve.says("JOIN #taken")
    town.forget()
    client = next(each for each in town.clients if each.name == who)
    await client.says(line)
    (heard,) = client.hears()
    assert matches(heard, f":asynchat {answer}")
    assert set(town.hub.state.rooms) == {"#a", "#taken"}
    assert not town.hub._opening


async def test_the_old_name_is_free_and_the_new_one_opens_the_same_door(town: Town) -> None:
    await three(town)
    alice, *_, eve = town.clients
    await alice.says("MODE #a +b eve", "RENAME #a #b")
    await eve.says("JOIN #b", "JOIN #a")
    assert words(eve.hears()) == ["474", "JOIN", "353", "366"]
    assert len(town.hub.state.rooms) == 2


async def test_the_history_goes_along(town: Town) -> None:
    await three(town)
    alice, bob, *_, eve = town.clients
    await bob.says("PRIVMSG #a :old")
    await alice.says("RENAME #a #b")
    await bob.says("PRIVMSG #b :new")
    await eve.says("JOIN #a")
    town.forget()
    await alice.says("CHATHISTORY LATEST #b * 10")
    assert [line.rpartition(":")[2] for line in alice.hears()] == ["old", "new"]
    await eve.says("CHATHISTORY LATEST #a * 10")
    assert eve.hears() == []


async def test_of_two_who_want_a_name_at_once_one_gets_it(town: Town) -> None:
    await three(town)
    alice, *_, eve = town.clients
    await eve.says("JOIN #e")
    await town.at_once((alice, b"RENAME #a #new\r\n"), (eve, b"RENAME #e #new\r\n"))
    assert words(alice.hears()) == ["RENAME"]
    assert matches(eve.hears()[-1], ":asynchat FAIL RENAME CHANNEL_NAME_IN_USE #e #new :…")
    assert set(town.hub.state.rooms) == {"#new", "#e"}


async def test_who_joins_a_name_that_is_being_taken_is_in_one_room_of_that_name(town: Town) -> None:
    await three(town)
    alice, *_, eve = town.clients
    await town.at_once((alice, b"RENAME #a #new\r\n"), (eve, b"JOIN #new\r\n"))
    rooms = town.hub.state.rooms
    assert len({room.name.lower() for room in rooms.values()}) == len(rooms)
    assert len(town.hub.state.places) == len(rooms)
    assert not town.hub._opening


async def test_two_renamings_in_one_packet_are_two(town: Town) -> None:
    await three(town)
    alice, bob, plain, _ = town.clients
    await alice.says("RENAME #a #b", "RENAME #b #c", "RENAME #b #d")
    assert words(alice.hears()) == ["RENAME", "RENAME", "403"]
    assert [line.split(" ")[2:4] for line in bob.hears()] == [["#a", "#b"], ["#b", "#c"]]
    assert [line.split(" ")[2] for line in plain.hears() if words([line]) == ["JOIN"]] == ["#b", "#c"]


async def test_a_long_reason_fits(town: Town) -> None:
    room, new = "#" + "a" * 63, "#" + "b" * 63
    client, plain = await town.irc("n" * 32, room, caps=CAPS), await town.irc("p" * 32, room)
    town.forget()
    await client.says(f"RENAME {room} {new} :{'x' * 360}")
    heard = [*client.hears(), *plain.hears()]
    assert {"RENAME", "PART"} <= set(words(heard))
    assert all(len(line) <= 510 for line in heard)


async def test_people_on_other_wires_stay_in_the_room(town: Town) -> None:
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby", caps=CAPS)
    await nat.says("/op alice")
    town.forget()
    await alice.says("RENAME #lobby #hall")
    assert len(nat.hears()) == 1
    await nat.says("still here")
    assert alice.hears()[-1] == ":nat!~line@here PRIVMSG #hall :still here"
