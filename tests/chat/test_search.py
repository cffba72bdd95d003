"""What is found by what: words, their beginnings, what stands together."""

from __future__ import annotations

import pytest

from asynchat.chat.events import Said, Source
from asynchat.chat.search import Search, words_of


def said(text: str, nick: str = "alice", places: tuple[str, ...] = ("#1",)) -> Said:
    source = Source(user="g1", nick=nick, ident="i", host="h")
    return Said(by=source, at_ms=1, id="1", places=places, to="#a", text=text)


def finds(asked: str, text: str) -> bool:
    return Search(places=frozenset({"#1"}), text=asked, limit=9).finds(said(text))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("fast", "That was fast!"),
        ("fast", "Fasting is hard."),
        ("FAST", "that was fast"),
        ("hard fast", "fast and hard"),
        ("ok", "it is ok."),
        ("cafe", "au Café"),
        ("CAFÉ", "au cafe"),
        ("straße", "STRASSE 5"),
        ("foo-bar", "a foo-bar b"),
        ("foo-bar", "a foo.bars b"),
        ("snake", "a snake_case"),
        ("case", "a snake_case"),
        ("10.0.0.1", "host 10.0.0.1 is down"),
        ("東京", "私は東京に住む"),
        ("に住", "私は東京に住む"),
        ("привет", "Приветствую"),
        ("👍", "well done 👍🏽"),
        ("error", "\x0304error\x03 in line 3"),
        ("second", "first line\nsecond line"),
        ("", "anything"),
        ("  ", "anything"),
    ],
)
def test_it_is_found(asked, text):
    assert finds(asked, text)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("fast", "breakfast"),
        ("fast slow", "that was fast"),
        ("ok", "okay"),  # two letters begin too many words
        ("foo-bar", "foo and bar"),
        ("bar-foo", "foo-bar"),
        ("10.0.0.1", "10.0.1"),
        ("京東", "東京"),
        ("👍", "👎"),
    ],
)
def test_it_is_not_found(asked, text):
    assert not finds(asked, text)


def test_who_and_where_count():
    line = said("one", nick="Alice", places=("@g1", "@g2"))
    for nick, places, found in [
        ("alice", {"@g2"}, True),
        ("ALICE", {"#9", "@g1"}, True),
        ("bob", {"@g2"}, False),
        ("ali", {"@g2"}, False),
        (None, {"@g2"}, True),
        (None, {"@g"}, False),
    ]:
        assert Search(places=frozenset(places), nick=nick, text="one", limit=9).finds(line) is found


@pytest.mark.parametrize(("text", "impossible"), [("?!", True), ("", False), (" ", False), ("? a", False)])
def test_a_text_without_a_word_finds_nothing(text, impossible):
    assert Search(places=frozenset({"#1"}), text=text, limit=9).impossible is impossible
    assert Search(places=frozenset(), text=text, limit=9).impossible


def test_words_have_nothing_in_them_that_an_index_could_take_for_syntax():
    text = "".join(map(chr, range(0x3000))) + '" AND NEAR(x) lines : * #616263 @616263'
    assert all(word.isalnum() or not word.isascii() for word in words_of(text))
    assert not set(' "#@*:()-^+') & set("".join(words_of(text)))
