"""Text for people whose terminal has no client between us and it."""

from __future__ import annotations

import re
from functools import lru_cache

# C0 without tab, DEL, C1, zero-width and bidi controls, line and paragraph separators, interlinear marks, tags; but
# not the joiner inside an emoji. A joiner or non-joiner that a script needs is found too, and left: see `_needed`.
_EMOJI = "\U0001f000-\U0001ffff\u2600-\u27bf"
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    f"\U000e0000-\U000e007f]|(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])"
)
_FORMATTING = re.compile(
    "\x03(?:\\d{1,2}(?:,\\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_JOINERS = "\u200c\u200d"
_VIRAMA = 9
"""The combining class of what takes a consonant its vowel."""
_SCRIPTS = (
    (range(0x600, 0x700), range(0x750, 0x780), range(0x870, 0x900)),  # Arabic
    (range(0x700, 0x750), range(0x860, 0x870)),  # Syriac
    (range(0x7C0, 0x800),),  # N'Ko
    (range(0x900, 0x980), range(0xA8E0, 0xA900)),  # Devanagari
    *((range(block, block + 0x80),) for block in range(0x980, 0xE00, 0x80)),  # Bengali to Sinhala
    (range(0x1000, 0x10A0), range(0xA9E0, 0xAA00), range(0xAA60, 0xAA80)),  # Myanmar
    (range(0x1780, 0x1800),),  # Khmer
    (range(0x1800, 0x18B0),),  # Mongolian
    (range(0x1B00, 0x1B80),),  # Balinese
    (range(0xA980, 0xA9E0),),  # Javanese
)
"""The blocks of scripts in which letters join, or consonants do."""


def plain(text: str) -> str:
    """The text without anything that moves a cursor, hides or reorders: IRC formatting goes, the rest becomes U+FFFD.

    Tabs stay, the joiner inside an emoji, and what Persian or Hindi cannot be written without.
    """
    if (text.isascii() and text.isprintable()) or _UNSAFE.search(text) is None:  # the first is quicker, and mostly so
        return text
    joined = "\u200c" in text or "\u200d" in text
    return _UNSAFE.sub(_replaced if joined else "\ufffd", _FORMATTING.sub("", text))


def _replaced(match: re.Match[str]) -> str:
    found, text, at = match[0], match.string, match.start()
    needed = found in _JOINERS and _needed(text[at - 1 : at], text[at + 1 : at + 2])
    return found if needed else "\ufffd"


@lru_cache(maxsize=1024)
def _needed(before: str, after: str) -> bool:
    """Whether a script may need a joiner here: behind a virama, or between two letters or marks of one script.

    So never beside Latin, and never two in a row. (RFC 5892, A.1 and A.2, which look at how Arabic letters join as
    well; but people write it also where it changes nothing, and Bengali and Kannada before a virama.)
    """
    import unicodedata  # few write so

    if not before:
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if not after or not all(unicodedata.category(each)[0] in "LM" for each in (before, after)):
        return False
    return any(all(any(ord(each) in block for block in script) for each in (before, after)) for script in _SCRIPTS)
