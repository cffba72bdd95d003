"""The /commands of the plain wires. (FEATURES.md, 2.4: command and what the plain wire answers)"""

from __future__ import annotations

import pytest

from asynchat.chat.errors import StoreError
from asynchat.wire.talk.commands import COMMANDS
from tests.conversation import CLOSED, Town


async def people(town: Town) -> None:
    """alice, who is the operator, and bob, in the lobby."""
    await town.person("alice")
    await town.person("bob")


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ("/name bob2", ["*** you are now bob2"]),
        ("/nick BOB", ["*** you are now BOB"]),
        ("/name alice", ["!!! NAME_TAKEN alice is in use; try alice2"]),
        ("/name", ["!!! NEED_MORE /name newname"]),
        ("/join #dev", ["*** joined #dev (1)"]),
        ("/JOIN #lobby", ["*** joined #lobby (2): alice"]),
        ("/join dev", ["!!! BAD_ROOM_NAME dev is no room name…"]),
        ("/join", ["!!! NEED_MORE /join #room [key]"]),
        ("/part", ["*** left #lobby"]),
        ("/part #dev", ["!!! NO_SUCH_ROOM there is no room #dev"]),
        ("/rooms", ["*** #lobby 2 people", "*** end"]),
        ("/who", ["*** #lobby (2): @alice, bob"]),
        ("/who #dev", ["!!! NO_SUCH_ROOM there is no room #dev"]),
        ("/topic", ["*** #lobby has no topic"]),
        ("/topic Tea", ["!!! NOT_ALLOWED needs op in #lobby"]),
        ("/msg alice hi there", ["*** to alice: delivered"]),
        ("/msg alicee hi", ["!!! NO_SUCH_NAME alicee; did you mean alice?"]),
        ("/msg zed hi", ["!!! NO_SUCH_NAME zed"]),
        ("/msg alice", ["!!! NEED_MORE /msg name text"]),
        ("/reply hi", ["!!! NO_SUCH_NAME nobody has spoken to you alone yet"]),
        ("/history", ["*** end"]),
        ("/kick alice", ["!!! NOT_ALLOWED needs op in #lobby"]),
        ("/ban alice", ["!!! NOT_ALLOWED needs op in #lobby"]),
        ("/op bob", ["!!! NOT_ALLOWED needs op in #lobby"]),
        ("/unban alice", ["!!! NOT_ALLOWED needs op in #lobby"]),
        ("/key word", ["!!! NOT_ALLOWED needs op in #lobby"]),
        ("/invite alice", ["!!! ALREADY_IN_ROOM alice is already in #lobby"]),
        ("/acks on", ["*** acks on"]),
        ("/ids on", ["*** ids on"]),
        ("/time off", ["*** time off"]),
        ("/help join", ["*** /join #room [key]        enter a room, or go back to it"]),
        ("/help /who", ["*** /who [#room]             who is in a room"]),
        ("/help foo", ["!!! UNKNOWN foo; /help"]),
        ("/foo", ["!!! UNKNOWN /foo; /help"]),
        ("/", ["!!! UNKNOWN /; /help"]),
        ("/quit so long", ["*** bye", CLOSED]),
        ("quit", ["*** bye", CLOSED]),
        (" QUIT ", ["*** bye", CLOSED]),
    ],
)
async def test_a_command_is_answered_so(town: Town, said: str, answers: list[str]) -> None:
    await people(town)
    bob = town.clients[1]
    await bob.says(said)
    heard = bob.hears()
    assert len(heard) == len(answers)
    for line, answer in zip(heard, answers, strict=True):
        assert line.startswith(answer.removesuffix("…")) if answer.endswith("…") else line.rstrip() == answer


@pytest.mark.parametrize("argument", ["", " x", " alice", " #lobby", " on", " alice hi"])
@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("wire", ["line", "frame"])
async def test_every_command_answers_at_least_one_line(town: Town, wire: str, name: str, argument: str) -> None:
    """`/me` and `/say` are talk, whose answer is the ack for who wants it."""
    await town.person("alice")
    bob = await (town.framed if wire == "frame" else town.person)("bob", "/acks on")
    await bob.says(f"/{name}{argument}")
    assert bob.hears()


async def test_help_shows_every_command_once(town: Town) -> None:
    ann = await town.person("ann", "/help")
    await ann.says("/help")
    shown = [line.split()[1].removeprefix("/") for line in ann.hears()]
    assert shown == list(dict.fromkeys(row.name for row in COMMANDS.values()))


async def test_running_a_room(town: Town) -> None:
    await people(town)
    await town.person("eve")
    await town.plays("""
        alice> /topic Tea at five
        alice< *** topic of #lobby: "Tea at five"
        bob<   *** alice set the topic: "Tea at five"
        eve<   *** alice set the topic: "Tea at five"
        alice> /op bob
        alice< *** bob has op
        bob<   *** alice made bob operator
        eve<   *** alice made bob operator
        bob>   /voice eve
        bob<   *** eve has voice
        alice< *** bob made eve voice
        eve<   *** bob made eve voice
        bob>   /kick eve spam
        bob<   *** eve kicked
        alice< *** eve was kicked by bob (spam)
        eve<   *** eve was kicked by bob (spam)
        bob>   /ban eve
        bob<   *** eve banned
        alice< *** bob added ban eve!*@*
        eve>   /join #lobby
        eve<   !!! BANNED you are banned from #lobby
        bob>   /unban eve
        bob<   *** eve is not banned any more
        alice< *** bob removed ban eve!*@*
        bob>   /key tea
        bob<   *** the key of #lobby is tea
        alice< *** bob set key
        eve>   /join #lobby
        eve<   !!! BAD_KEY #lobby needs its key
        bob>   /invite eve
        bob<   *** eve is invited to #lobby
        eve<   *** bob invites you to #lobby: /join #lobby
        eve>   /join #lobby
        eve<   *** joined #lobby (3): alice, bob
        eve<   *** topic of #lobby: "Tea at five"
        alice< *** eve joined
        bob<   *** eve joined
    """)


async def test_a_private_message_and_its_answer(town: Town) -> None:
    await people(town)
    await town.plays("""
        alice> /msg bob hi there
        alice< *** to bob: delivered
        bob<   [dm alice] hi there
        bob>   /reply hello
        bob<   *** to alice: delivered
        alice< [dm bob] hello
    """)


async def test_who_is_in_several_rooms_sees_which(town: Town) -> None:
    await people(town)
    await town.plays("""
        bob>   /join #dev
        bob<   *** joined #dev (1)
        alice> hi
        bob<   [#lobby] <alice> hi
        bob>   in dev
        alice> /join #dev
        alice< *** joined #dev (2): bob
        alice< [03:04] <bob> in dev
        bob<   [#dev] *** alice joined
        bob>   /join #lobby
        bob<   *** joined #lobby (2): alice
        bob>   here
        alice< [#lobby] <bob> here
        alice> /part
        alice< *** left #dev, back in #lobby
        bob<   [#dev] *** alice left
        bob>   now
        alice< <bob> now
    """)


async def test_words_that_look_like_commands_can_be_said(town: Town) -> None:
    await people(town)
    await town.plays("""
        bob>   //who
        alice< <bob> /who
        bob>   /say quit
        alice< <bob> quit
        bob>   /say /quit
        alice< <bob> /quit
        bob>   ///
        alice< <bob> //
        bob>   quit it
        alice< <bob> quit it
        bob>   /me waves
        alice< * bob waves
    """)


async def test_acks_ids_and_times(town: Town) -> None:
    await people(town)
    await town.plays("""
        bob>   /acks on
        bob<   *** acks on
        alice> /ids on
        alice< *** ids on
        bob>   hi
        bob<   +OK …
        alice< #… <bob> hi
        alice> /time on
        alice< *** time on
        bob>   /me waves
        bob<   +OK …
        alice< #… 03:04 * bob waves
        bob>   /acks off
        bob<   *** acks off
        bob>   hi
        alice< #… 03:04 <bob> hi
    """)


async def test_an_ack_names_the_line_as_everybody_else_knows_it(town: Town) -> None:
    await people(town)
    alice, bob = town.clients
    await alice.says("/ids on")
    await bob.says("/acks on")
    town.forget()
    await bob.says("one", "two")
    ids = [line.split()[0].removeprefix("#") for line in alice.hears()]
    assert [line.split()[1] for line in bob.hears()] == ids
    await bob.says("/history")
    assert [line.split()[0].removeprefix("#") for line in bob.hears()[:-1]] == ids


@pytest.mark.parametrize("bad", [b"y" * 17_000 + b"\n", b"caf\xe9\n", b"a\0b\n", b"/foo\n"])
async def test_a_refusal_never_overtakes_the_ack_of_what_was_said_before(town: Town, bad: bytes) -> None:
    """DESIGN.md, section 3, Waiting: a refused line of talk waits for the last thing that was done."""
    ann = await town.person("ann", "/acks on")
    await ann.says(b"good\n" + bad + b"better\n")
    assert [line.split()[0] for line in ann.hears()] == ["+OK", "!!!", "+OK"]


async def test_what_could_not_be_stored_is_refused_and_seen_by_nobody(town: Town) -> None:
    await people(town)
    town.log.broken = StoreError("gone")
    await town.plays("""
        bob> hi
        bob< !!! STORAGE_ERROR …
        bob> /name rob
        bob< !!! STORAGE_ERROR …
    """)
    town.log.broken = None
    await town.plays("""
        bob>   /name rob
        bob<   *** you are now rob
        alice< *** bob is now rob
    """)


async def test_history_shows_what_was_shown(town: Town) -> None:
    """One renderer serves live and history: what programs ask each other is in neither."""
    nat, alice = await town.person("nat"), await town.irc("alice", "#lobby")
    await alice.says("PRIVMSG #lobby :hi", "PRIVMSG #lobby :\x01ACTION waves\x01", "NOTICE #lobby :psst")
    await alice.says("PRIVMSG #lobby :\x01VERSION\x01")
    live = nat.hears()
    await nat.says("/history")
    assert [line.partition(" 03:04 ")[2] for line in nat.hears()[:-1]] == live
    await nat.says("/history 1")
    assert len(nat.hears()) == 2


async def test_history_is_for_members(town: Town) -> None:
    await people(town)
    await town.plays("""
        alice> secret
        bob<   <alice> secret
        bob>   /part
        bob<   *** left #lobby
        alice< *** bob left
        bob>   /history
        bob<   !!! NOT_IN_ROOM you are not in #lobby
    """)


async def test_a_mute_and_a_ban_may_be_for_so_long(town: Town) -> None:
    await people(town)
    await town.irc("irene", "#lobby")
    await town.plays("""
        alice>  /mute bob 10m
        alice<  *** bob muted for 10m
        bob<    *** alice added ban m:bob!*@* for 10m
        irene<  :alice!~line@here MODE #lobby +b m:bob!*@*
        bob>    hello
        bob<    !!! CANNOT_SPEAK you may not speak in #lobby
        alice>  /ban bob 1h
        alice<  *** bob banned for 1h
        bob<    *** alice added ban bob!*@* for 1h
        irene<  :alice!~line@here MODE #lobby +b bob!*@*
        alice>  /unban bob
        alice<  *** bob is not banned any more
        bob<    *** alice removed ban bob!*@*
        irene<  :alice!~line@here MODE #lobby -b bob!*@*
    """)
    town.hub.lift(town.hub.clock_ms() + 600_000)
    await town.settles()
    assert town.clients[0].hears() == ["*** server removed ban m:bob!*@*"]
    assert town.clients[2].hears() == [":server!server@localhost MODE #lobby -b m:bob!*@*"]
    town.forget()
    await town.plays("""
        bob>    hello
        alice<  <bob> hello
        irene<  :bob!~line@here PRIVMSG #lobby :hello
        alice>  /mute bob
        alice<  *** bob muted
        bob<    *** alice added ban m:bob!*@*
        irene<  :alice!~line@here MODE #lobby +b m:bob!*@*
        alice>  /unmute bob
        alice<  *** bob is not muted any more
        bob<    *** alice removed ban m:bob!*@*
        irene<  :alice!~line@here MODE #lobby -b m:bob!*@*
    """)
