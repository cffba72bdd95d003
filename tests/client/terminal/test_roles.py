"""Who has which role, as servers tell it."""

from __future__ import annotations

import pytest

from asynchat.client.terminal.roles import changes, signs, split

BIG = {"PREFIX": "(qaohv)~&@%+", "CHANMODES": "beI,k,lf,imnst"}


@pytest.mark.parametrize(
    ("mode", "isupport", "found"),
    [
        ("+o alice", {}, [("@", "alice", True)]),
        ("+o-v alice bob", {}, [("@", "alice", True), ("+", "bob", False)]),
        ("+bo *!*@* alice", {}, [("@", "alice", True)]),
        ("+klo key 5 alice", {}, [("@", "alice", True)]),
        ("-klo key alice", {}, [("@", "alice", False)]),
        ("+nqf alice 3:5", BIG, [("~", "alice", True)]),
        ("+o", {}, [("@", "", True)]),
        ("", {}, []),
    ],
)
def test_what_a_mode_does_to_roles(mode: str, isupport: dict[str, str], found: list[tuple[str, str, bool]]) -> None:
    assert list(changes(mode.split(), isupport)) == found


def test_listed_names() -> None:
    marks = "".join(signs(BIG).values())
    assert marks == "~&@%+"
    assert [split(name, marks) for name in ("@+alice", "bob", "~root!r@h", "")] == [
        ("alice", "@"),
        ("bob", ""),
        ("root", "~"),
        ("", ""),
    ]


@pytest.mark.parametrize("prefix", ["", "()", "(", ")", "(ov", "(ov)@", "nonsense"])
def test_a_server_that_tells_nonsense_is_borne(prefix: str) -> None:
    assert isinstance(list(changes(["+ov", "a", "b"], {"PREFIX": prefix, "CHANMODES": ","})), list)
