"""What one connection hands on of what a server says at once."""

from __future__ import annotations

import pytest

from asynchat.client import connection
from asynchat.client.connection import Connection
from asynchat.client.heard import Run
from asynchat.client.registration import Identity
from asynchat.client.url import Url
from asynchat.wire.irc.message import Message


class OnePacket:
    """A stream on which some lines come at once, and then nothing more; `written` is what is sent."""

    closing = False

    def __init__(self, *lines: str) -> None:
        self._lines = [line.encode() for line in lines]
        self.written: list[str] = []

    async def lines(self) -> list[bytes]:
        lines, self._lines = self._lines, []
        return lines

    def write(self, line: str) -> None:
        self.written.append(line)

    def close(self) -> None:
        return


def connected(*lines: str) -> Connection:
    made = Connection(Url("127.0.0.1", 1), Identity(name="alice"), wanted=(), timeout_s=1)
    made._stream = OnePacket(*lines)  # type: ignore[assignment]
    return made


async def runs_of(made: Connection) -> list[Run]:
    """What it hands on."""
    runs: list[Run] = []

    async def room() -> None:
        return

    await made.read(runs.append, room)
    return runs


def said(text: str, room: str = "#lobby", *, tags: str = "", command: str = "PRIVMSG") -> str:
    return f"{tags and f'@{tags} '}:bob!u@h {command} {room} :{text}"


async def test_what_is_said_in_one_room_at_once_stays_together_and_in_order() -> None:
    lines = [
        said("one"),
        said("two"),
        said("three", "#ops"),
        said("four"),
        said("psst", "alice"),
        said("psst", "alice"),
        said("five"),
        said("six", command="NOTICE"),
        ":bob!u@h NICK rob",
        said("seven"),
        "PRIVMSG",
        "PRIVMSG #lobby",
        said("eight"),
    ]
    runs = await runs_of(connected(*lines))
    assert [message for run in runs for message in run] == [Message.parse(line) for line in lines]
    assert [len(run) for run in runs] == [2] + [1] * 11


async def test_what_means_something_for_the_connection_is_noted_when_what_was_before_is_handed_on() -> None:
    made = connected(said("one"), said("two"), ":alice!u@h NICK alex", said("three"))
    names: list[tuple[str, str]] = []

    def take(run: Run) -> None:
        names.append((run[0].params[-1], made.nick))

    async def room() -> None:
        return

    made._registration.nick = "alice"
    await made.read(take, room)
    assert names == [("one", "alice"), ("alex", "alex"), ("three", "alex")]


async def test_an_answer_is_found_in_the_midst_of_what_others_say() -> None:
    made = connected(said("one"), said("two"), said("mine", tags="label=1"), said("three"), said("four"))
    made._registration.capabilities = frozenset({"labeled-response", "message-tags"})
    answer = made.ask(Message("PRIVMSG", ["#lobby", "mine"]))
    runs = await runs_of(made)
    assert [line.params[1] for line in await answer] == ["mine"]
    assert [line.params[1] for run in runs for line in run] == ["one", "two", "mine", "three", "four"]


async def test_a_message_of_several_lines_is_put_together_in_the_midst_of_what_others_say() -> None:
    made = connected(
        said("one"),
        said("two"),
        ":bob!u@h BATCH +m draft/multiline #lobby",
        said("a", tags="batch=m"),
        said("between"),
        said("b", tags="batch=m"),
        ":bob!u@h BATCH -m",
        said("three"),
    )
    assert [line.params[1] for run in await runs_of(made) for line in run] == ["one", "two", "between", "a\nb", "three"]


async def test_not_too_much_is_handed_on_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_TOGETHER", 10)
    runs = await runs_of(connected(*(said(str(number)) for number in range(25))))
    assert [len(run) for run in runs] == [10, 10, 5]


async def test_what_the_server_says_last_is_why_it_is_over() -> None:
    made = connected(said("one"), "ERROR :Closing link: bye")
    await runs_of(made)
    assert made.ended == "Closing link: bye"
