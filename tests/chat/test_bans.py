"""Who is kept off the server: what a ban means, and what the verbs about it refuse."""

from __future__ import annotations

import pytest

from asynchat.chat.bans import normal
from asynchat.chat.events import Source
from tests.chat.town import House, refused

BOB = Source(user="g1", nick="Bob", ident="~b", host="h.example", account="Robert")


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("bob", "bob!*@*"),
        ("*@h.example", "*!*@h.example"),
        ("a:Robert", "a:Robert"),
        ("10", "10!*@*"),
    ],
)
def test_a_mask_is_kept_in_one_form(mask, kept):
    assert normal(mask) == kept


@pytest.mark.parametrize(
    ("mask", "address", "fits"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("192.0.2.0/24", "192.0.2.8", True),
        ("192.0.2.0/24", "::ffff:192.0.2.8", True),
        ("192.0.2.0/24", "2001:db8::1", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("0.0.0.0/0", "console", False),
        ("bob", "192.0.2.7", True),
        ("BOB!~b@*", "unix", True),
        ("bob!~c@*", "unix", False),
        ("a:robert", "unix", True),
        ("a:r*", "unix", True),
        ("a:eve", "unix", False),
    ],
)
def test_a_ban_fits_an_address_a_mask_or_an_account(mask, address, fits):
    house = House()
    house.hub.banish(house.hub.server, mask)
    assert (house.hub.state.bans.fitting(BOB, address, 0) is not None) is fits


def test_before_somebody_has_a_name_only_the_address_is_known():
    house = House()
    house.hub.banish(house.hub.server, "bob")
    house.hub.admit(None, "192.0.2.7")
    house.hub.banish(house.hub.server, "192.0.2.7", "spam")
    with refused("BANNED") as told:
        house.hub.admit(None, "192.0.2.7")
    assert told.value.text == "you are banned from this server (spam)"


def test_a_ban_holds_on_entering_on_renaming_and_on_logging_in():
    house = House()
    alice = house.enter("alice")
    house.hub.banish(house.hub.server, "bob")
    house.hub.banish(house.hub.server, "a:robert")
    with refused("BANNED"):
        house.enter("Bob")
    with refused("BANNED"):
        house.hub.rename(alice, "bob")
    with refused("BANNED"):
        house.hub.set_account(alice, "Robert")
    assert house.hub.claims == {}
    house.hub.set_account(alice, None)
    house.hub.enter_as_server()
    house.hub.pardon(house.hub.server, "BOB")
    house.enter("bob")


def test_everybody_may_be_banned_but_the_server_and_who_is_banned_may_always_log_out():
    house = House()
    alice = house.enter("alice")
    house.hub.banish(house.hub.server, "*")
    house.hub.enter_as_server()
    house.hub.set_account(alice, None)
    with refused("BANNED"):
        house.enter("bob")


def test_it_is_over_when_its_time_is_whether_it_was_lifted_or_not():
    house = House()
    house.hub.banish(house.hub.server, "bob", until_ms=2_000)
    house.now_ms = 1_999
    with refused("BANNED"):
        house.enter("bob")
    assert house.hub.pardon_all(1_999) == []
    house.now_ms = 2_000
    house.enter("bob")
    assert [pending.event.mask for pending in house.hub.pardon_all(2_000)] == ["bob!*@*"]
    assert not house.hub.state.bans


def test_the_last_word_on_a_mask_counts_and_a_second_pardon_is_refused():
    house = House(bans=1)
    house.hub.banish(house.hub.server, "bob", "one", until_ms=2_000)
    house.hub.banish(house.hub.server, "BOB", "two")
    (ban,) = house.hub.state.bans.all.values()
    assert (ban.reason, ban.until_ms) == ("two", None)
    with refused("LIST_FULL"):
        house.hub.banish(house.hub.server, "eve")
    house.hub.pardon(house.hub.server, "bob")
    with refused("NO_SUCH_BAN"):
        house.hub.pardon(house.hub.server, "bob")


@pytest.mark.parametrize("mask", ["two words", "a\x1b[2J", "x" * 400, "\u202ebob"])
def test_what_is_no_mask_is_refused(mask):
    house = House()
    with refused("BAD_SETTING"):
        house.hub.banish(house.hub.server, mask)


@pytest.mark.parametrize(
    "mask",
    [
        "",
        "!",
        "@",
        "!@",
        "a:",
        "10.0.0.0/33",
        "999.1.1.1",
        "10.0.0.*",
        "2001:db8::/129",
        "h.example",
        "m:bob",
    ],
)
def test_what_can_be_neither_a_name_nor_a_network_is_refused(mask):
    house = House()
    with refused("BAD_MASK"):
        house.hub.banish(house.hub.server, mask)
    assert not house.hub.state.bans


@pytest.mark.parametrize("mask", ["server", "SERVER", "server!*@*"])
def test_the_server_does_not_keep_itself_off(mask):
    house = House()
    with refused("NOT_ALLOWED"):
        house.hub.banish(house.hub.server, mask)


def test_only_the_server_bans_from_the_server():
    house = House()
    (alice,) = house.room_of("#a", "alice")
    with refused("NOT_SERVER"):
        house.hub.banish(alice, "bob")
    with refused("NOT_SERVER"):
        house.hub.pardon(alice, "bob")
