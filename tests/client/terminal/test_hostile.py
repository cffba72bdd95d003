"""A hostile server: nothing but our own sequences reaches the terminal, and it neither crashes nor freezes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.client.terminal.hostile import Hostile
from tests.client.terminal.pty import Terminal, terminal

pytestmark = pytest.mark.timeout(60)  # programs start, and a busy machine takes its time

EVIL = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGFja2Vk\x07",
    "\x1b[6n",
    "\x9b31m",
    "a\rb",
    "a\x08\x08b",
    "\u202egnp.exe",
    "a\u200bb\u2066c",
    "\x85\u2028x",
    "\x0e\x0f\x1f",
    "\U000e0041\U000e0042",
]
LINES = [
    "{evil}",
    ":{evil}!u@h PRIVMSG #lobby :{evil}",
    ":{evil}!u@h PRIVMSG alice :{evil}",
    ":{evil}!{evil}@{evil} NOTICE #lobby :{evil}",
    ":bob!u@h PRIVMSG #lobby :\x01ACTION {evil}\x01",
    ":{evil}!u@h JOIN #lobby",
    ":{evil}!u@h PART #lobby :{evil}",
    ":{evil}!u@h QUIT :{evil}",
    ":{evil}!u@h KICK #lobby {evil} :{evil}",
    ":{evil}!u@h NICK {evil}",
    ":{evil}!u@h TOPIC #lobby :{evil}",
    ":{evil}!u@h MODE #lobby +o {evil}",
    ":{evil}!u@h INVITE alice {evil}",
    ":alice!u@h JOIN #{evil}",
    ":bob!u@h PRIVMSG #{evil} :alice, look",
    ":bob!u@h NOTICE #{evil} :alice, look",
    ":{evil} 332 alice #lobby :{evil}",
    ":srv 353 alice = #lobby :{evil} @{evil}",
    ":srv 005 alice NETWORK={evil} CHANTYPES={evil} :{evil}",
    ":srv 372 alice :{evil}",
    ":srv 404 alice {evil} :{evil}",
    ":srv 999 alice {evil} :{evil}",
    "FAIL {evil} {evil} :{evil}",
    "@+typing=active :{evil}!u@h TAGMSG #lobby",
    "@time={evil};msgid={evil};+x={evil} :bob!u@h PRIVMSG #lobby :tags",
]
ODD = [
    "JOIN", "PART", "KICK", "KICK #lobby", "NICK", "TOPIC", "MODE", "QUIT", "PRIVMSG", "PRIVMSG #lobby", "NOTICE",
    "001", "004", "005", "353", "353 a b", "332", "433", "433 *", "464", "904", "903", "AUTHENTICATE", "AUTHENTICATE x",
    "CAP", "CAP *", "CAP * LS", "CAP * NEW", "CAP * ACK", "CAP * DEL", "BATCH", "BATCH +", "BATCH + x", "BATCH -",
    "BATCH +a draft/multiline", "@batch=a PRIVMSG", "BATCH -a", "PONG", "PING", "PING :", "PONG 0", "FAIL", "FAIL x",
    "TAGMSG", "@+typing=active TAGMSG", "RENAME", "RENAME #lobby", "RENAME #lobby #lobby", "REDACT", "AWAY", "WARN",
    ":", "::", "@", "@ :", "@a", ":a", "   ", "\x00", "@=;=;= X", ":!@ PRIVMSG #lobby :x", "ERROR",
    "@label=77 BATCH +q labeled-response", "@batch=q;label=78 BATCH +r x", "BATCH -q", "@label=1 ACK",
]  # fmt: skip


@pytest.fixture
def ours() -> re.Pattern[bytes]:
    """What a terminal may be sent: text, line ends, a bell, and sequences that move, erase and colour our own line."""
    return re.compile(rb"(?:[^\x00-\x1f\x7f]|\r|\n|\t|\a|\x08|\x1b\[[0-9;]*[ABCDJKm]|\x1b\[\?(?:7|12|25|1|2004)[hl])*")


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
@pytest.mark.parametrize("arguments", [(), ("--plain",)], ids=["edited", "plain"])
def test_nothing_hostile_reaches_the_terminal(
    evil: str, arguments: tuple[str, ...], tmp_path: Path, ours: re.Pattern[bytes]
) -> None:
    with Hostile() as server, terminal(tmp_path, "join", server.url, "-n", "alice", *arguments) as alice:
        alice.until("joined #lobby")
        for line in LINES:
            server.say(line.replace("{evil}", evil))
        server.say(":bob!u@h PRIVMSG #lobby :the end")
        alice.until("the end")
        text = alice.raw.decode()
        assert ours.fullmatch(alice.raw), alice.raw
        assert evil.encode() not in alice.raw
        assert not set(evil) & set(text) & set("\u202e\u200b\u2066\u2028\x85\x9b\U000e0041\U000e0042")


@pytest.mark.parametrize("arguments", [(), ("--plain",)], ids=["edited", "plain"])
def test_a_network_has_no_hostile_name(arguments: tuple[str, ...], tmp_path: Path, ours: re.Pattern[bytes]) -> None:
    one, two = Hostile(), Hostile()
    with one, two, terminal(tmp_path, "join", one.url, two.url, "-n", "alice", *arguments) as alice:
        alice.until("joined #lobby")
        for server in (one, two):
            server.say(":srv 005 alice NETWORK=\x1b]0;title\x07 :are supported")
            server.say(":bob!u@h PRIVMSG #lobby :alice, look")
            server.say(":bob!u@h PRIVMSG alice :the end")
        alice.wait(lambda: sum("the end" in line for line in alice.lines) == 2, "the end of both")
        assert ours.fullmatch(alice.raw), alice.raw


def test_one_is_given_no_hostile_name(tmp_path: Path, ours: re.Pattern[bytes]) -> None:
    with Hostile(called="\x1b]0;title\x07") as server, terminal(tmp_path, "join", server.url, "-n", "alice") as alice:
        alice.until("alice is in use; you are")
        alice.until("title\N{REPLACEMENT CHARACTER}>")
        assert ours.fullmatch(alice.raw), alice.raw


def test_what_one_is_asked_for_is_not_hostile(tmp_path: Path, ours: re.Pattern[bytes]) -> None:
    server = Hostile(refuses="FAIL * ACCOUNT_REQUIRED :\x1b]0;title\x07Who are you")
    with server, terminal(tmp_path, "join", server.url, "-n", "alice") as alice:
        alice.until("Who are you. password")
        assert ours.fullmatch(alice.raw), alice.raw


def test_odd_messages_neither_end_it_nor_are_they_understood(tmp_path: Path) -> None:
    with Hostile() as server, terminal(tmp_path, "join", server.url, "-n", "alice") as alice:
        alice.until("joined #lobby")
        for line in ODD:
            server.say(line)
            server.say(f":srv {line}")
            server.say(f":alice!u@h {line}")
        server.say(":bob!u@h PRIVMSG #lobby :the end")
        alice.until("<bob> the end")
        alice.enter("still here")
        alice.until("still here")


def resident_mib(alice: Terminal) -> float:
    """The memory that it has now."""
    status = Path(f"/proc/{alice.child.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


@pytest.mark.timeout(60)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="without /proc nobody tells how much memory it has")
def test_long_lines_and_endless_ones_cost_no_memory_and_keys_are_answered(tmp_path: Path) -> None:
    with Hostile() as server, terminal(tmp_path, "join", server.url, "-n", "alice") as alice:
        alice.until("joined #lobby", "alice>")
        before = resident_mib(alice)
        server.send(b":bob!u@h PRIVMSG #lobby :" + b"x" * 10 * 1024 * 1024 + b"\r\n")
        for number in range(2000):
            server.send(
                b"BATCH +%d draft/multiline #lobby\r\n@batch=%d PRIVMSG #lobby :%b\r\n" % (number, number, b"y" * 8000)
            )
        server.send(b":bob!u@h PRIVMSG #lobby :" + b"z" * 60_000 + b"\r\n")
        for lot in range(20):
            server.send(
                b"".join(b":u%d!u@h PRIVMSG alice :psst %d\r\n" % (n, n) for n in range(lot * 500, lot * 500 + 500))
            )
            alice.type(chr(0x4E00 + lot))
            alice.read()
        server.say(":bob!u@h PRIVMSG #lobby :the end")
        alice.until("<bob> the end")
        keys = "".join(chr(0x4E00 + lot) for lot in range(20))
        alice.wait(lambda: keys in "".join(alice.lines).replace(" ", ""), "the keys")
        assert resident_mib(alice) - before < 50
