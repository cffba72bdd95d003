"""Text for people whose terminal has no client between us and it."""

from __future__ import annotations

import re

# C0 without tab, DEL, C1, zero-width and bidi controls, line and paragraph separators, interlinear marks, tags; but
# not the joiner inside an emoji.
_EMOJI = "\U0001f000-\U0001ffff\u2600-\u27bf"
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    f"\U000e0000-\U000e007f]|(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])"
)
_FORMATTING = re.compile(
    "\x03(?:\\d{1,2}(?:,\\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)


def plain(text: str) -> str:
    """The text without anything that moves a cursor, hides or reorders: IRC formatting goes, the rest becomes U+FFFD.

    Tabs stay, and the joiner inside an emoji.
    """
    if (text.isascii() and text.isprintable()) or _UNSAFE.search(text) is None:  # the first is quicker, and mostly so
        return text
    return _UNSAFE.sub("\ufffd", _FORMATTING.sub("", text))
