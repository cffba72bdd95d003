"""What a terminal without a client is shown: nothing that moves, hides or reorders."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.wire.text import plain

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = "\u00ad\u180e\u200b\u200c\u2060\u2061\u2064\ufeff\ufff9\ufffb\U000e0001\U000e0041\U000e007f"
NASTY = "".join(map(chr, (*range(32), *range(0x7F, 0xA0)))) + BIDI + INVISIBLE + "\u2028\u2029\u200d\ue000"


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


def test_a_private_character_does_not_become_an_invisible_one() -> None:
    assert plain("\ue000\x07") == "\ue000\ufffd"


@given(st.text(st.one_of(st.sampled_from(NASTY), st.sampled_from("ab 1👩🚀\ufe0f"), st.characters(codec="utf-8"))))
def test_nothing_dangerous_is_ever_left(text: str) -> None:
    shown = plain(text)
    left = {each for each in shown if unicodedata.category(each) in {"Cc", "Zl", "Zp"} or each in BIDI + INVISIBLE}
    assert left <= {"\t"}
    assert shown.count("\u200d") <= text.count("\u200d")
    assert plain(shown) == shown


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cn", "Zl", "Zp"])))
def test_harmless_text_is_left_alone(text: str) -> None:
    assert plain(text) == text
