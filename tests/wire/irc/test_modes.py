"""MODE. (Modern IRC, "MODE message", "Channel Modes")"""

from __future__ import annotations

import pytest

from asynchat.chat.events import FLAGS, LISTS, ROLES, Setting
from asynchat.wire.irc import modes
from tests.conversation import Town, words


async def three(town: Town) -> None:
    """alice, the operator of #a, and bob in it; eve in no room."""
    await town.irc("alice", "#a")
    await town.irc("bob", "#a")
    await town.irc("eve")
    town.forget()


def test_every_setting_has_one_letter_and_a_place_in_isupport() -> None:
    assert {mode.setting for mode in modes.MODES} == set(Setting)
    assert len(modes.SETTING) == len(modes.MODES)
    lists, key, limit, flags = modes.CHANMODES.split(",")
    assert (len(lists), key, limit, len(flags)) == (len(LISTS), "k", "l", len(FLAGS))
    assert modes.PREFIX == "(ohv)@%+"
    assert len(ROLES) == 3


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("+m", "+m"),
        ("m", "+m"),
        ("+mi", "+mi"),
        ("+m-t", "+m-t"),
        ("-t+m", "-t+m"),
        ("+v bob", "+v bob"),
        ("+ov bob BOB", "+ov bob bob"),
        ("+k tea", "+k tea"),
        ("+l 5", "+l 5"),
        ("+kl tea 5", "+kl tea 5"),
        ("+b eve", "+b eve!*@*"),
        ("+b *@here", "+b *!*@here"),
        ("+b a!b@c", "+b a!b@c"),
        ("+beI x y z", "+beI x!*@* y!*@* z!*@*"),
        ("+n", None),
        ("-m", None),
        ("-b nobody", None),
        ("+", None),
    ],
)
async def test_a_change_is_told_to_all_as_it_is(town: Town, asked: str, told: str | None) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await alice.says(f"MODE #a {asked}")
    expected = [f":alice!~alice@here MODE #a {told}"] if told else []
    assert alice.hears() == expected
    assert bob.hears() == expected


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        ("MODE #a +x", ["472 alice x :is unknown mode char to me"]),
        ("MODE #a +o", ["696 alice #a o * :You must specify a parameter for o"]),
        ("MODE #a +k", ["696 alice #a k * :You must specify a parameter for k"]),
        ("MODE #a +l none", ["696 alice #a l none :Invalid parameter"]),
        ("MODE #a +l 0", ["696 alice #a l 0 :Invalid parameter"]),
        ("MODE #a +l -1", ["696 alice #a l -1 :Invalid parameter"]),
        ("MODE #a +k a,b", ["696 alice #a k a,b :Invalid parameter"]),
        ("MODE #a +k :a b", ["696 alice #a k * :Invalid parameter"]),
        ("MODE #a +o zed", ["401 alice zed :No such nick/channel"]),
        ("MODE #a +o eve", ["441 alice eve #a :They aren't on that channel"]),
        ("MODE #z", ["403 alice #z :No such channel"]),
        ("MODE #a", ["324 alice #a +nt", "329 alice #a 1767323045"]),
        ("MODE alice", ["221 alice +"]),
        ("MODE ALICE +x", ["501 alice :Unknown MODE flag"]),
        ("MODE bob", ["502 alice :Cannot change mode for other users"]),
        ("MODE zed", ["401 alice zed :No such nick/channel"]),
        ("MODE #a b", ["368 alice #a :End of channel ban list"]),
        ("MODE #a +e", ["349 alice #a :End of channel exception list"]),
        ("MODE #a I", ["347 alice #a :End of Channel Invite Exception List"]),
    ],
)
async def test_a_mode_is_answered_so(town: Town, line: str, answers: list[str]) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(line)
    assert alice.hears() == [f":asynchat {answer}" for answer in answers]


@pytest.mark.parametrize("asked", ["+m", "+o bob", "+b eve", "+k x", "-k x", "+l 5", "-v alice"])
async def test_only_who_runs_the_room_changes_it(town: Town, asked: str) -> None:
    await three(town)
    _, bob, eve = town.clients
    await bob.says(f"MODE #a {asked}")
    assert words(bob.hears()) == ["482"]
    await eve.says(f"MODE #a {asked}")
    assert words(eve.hears()) == ["442"]


async def test_a_helper_gives_voice_and_anybody_gives_up_a_role(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await alice.says("MODE #a +h bob")
    await bob.says("MODE #a +v alice", "MODE #a +h alice", "MODE #a -h bob", "MODE #a -v alice")
    assert words(bob.hears()) == ["MODE", "MODE", "482", "MODE", "482"]


async def test_the_key_is_shown_to_members_only(town: Town) -> None:
    await three(town)
    await town.plays("""
        alice> MODE #a +kl tea 9
        alice< :alice!~alice@here MODE #a +kl tea 9
        bob<   :alice!~alice@here MODE #a +kl tea 9
        bob>   MODE #a
        bob<   :asynchat 324 bob #a +klnt tea 9
        bob<   :asynchat 329 bob #a 1767323045
        eve>   MODE #a
        eve<   :asynchat 324 eve #a +klnt * 9
        eve<   :asynchat 329 eve #a 1767323045
    """)


async def test_a_list_is_shown_with_who_made_it_and_exceptions_to_who_runs_the_room(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    await alice.says("MODE #a +be x y")
    town.forget()
    await bob.says("MODE #a b")
    assert bob.hears() == [
        ":asynchat 367 bob #a x!*@* alice!~alice@here 1767323045",
        ":asynchat 368 bob #a :End of channel ban list",
    ]
    await bob.says("MODE #a e")
    assert words(bob.hears()) == ["482"]


@pytest.mark.parametrize(
    ("mask", "answer"),
    [
        ("server!*@*", ":asynchat 482 alice #a :You're not channel operator"),
        ("m:server", ":asynchat 482 alice #a :You're not channel operator"),
        (":", ":asynchat 696 alice #a b * :Invalid parameter"),
        ("m:", ":asynchat 696 alice #a b m: :Invalid parameter"),
        ("10.0.0.0/33", ":alice!~alice@here MODE #a +b 10.0.0.0/33!*@*"),
    ],
)
async def test_a_ban_of_the_server_or_of_nobody_is_refused(town: Town, mask: str, answer: str) -> None:
    alice = await town.irc("alice", "#a")
    await alice.says(f"MODE #a +b {mask}")
    assert alice.hears() == [answer]


@pytest.mark.parametrize("asked", ["+b :a b", "-k :a b", "+k ::abc", "+b ::abc", "+bb ::a x", "+b :", ": +o"])
async def test_every_mode_that_is_told_has_its_parameters_one_by_one(town: Town, asked: str) -> None:
    """Modern IRC, "Message Format": a parameter in the middle has no space and no colon in front."""
    await three(town)
    alice, bob, _ = town.clients
    await alice.says("MODE #a +k tea")
    bob.hears()
    await alice.says(f"MODE #a {asked}")
    for line in bob.hears():
        _, _, _, letters, *values = line.split(" ")
        assert len(values) == sum(letter in modes.WITH_PARAMETER for letter in letters)
        assert not any(value.startswith(":") for value in values)
    for line in alice.hears():
        assert "  " not in line.partition(" :")[0]


async def test_a_mode_never_makes_a_line_too_long(town: Town) -> None:
    """512 bytes with CR LF, whatever is asked for."""
    await three(town)
    alice, bob, _ = town.clients
    for asked in ("+b " + "x" * 430, "+" + "b" * 15 + "".join(f" {n}{'y' * 20}" for n in range(15))):
        await alice.says(f"MODE #a {asked}")
    await alice.says("MODE #a b")
    for line in (*bob.hears(), *alice.hears()):
        assert len(line.encode()) <= 510
