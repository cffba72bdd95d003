"""The form in which passwords are hashed and compared, by a server and by its clients. (RFC 4013)"""

from __future__ import annotations

import stringprep
from unicodedata import ucd_3_2_0

_NEVER = (  # RFC 4013 2.3; the first of RFC 3454's tables that has a character of the text forbids it
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prepare(password: str) -> str:
    """A password in the form in which it is hashed, so that the ways to type it are one: SASLprep.

    Code points that are newer than Unicode 3.2 pass, here and in clients: emoji are good passwords, and there will be
    no later version of the rules that could change them. (RFC 4013)

    Raises:
        ValueError: there is a character in it that none may have, or writing directions are mixed; or nothing is left.
    """
    if password.isascii():
        text = password  # a short cut with the same result: only control characters are forbidden there
    else:
        spaced = (" " if stringprep.in_table_c12(each) else each for each in password)
        text = ucd_3_2_0.normalize("NFKC", "".join(each for each in spaced if not stringprep.in_table_b1(each)))
        _check_directions(text)
    if any(is_in_table(each) for each in set(text) for is_in_table in _NEVER):
        raise ValueError("a character that no password may have")
    if not text:
        raise ValueError("no password")
    return text


def _check_directions(text: str) -> None:
    """Let text pass that is written in one direction. (RFC 3454 6)"""
    if not any(map(stringprep.in_table_d1, text)):
        return
    if any(map(stringprep.in_table_d2, text)):
        raise ValueError("letters of both writing directions")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise ValueError("right-to-left letters that are not at both ends")
