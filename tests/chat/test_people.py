"""Being here: names, departing, and what one tells of oneself."""

from __future__ import annotations

import pytest

from asynchat.chat.events import Flag, Role
from asynchat.chat.rooms import Audience
from asynchat.chat.users import User, lasting_id
from tests.chat.town import House, refused


@pytest.fixture
def house() -> House:
    return House()


def test_who_enters_is_known_and_in_no_room(house):
    alice = house.enter("Alice")
    assert house.hub.user("aLICE") is alice
    assert not alice.rooms
    assert house.journal.stored == []  # nobody else sees it


@pytest.mark.parametrize("nick", ["alice", "ALICE"])
def test_a_name_is_one_persons(house, nick):
    house.enter("alice")
    bob = house.enter("bob")
    with refused("NAME_TAKEN"):
        house.hub.enter(nick, "i", "h", "")
    with refused("NAME_TAKEN"):
        house.hub.rename(bob, nick)


def test_two_who_claim_a_name_at_once_do_not_both_get_it(house):
    bob = house.enter("bob")
    with house.journal.held():
        house.hub.enter("alice", "i", "h", "")
        with refused("NAME_TAKEN"):
            house.hub.enter("Alice", "i", "h", "")
        with refused("NAME_TAKEN"):
            house.hub.rename(bob, "ALICE")
    assert house.hub.user("alice") is not bob


def test_a_name_is_claimed_by_who_renames_and_free_of_who_was_renamed(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    with house.journal.held():
        house.hub.rename(alice, "carol")
        for nick in ("carol", "alice"):  # the old name is still worn
            with refused("NAME_TAKEN"):
                house.hub.enter(nick, "i", "h", "")
    assert house.hub.user("carol") is alice
    assert house.enter("alice") is not alice
    assert not house.hub.claims


def test_a_name_may_change_its_case(house):
    alice = house.enter("alice")
    house.hub.rename(alice, "Alice")
    assert house.hub.user("alice").nick == "Alice"
    assert not house.hub.claims


def test_what_could_not_be_stored_leaves_no_claim(house):
    (alice,) = house.room_of("#a", "alice")
    with house.journal.failing():
        assert house.hub.rename(alice, "bob").refused is not None
        assert house.hub.join(alice, "#b").refused is not None
    assert alice.nick == "alice"
    assert not house.hub.claims
    assert "#b" not in house.hub.state.rooms
    assert house.enter("bob")
    house.hub.join(alice, "#b")
    assert house.roles("#b") == {"alice": Role.OPERATOR}


def test_a_refused_entrance_claims_nothing(house):
    with refused("BAD_TEXT"):
        house.hub.enter("alice", "i", "h", "a\0b")
    assert house.enter("alice")


def test_a_free_name_is_neither_worn_nor_claimed(house):
    house.enter("alice")
    with house.journal.held():
        house.hub.enter("alice2", "i", "h", "")
        assert house.hub.free_name("alice") == "alice3"


def test_who_departs_leaves_all_rooms_and_the_name(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    house.hub.join(alice, "#b")
    pending = house.hub.depart(alice, "bye\nnow")
    assert pending.event.rooms == ("#a", "#b")
    assert pending.event.reason == "bye now"
    assert house.roles("#a") == {"bob": Role.NONE}
    with refused("NO_SUCH_NAME"):
        house.hub.user("alice")
    with refused("NO_SUCH_ROOM"):
        house.hub.room("#b")


def test_what_a_user_does_is_stored_in_each_of_its_rooms(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    house.hub.join(alice, "#b")
    places = tuple(room.place for room in alice.rooms)
    for verb in (house.hub.rename, house.hub.set_away, house.hub.depart):
        event = verb(alice, "word").event
        assert (event.kept, event.places) == (True, places)
        assert house.journal.stored[-1] is event


# What one tells of oneself.


def test_who_logs_in_is_known_by_the_account_and_out_again(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    pending = house.hub.set_account(alice, "al")
    assert pending.audience.rooms == (house.hub.room("#a"),)
    assert pending.event.by.account is None  # as it was then
    assert alice.source.account == "al"
    house.hub.set_account(alice, None)
    assert alice.source.account is None


def test_a_real_name_is_one_line(house):
    alice = house.enter("alice")
    house.hub.set_realname(alice, "A\nB")
    assert alice.realname == "A B"
    with refused("BAD_TEXT"):
        house.hub.set_realname(alice, "\0")


def test_the_invisible_and_the_operators_are_counted(house):
    state, (alice, bob) = house.hub.state, (house.enter("alice"), house.enter("bob"))
    house.hub.set_flags(alice, [Flag.INVISIBLE, Flag.OPERATOR, Flag.INVISIBLE])
    house.hub.set_flags(bob, [Flag.INVISIBLE])
    assert (state.invisible, state.operators) == (2, 1)
    house.hub.set_flags(bob, off=[Flag.INVISIBLE])
    house.hub.depart(alice, "")
    assert (state.invisible, state.operators) == (0, 0)


def test_a_flag_set_twice_at_once_counts_once(house):
    alice = house.enter("alice")
    with house.journal.held():
        house.hub.set_flags(alice, [Flag.INVISIBLE])
        house.hub.set_flags(alice, [Flag.INVISIBLE])
    assert house.hub.state.invisible == 1
    assert house.hub.set_flags(alice, [Flag.INVISIBLE]) is None
    assert house.hub.set_flags(alice, off=[Flag.BOT]) is None


def test_a_bot_is_one_in_all_that_it_does(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    house.hub.set_flags(alice, [Flag.BOT])
    assert house.hub.say(alice, "#a", "beep").event.by.bot
    house.hub.set_flags(alice, off=[Flag.BOT])
    assert not alice.source.bot


def test_what_is_announced_reaches_those_who_want_to_hear_and_is_not_kept(house):
    alice, bob, _ = (house.enter(nick) for nick in ("alice", "bob", "carol"))
    house.hub.set_flags(bob, [Flag.WALLOPS])
    pending = house.hub.announce(alice, "tea")
    assert pending.audience == Audience((), (bob,))
    assert not pending.event.kept


def test_a_marker_only_goes_forward(house):
    alice = house.enter("alice")
    early, late = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
    assert house.hub.set_marker(alice, "#A", late) is not None
    assert house.hub.set_marker(alice, "#a", early) is None
    assert house.hub.set_marker(alice, "#a", late) is None
    assert alice.markers == {"#a": late}


def test_of_two_markers_at_once_the_later_time_counts(house):
    alice = house.enter("alice")
    with house.journal.held():
        house.hub.set_marker(alice, "bob", "2")
        house.hub.set_marker(alice, "BOB", "1")
    assert alice.markers == {"bob": "2"}


def test_there_are_so_many_markers_and_no_more():
    house = House(metadata_keys=1)
    alice = house.enter("alice")
    house.hub.set_marker(alice, "#a", "1")
    with refused("LIST_FULL"):
        house.hub.set_marker(alice, "#b", "1")
    assert house.hub.set_marker(alice, "#A", "2") is not None


def test_a_word_is_kept_with_a_person_and_taken_away(house):
    alice, _ = house.room_of("#a", "alice", "bob")
    pending = house.hub.set_metadata(alice, "color", "blue")
    assert pending.audience.rooms == (house.hub.room("#a"),)
    assert alice.metadata == {"color": "blue"}
    house.hub.set_metadata(alice, "color", None)
    house.hub.set_metadata(alice, "never", None)
    assert alice.metadata is None


def test_so_many_words_are_kept_and_no_more():
    house = House(metadata_keys=2)
    alice = house.enter("alice")
    for name in ("a", "b"):
        house.hub.set_metadata(alice, name, "1")
    with refused("LIST_FULL"):
        house.hub.set_metadata(alice, "c", "1")
    house.hub.set_metadata(alice, "b", "2")  # another value needs no room
    house.hub.set_metadata(alice, "a", None)
    house.hub.set_metadata(alice, "c", "3")
    assert alice.metadata == {"b": "2", "c": "3"}


@pytest.mark.parametrize("value", ["é" * 5, "a\nb", "a\rb", "a\0b", "\ud800"])
def test_a_word_is_one_short_line(value):
    house = House(metadata_value=9)
    alice = house.enter("alice")
    with refused("BAD_SETTING"):
        house.hub.set_metadata(alice, "a", value)
    assert house.hub.set_metadata(alice, "a", "é" * 4) is not None


# People who are here as their account.


def lasting(house: House, nick: str = "alice") -> User:
    pending = house.hub.enter(nick, "i", "h", "Alice", account=nick, lasting=True)
    return house.hub.state.people[pending.event.by.user]


def test_what_a_lasting_user_does_is_kept_in_its_inbox_whatever_its_rooms(house):
    alice, guest = lasting(house), house.enter("guest")
    assert (alice.id, alice.lasting, guest.lasting) == (lasting_id("ALICE"), True, False)
    for verb in (house.hub.set_away, house.hub.set_realname, house.hub.set_account):
        assert verb(alice, "word").event.places == (alice.inbox,)
        assert not verb(guest, "word").event.kept
    assert house.hub.set_marker(alice, "#a", "1").event.places == (alice.inbox,)
    house.hub.join(alice, "#a")
    assert house.hub.set_marker(alice, "#a", "2").event.places == (alice.inbox,)  # is nobody else's business
    place = house.hub.room("#a").place
    assert house.hub.depart(alice, "").event.places == (place, alice.inbox)


def test_a_lasting_user_is_there_after_a_restart_with_all_that_was_told(house):
    alice, _ = lasting(house), house.enter("guest")
    house.hub.set_flags(alice, [Flag.INVISIBLE, Flag.BOT])
    house.hub.set_marker(alice, "#A", "2026")
    house.hub.set_metadata(alice, "color", "blue")
    house.hub.set_away(alice, "out")
    later = house.restarted()
    again = later.hub.user("alice")
    for attribute in ("source", "realname", "away", "flags", "markers", "metadata", "since_ms"):
        assert getattr(again, attribute) == getattr(alice, attribute), attribute
    assert list(later.hub.state.people) == [alice.id]
    assert later.hub.state.invisible == 1
    later.hub.depart(again, "")
    assert later.hub.state.invisible == 0
