"""Long texts: batches of lines, how they are put for who knows them and who does not, and their limits.

(IRCv3 multiline, client-batch)
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.conversation import Client, Town, bare, matches, tags, words

CAPS = "draft/multiline batch message-tags echo-message labeled-response"
CONCAT = "draft/multiline-concat"


async def three(town: Town) -> None:
    """alice, who sends, and bob, who knows long texts, and plain, who does not, in #a."""
    await town.irc("alice", "#a", caps=CAPS)
    await town.irc("bob", "#a", caps=CAPS)
    await town.irc("plain", "#a")
    town.forget()


def batch(*lines: str, target: str = "#a", name: str = "1", opening: str = "") -> Sequence[str]:
    """The lines of a batch; a `+` before a text joins it to the line before."""
    said = [f"{opening}BATCH +{name} draft/multiline {target}"]
    for line in lines:
        joined = f";{CONCAT}" if line.startswith("+") else ""
        said.append(f"@batch={name}{joined} PRIVMSG {target} :{line.removeprefix('+')}")
    return [*said, f"BATCH -{name}"]


def lines_of(client: Client) -> list[tuple[str, bool]]:
    """The texts in the one batch that a client hears, and whether each goes on from the one before."""
    opening, *lines, closing = client.hears()
    name = bare(opening).partition(" BATCH +")[2].split(" ")[0]
    assert bare(closing).endswith(f"BATCH -{name}")
    assert all(tags(line)["batch"] == name for line in lines)
    return [(bare(line).partition(" :")[2], CONCAT in tags(line)) for line in lines]


async def test_who_knows_long_texts_gets_the_lines_as_they_were_and_who_does_not_those_with_words(town: Town) -> None:
    await three(town)
    alice, bob, plain = town.clients
    await alice.says(*batch("hello", "", "how is ", "+everyone?"))
    for client in (alice, bob):
        assert lines_of(client) == [("hello", False), ("", False), ("how is ", False), ("everyone?", True)]
    assert plain.hears() == [f":alice!~alice@here PRIVMSG #a :{text}" for text in ("hello", "how is ", "everyone?")]


async def test_the_opening_has_the_tags_and_who_said_it(town: Town) -> None:
    await three(town)
    alice, bob, plain = town.clients
    await plain.says("CAP REQ message-tags")
    plain.hears()
    await alice.says(*batch("one", "two", opening="@+client=tag;label=x "))
    opening = bob.hears()[0]
    assert matches(opening, "@msgid=…;+client=tag :alice!~alice@here BATCH +… draft/multiline #a")
    echo, *_ = alice.hears()
    assert tags(echo)["label"] == "x"
    assert tags(echo)["msgid"] == tags(opening)["msgid"]
    first, second = plain.hears()
    assert tags(first) == {"msgid": tags(opening)["msgid"], "+client": "tag"}
    assert "msgid" not in tags(second)


async def test_the_label_is_answered_once_and_as_it_was_escaped(town: Town) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(*batch("one", "two", opening=r"@label=a\s\:b\r\nQUIT "))
    heard = alice.hears()
    assert heard[0].startswith(r"@label=a\s\:b\r\nQUIT;")
    assert not any("label" in line for line in heard[1:])


async def test_private_talk_and_notices_may_be_long_too(town: Town) -> None:
    await three(town)
    alice, bob, plain = town.clients
    await alice.says(*batch("one", "two", target="bob"), *batch("one", "two", target="PLAIN"))
    assert lines_of(bob) == [("one", False), ("two", False)]
    assert plain.hears() == [f":alice!~alice@here PRIVMSG plain :{text}" for text in ("one", "two")]
    await alice.says("BATCH +1 draft/multiline #a", "@batch=1 notice #a :n", "@batch=1 NOTICE #a :m", "BATCH -1")
    assert plain.hears() == [f":alice!~alice@here NOTICE #a :{text}" for text in ("n", "m")]


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["@batch=1 PRIVMSG #b :x"], "MULTILINE_INVALID_TARGET #a #b"),
        (["@batch=1 PRIVMSG #a :x", "@batch=1 NOTICE #a :x"], "MULTILINE_INVALID"),
        (["@batch=1 PRIVMSG #a :x", f"@batch=1;{CONCAT} PRIVMSG #a :"], "MULTILINE_INVALID"),
        (["@batch=1 PRIVMSG #a :", "@batch=1 PRIVMSG #a :", "BATCH -1"], "MULTILINE_INVALID"),
        (["BATCH -1"], "MULTILINE_INVALID"),
        (["@batch=1 JOIN #c"], "MULTILINE_INVALID"),
        (["@batch=1 PRIVMSG #a"], "MULTILINE_INVALID"),
        (["@batch=1 PRIVMSG"], "MULTILINE_INVALID"),
        (["@batch=2 PRIVMSG #a :x"], "MULTILINE_INVALID"),
        (["@batch=1 QUIT"], "MULTILINE_INVALID"),
    ],
)
async def test_a_batch_that_breaks_the_rules_is_refused_whole(town: Town, lines: list[str], answer: str) -> None:
    await three(town)
    alice, bob, plain = town.clients
    await alice.says("BATCH +1 draft/multiline #a", *lines)
    (heard,) = alice.hears()
    assert matches(bare(heard), f":asynchat FAIL BATCH {answer} :…")
    assert bob.hears() == plain.hears() == []
    assert not alice.closed
    assert "#c" not in town.hub.state.rooms


async def test_the_rest_of_a_refused_batch_is_not_said_line_by_line(town: Town) -> None:
    await three(town)
    alice, bob, plain = town.clients
    await alice.says("BATCH +1 draft/multiline #a", "@batch=1 PRIVMSG #b :x", "@batch=1 PRIVMSG #a :y", "BATCH -1")
    assert "FAIL" in words(alice.hears())
    assert bob.hears() == plain.hears() == []


async def test_the_refusal_of_a_batch_has_its_label(town: Town) -> None:
    """IRCv3 labeled-response: whatever is labelled is answered."""
    await three(town)
    alice = town.clients[0]
    for target, lines in (("#a", ["", ""]), ("#z", ["x", "y"]), ("zed", ["x", "y"])):
        await alice.says(*batch(*lines, target=target, opening="@label=x "))
        assert [tags(line).get("label") for line in alice.hears()] == ["x"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (["x" * 10], None),
        (["x" * 5, "x" * 4], None),
        (["x" * 5, "+xxxxx"], None),
        (["x" * 11], "MULTILINE_MAX_BYTES 10"),
        (["x" * 5, "x" * 5], "MULTILINE_MAX_BYTES 10"),
        (["\u00e9" * 5, "\u00e9"], "MULTILINE_MAX_BYTES 10"),
        (["a", "b", "c"], None),
        (["a", "b", "c", "d"], "MULTILINE_MAX_LINES 3"),
        (["a", "+b", "+c", "+d"], "MULTILINE_MAX_LINES 3"),
        (["a", "", "", ""], "MULTILINE_MAX_LINES 3"),
    ],
)
async def test_a_text_has_so_many_bytes_and_lines_at_most(text: list[str], answer: str | None) -> None:
    """A line feed between lines counts for a byte; blank and joined lines count as lines."""
    async with Town(most_multiline_bytes=10, most_multiline_lines=3) as town:
        await three(town)
        alice, bob, _ = town.clients
        await alice.says(*batch(*text)[: -1 if answer else None])
        if answer is None:
            assert len(bob.hears()) >= 1
        else:
            (heard,) = alice.hears()
            assert matches(bare(heard), f":asynchat FAIL BATCH {answer} :…")
            assert bob.hears() == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("BATCH +1 draft/multiline", "UNKNOWN_TYPE"),
        ("BATCH +1 nonsense #a", "UNKNOWN_TYPE"),
        ("BATCH +1", "UNKNOWN_TYPE"),
        ("BATCH -1", "INVALID_REFTAG"),
        ("BATCH 1 draft/multiline #a", "…"),
        ("BATCH :", "…"),
    ],
)
async def test_what_is_no_batch_is_refused(town: Town, line: str, code: str) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says(line)
    (heard,) = alice.hears()
    assert matches(heard, f":asynchat FAIL BATCH {code} …:…")


async def test_other_commands_may_come_between_the_lines(town: Town) -> None:
    await three(town)
    alice, bob, _ = town.clients
    opening, first, second, closing = batch("one", "two")
    await alice.says(opening, first, "PING x", "PRIVMSG #a :between", second, closing)
    assert words(alice.hears()) == ["PONG", "PRIVMSG", "BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]
    assert words(bob.hears()) == ["PRIVMSG", "BATCH", "PRIVMSG", "PRIVMSG", "BATCH"]


@pytest.mark.parametrize(
    "text",
    [
        "BATCH -1",
        ":asynchat BATCH -1",
        "@batch=1 :eve!e@e PRIVMSG #a :x",
        ":eve!e@e PRIVMSG #a :x",
        "\x01ACTION x\x01",
        "\x01VERSION\x01",
        "::",
        " : x",
    ],
)
async def test_a_line_of_a_text_is_never_a_message_of_its_own(town: Town, text: str) -> None:
    await three(town)
    alice, bob, plain = town.clients
    nat = await town.person("nat")
    await nat.says("/join #a")
    town.forget()
    await alice.says(*batch("one", text, "+" + text, "end"))
    assert lines_of(bob) == [("one", False), (text, False), (text, True), ("end", False)]
    for line in plain.hears():
        assert line.startswith(":alice!~alice@here PRIVMSG #a :")
    assert not any(line.startswith(("***", "!!!", "<eve>")) for line in nat.hears())


async def test_a_request_to_programs_cannot_hide_in_a_long_text(town: Town) -> None:
    """Where CTCP is not wanted (+C), it is not wanted on the second line either."""
    await three(town)
    alice, _, plain = town.clients
    await alice.says("MODE #a +C")
    town.forget()
    await alice.says(*batch("hello", "\x01VERSION\x01"))
    assert not any("\x01" in line for line in plain.hears())


async def test_lines_too_long_to_be_relayed_are_cut_at_characters_and_joined_again(town: Town) -> None:
    """With a mask before it a line has less room than its author had."""
    await three(town)
    alice, bob, plain = town.clients
    text = "\u6f22" * 155
    await alice.says(*batch(text, "+" + text))
    parts = lines_of(bob)
    assert "".join(part for part, _ in parts) == text * 2
    assert [joined for _, joined in parts] == [False, *[True] * (len(parts) - 1)]
    lines = plain.hears()
    assert "".join(line.partition(" :")[2] for line in lines) == text * 2
    assert all(len(line.encode()) <= 510 for line in lines)


async def test_who_may_not_speak_may_not_speak_at_length(town: Town) -> None:
    await three(town)
    alice, bob, plain = town.clients
    await alice.says("MODE #a +m")
    town.forget()
    await bob.says(*batch("one", "two"))
    assert words(bob.hears()) == ["404"]
    assert alice.hears() == plain.hears() == []


async def test_without_the_capability_there_are_no_batches(town: Town) -> None:
    plain, other = await town.irc("plain", "#a"), await town.irc("other", "#a")
    town.forget()
    await plain.says(*batch("one", "two"))
    assert "FAIL" in words(plain.hears()) or [line[-3:] for line in other.hears()] == ["one", "two"]
