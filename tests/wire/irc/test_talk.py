"""PRIVMSG NOTICE TAGMSG AWAY: to whom, in which order, and what is refused."""

from __future__ import annotations

import pytest

from asynchat.chat.errors import StoreError
from tests.conversation import Town, words


async def three(town: Town, caps: str = "") -> None:
    """alice and bob in #a, alice with these capabilities; eve in no room."""
    await town.irc("alice", "#a", caps=caps)
    await town.irc("bob", "#a")
    await town.irc("eve")
    town.forget()


async def test_a_line_reaches_every_other_member_and_nobody_else(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> PRIVMSG #a :hi there
        bob<   :alice!~alice@here PRIVMSG #a :hi there
        bob>   NOTICE #A :psst
        alice< :bob!~bob@here NOTICE #a :psst
        bob>   PRIVMSG #a :\x01ACTION waves\x01
        alice< :bob!~bob@here PRIVMSG #a :\x01ACTION waves\x01
        bob>   PRIVMSG EVE one
        eve<   :bob!~bob@here PRIVMSG eve :one
        alice> PRIVMSG #a,eve,#a,EVE :all of you
        bob<   :alice!~alice@here PRIVMSG #a :all of you
        eve<   :alice!~alice@here PRIVMSG eve :all of you
        eve<   :alice!~alice@here PRIVMSG eve :all of you
    """)


async def test_several_targets_are_ten_at_most(town: Town) -> None:
    alice = await town.irc("alice", caps="echo-message")
    names = [f"p{number}" for number in range(12)]
    for name in names:
        await town.irc(name)
    await alice.says(f"PRIVMSG {','.join(names)} :hi")
    refusal, *echoes = alice.hears()
    assert [line.split(" ")[2] for line in echoes] == names[:10]
    assert refusal.startswith(":asynchat 407 alice p10 :")
    await alice.says(f"NOTICE {','.join(names)} :hi")
    assert [line.split(" ")[1:3] for line in alice.hears()] == [["NOTICE", name] for name in names[:10]]


async def test_with_echo_message_the_speaker_hears_its_own_line_once(town: Town) -> None:
    await three(town, "echo-message")
    await town.plays("""
        alice> PRIVMSG #a :hi
        alice< :alice!~alice@here PRIVMSG #a :hi
        bob<   :alice!~alice@here PRIVMSG #a :hi
        alice> PRIVMSG eve :hi
        alice< :alice!~alice@here PRIVMSG eve :hi
        eve<   :alice!~alice@here PRIVMSG eve :hi
    """)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("PRIVMSG", "411 eve :No recipient given"),
        ("PRIVMSG bob", "412 eve :No text to send"),
        ("PRIVMSG bob :", "412 eve :No text to send"),
        ("PRIVMSG zed :hi", "401 eve zed :No such nick/channel"),
        ("PRIVMSG :two words :hi", "412 eve :No text to send"),
        ("PRIVMSG #z :hi", "403 eve #z :No such channel"),
        ("PRIVMSG #a :hi", "404 eve #a :Cannot send to channel"),
        ("TAGMSG #a", "421 eve TAGMSG :Unknown command"),
    ],
)
async def test_what_cannot_be_said_is_refused(town: Town, line: str, answer: str) -> None:
    await three(town)
    eve = town.clients[2]
    await eve.says(line)
    assert eve.hears() == [f":asynchat {answer}"]


@pytest.mark.parametrize("target", ["zed", "#z", "#a", "zed,#z", "#a,zed"])
async def test_a_notice_is_never_answered(town: Town, target: str) -> None:
    """RFC 2812, 3.3.2."""
    await three(town)
    eve = town.clients[2]
    await eve.says(f"NOTICE {target} :hi")
    assert eve.hears() == []


async def test_in_a_moderated_room_only_who_has_a_role_speaks(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> MODE #a +m
        alice< :alice!~alice@here MODE #a +m
        bob<   :alice!~alice@here MODE #a +m
        bob>   PRIVMSG #a :hi
        bob<   :asynchat 404 bob #a :Cannot send to channel
        alice> MODE #a +v bob
        alice< :alice!~alice@here MODE #a +v bob
        bob<   :alice!~alice@here MODE #a +v bob
        bob>   PRIVMSG #a :hi
        alice< :bob!~bob@here PRIVMSG #a :hi
    """)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"PRIVMSG zed :x", id="nobody"),
        pytest.param(b"PRIVMSG #z :x", id="no room"),
        pytest.param(b"PRIVMSG #a", id="no text"),
        pytest.param(b"FOO", id="no command"),
        pytest.param(b"NICK 9", id="no name"),
        pytest.param(b"x" * 600, id="too long"),
        pytest.param(b"PRIVMSG #a \xff", id="no UTF-8"),
        pytest.param(b"PRIVMSG #a a\0b", id="NUL"),
        pytest.param(b"TAGMSG #a", id="no capability"),
        pytest.param(b"PING x", id="no refusal, but a PONG"),
    ],
)
async def test_no_answer_overtakes_the_echo_of_what_was_said_before(town: Town, bad: bytes) -> None:
    """DESIGN.md, section 3, Waiting: else a 401 comes before the echo, a PONG before what was said."""
    await three(town, "echo-message")
    alice = town.clients[0]
    await alice.says(b"PRIVMSG #a :one\r\nPRIVMSG #a :two\r\n" + bad + b"\r\nPRIVMSG #a :three\r\n")
    heard = words(alice.hears())
    assert heard[:2] == ["PRIVMSG", "PRIVMSG"]
    assert heard[3:] == ["PRIVMSG"]


async def test_talk_after_a_change_comes_after_it(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await alice.says("NICK al", "PRIVMSG #a :hi", "PART #a", "PRIVMSG #a :out", "JOIN #a", "PRIVMSG #a :in")
    assert bob.hears() == [
        ":alice!~alice@here NICK al",
        ":al!~alice@here PRIVMSG #a :hi",
        ":al!~alice@here PART #a",
        ":al!~alice@here JOIN #a",
        ":al!~alice@here PRIVMSG #a :in",
    ]
    assert words(alice.hears()) == ["NICK", "PART", "404", "JOIN", "353", "366"]


async def test_two_lines_in_one_packet_both_arrive(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await alice.says(b"PRIVMSG #a :one\r\nPRIVMSG #a :two\r\nPRIVMSG #a :thr", b"ee\r\n", cut=3)
    assert [line[-3:] for line in bob.hears()] == ["one", "two", "ree"]


async def test_who_is_away_is_said_to_be_so(town: Town) -> None:
    await three(town)
    await town.plays("""
        eve> AWAY :tea
        eve< :asynchat 306 eve :You have been marked as being away
        bob> PRIVMSG eve :hi
        bob< :asynchat 301 bob eve :tea
        eve< :bob!~bob@here PRIVMSG eve :hi
        bob> NOTICE eve :hi
        eve< :bob!~bob@here NOTICE eve :hi
        eve> AWAY
        eve< :asynchat 305 eve :You are no longer marked as being away
        bob> PRIVMSG eve :hi
        eve< :bob!~bob@here PRIVMSG eve :hi
    """)


async def test_a_line_sent_again_under_its_key_is_shown_once(town: Town) -> None:
    """Promise 2: acked means stored, and a re-send is stored and shown once."""
    await three(town, "echo-message message-tags labeled-response batch")
    alice, bob, _ = town.clients
    await alice.says(
        "@label=1;+asynchat/key=0123456789abcdef PRIVMSG #a :once",
        "@label=2;+asynchat/key=0123456789abcdef PRIVMSG #a :once",
    )
    first, second = alice.hears()
    msgid = first.partition("msgid=")[2].partition(" ")[0].partition(";")[0]
    assert first.startswith("@label=1;")
    assert second == f"@label=2;msgid={msgid} :asynchat ACK"
    assert bob.hears() == [":alice!~alice@here PRIVMSG #a :once"]


async def test_what_could_not_be_stored_is_answered_under_its_label_and_seen_by_nobody(town: Town) -> None:
    await three(town, "echo-message message-tags labeled-response batch")
    alice, bob, _ = town.clients
    town.log.broken = StoreError("disk", full=True)
    await alice.says("@label=1 PRIVMSG #a :lost", "NICK al", "@label=2 JOIN #b")
    assert [line.partition(" :the")[0] for line in alice.hears()] == [
        "@label=1 :asynchat FAIL PRIVMSG STORAGE_FULL #a",
        ":asynchat FAIL NICK STORAGE_FULL",
        "@label=2 :asynchat FAIL JOIN STORAGE_FULL",
    ]
    town.log.broken = None
    await alice.says("NICK al", "@label=1 PRIVMSG #a :found")
    assert [line.partition(" :")[2] for line in bob.hears()[1:]] == ["found"]
    assert not town.hub.claims
