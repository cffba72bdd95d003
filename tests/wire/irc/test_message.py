"""One IRC message: parse and encode. (Modern IRC, "Message Format"; IRCv3 message-tags)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.chat.errors import BadMessage
from asynchat.wire.irc.message import Message, escape, parse_tags, split_text, unescape

VECTORS: list[tuple[str, Message]] = [
    ("PING", Message("PING")),
    ("ping x", Message("PING", ["x"])),
    ("PRIVMSG #a :hello there", Message("PRIVMSG", ["#a", "hello there"])),
    ("PRIVMSG #a hello", Message("PRIVMSG", ["#a", "hello"])),
    ("PRIVMSG #a :", Message("PRIVMSG", ["#a", ""])),
    ("PRIVMSG #a ::)", Message("PRIVMSG", ["#a", ":)"])),
    ("PRIVMSG #a : leading", Message("PRIVMSG", ["#a", " leading"])),
    ("PRIVMSG #a :a :b", Message("PRIVMSG", ["#a", "a :b"])),
    ("PRIVMSG #a :tail  ", Message("PRIVMSG", ["#a", "tail  "])),
    ("MODE #a +k a:b", Message("MODE", ["#a", "+k", "a:b"])),
    ("CAP   LS    302  ", Message("CAP", ["LS", "302"])),
    ("  PING x", Message("PING", ["x"])),
    (":irc.example.org 001 a :Hi", Message("001", ["a", "Hi"], source="irc.example.org")),
    (":a!b@c   JOIN #a", Message("JOIN", ["#a"], source="a!b@c")),
    ("@a=b PING", Message("PING", tags={"a": "b"})),
    ("@a=b;c;d= PING", Message("PING", tags={"a": "b", "c": "", "d": ""})),
    ("@a=1;a=2 PING", Message("PING", tags={"a": "2"})),
    ("@;a=1;; PING", Message("PING", tags={"a": "1"})),
    ("@a=b=c PING", Message("PING", tags={"a": "b=c"})),
    ("@+ven.dor/k-1=v   PING", Message("PING", tags={"+ven.dor/k-1": "v"})),
    (r"@a=\:\s\\\r\n :s PING :x y", Message("PING", ["x y"], source="s", tags={"a": "; \\\r\n"})),
    ("PRIVMSG #a :größe 漢", Message("PRIVMSG", ["#a", "größe 漢"])),
    ("PRIVMSG #a :\x01ACTION x\x01", Message("PRIVMSG", ["#a", "\x01ACTION x\x01"])),
    ("PRIVMSG\t#a x", Message("PRIVMSG\t#A", ["x"])),
]
ESCAPES = [
    (";", r"\:"),
    (" ", r"\s"),
    ("\\", r"\\"),
    ("\r", r"\r"),
    ("\n", r"\n"),
    ("a;b c", r"a\:b\sc"),
    ("", ""),
    (":", ":"),
]

_WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n "), min_size=1, max_size=8)
_MIDDLE = _WORD.filter(lambda word: word[0] != ":")
_LAST = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=20)
_NAME = st.text("+abc/.-1", min_size=1, max_size=6)
_VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
messages = st.builds(
    lambda command, middle, last, source, tags: Message(command, [*middle, *last], source=source, tags=tags),
    st.text("ABCDEFXYZ0123", min_size=1, max_size=6),
    st.lists(_MIDDLE, max_size=4),
    st.lists(_LAST, max_size=1),
    st.just("") | st.text("abc!@.~", min_size=1, max_size=9),
    st.dictionaries(_NAME, _VALUE, max_size=3),
)


@pytest.mark.parametrize(("line", "message"), VECTORS, ids=[repr(line) for line, _ in VECTORS])
def test_a_line_is_parsed_so(line: str, message: Message) -> None:
    assert Message.parse(line) == message


@pytest.mark.parametrize(
    "line", ["", " ", ":source", ": ", ":a :b", "@a=b", "@a=b ", "@a :s", "@a  :x :y", "A\0", "A\rB", "A\nB"]
)
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(BadMessage):
        Message.parse(line)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (Message("PING"), "PING"),
        (Message("PING", ["a b"]), "PING :a b"),
        (Message("PING", [""]), "PING :"),
        (Message("PING", [":)"]), "PING ::)"),
        (Message("PING", ["a:b"]), "PING a:b"),
        (Message("M", ["a", "b", "c"], source="s", tags={"t": "", "u": "x y"}), r"@t;u=x\sy :s M a b c"),
    ],
)
def test_a_message_is_encoded_so(message: Message, line: str) -> None:
    assert message.encode() == line


@pytest.mark.parametrize("params", [["a b", "c"], ["", "c"], [":a", "c"], ["a\n"], ["a\r"], ["a\0"]])
def test_what_cannot_be_written_is_refused(params: list[str]) -> None:
    with pytest.raises(BadMessage):
        Message("M", params).encode()


@pytest.mark.parametrize(("value", "written"), ESCAPES)
def test_a_tag_value_is_escaped_so(value: str, written: str) -> None:
    """IRCv3 message-tags, "Escaping values"."""
    assert escape(value) == written
    assert unescape(written) == value


@pytest.mark.parametrize(
    ("written", "value"), [("\\", ""), ("a\\", "a"), (r"\b", "b"), (r"\\s", r"\s"), (r"a\\\\b", r"a\\b")]
)
def test_a_lone_backslash_goes(written: str, value: str) -> None:
    assert unescape(written) == value


@given(messages)
def test_what_was_encoded_is_parsed_to_the_same(message: Message) -> None:
    assert Message.parse(message.encode()) == message


@given(st.text(st.sampled_from("@:; =\\abP\0\r\n#\t") | st.characters(codec="utf-8"), max_size=30))
def test_any_text_is_a_message_or_a_bad_one(line: str) -> None:
    try:
        message = Message.parse(line)
    except BadMessage:
        return
    assert message.command
    assert not any(" " in param or not param for param in message.params[:-1])
    assert Message.parse(line) == message


@given(st.text(st.sampled_from(";=\\ab"), min_size=1, max_size=20))
def test_one_tag_is_what_it_is_among_all(tags: str) -> None:
    line = f"@{tags} PING"
    all_tags = Message.parse(line).tags
    for name in ("a", "b", "ab", "c"):
        message = Message.parse(line)
        assert [message.tag(name), message.tags.get(name, ""), message.tag(name)] == [all_tags.get(name, "")] * 3


@given(st.text(st.sampled_from("@:;=\\+ab "), max_size=20))
def test_any_tags_have_names(text: str) -> None:
    assert all(parse_tags(text))


@given(st.text(st.sampled_from("aé漢👩 ") | st.just("\n"), max_size=60), st.integers(4, 20))
def test_a_text_is_split_at_line_breaks_and_characters_and_nothing_is_lost(text: str, room: int) -> None:
    pieces = split_text(text, room)
    assert "".join(pieces) == text.replace("\n", "")
    assert all(len(piece.encode()) <= room for piece in pieces)
    assert len(pieces) <= len(text.encode()) // (room - 3) + 1 + text.count("\n")
