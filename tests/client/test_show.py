"""What a person sees of a server's messages, whatever they are."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.client.notices import Back, Notice, Reconnecting
from asynchat.client.show import said, show, show_notice, time_of
from asynchat.wire.irc.message import Message


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (":bob!b@h PRIVMSG #lobby :hi", "<bob> hi"),
        (":bob!b@h PRIVMSG ann :hi", "[dm bob] <bob> hi"),
        (":ann!a@h PRIVMSG bob :hi", "[dm bob] <ann> hi"),
        (":bob!b@h PRIVMSG #lobby :\x01ACTION waves\x01", "* bob waves"),
        (":bob!b@h PRIVMSG #lobby :\x01VERSION\x01", None),
        (":bob!b@h NOTICE #lobby :psst", "-bob- psst"),
        (":bob!b@h JOIN #lobby", "*** bob joined #lobby"),
        (":ann!a@h JOIN #lobby", "*** joined #lobby"),
        (":bob!b@h PART #lobby :tea", "*** bob left #lobby (tea)"),
        (":bob!b@h QUIT", "*** bob left"),
        (":bob!b@h KICK #lobby eve :spam", "*** eve was kicked by bob (spam)"),
        (":bob!b@h NICK rob", "*** bob is now rob"),
        (":srv 404 ann #lobby :Cannot send", "!!! #lobby Cannot send"),
        (":srv 422 ann :There is no MOTD", None),
        (":srv FAIL PRIVMSG STORAGE_FULL #lobby :the disk is full", "!!! STORAGE_FULL #lobby the disk is full"),
        ("ERROR :Closing link", "!!! Closing link"),
    ],
)
def test_a_message_is_one_line(line: str, shown: str | None) -> None:
    assert [str(each) for each in show(Message.parse(line), "ann")] == ([shown] if shown is not None else [])


def test_a_message_of_several_lines_is_as_many() -> None:
    shown = show(Message("PRIVMSG", ["#lobby", "one\n\ntwo"], source="bob!b@h"), "ann")
    assert [str(line) for line in shown] == ["<bob> one", "<bob> ", "<bob> two"]


@pytest.mark.parametrize(
    ("line", "mention"),
    [
        (":bob!b@h PRIVMSG #lobby :Ann, look", True),
        (":bob!b@h PRIVMSG #lobby :(ann)", True),
        (":bob!b@h PRIVMSG #lobby :anna and hann", False),
        (":bob!b@h PRIVMSG ann :psst", True),
        (":ann!a@h PRIVMSG #lobby :it is me, ann", False),
        (":bob!b@h NOTICE ann :psst", False),
    ],
)
def test_what_is_for_the_reader(line: str, mention: bool) -> None:
    assert [each.mention for each in show(Message.parse(line), "ann")] == [mention]


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x1b]52;c;aGk=\x07", "a\rb", "a\x08b", "\x9b31m", "\u202egnp.exe", "a\u200bb", "\x00\x7f"]
)
def test_nothing_reaches_the_terminal_that_moves_a_cursor_or_hides(text: str) -> None:
    for command in ("PRIVMSG", "NOTICE", "KICK", "TOPIC", "QUIT", "PART", "NICK", "404", "332", "353", "FAIL", "ERROR"):
        for each in show(Message(command, [text, text, text, text], source=f"{text}!x@y"), "ann"):
            line = f"{each} {each.who}"
            assert line.isprintable() or "\ufffd" in line
            assert not set(text) & set(line) - set(string.printable[:-5])


@pytest.mark.parametrize(
    ("notice", "shown"),
    [
        (Reconnecting(0.0), "!!! connection lost, retrying in 1 s"),
        (Reconnecting(1.2), "!!! connection lost, retrying in 2 s"),
        (Back(4), "*** back, 4 missed:"),
        (Back(0), "*** back, nothing missed"),
        (Back(None), "*** back; what was said meanwhile cannot be told"),
    ],
)
def test_what_becomes_of_the_connection_is_told(notice: Notice, shown: str) -> None:
    assert str(show_notice(notice)) == shown


ANY = st.text(st.characters(exclude_characters="\r\n\0 ", exclude_categories=["Cs"]), max_size=20)


@given(
    command=st.sampled_from(["PRIVMSG", "JOIN", "KICK", "TOPIC", "MODE", "353", "999", "FAIL", "X"]),
    params=st.lists(ANY),
)
def test_missing_and_odd_parameters_never_raise(command: str, params: list[str]) -> None:
    for line in show(Message(command, params, source="x"), "ann"):
        assert "\n" not in str(line)


TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=10),
    st.sampled_from(
        ["hi", "hello Ann", "\x1b[2J", "\x01ACTION waves\x01", "\u200d", "\U0001f469", "one\ntwo", "\u202e"]
    ),
)


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob", "e\u202eve"]), TEXTS, st.integers(0, 59)), min_size=1))
def test_what_is_looked_at_together_is_shown_as_if_one_looked_at_each(lines: list[tuple[str, str, int]]) -> None:
    run = [
        Message("PRIVMSG", ["#lobby", text], source=f"{by}!b@h", tags={"time": f"2026-01-01T00:00:{second:02}.000Z"})
        for by, text, second in sorted(lines, key=lambda each: each[2])
    ]
    one_by_one = [line for message in run for line in show(message, "ann")]
    together = said(run, "ann")
    assert together is None or together == one_by_one


def test_what_is_harmless_and_for_nobody_is_looked_at_together() -> None:
    assert said([Message("PRIVMSG", ["#lobby", text], source="bob!b@h") for text in ("hi", "größe 👩\u200d💻")], "ann")


def test_a_time_that_is_none_is_not_shown() -> None:
    assert time_of(Message("PRIVMSG", tags={"time": "yesterday"})) is None
    assert time_of(Message("PRIVMSG", tags={"time": "2019-01-04T14:33:26.123Z"})) is not None
