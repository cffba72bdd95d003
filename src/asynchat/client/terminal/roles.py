"""Who has which role in a room, as a server tells it. (Modern IRC, PREFIX, CHANMODES, MODE)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

PREFIX = "(ov)@+"
MODES = "beI,k,l,imnst"


def signs(isupport: Mapping[str, str]) -> dict[str, str]:
    """The sign of each role by its letter, highest first: o is @, v is +."""
    letters, _, marks = (isupport.get("PREFIX") or PREFIX).removeprefix("(").partition(")")
    return dict(zip(letters, marks, strict=False))


def split(name: str, marks: str) -> tuple[str, str]:
    """A listed name without its signs, and the highest of them, "" for none."""
    bare = name.lstrip(marks)
    return bare.partition("!")[0], name[: len(name) - len(bare)][:1]


def changes(params: Sequence[str], isupport: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    """What `+o-v alice bob` does to roles: the sign, the name, and whether it is given."""
    roles = signs(isupport)
    lists, always, setting, _ = (*(isupport.get("CHANMODES") or MODES).split(","), "", "", "", "")[:4]
    on, names = True, iter(params[1:])
    for letter in params[0] if params else "":
        if letter in "+-":
            on = letter == "+"
        elif letter in roles:
            yield roles[letter], next(names, ""), on
        elif letter in lists or letter in always or (letter in setting and on):
            next(names, None)
