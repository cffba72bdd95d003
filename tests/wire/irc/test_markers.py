"""MARKREAD: up to where one has read, on all one's sessions and nobody else's. (IRCv3 read-marker)"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from asynchat.chat.hub import Limits
from tests.conversation import Town, words

EARLY, LATE = "timestamp=2026-01-02T03:04:05.678Z", "timestamp=2026-01-02T03:05:00.000Z"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town(accounts={"Alice": "pw"}) as town:
        yield town


async def people(town: Town) -> None:
    """alice with two sessions that know markers, and a third that does not; bob, who knows them too."""
    for name, caps in (("one", "draft/read-marker"), ("two", "draft/read-marker"), ("old", "")):
        client = await town.irc("alice", account="Alice", caps=caps)
        client.name = name
    await town.irc("bob", "#a", caps="draft/read-marker")
    await town.clients[0].says("JOIN #a")
    town.forget()


async def test_a_marker_is_told_to_every_session_of_the_user_and_to_nobody_else(town: Town) -> None:
    await people(town)
    await town.plays(f"""
        one> MARKREAD #a
        one< :asynchat MARKREAD #a *
        one> MARKREAD #a {EARLY}
        one< :asynchat MARKREAD #a {EARLY}
        two< :asynchat MARKREAD #a {EARLY}
        two> MARKREAD #a
        two< :asynchat MARKREAD #a {EARLY}
        bob> MARKREAD #a
        bob< :asynchat MARKREAD #a *
        two> MARKREAD bob {LATE}
        one< :asynchat MARKREAD bob {LATE}
        two< :asynchat MARKREAD bob {LATE}
    """)


async def test_a_marker_only_moves_on(town: Town) -> None:
    """ "the server MUST reply with a MARKREAD command with the newer, previous value"."""
    await people(town)
    await town.plays(f"""
        one> MARKREAD #a {LATE}
        one< :asynchat MARKREAD #a {LATE}
        two< :asynchat MARKREAD #a {LATE}
        two> MARKREAD #A {EARLY}
        two< :asynchat MARKREAD #… {LATE}
        two> MARKREAD #a {LATE}
        two< :asynchat MARKREAD #a {LATE}
    """)


async def test_who_joins_is_told_before_the_end_of_names(town: Town) -> None:
    await people(town)
    one = town.clients[0]
    await one.says(f"MARKREAD #a {EARLY}", "PART #a")
    town.forget()
    await one.says("JOIN #a")
    heard = one.hears()
    assert words(heard) == ["JOIN", "MARKREAD", "353", "366"]
    assert heard[1] == f":asynchat MARKREAD #a {EARLY}"
    assert "MARKREAD" not in words(town.clients[2].hears())


async def test_a_session_that_comes_in_is_told_the_markers_of_its_rooms(town: Town) -> None:
    await people(town)
    await town.clients[0].says(f"MARKREAD #a {EARLY}")
    late = town.connect("irc")
    await late.says("CAP REQ draft/read-marker", *town.login("Alice"), "NICK alice", "USER a 0 * :A", "CAP END")
    heard = late.hears()
    assert words(heard)[-4:] == ["JOIN", "MARKREAD", "353", "366"]
    assert f":asynchat MARKREAD #a {EARLY}" in heard


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #a *", "INVALID_PARAMS"),
        ("MARKREAD #a :", "INVALID_PARAMS"),
        ("MARKREAD #a 2026-01-02T03:04:05.678Z", "INVALID_PARAMS"),
        ("MARKREAD #a timestamp=", "INVALID_PARAMS"),
        ("MARKREAD #a timestamp=now", "INVALID_PARAMS"),
        ("MARKREAD #a timestamp=2026-02-30T00:00:00.000Z", "INVALID_PARAMS"),
        ("MARKREAD #a timestamp=2026-01-02T03:04:61.000Z", "INVALID_PARAMS"),
        ("MARKREAD #a timestamp=2026-01-02T03:04:05.678+01:00", "INVALID_PARAMS"),
        ("MARKREAD #a timestamp=\u0662\u0660\u0662\u0666-01-02T03:04:05.678Z", "INVALID_PARAMS"),
        ("MARKREAD #a msgid=1", "INVALID_PARAMS"),
        ("MARKREAD :", "INVALID_PARAMS"),
        ("MARKREAD :a b", "INVALID_PARAMS"),
    ],
)
async def test_what_is_no_marker_is_refused(town: Town, line: str, code: str) -> None:
    await people(town)
    one = town.clients[0]
    await one.says(line)
    (heard,) = one.hears()
    assert heard.startswith(f":asynchat FAIL MARKREAD {code} ")
    await one.says("MARKREAD #a")
    assert one.hears() == [":asynchat MARKREAD #a *"]


@pytest.mark.parametrize(
    "when", ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"]
)
async def test_the_ends_of_time_break_nothing(town: Town, when: str) -> None:
    await people(town)
    one = town.clients[0]
    await one.says(f"MARKREAD #a timestamp={when}", "PING x")
    assert words(one.hears()) in (["MARKREAD", "PONG"], ["FAIL", "PONG"])


async def test_an_early_year_has_four_digits_and_is_before_a_late_one(town: Town) -> None:
    await people(town)
    one = town.clients[0]
    await one.says(f"MARKREAD #a {EARLY}", "MARKREAD #a timestamp=0999-01-01T00:00:00.000Z")
    assert one.hears() == [f":asynchat MARKREAD #a {EARLY}"] * 2
    await one.says("MARKREAD #b timestamp=0999-01-01T00:00:00.000Z")
    assert one.hears() == [":asynchat MARKREAD #b timestamp=0999-01-01T00:00:00.000Z"]


async def test_the_number_of_markers_is_bounded() -> None:
    async with Town(limits=Limits(metadata_keys=2)) as town:
        alice = await town.irc("alice")
        await alice.says(f"MARKREAD a {EARLY}", f"MARKREAD b {EARLY}", f"MARKREAD c {EARLY}", f"MARKREAD a {LATE}")
        heard = alice.hears()
        assert words(heard) == ["MARKREAD", "MARKREAD", "FAIL", "MARKREAD"]
        assert heard[2].startswith(":asynchat FAIL MARKREAD INTERNAL_ERROR c :")
