"""Text for people whose terminal has no client between us and it."""

from __future__ import annotations

import re

# C0 without tab, DEL, C1, zero-width and bidi controls, line and paragraph separators, interlinear marks, tags.
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_FORMATTING = re.compile(
    "\x03(?:\\d{1,2}(?:,\\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_JOINER = re.compile("(?<=[\U0001f000-\U0001ffff\u2600-\u27bf\ufe0f])\u200d(?=[\U0001f000-\U0001ffff\u2600-\u27bf])")


def plain(text: str) -> str:
    """The text without anything that moves a cursor, hides or reorders: IRC formatting goes, the rest becomes U+FFFD.

    Tabs stay, and the joiner inside an emoji.
    """
    if _UNSAFE.search(text) is None:
        return text
    text = _FORMATTING.sub("", text)
    text = _JOINER.sub("\ue000", text)
    return _UNSAFE.sub("\ufffd", text).replace("\ue000", "\u200d")
