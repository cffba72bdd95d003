"""Names: which are valid, which are the same, and what masks fit."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynchat.chat.errors import BadName, BadRoomName
from asynchat.chat.names import casefold, check_person, check_room, full_mask, is_room, mask_pattern, suggest

PERSONS = st.from_regex(r"[A-Za-z_\[\]\\`^{}|][A-Za-z0-9_\-\[\]\\`^{}|]{0,15}", fullmatch=True)


@pytest.mark.parametrize("name", ["a", "alice", "Alice-2", "_x", "[away]", "\\o", "`^{}|", "a" * 32, "servers"])
def test_a_person_may_be_called_so(name):
    check_person(name, 32)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "2pac",
        "-x",
        "#a",
        "a!b",
        "a@b",
        "a,b",
        "a:b",
        "a.b",
        "é",
        "a\n",
        "a\0",
        "a" * 33,
        "~a",
        "a*",
        "a?",
    ],
)
def test_a_person_may_not_be_called_so(name):
    with pytest.raises(BadName) as refused:
        check_person(name, 32)
    assert refused.value.code == "BAD_NAME"


@pytest.mark.parametrize("name", ["server", "Server", "SERVER"])
def test_nobody_bears_the_names_of_the_house(name):
    with pytest.raises(BadName) as refused:
        check_person(name, 32)
    assert refused.value.code == "NAME_RESERVED"


@pytest.mark.parametrize("name", ["#", "#a", "##", "#Ünï", "#部屋", "#a.b-c", "#" + "a" * 63, "#" + "é" * 31])
def test_a_room_may_be_called_so(name):
    check_room(name, 64)


INVISIBLE = ["#a\u200b", "#\u202ea", "#\ufeff", "#a\u00ad", "#\u061ca"]
TOO_LONG = ["#" + "a" * 64, "#" + "é" * 32]


@pytest.mark.parametrize(
    "name", ["", "a", "&a", "#a b", "#a,b", "#a:b", "#a\n", "#a\0", "#a\x07", "#a\x7f", *TOO_LONG, *INVISIBLE]
)
def test_a_room_may_not_be_called_so(name):
    with pytest.raises(BadRoomName) as refused:
        check_room(name, 64)
    assert refused.value.code == "BAD_ROOM_NAME"


def test_no_space_and_no_control_character_of_any_script_is_in_a_rooms_name():
    bad = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc")]
    passed = []
    for character in bad:
        try:
            check_room(f"#a{character}b", 64)
        except BadRoomName:
            continue
        passed.append(unicodedata.name(character, hex(ord(character))))
    assert passed == []


@pytest.mark.parametrize(("target", "room"), [("#a", True), ("#", True), ("# ", True), ("a", False), ("", False)])
def test_a_target_is_a_room_by_its_first_character(target, room):
    assert is_room(target) is room


@pytest.mark.parametrize(
    ("name", "folded"),
    [("Alice", "alice"), ("[A]{b}\\|^~", "[a]{b}\\|^~"), ("#ÜNÏ", "#ÜnÏ"), ("İSTANBUL", "İstanbul"), ("", "")],
)
def test_names_are_compared_by_their_ascii_letters(name, folded):
    """IRC: `CASEMAPPING=ascii`, so that `[]` and `{}` differ too."""
    assert casefold(name) == folded


@settings(deadline=None)
@given(st.text())
def test_casefold_lowers_ascii_and_touches_nothing_else(name):
    expected = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)
    assert casefold(name) == expected
    assert casefold(expected) == expected


@pytest.mark.parametrize(
    ("name", "taken", "suggested"),
    [
        ("alice", {"alice"}, "alice2"),
        ("alice", {"alice", "alice2", "alice3"}, "alice4"),
        ("alice7", {"alice7"}, "alice2"),
        ("a" * 10, {"a" * 10}, "a" * 9 + "2"),
        ("a" * 10, {"a" * 9 + str(n) for n in range(2, 10)}, "a" * 8 + "10"),
        ("server", set(), "server2"),
    ],
)
def test_a_free_name_is_like_the_one_asked_for(name, taken, suggested):
    assert suggest(name, taken.__contains__, 10) == suggested


@settings(deadline=None)
@given(PERSONS, st.sets(PERSONS | st.integers(2, 40).map("a{}".format)), st.integers(8, 32))
def test_a_suggested_name_is_free_valid_and_within_the_limit(name, taken, limit):
    proposal = suggest(name, taken.__contains__, limit)
    assert proposal not in taken
    check_person(proposal, limit)


def fits(mask: str, text: str) -> bool:
    """What a mask means, said as simply as can be."""

    @cache
    def rest(m: int, t: int) -> bool:
        if m == len(mask):
            return t == len(text)
        if mask[m] == "*":
            return rest(m + 1, t) or (t < len(text) and rest(m, t + 1))
        return t < len(text) and mask[m] in ("?", text[t]) and rest(m + 1, t + 1)

    return rest(0, 0)


FEW = st.text("ab*?\\.[!\n", max_size=12)


@settings(deadline=None)
@given(FEW, st.text("ab\\.[!\n", max_size=16))
def test_a_mask_fits_what_it_says(mask, text):
    assert (mask_pattern(mask).fullmatch(text) is not None) is fits(mask, text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "aa", "ab", "?", "*", "*", "a?"])).map("".join), st.text("ab", max_size=20))
def test_a_mask_of_many_stars_fits_what_it_says(mask, text):
    assert (mask_pattern(mask).fullmatch(text) is not None) is fits(mask, text)


@pytest.mark.parametrize(
    ("mask", "who", "fit"),
    [
        ("*!*@*.example.org", "bob!b@a.example.org", True),
        ("*!*@*.example.org", "bob!b@example.org", False),
        ("b?b!*@*", "bob!b@host", True),
        ("b?b!*@*", "boob!b@host", False),
        ("*", "", True),
        ("", "", True),
        ("", "a", False),
        ("BOB!*@*", "bob!b@host", True),
        ("[b]!*@*", "[b]!x@y", True),
        ("[b]!*@*", "b!x@y", False),
        ("a*b*c", "a-c-b-c", True),
        ("a*b", "ab-b-", False),
    ],
)
def test_masks_have_two_wildcards(mask, who, fit):
    assert (mask_pattern(mask).fullmatch(casefold(who)) is not None) is fit


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        ("*a" * 100 + "*b", "a" * 4000),
        ("*?" * 100 + "b", "a" * 4000),
        ("*" * 2000 + "b", "a" * 4000),
        ("*a?a" * 60 + "!*b@c", "a" * 4000),
        ("*" + "a" * 200 + "b*" + "c", "a" * 4000),
    ],
    ids=["stars", "star-question", "only-stars", "overlapping", "long-part"],
)
def test_a_hostile_mask_comes_to_an_end(mask, text):
    """It costs its length times the text's: were it exponential, this would not end within the suite's patience."""
    assert mask_pattern(mask).fullmatch(text) is None


@pytest.mark.parametrize(
    ("mask", "full"),
    [
        ("bob", "bob!*@*"),
        ("*", "*!*@*"),
        ("*@host", "*!*@host"),
        ("@host", "*!*@host"),
        ("ident@host", "*!ident@host"),
        ("bob!ident", "bob!ident@*"),
        ("bob!", "bob!*@*"),
        ("!ident@", "*!ident@*"),
        ("bob!ident@host", "bob!ident@host"),
    ],
)
def test_a_mask_is_completed(mask, full):
    assert full_mask(mask) == full


@settings(deadline=None)
@given(st.text("ab*?!@", min_size=1))
def test_a_full_mask_stays_as_it_is(mask):
    full = full_mask(mask)
    assert full_mask(full) == full
    assert "!" in full.rpartition("@")[0]
