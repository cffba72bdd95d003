"""What a server tells of what was said, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from asynchat.client.history import SEARCH, backwards, forwards, search
from asynchat.wire.irc.message import Message
from tests.client.scripted import ALL, batch, welcome
from tests.client.test_client import alice, line


def said(number: int, at: str) -> str:
    return f"@time={at};msgid={number} :bob!u@h PRIVMSG #lobby :x"


@pytest.mark.parametrize("inclusive", [True, False], ids=["a moment belongs to what was before", "it does not"])
async def test_what_was_said_in_one_moment_is_found_once_and_whole(*, inclusive: bool) -> None:
    """A server that tells two lines at a time."""
    first, then, last = (f"2026-01-01T00:00:0{second}.000Z" for second in range(3))
    lines = [said(1, first), said(2, then), said(3, then), said(4, last)]
    found = {
        "": lines[2:],
        "00:00:02.001": lines[2:],
        "00:00:02.000": lines[2:] if inclusive else lines[1:3],
        "00:00:01.001": lines[1:3],
        "00:00:01.000": lines[1:3] if inclusive else lines[:1],
        "00:00:00.999": lines[:1],
        "00:00:00.001": lines[:1],
    }
    answers = {
        "SEARCH in=#lobby;text=x;limit=1000" + (f";before=2026-01-01T{before}Z" if before else ""): batch(
            "{label}", *some
        )
        for before, some in found.items()
    }
    async with alice(welcome(caps=f"{ALL} {SEARCH}") | {"SEARCH": batch("{label}")} | answers, wanted=(SEARCH,)) as (
        client,
        _,
    ):
        pages = [[line.tags["msgid"] for line in page] async for page in search(client, "#lobby", "x")]
    assert [msgid for page in reversed(pages) for msgid in page] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("way", [backwards, forwards])
async def test_a_server_that_repeats_a_page_is_not_asked_for_ever(
    way: Callable[..., AsyncIterator[list[Message]]], caplog: pytest.LogCaptureFixture
) -> None:
    answers = welcome() | {"CHATHISTORY ": batch("{label}", line(11, "one"), line(12, "two"))}
    async with alice(answers, past=0) as (client, _):
        pages = [page async for page in way(client, "#lobby", "msgid=5")]
    assert [[each.params[1] for each in page] for page in pages] == [["one", "two"]]
    assert "the server repeats what was said in #lobby" in caplog.text
