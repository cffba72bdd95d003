"""Talk to those of a room who have a role: `@#room`. (Modern IRC, "STATUSMSG")"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conversation import Town, tags, words


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """In #a: op, help with h, voice with v and none without anything; out is not in it, nat is on the plain wire."""
    async with Town() as town:
        for name in ("op", "help", "voice", "none"):
            await town.irc(name, "#a")
        await town.irc("out")
        await town.person("nat", "/join #a")
        await town.clients[0].says("MODE #a +hv help voice")
        town.forget()
        yield town


def hearers(town: Town) -> str:
    """Who hears anything."""
    return " ".join(client.name for client in town.clients if client.hears())


@pytest.mark.parametrize(
    ("target", "who"),
    [
        ("#a", "op help voice nat"),
        ("+#a", "op help voice"),
        ("%#a", "op help"),
        ("@#a", "op"),
        ("@#A", "op"),
    ],
)
@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE"])
async def test_those_hear_it_who_have_that_role_or_a_higher_one(
    town: Town, command: str, target: str, who: str
) -> None:
    none = town.clients[3]
    await none.says(f"{command} {target} :psst")
    assert hearers(town) == who


async def test_the_target_is_shown_with_its_sign(town: Town) -> None:
    op, help_, *_ = town.clients
    await help_.says("CAP REQ echo-message", "PRIVMSG @#A :psst", "PRIVMSG %#a :psst")
    assert op.hears() == [":help!~help@here PRIVMSG @#a :psst", ":help!~help@here PRIVMSG %#a :psst"]
    assert help_.hears()[1:] == [":help!~help@here PRIVMSG @#a :psst", ":help!~help@here PRIVMSG %#a :psst"]


async def test_reactions_and_long_texts_may_be_sent_to_them_too(town: Town) -> None:
    op, _, voice, none, *_ = town.clients
    for client in (op, voice, none):
        await client.says("CAP REQ :message-tags batch draft/multiline")
    town.forget()
    await none.says("@+react=x TAGMSG @#a")
    assert [words(client.hears()) for client in (op, voice)] == [["TAGMSG"], []]
    await none.says("BATCH +1 draft/multiline @#a", "@batch=1 PRIVMSG @#a :x", "@batch=1 PRIVMSG @#a :y", "BATCH -1")
    heard = op.hears()
    assert words(heard) == ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]
    assert heard[0].endswith(" draft/multiline @#a")
    assert voice.hears() == []
    assert "msgid" in tags(heard[0])


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("PRIVMSG @#z :x", "403 out #z"),
        ("PRIVMSG @#a :x", "404 out #a"),
        ("PRIVMSG @ :x", "401 out @"),
        ("PRIVMSG @@#a :x", "401 out @@#a"),
        ("PRIVMSG ~#a :x", "401 out ~#a"),
        ("PRIVMSG @op :x", "401 out @op"),
        ("PRIVMSG @# :x", "403 out #"),
    ],
)
async def test_who_may_not_speak_in_the_room_may_not_speak_to_them(town: Town, line: str, answer: str) -> None:
    out = town.clients[4]
    await out.says(line)
    (heard,) = out.hears()
    assert heard.startswith(f":asynchat {answer} :")


async def test_in_a_moderated_room_it_is_no_way_around(town: Town) -> None:
    op, _, voice, none, *_ = town.clients
    await op.says("MODE #a +m")
    town.forget()
    await none.says("PRIVMSG @#a :x")
    await voice.says("PRIVMSG @#a :y")
    assert [line[-1] for line in op.hears()] == ["y"]
    assert words(none.hears()) == ["404"]


async def test_what_is_said_to_all_before_and_after_stays_in_order(town: Town) -> None:
    op, *_, none = town.clients[:4]
    await none.says("PRIVMSG #a :1", "PRIVMSG @#a :2", "PRIVMSG #a :3", "PRIVMSG +#a :4", "PRIVMSG #a :5")
    assert [line[-1] for line in op.hears()] == list("12345")
    assert [line[-1] for line in town.clients[2].hears()] == list("1345")


async def test_who_loses_the_role_hears_no_more(town: Town) -> None:
    op, help_, _, none, *_ = town.clients
    await op.says("MODE #a -h help")
    town.forget()
    await none.says("PRIVMSG %#a :x")
    assert words(op.hears()) == ["PRIVMSG"]
    assert help_.hears() == []
