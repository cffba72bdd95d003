"""What is looked for in what was said: words, by whom, where and when.

A text is found if it has all the words, whatever their case and their accents; a word of three letters or more may be
the beginning of a longer one. Chinese and Japanese are written without spaces: there any run of characters is found,
and so is an emoji.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from asynchat.chat.events import Place, Said
from asynchat.chat.names import casefold

BEGINNING = 3
"""The fewest letters that may be the beginning of a longer word."""

# Each of these is a word by itself: kana, ideographs, and what emoji are made of.
_ALONE = "\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\u2600-\u27bf\U0001f000-\U0001faff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")
_COLOURS = re.compile("\x03(?:\\d{1,2}(?:,\\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?")


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    if "\x03" in text or "\x04" in text:  # colours, whose digits are no part of a word
        text = _COLOURS.sub("", text)
    text = text.lower() if text.isascii() else _folded(text)
    return _WORD.findall(text)


def _folded(text: str) -> str:
    """Without case, accents and the like."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if unicodedata.category(each) != "Mn")


def is_beginning(word: str) -> bool:
    """Whether a word that is looked for may be the beginning of a longer one."""
    return len(word) >= BEGINNING


@dataclass(frozen=True, kw_only=True)
class Search:
    """What was said in one of `places`, has all the words of `text`, and was said under the name `nick`.

    What stands together in `text`, such as `foo-bar`, is found where it stands together. An empty text asks for no
    words, None for no name. `after` and `before` are ids, neither included, None for no bound. `limit` is the most that
    is found: the first after `after` if that is given, else the last.
    """

    places: frozenset[Place]
    text: str = ""
    nick: str | None = None
    after: str | None = None
    before: str | None = None
    limit: int

    @property
    def newest(self) -> bool:
        """Whether the last are wanted, not the first."""
        return self.after is None

    @cached_property
    def terms(self) -> tuple[tuple[str, ...], ...]:
        """The words of the text; those of one term stand together."""
        return tuple(tuple(words) for each in self.text.split() if (words := words_of(each)))

    @property
    def impossible(self) -> bool:
        """Whether nothing can be found: it asks for a text without a word in it, or nowhere."""
        return bool(self.text.strip() and not self.terms) or not self.places

    def finds(self, said: Said) -> bool:
        """Whether this is it; its id is not looked at."""
        if self.nick is not None and casefold(said.by.nick) != casefold(self.nick):
            return False
        if self.places.isdisjoint(said.places):
            return False
        if not self.terms:
            return True
        text = f" {' '.join(words_of(said.text))} "
        return all(pattern in text for pattern in self._patterns)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        """The terms as they stand in a text whose words are parted by spaces."""
        return tuple(f" {' '.join(term)}{'' if is_beginning(term[-1]) else ' '}" for term in self.terms)
