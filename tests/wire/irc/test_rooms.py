"""JOIN PART TOPIC NAMES LIST KICK INVITE. (Modern IRC, "Channel Operations")"""

from __future__ import annotations

from itertools import pairwise

import pytest

from asynchat.chat.hub import Limits
from asynchat.wire.irc import replies
from tests.conversation import Town, words


async def three(town: Town) -> None:
    """alice, who is the operator of #a, and bob in it; eve in no room."""
    await town.irc("alice", "#a")
    await town.irc("bob", "#a")
    await town.irc("eve")
    town.forget()


async def test_who_joins_is_shown_the_room_and_the_others_see_who_comes(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> TOPIC #a :Tea at five
        alice< :alice!~alice@here TOPIC #a :Tea at five
        bob<   :alice!~alice@here TOPIC #a :Tea at five
        eve>   JOIN #A
        eve<   :eve!~eve@here JOIN #a
        eve<   :asynchat 332 eve #a :Tea at five
        eve<   :asynchat 333 eve #a alice!~alice@here 1767323045
        eve<   :asynchat 353 eve = #a :@alice bob eve
        eve<   :asynchat 366 eve #a :End of /NAMES list
        alice< :eve!~eve@here JOIN #a
        bob<   :eve!~eve@here JOIN #a
        eve>   JOIN #a
    """)


async def test_rooms_are_joined_one_after_the_other_and_a_no_stops_nothing(town: Town) -> None:
    await three(town)
    eve = town.clients[2]
    await eve.says("JOIN #b,nope,#c")
    assert words(eve.hears()) == ["JOIN", "353", "366", "403", "JOIN", "353", "366"]
    await eve.says("JOIN 0")
    assert eve.hears() == [":eve!~eve@here PART #b", ":eve!~eve@here PART #c"]


async def test_who_joins_hears_what_was_said_last_in_a_batch_if_it_can() -> None:
    async with Town(replay=1) as town:
        nat = await town.person("nat")
        await nat.says("old", "hi")
        old, new = await town.irc("old"), await town.irc("new", caps="batch server-time message-tags")
        await old.says("JOIN #lobby")
        assert old.hears()[-1] == ":nat!~line@here PRIVMSG #lobby :[03:04] hi"
        await new.says("JOIN #lobby")
        heard = new.hears()
        assert words(heard) == ["JOIN", "353", "366", "BATCH", "PRIVMSG", "BATCH"]
        assert heard[3].endswith("BATCH +b2 chathistory #lobby")
        assert heard[4].startswith("@batch=b2;time=2026-01-02T03:04:05.678Z;msgid=")
        assert heard[4].endswith(" PRIVMSG #lobby :hi")


@pytest.mark.parametrize(
    ("setting", "joining", "answer"),
    [
        ("+k tea", "JOIN #a", "475 eve #a :Cannot join channel (+k)"),
        ("+k tea", "JOIN #a milk", "475 eve #a :Cannot join channel (+k)"),
        ("+i", "JOIN #a", "473 eve #a :Cannot join channel (+i)"),
        ("+l 2", "JOIN #a", "471 eve #a :Cannot join channel (+l)"),
        ("+b eve", "JOIN #a", "474 eve #a :Cannot join channel (+b)"),
        ("+b *!*@here", "JOIN #a", "474 eve #a :Cannot join channel (+b)"),
        ("+R", "JOIN #a", "477 eve #a :…"),
        ("+k tea", "JOIN #a tea", None),
        ("+l 3", "JOIN #a", None),
        ("+be eve eve", "JOIN #a", None),
        ("+iI eve", "JOIN #a", None),
    ],
)
async def test_a_room_keeps_out_whom_it_is_told_to(town: Town, setting: str, joining: str, answer: str | None) -> None:
    await three(town)
    alice, _, eve = town.clients
    await alice.says(f"MODE #a {setting}")
    await eve.says(joining)
    heard = eve.hears()
    if answer is None:
        assert words(heard)[0] == "JOIN"
    else:
        assert len(heard) == 1
        assert heard[0].startswith(f":asynchat {answer.removesuffix('…')}")


async def test_an_invitation_opens_the_door_once(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> MODE #a +i
        alice< :alice!~alice@here MODE #a +i
        bob<   :alice!~alice@here MODE #a +i
        bob>   INVITE eve #a
        bob<   :asynchat 482 bob #a :You're not channel operator
        alice> INVITE eve #a
        alice< :asynchat 341 alice eve #a
        eve<   :alice!~alice@here INVITE eve #a
        alice> INVITE bob #a
        alice< :asynchat 443 alice bob #a :is already on channel
        alice> INVITE zed #a
        alice< :asynchat 401 alice zed :No such nick/channel
        alice> INVITE eve #z
        alice< :asynchat 403 alice #z :No such channel
    """)
    eve = town.clients[2]
    await eve.says("JOIN #a", "PART #a", "JOIN #a")
    assert words(eve.hears()) == ["JOIN", "353", "366", "PART", "473"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("PART #a", "442 eve #a"),
        ("PART #z", "403 eve #z"),
        ("TOPIC #a :x", "442 eve #a"),
        ("TOPIC #z", "403 eve #z"),
        ("TOPIC #a", "331 eve #a"),
        ("KICK #a bob", "442 eve #a"),
        ("KICK #z bob", "403 eve #z"),
        ("INVITE bob #a", "442 eve #a"),
        ("JOIN a", "403 eve a"),
        ("JOIN :#a b", "403 eve #a_b"),
        ("JOIN #a:b", "403 eve #a:b"),
        ("JOIN #a\x07b", None),
        ("JOIN #a\u202eb", None),
    ],
)
async def test_an_outsider_is_answered_so(town: Town, line: str, answer: str | None) -> None:
    await three(town)
    eve = town.clients[2]
    await eve.says(line)
    (heard,) = eve.hears()
    assert heard.startswith(f":asynchat {answer} :" if answer else ":asynchat 403 eve ")


async def test_parting_and_kicking_are_seen_by_all_and_by_who_goes(town: Town) -> None:
    await three(town)
    await town.plays("""
        eve>   JOIN #b
        eve<   :eve!~eve@here JOIN #b
        eve<   :asynchat 353 eve = #b :@eve
        eve<   :asynchat 366 eve #b :End of /NAMES list
        bob>   KICK #a alice
        bob<   :asynchat 482 bob #a :You're not channel operator
        alice> KICK #a zed
        alice< :asynchat 401 alice zed :No such nick/channel
        alice> KICK #a eve
        alice< :asynchat 441 alice eve #a :They aren't on that channel
        alice> KICK #a bob :too loud
        alice< :alice!~alice@here KICK #a bob :too loud
        bob<   :alice!~alice@here KICK #a bob :too loud
        alice> PRIVMSG #a :alone
        bob>   PRIVMSG #a :outside
        bob<   :asynchat 404 bob #a :Cannot send to channel
        alice> PART #a :bye all
        alice< :alice!~alice@here PART #a :bye all
    """)


async def test_who_enters_an_empty_room_runs_it(town: Town) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await alice.says("PART #a")
    await eve.says("JOIN #a")
    assert ":asynchat 353 eve = #a :bob eve" in eve.hears()
    await bob.says("PART #a")
    await eve.says("PART #a", "JOIN #a")
    assert ":asynchat 353 eve = #a :@eve" in eve.hears()


async def test_a_locked_topic_is_set_by_who_runs_the_room(town: Town) -> None:
    await three(town)
    await town.plays("""
        bob>   TOPIC #a :mine
        bob<   :asynchat 482 bob #a :You're not channel operator
        alice> MODE #a -t
        alice< :alice!~alice@here MODE #a -t
        bob<   :alice!~alice@here MODE #a -t
        bob>   TOPIC #a :mine
        alice< :bob!~bob@here TOPIC #a :mine
        bob<   :bob!~bob@here TOPIC #a :mine
        bob>   TOPIC #a :
        alice< :bob!~bob@here TOPIC #a :
        bob<   :bob!~bob@here TOPIC #a :
        bob>   TOPIC #a
        bob<   :asynchat 331 bob #a :No topic is set
    """)


async def test_a_secret_room_is_shown_to_its_members_only(town: Town) -> None:
    await three(town)
    alice, _, eve = town.clients
    await alice.says("MODE #a +s", "JOIN #É", "TOPIC #É :public")
    alice.hears()
    await eve.says("LIST", "NAMES #a", "TOPIC #a", "MODE #a", "WHO #a", "WHOIS alice")
    heard = eve.hears()
    assert not any("bob" in line or "@#a" in line or " 322 eve #a " in line for line in heard)
    assert ":asynchat 322 eve #É 1 :public" in heard
    assert [word for word in words(heard) if word in {"366", "403", "353", "352"}] == ["366", "403", "403"]
    await alice.says("LIST #a", "NAMES #a", "LIST #É,#z")
    heard = alice.hears()
    assert ":asynchat 322 alice #a 2 :" in heard
    assert ":asynchat 353 alice @ #a :@alice bob" in heard
    assert heard.count(":asynchat 322 alice #É 1 :public") == 1


async def test_a_long_list_of_names_takes_several_lines(town: Town) -> None:
    alice = await town.irc("alice", "#a")
    for number in range(20):
        await town.irc(f"somebody_with_a_long_name_{number:03}", "#a")
    alice.hears()
    await alice.says("NAMES #a")
    heard = alice.hears()
    assert words(heard) == ["353", "353", "366"]
    names = [name for line in heard[:2] for name in line.rpartition(" :")[2].split(" ")]
    assert len(names) == len(set(names)) == 21
    assert all(len(line) <= 510 for line in heard)


async def test_nobody_is_in_more_rooms_than_allowed() -> None:
    async with Town(limits=Limits(rooms=2)) as town:
        alice = await town.irc("alice", "#a", "#b")
        await alice.says("JOIN #c")
        assert alice.hears() == [":asynchat 405 alice #c :You have joined too many channels"]


@pytest.mark.parametrize(
    "line", ["NAMES :a b", "WHO :a b", "WHOIS :a b", "CAP :a b", "LIST :a b", "KICK #a :a b", "INVITE :a b #a"]
)
async def test_a_parameter_with_a_space_stays_one_parameter_in_the_answer(town: Town, line: str) -> None:
    """Modern IRC, "Message Format": only the last parameter may have spaces."""
    alice = await town.irc("alice", "#a")
    await alice.says(line)
    heard = alice.hears()
    assert heard
    assert all(" a b " not in each.partition(" :")[0] + " " for each in heard)


@pytest.mark.parametrize("word", ["x" * 9, "ö" * 5, "x" * 400])
def test_words_are_put_on_lines_that_are_as_long_as_may_be_and_no_longer(word: str) -> None:
    words = [f"{word}{number}" for number in range(200)]
    lines = list(replies.joined(words, " "))
    assert " ".join(lines).split(" ") == words
    for line, following in pairwise([*lines, ""]):
        assert len(line.encode()) <= replies.LISTED_BYTES or " " not in line
        if following:
            first = following.split(" ", maxsplit=1)[0]
            assert len(f"{line} {first}".encode()) > replies.LISTED_BYTES
