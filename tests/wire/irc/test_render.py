"""Events as IRC: one renderer, live and from history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asynchat.chat.events import (
    AwaySet,
    Change,
    Changed,
    Departed,
    Entered,
    Event,
    Invited,
    Joined,
    Kicked,
    Kind,
    Left,
    Renamed,
    Said,
    Setting,
    Source,
    TopicSet,
)
from asynchat.wire.irc import caps
from asynchat.wire.irc.message import BODY_LIMIT, Message
from asynchat.wire.irc.render import Irc, dialect
from tests.conversation import BEGIN_MS, Town

AL = Source(user="g1", nick="al", ident="~al", host="here")
BO = Source(user="g2", nick="bo", ident="~bo", host="there", account="bob")
LONG = Source(user="g3", nick="n" * 32, ident="~" + "i" * 18, host="h" * 18)
TIME = "time=2026-01-02T03:04:05.678Z"
FACT = {"at_ms": BEGIN_MS, "id": "7", "places": ("#1",)}


def said(text: str, by: Source = AL, **more: object) -> Said:
    return Said(by=by, to="#a", text=text, **FACT, **more)  # type: ignore[arg-type]


EVENTS: list[tuple[Event, str]] = [
    (said("hi"), ":al!~al@here PRIVMSG #a :hi"),
    (said("hi", kind=Kind.NOTICE), ":al!~al@here NOTICE #a :hi"),
    (said("waves", kind=Kind.ACTION), ":al!~al@here PRIVMSG #a :\x01ACTION waves\x01"),
    (Joined(by=BO, room="#a", realname="Bo B", **FACT), ":bo!~bo@there JOIN #a"),
    (Left(by=AL, room="#a", reason="", **FACT), ":al!~al@here PART #a"),
    (Left(by=AL, room="#a", reason="so long", **FACT), ":al!~al@here PART #a :so long"),
    (Departed(by=AL, rooms=("#a",), reason="gone", **FACT), ":al!~al@here QUIT :gone"),
    (Kicked(by=AL, room="#a", target=BO, reason="spam", **FACT), ":al!~al@here KICK #a bo :spam"),
    (Invited(by=AL, room="#a", target=BO, **FACT), ""),
    (Renamed(by=AL, nick="el", **FACT), ":al!~al@here NICK el"),
    (TopicSet(by=AL, room="#a", text="Tea", **FACT), ":al!~al@here TOPIC #a :Tea"),
    (TopicSet(by=AL, room="#a", text="", **FACT), ":al!~al@here TOPIC #a :"),
    (Entered(by=AL, realname="Al", **FACT), ""),
    (AwaySet(by=AL, text="tea", **FACT), ""),
    (said("", kind=Kind.SIGNAL), ""),
    (
        Changed(
            by=AL,
            room="#a",
            changes=(
                Change(setting=Setting.MODERATED, on=True),
                Change(setting=Setting.KEY, on=True, value="tea"),
                Change(setting=Setting.BAN, on=False, value="x!*@*"),
            ),
            **FACT,
        ),
        ":al!~al@here MODE #a +mk-b tea x!*@*",
    ),
]  # fmt: skip


def irc(*capabilities: str) -> Irc:
    return dialect(frozenset(capabilities))


@pytest.mark.parametrize(("event", "line"), EVENTS, ids=[type(event).__name__ for event, _ in EVENTS])
def test_an_event_is_put_so(event: Event, line: str) -> None:
    assert irc().render(event).decode() == (f"{line}\r\n" if line else "")


@pytest.mark.parametrize(("event", "line"), [pair for pair in EVENTS if pair[1]])
def test_tags_depend_on_the_capabilities(event: Event, line: str) -> None:
    """A msgid is for what is kept, and so can be asked for; the time for everything."""
    account = f"account={event.by.account};" if event.by.account else ""
    assert irc(caps.SERVER_TIME).render(event).decode() == f"@{TIME} {line}\r\n"
    assert irc(caps.MESSAGE_TAGS).render(event).decode() == f"@msgid=7 {line}\r\n"
    every = irc(caps.SERVER_TIME, caps.MESSAGE_TAGS, caps.ACCOUNT_TAG)
    assert every.render(event).decode() == f"@{TIME};{account}msgid=7 {line}\r\n"
    assert b"msgid" not in every.render(replace(event, kept=False))


def test_changes_that_are_too_many_for_a_line_are_put_on_several() -> None:
    """A server takes bans back, and a program sets lists, as many as there are."""
    masks = [f"{letter * 40}!*@*" for letter in "abcdefghijklmnopqrstuvwxyz"]
    changes = tuple(Change(setting=Setting.BAN, on=mask[0] != "a", value=mask) for mask in masks)
    lines = irc().render(Changed(by=LONG, room="#a", changes=changes, **FACT)).decode().split("\r\n")[:-1]  # type: ignore[arg-type]
    assert all(len(line) <= BODY_LIMIT for line in lines)
    told = [Message.parse(line) for line in lines]
    assert [mask for each in told for mask in each.params[2:]] == masks
    assert told[0].params[1].startswith("-b+bb")
    assert all(each.params[1].lstrip("+b") == "" for each in told[1:])


def test_what_capabilities_add() -> None:
    joined = Joined(by=BO, room="#a", realname="Bo B", **FACT)  # type: ignore[arg-type]
    assert irc(caps.EXTENDED_JOIN).render(joined) == b":bo!~bo@there JOIN #a bob :Bo B\r\n"
    away, back = (AwaySet(by=AL, text=text, **FACT) for text in ("tea", None))  # type: ignore[arg-type]
    assert irc(caps.AWAY_NOTIFY).render(away) == b":al!~al@here AWAY :tea\r\n"
    assert irc(caps.AWAY_NOTIFY).render(back) == b":al!~al@here AWAY\r\n"
    gone = Joined(by=AL, room="#a", realname="Al", away="tea", **FACT)  # type: ignore[arg-type]
    assert irc(caps.AWAY_NOTIFY).render(gone) == b":al!~al@here JOIN #a\r\n:al!~al@here AWAY :tea\r\n"
    assert irc().render(gone) == b":al!~al@here JOIN #a\r\n"
    signal = said("", kind=Kind.SIGNAL, tags=(("+typing", "active"), ("+x", ""), ("+y", "a b;")))
    assert (
        irc(caps.MESSAGE_TAGS).render(signal)
        == rb"@msgid=7;+typing=active;+x;+y=a\sb\: :al!~al@here TAGMSG #a" + b"\r\n"
    )


def test_a_key_is_never_shown() -> None:
    assert b"secret" not in irc(*caps.OFFERED).render(said("hi", key="secret"))


def test_dialects_of_equal_capabilities_are_one() -> None:
    assert irc(caps.SERVER_TIME, caps.MESSAGE_TAGS) is irc(caps.MESSAGE_TAGS, caps.SERVER_TIME)


@given(st.text(st.sampled_from("aé漢👩 ") | st.just("\n"), min_size=1, max_size=900), st.sampled_from([*Kind]))
@example("漢" * 300, Kind.MESSAGE)
@example("é" * 500, Kind.ACTION)
@example("a" * 900, Kind.NOTICE)
def test_a_text_longer_than_a_line_is_several_with_one_msgid(text: str, kind: Kind) -> None:
    """One event: cut at characters, the msgid on the first line only, the other tags on all. (IRCv3 multiline)"""
    if kind is Kind.SIGNAL:
        return
    data = irc(caps.MESSAGE_TAGS, caps.SERVER_TIME).render(said(text, kind=kind, tags=(("+a", "b"),)))
    lines = data.decode().split("\r\n")[:-1]
    messages = [Message.parse(line) for line in lines]
    for line, message in zip(lines, messages, strict=True):
        assert len(line.partition(" ")[2].encode()) <= BODY_LIMIT
        assert message.tags["time"] == "2026-01-02T03:04:05.678Z"
    assert [("msgid" in each.tags, "+a" in each.tags) for each in messages[1:]] == [(False, True)] * (len(lines) - 1)
    texts = [message.params[1].removeprefix("\x01ACTION ").removesuffix("\x01") for message in messages]
    assert "".join(texts) == text.replace("\n", "")
    if text.strip("\n"):
        assert messages[0].tags["msgid"] == "7"


def test_lines_of_a_text_are_lines_and_empty_ones_are_left_out() -> None:
    assert irc().render(said("one\n\ntwo")) == b":al!~al@here PRIVMSG #a :one\r\n:al!~al@here PRIVMSG #a :two\r\n"


TEXT = "x" * 390
LONGEST: list[Event] = [
    Joined(by=LONG, room="#" + "r" * 63, realname=TEXT, **FACT),  # type: ignore[arg-type]
    Left(by=LONG, room="#" + "r" * 63, reason=TEXT, **FACT),  # type: ignore[arg-type]
    Departed(by=LONG, rooms=(), reason=TEXT, **FACT),  # type: ignore[arg-type]
    Kicked(by=LONG, room="#" + "r" * 63, target=LONG, reason=TEXT, **FACT),  # type: ignore[arg-type]
    TopicSet(by=LONG, room="#" + "r" * 63, text=TEXT, **FACT),  # type: ignore[arg-type]
    AwaySet(by=LONG, text="x" * 200, **FACT),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("event", LONGEST, ids=[type(event).__name__ for event in LONGEST])
def test_the_longest_names_and_reasons_fit_on_a_line(event: Event) -> None:
    """512 bytes with CR LF. A reason of 390 can come by the plain wires, where no line is measured by IRC."""
    line = irc(caps.EXTENDED_JOIN, caps.AWAY_NOTIFY).render(event)
    assert len(line) <= BODY_LIMIT + 2


async def test_history_is_put_as_the_live_line_was(town: Town) -> None:
    tags = "message-tags server-time"
    early, nat = await town.irc("early", "#lobby", caps=tags), await town.person("nat")
    early.hears()
    await nat.says("hi", "/me waves", "x" * 1000)
    live = early.hears()
    late = await town.irc("late", caps=tags)
    await late.says("JOIN #lobby")
    assert late.hears()[3:] == live
