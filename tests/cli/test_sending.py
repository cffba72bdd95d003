"""Sending much: how far it has come, and that all of it comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asynchat.chat.errors import StoreError
from asynchat.cli.exits import MOST_TOLD, exits
from asynchat.cli.send.sender import Counter
from tests.cli.program import asynchat, lines
from tests.net.conftest import Serve, serve

__all__ = ["serve"]


@pytest.mark.parametrize(
    ("total", "stored", "told"),
    [
        pytest.param(0, 2, "2 stored\n", id="of a stream nobody knows how many there will be"),
        pytest.param(3, 3, "3 of 3 stored\n", id="of a long text one knows"),
        pytest.param(3, 2, "2 of 3 stored\n", id="it has ended before all was stored"),
        pytest.param(1, 1, "", id="a single message is nothing to count"),
        pytest.param(3, 0, "", id="nothing was stored"),
    ],
)
def test_a_terminal_is_told_how_much_is_stored(
    total: int, stored: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for shown in (True, False):
        counter = Counter(shown=shown)
        counter.total = total
        for _ in range(stored):
            counter.add()
        counter.end()
        assert capsys.readouterr().err.rpartition("\r")[2] == (told if shown else "")


def test_a_text_of_many_messages_comes_whole_and_in_order(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("[limits]\nflood = false\n")
    server = serve("--memory", "--config", str(tmp_path / "server.toml"))
    text = [f"line {number}" for number in range(5000)]
    sent = asynchat(tmp_path, server.url, "send", "--json", "--key", "k", stdin="\n".join(text).encode())
    assert len({json.loads(line)["id"] for line in lines(sent)}) == 5
    assert lines(asynchat(tmp_path, server.url, "history", "--limit", "0", "--format", "{text}")) == text


def test_an_error_with_a_book_in_it_is_told_as_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), exits():
        raise StoreError("word\n" * 10_000)
    told = capsys.readouterr().err
    assert told.endswith("…\n")
    assert len(told) == len("asynchat: ") + MOST_TOLD + 2
