"""What one wire lets in never becomes a second message, or a control character, on another."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable

import pytest

from asynchat.wire.irc.message import Message
from tests.conversation import Client, Town, packet, unpacked

NASTY = {
    "CR": b"a\rb",
    "LF": b"a\nb",
    "CRLF": b"a\r\nb",
    "NUL": b"a\0b",
    "U+2028": "a\u2028b".encode(),
    "U+0085": "a\u0085b".encode(),
    "CRLF QUIT": b"a\r\nQUIT",
    "frame header": b"5         hello",
    "LF and a frame header": b"a\n5         hello",
    "ESC": b"a\x1b[2Jb",
    "bidi": "a\u202eb\u2066c".encode(),
    "OSC 52": b"a\x1b]52;c;cHduZWQ=\x07b",
    "BEL": b"a\x07b",
    "C1": "a\u009b2Jb".encode(),
    "tab": b"a\tb",
}
ENDS_A_LINE = {"LF", "CRLF", "CRLF QUIT", "LF and a frame header"}
WIRES = ("irc", "line", "frame")


async def comes(town: Town, wire: str, name: str) -> Client:
    return await {"irc": town.irc, "line": town.person, "frame": town.framed}[wire](name)


def written(wire: str, text: bytes, irc: bytes, plain: bytes) -> bytes:
    """Bytes that carry the text as a part of a command; for frames the packet is closed by the length."""
    if wire == "irc":
        return irc % text + b"\r\n"
    return packet(plain % text) if wire == "frame" else plain % text + b"\n"


def messages(wire: str, data: bytes) -> list[str]:
    """What a reader of that wire takes for a message each, with the text of each."""
    if wire == "irc":
        parsed = [Message.parse(line) for line in data.decode().split("\r\n") if line]
        return [message.params[-1] for message in parsed]
    if wire == "line":
        return data.decode().split("\n")[:-1]
    return [each.decode() for each in unpacked(data)[1::2]]


def controls(text: str) -> set[str]:
    """Control, format and separator characters, but for the tab."""
    return {each for each in text if unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}} - {"\t"}


async def hands_on(
    source: str, sink: str, data: bytes, prepare: Callable[[Town, Client, Client], Awaitable[None]] | None = None
) -> tuple[list[str], bytes, bool]:
    """What a reader hears when these bytes are sent, what the sender hears, and whether both are still there."""
    async with Town() as town:
        sender, reader = await comes(town, source, "mallory"), await comes(town, sink, "reader")
        for client in (sender, reader):
            if client.wire == "irc":
                await client.says("JOIN #lobby")
        if prepare is not None:
            await prepare(town, sender, reader)
        town.forget()
        await sender.says(data)
        heard = reader.hears_bytes()
        return messages(sink, heard), sender.hears_bytes(), not (sender.closed or reader.closed)


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("sink", WIRES)
@pytest.mark.parametrize("source", WIRES)
async def test_one_message_in_is_one_message_out_or_a_refusal(source: str, sink: str, nasty: str) -> None:
    """On IRC and line an LF ends what is said; what follows is the next line, and never hidden in the first."""
    text = NASTY[nasty]
    heard, answer, here = await hands_on(source, sink, written(source, text, b"PRIVMSG #lobby :%b", b"%b"))
    refused = nasty in {"CR", "NUL"} or (source == "frame" and b"\r" in text)
    if refused:
        assert heard == []
        assert b"BAD_" in answer
    elif source == "irc" and nasty in ENDS_A_LINE:
        assert len(heard) == 1 or nasty == "CRLF QUIT"
    elif nasty in ENDS_A_LINE:  # two lines of talk, or one event of two lines
        assert len(heard) == 2
    else:
        assert len(heard) == 1
    assert here or (source != "frame" and nasty == "CRLF QUIT")
    if sink != "irc":
        assert controls("".join(heard)) == set()


@pytest.mark.parametrize("nasty", sorted(NASTY.keys() - {"CRLF QUIT"}))
@pytest.mark.parametrize("sink", WIRES)
@pytest.mark.parametrize(
    ("irc", "plain"),
    [
        pytest.param(b"TOPIC #lobby :%b", b"/topic %b", id="topic"),
        pytest.param(b"KICK #lobby third :%b", b"/kick third %b", id="kick"),
        pytest.param(b"PART #lobby :%b", b"/part #lobby %b", id="part"),
        pytest.param(b"QUIT :%b", b"/quit %b", id="quit"),
        pytest.param(b"MODE #lobby +b %b", b"/ban %b", id="ban"),
        pytest.param(b"MODE #lobby +k %b", b"/key %b", id="key"),
        pytest.param(b"MODE #lobby -k :%b", b"/key", id="key taken away"),
        pytest.param(b"NICK %b", b"/name %b", id="name"),
        pytest.param(b"PRIVMSG reader :%b", b"/msg reader %b", id="private"),
        pytest.param(b"NOTICE #lobby :%b", b"/me %b", id="notice or action"),
        pytest.param(b"@+x=%b TAGMSG #lobby", b"/say %b", id="tag"),
        pytest.param(b"JOIN #%b", b"/join #%b", id="room"),
    ],
)
@pytest.mark.parametrize("source", WIRES)
async def test_no_part_of_an_event_carries_a_second_message(
    source: str, irc: bytes, plain: bytes, sink: str, nasty: str
) -> None:
    async def prepare(town: Town, sender: Client, reader: Client) -> None:
        await town.person("third")
        if sender.wire == "irc":
            await sender.says("CAP REQ :message-tags")
        if reader.wire == "irc":
            await reader.says("CAP REQ message-tags")

    text = NASTY[nasty]
    data = packet(plain % text if b"%b" in plain else plain) if source == "frame" else None
    if data is None:
        form = irc if source == "irc" else plain
        data = (form % text if b"%b" in form else form) + b"\r\n"
    heard, answer, _ = await hands_on(source, sink, data, prepare)
    events = 2 if nasty in ENDS_A_LINE else 1  # what follows the LF is a line of its own
    assert len(heard) <= events
    if sink != "irc":
        assert controls("".join(heard)) == set()
    if source != "irc":
        assert controls(answer.decode().replace("\n", "")) == set()


@pytest.mark.parametrize("sink", WIRES)
async def test_the_ban_of_a_mask_with_a_line_break_forges_no_line(sink: str) -> None:
    """A packet of the frame wire may have an LF anywhere; the mask of a ban must not carry it to others."""
    heard, _, _ = await hands_on("frame", sink, packet(b"/ban x\nPING"))
    assert len(heard) <= 1


@pytest.mark.parametrize("label", [rb"a\r\nQUIT", rb"a\nPING\sx", rb"a\sb", rb"a\:msgid=1"])
async def test_a_label_is_no_way_to_write_another_line(town: Town, label: bytes) -> None:
    alice = await town.irc("alice", "#lobby", caps="labeled-response batch echo-message message-tags")
    await alice.says(b"@label=%b PING x\r\n@label=%b PRIVMSG #lobby :y\r\n" % (label, label))
    lines = [line for line in alice.hears_bytes().split(b"\r\n") if line]
    assert [Message.parse(line.decode()).command for line in lines] == ["PONG", "PRIVMSG"]
    assert all(b"@label=" + label + end in line for line, end in zip(lines, (b" ", b";"), strict=True))
    assert b"\n" not in b"".join(lines)
