"""What a terminal without a client is shown: nothing that moves, hides or reorders."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.wire.text import plain

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u180e\u200b\u2060\u2061\u2064\ufeff\ufff9\ufffb\U000e0001\U000e0041\U000e007f"
NASTY = "".join(map(chr, (*range(32), *range(0x7F, 0xA0)))) + BIDI + INVISIBLE + "\u2028\u2029\u200c\u200d\ue000"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("good morning", "good morning", id="plain"),
        pytest.param("größer 漢字 ñ", "größer 漢字 ñ", id="every script"),
        pytest.param("שלום", "שלום", id="right to left by itself"),
        pytest.param("a\tb", "a\tb", id="a tab stays"),
        pytest.param("\x1b[2J", "\ufffd[2J", id="ESC"),
        pytest.param("\x1b]52;c;cHduZWQ=\x07", "\ufffd]52;c;cHduZWQ=\ufffd", id="OSC 52"),
        pytest.param("\x9b31m", "\ufffd31m", id="C1 CSI"),
        pytest.param("bell\x07", "bell\ufffd", id="BEL"),
        pytest.param("back\x08space\x7f", "back\ufffdspace\ufffd", id="BS and DEL"),
        pytest.param("two\nlines\r", "two\ufffdlines\ufffd", id="LF and CR"),
        pytest.param("evil\u202egnp.exe", "evil\ufffdgnp.exe", id="bidi override"),
        pytest.param("a\u2028b\u2029c\x85d", "a\ufffdb\ufffdc\ufffdd", id="other line ends"),
        pytest.param("ad\u200bmin", "ad\ufffdmin", id="zero width"),
        pytest.param("tag\U000e0041", "tag\ufffd", id="tag characters"),
        pytest.param("\x02bold\x02 \x0304,01red\x03 \x04ff0000hex\x0f", "bold red hex", id="IRC formatting goes"),
        pytest.param(
            "\x1ditalic\x1d \x1funder\x1f \x11mono\x11 \x16rev\x1estrike", "italic under mono revstrike", id="more"
        ),
        pytest.param("👩\u200d🚀!", "👩\u200d🚀!", id="the joiner inside an emoji"),
        pytest.param("👁\ufe0f\u200d🗨\x07", "👁\ufe0f\u200d🗨\ufffd", id="an emoji beside something bad"),
        pytest.param("a\u200db", "a\ufffdb", id="a joiner elsewhere"),
    ],
)
def test_a_text_is_shown_so(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", id="Persian: I want"),
        pytest.param("\u06a9\u0627\u0631\u200c\u0647\u0627", id="Persian: works, where it changes nothing"),
        pytest.param("\u0915\u094d\u200d\u0937 \u0915\u094d\u200c\u0937", id="Devanagari: half and whole"),
        pytest.param("\u0928\u094d\u200d", id="Devanagari: at the end of a word"),
        pytest.param("\u09b0\u200d\u09cd\u09af\u09be\u09ac", id="Bengali: before a virama"),
        pytest.param("\u0d05\u0d35\u0d28\u0d4d\u200d.", id="Malayalam: a final letter as it used to be written"),
        pytest.param("\u0dc1\u0dca\u200d\u0dbb\u0dd3", id="Sinhala: Sri"),
    ],
)
def test_a_joiner_stays_where_words_are_written_with_it(text: str) -> None:
    assert plain(text) == text
    assert plain(f"{text}\x02\x1b") == f"{text}\ufffd"


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a_b", id="Latin"),
        pytest.param("_", id="alone"),
        pytest.param("\u0645_", id="at the end"),
        pytest.param("_\u0645", id="at the beginning"),
        pytest.param("\u0645_a", id="before Latin"),
        pytest.param("a_\u0645", id="after Latin"),
        pytest.param("\u0645_\u0915", id="between two scripts"),
        pytest.param("\u0645__\u062e", id="two in a row"),
        pytest.param("\u0645____\u062e", id="many in a row"),
        pytest.param("\u0661_\u0662", id="between digits"),
        pytest.param("\u0645_ \u062e", id="before a space"),
        pytest.param("\u0434_\u0436", id="a script that joins nothing"),
        pytest.param("\u6f22_\u5b57", id="another"),
    ],
)
def test_a_joiner_elsewhere_is_shown(text: str, joiner: str) -> None:
    assert plain(text.replace("_", joiner)) == text.replace("_", "\ufffd")


def test_behind_a_virama_there_is_one_joiner_at_most() -> None:
    assert plain("\u0915\u094d\u200d\u200d\u200c\u0937") == "\u0915\u094d\u200d\ufffd\ufffd\u0937"


def test_a_private_character_does_not_become_an_invisible_one() -> None:
    assert plain("\ue000\x07") == "\ue000\ufffd"


@given(
    st.text(
        st.one_of(
            st.sampled_from(NASTY), st.sampled_from("ab 1👩🚀\ufe0f\u0645\u0915\u094d"), st.characters(codec="utf-8")
        )
    )
)
def test_nothing_dangerous_is_ever_left(text: str) -> None:
    shown = plain(text)
    left = {each for each in shown if unicodedata.category(each) in {"Cc", "Zl", "Zp"} or each in BIDI + INVISIBLE}
    assert left <= {"\t"}
    assert all(shown.count(joiner) <= text.count(joiner) for joiner in "\u200c\u200d")
    assert not re.search("[\u200c\u200d]{2}|[ -~][\u200c\u200d]", shown)
    assert plain(shown) == shown


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cn", "Zl", "Zp"])))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert plain(text) == text
