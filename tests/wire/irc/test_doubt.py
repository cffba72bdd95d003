"""A name that somebody asks for while its bearer is silent: who does not answer gives it up."""

from __future__ import annotations

import pytest

from tests.conversation import CLOSED, Town


@pytest.mark.parametrize("wire", ["irc", "line"])
async def test_who_is_silent_is_asked_and_gives_the_name_up_after_five_seconds(town: Town, wire: str) -> None:
    alice, bob = await town.irc("alice", "#lobby"), await town.irc("bob", "#lobby")
    await town.passes(20)
    town.forget()
    other = town.connect(wire)
    await other.says(*(["NICK alice", "USER a 0 * :a"] if wire == "irc" else ["alice"]))
    assert any("433" in line or "NAME_TAKEN" in line for line in other.hears())
    await town.passes(1)
    assert alice.hears() == ["PING asynchat"]
    await town.passes(3.9)
    assert alice.hears() == bob.hears() == []
    await town.passes(0.2)
    assert alice.hears() == ["ERROR :Ping timeout: somebody asked for the name", CLOSED]
    assert bob.hears() == [":alice!~alice@here QUIT :Ping timeout: somebody asked for the name"]
    await other.says("NICK alice" if wire == "irc" else "alice")
    assert any(" 001 alice " in line or "hello alice" in line for line in other.hears())


async def test_who_answers_keeps_it(town: Town) -> None:
    alice = await town.irc("alice", "#lobby")
    await town.passes(20)
    for _ in range(3):
        town.forget()
        await town.connect("irc").says("NICK alice")
        await town.passes(2)
        assert alice.hears() == ["PING asynchat"]
        await alice.says("PONG asynchat")
        await town.passes(30)
        assert alice.hears() == []


async def test_who_was_heard_a_moment_ago_is_not_asked(town: Town) -> None:
    alice = await town.irc("alice", "#lobby")
    await town.passes(1)
    await alice.says("PRIVMSG #lobby :here")
    await town.connect("irc").says("NICK alice")
    await town.passes(10)
    assert alice.hears() == []
    await town.passes(60)
    assert alice.hears() == ["PING asynchat"]  # the usual one


async def test_a_netcat_user_cannot_answer_and_is_not_asked(town: Town) -> None:
    nat = await town.person("nat")
    await town.passes(20)
    await town.connect("irc").says("NICK nat")
    await town.passes(30)
    assert nat.hears() == []
