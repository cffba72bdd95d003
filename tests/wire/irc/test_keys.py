"""The idempotency key: what was sent again is stored once, answered with its first msgid, and says nothing more.

The client tag is ours: `+asynchat/key`.
"""

from __future__ import annotations

import pytest

from tests.conversation import Client, Town, bare, tags

CAPS = "echo-message message-tags labeled-response batch"
KEY = "0123456789abcdef"


async def sends(client: Client, key: str, text: str, to: str = "#a", label: str = "x") -> str:
    """What is answered to a line with a key."""
    await client.says(f"@label={label};+asynchat/key={key} PRIVMSG {to} :{text}")
    (line,) = client.hears()
    return line


@pytest.mark.parametrize("key", ["", "k", KEY[:-1], "k" * 129])
async def test_a_key_of_a_guest_that_somebody_else_could_have_is_refused(town: Town, key: str) -> None:
    alice, bob = await town.irc("alice", "#a", caps=CAPS), await town.irc("bob", "#a")
    town.forget()
    line = await sends(alice, key, "hi")
    assert line.startswith("@label=x :asynchat FAIL PRIVMSG INVALID_KEY :")
    assert bob.hears() == []
    for good in (KEY, "k" * 128):
        assert "msgid" in tags(await sends(alice, good, "hi"))


async def test_who_has_an_account_has_keys_of_its_own() -> None:
    async with Town(accounts={"alice": "secret"}) as town:
        alice, bob = await town.irc("alice", "#a", caps=CAPS, account="alice"), await town.irc("bob", "#a", caps=CAPS)
        town.forget()
        first = await sends(alice, "k", "one")
        bob.hears()
        again = await sends(alice, "k", "one")
        assert tags(again) == {"label": "x", "msgid": tags(first)["msgid"]}
        assert bare(again) == ":asynchat ACK"
        assert bob.hears() == []
        assert (await sends(alice, "", "hm")).startswith("@label=x :asynchat FAIL PRIVMSG INVALID_KEY :")
        ids = {tags(await sends(bob, "k" * 16, "two"))["msgid"]}
        alice.hears()
        ids.add(tags(await sends(alice, "k" * 16, "three"))["msgid"])  # bob's was another
        assert len(ids) == 2


async def test_a_repeat_by_whoever_has_no_account_tells_the_msgid_and_nothing_of_the_text(town: Town) -> None:
    alice = await town.irc("alice", "#a", caps=CAPS)
    town.forget()
    first = await sends(alice, KEY, "a secret")
    await alice.vanishes()
    eve = await town.irc("eve", "#b", caps=CAPS)
    town.forget()
    assert await sends(eve, KEY, "guess", to="#b") == f"@label=x;msgid={tags(first)['msgid']} :asynchat ACK"
    await eve.says(f"@+asynchat/key={KEY} PRIVMSG #b :guess")
    assert eve.hears() == [f"@msgid={tags(first)['msgid']} :asynchat ACK"]


async def test_repeats_of_one_batch_are_answered_in_order(town: Town) -> None:
    alice, bob = await town.irc("alice", "#a", caps=CAPS), await town.irc("bob", "#a")
    town.forget()
    keys = [f"{KEY}/{number}" for number in (1, 2, 1, 3, 2)]
    await alice.says(*(f"@label={at};+asynchat/key={key} PRIVMSG #a :{key[-1]}" for at, key in enumerate(keys)))
    heard = alice.hears()
    assert [tags(line)["label"] for line in heard] == ["0", "1", "2", "3", "4"]
    ids = [tags(line)["msgid"] for line in heard]
    assert (ids[2], ids[4]) == (ids[0], ids[1])
    assert [line.rpartition(":")[2] for line in bob.hears()] == ["1", "2", "3"]


async def test_a_key_goes_with_one_target(town: Town) -> None:
    alice, bob = await town.irc("alice", "#a", caps=CAPS), await town.irc("bob", "#a")
    town.forget()
    line = await sends(alice, KEY, "hi", to="#a,bob")
    assert line == "@label=x :asynchat FAIL PRIVMSG INVALID_KEY :a key goes with one target"
    assert bob.hears() == []


async def test_a_long_text_in_a_batch_has_a_key_too(town: Town) -> None:
    alice = await town.irc("alice", "#a", caps=f"{CAPS} draft/multiline")
    bob = await town.irc("bob", "#a")
    town.forget()
    opening = f"@label={{}};+asynchat/key={KEY} BATCH +1 draft/multiline #a"
    lines = ("@batch=1 PRIVMSG #a :one", "@batch=1 PRIVMSG #a :two", "BATCH -1")
    await alice.says(opening.format("a"), *lines)
    first = alice.hears()
    assert len(bob.hears()) == 2
    await alice.says(opening.format("b"), *lines)
    assert alice.hears() == [f"@label=b;msgid={tags(first[0])['msgid']} :asynchat ACK"]
    assert bob.hears() == []


async def test_without_message_tags_there_are_no_keys(town: Town) -> None:
    alice, bob = await town.irc("alice", "#a"), await town.irc("bob", "#a")
    town.forget()
    await alice.says("@+asynchat/key=k PRIVMSG #a :one", "@+asynchat/key=k PRIVMSG #a :one")
    assert len(bob.hears()) == 2
