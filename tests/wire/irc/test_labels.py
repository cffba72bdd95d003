"""Labels: every labelled command has exactly one answer. (IRCv3 labeled-response)"""

from __future__ import annotations

import pytest

from tests.conversation import Town, matches, words

CAPS = "labeled-response batch echo-message message-tags"


async def three(town: Town, caps: str = CAPS) -> None:
    """alice, who labels, and bob in #a; eve in #a too, and in #b."""
    await town.irc("alice", "#a", caps=caps)
    await town.irc("bob", "#a")
    await town.irc("eve", "#a", "#b")
    town.forget()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        pytest.param("PONG x", ":asynchat ACK", id="nothing to say is an ACK"),
        pytest.param("PING x", ":asynchat PONG asynchat :x", id="one line has the label"),
        pytest.param("MODE #a +n", ":asynchat ACK", id="a change that changes nothing"),
        pytest.param("FOO", ":asynchat 421 alice FOO :Unknown command", id="a refusal"),
        pytest.param("PRIVMSG zed :x", ":asynchat 401 alice zed :No such nick/channel", id="refused talk"),
        pytest.param("PRIVMSG #a", ":asynchat 412 alice :No text to send", id="talk without text"),
        pytest.param("PRIVMSG", ":asynchat 411 alice :No recipient given", id="talk without anything"),
        pytest.param("NICK al", "@msgid=… :alice!~alice@here NICK al", id="what one does is its answer"),
        pytest.param("TOPIC #a :t", "@msgid=… :alice!~alice@here TOPIC #a :t", id="a topic"),
        pytest.param("PART #a", "@msgid=… :alice!~alice@here PART #a", id="a parting"),
        pytest.param("AWAY :x", ":asynchat 306 alice :You have been marked as being away", id="away"),
    ],
)
async def test_one_line_or_none_is_answered_under_the_label(town: Town, line: str, answer: str) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(f"@label=x1 {line}")
    (heard,) = alice.hears()
    assert matches(heard, f"@label=x1;{answer[1:]}" if answer.startswith("@") else f"@label=x1 {answer}")


@pytest.mark.parametrize(
    "line", ["NAMES #a", "WHOIS bob", "WHO #a", "LUSERS", "JOIN #c", "MODE #a", "PRIVMSG #a,bob :x"]
)
async def test_several_lines_are_one_batch(town: Town, line: str) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(f"@label=7 {line}")
    first, *inside, last = alice.hears()
    assert first == "@label=7 :asynchat BATCH +1 labeled-response"
    assert last == ":asynchat BATCH -1"
    assert len(inside) > 1
    assert all(each.startswith("@batch=1") for each in inside)


async def test_without_batches_every_line_has_the_label(town: Town) -> None:
    await three(town, "labeled-response")
    alice = town.clients[0]
    await alice.says("@label=7 NAMES #a")
    assert [line.partition(" ")[0] for line in alice.hears()] == ["@label=7", "@label=7"]


async def test_without_the_capability_a_label_is_no_label(town: Town) -> None:
    await three(town, "echo-message")
    alice = town.clients[0]
    await alice.says("@label=7 PING x", "@label=8 PRIVMSG #a :x")
    assert alice.hears() == [":asynchat PONG asynchat :x", ":alice!~alice@here PRIVMSG #a :x"]


async def test_an_echo_has_its_label_and_nobody_else_sees_it(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> @label=1 PRIVMSG #a :one
        alice> @label=2 PRIVMSG #a :two
        alice> PRIVMSG #a :three
        alice< @label=1;msgid=… :alice!~alice@here PRIVMSG #a :one
        alice< @label=2;msgid=… :alice!~alice@here PRIVMSG #a :two
        alice< @msgid=… :alice!~alice@here PRIVMSG #a :three
        bob<   :alice!~alice@here PRIVMSG #a :one
        bob<   :alice!~alice@here PRIVMSG #a :two
        bob<   :alice!~alice@here PRIVMSG #a :three
        eve<   :alice!~alice@here PRIVMSG #a :one
        eve<   :alice!~alice@here PRIVMSG #a :two
        eve<   :alice!~alice@here PRIVMSG #a :three
        alice> @label=3 PRIVMSG bob :psst
        alice< @label=3;msgid=… :alice!~alice@here PRIVMSG bob :psst
        bob<   :alice!~alice@here PRIVMSG bob :psst
    """)


async def test_without_echo_message_talk_is_acknowledged(town: Town) -> None:
    await three(town, "labeled-response batch")
    await town.plays("""
        alice> @label=1 PRIVMSG #a :one
        alice< @label=1 :asynchat ACK
        bob<   :alice!~alice@here PRIVMSG #a :one
        eve<   :alice!~alice@here PRIVMSG #a :one
        alice> @label=2 PRIVMSG bob :two
        alice< @label=2 :asynchat ACK
        bob<   :alice!~alice@here PRIVMSG bob :two
        alice> @label=3 PRIVMSG #a,eve :three
        alice< @label=3 :asynchat ACK
        bob<   :alice!~alice@here PRIVMSG #a :three
        eve<   …PRIVMSG … :three
        eve<   …PRIVMSG … :three
    """)


async def test_a_labelled_refusal_among_several_targets_is_part_of_the_answer(town: Town) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says("@label=1 PRIVMSG bob,zed,#a :x")
    first, *inside, last = words(alice.hears())
    assert (first, sorted(inside), last) == ("BATCH", ["401", "PRIVMSG", "PRIVMSG"], "BATCH")


async def test_a_labelled_join_keeps_back_what_others_say_until_it_is_answered(town: Town) -> None:
    await three(town)
    alice, bob, eve = town.clients
    await town.at_once(
        (alice, b"@label=1 JOIN #b\r\n"),
        (bob, b"PRIVMSG alice :psst\r\n"),
        (eve, b"PRIVMSG #b :a\r\nPRIVMSG #b :b\r\n"),
    )
    heard = alice.hears()
    assert words(heard[:5]) == ["BATCH", "JOIN", "353", "366", "BATCH"]
    assert all(each.startswith("@batch=1") for each in heard[1:4])
    assert [line.partition(" :")[2].rpartition(" :")[2] for line in heard[5:]] == ["psst", "a", "b"]


async def test_replayed_lines_are_a_batch_in_the_batch(town: Town) -> None:
    await three(town)
    alice, _, eve = town.clients
    await eve.says("PRIVMSG #b :old")
    await alice.says("@label=1 JOIN #b")
    heard = alice.hears()
    assert words(heard) == ["BATCH", "JOIN", "353", "366", "BATCH", "PRIVMSG", "BATCH", "BATCH"]
    assert heard[4] == "@batch=1 :asynchat BATCH +b2 chathistory #b"
    assert heard[5].startswith("@batch=b2;")
    assert heard[6] == "@batch=1 :asynchat BATCH -b2"


@pytest.mark.parametrize("line", ["TAGMSG #a", "TAGMSG #a,#b"])
async def test_a_command_that_needs_another_capability_is_refused_under_its_label(town: Town, line: str) -> None:
    await three(town, "labeled-response")
    alice = town.clients[0]
    await alice.says(f"@label=1 {line}")
    assert alice.hears() == ["@label=1 :asynchat 421 alice TAGMSG :Unknown command"]


async def test_a_text_is_echoed_on_one_line_or_refused(town: Town) -> None:
    """A label on the first of several lines would be no answer: what cannot be relayed whole is not taken."""
    await three(town)
    alice, bob, _ = town.clients
    room = 510 - len(":alice!~alice@here PRIVMSG #a :")
    await alice.says("@label=1 PRIVMSG #a :" + "x" * room, "@label=2 PRIVMSG #a :" + "y" * (room + 1))
    assert sorted(words(alice.hears())) == ["417", "PRIVMSG"]
    (line,) = bob.hears()
    assert len(line) == 510


async def test_a_label_comes_back_as_it_was_escaped(town: Town) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(r"@label=a\:b\sc\\d PING x", r"@label=a\:b\sc\\d PRIVMSG #a :x", r"@label=a\:b\s LUSERS")
    heard = alice.hears()
    assert heard[0].startswith(r"@label=a\:b\sc\\d :")
    assert heard[1].startswith(r"@label=a\:b\sc\\d;")
    assert heard[2].startswith(r"@label=a\:b\s ")
