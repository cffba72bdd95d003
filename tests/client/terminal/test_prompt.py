"""`asynchat join` on a terminal, as people see it."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.terminal.hostile import Hostile
from tests.client.terminal.pty import Terminal, terminal
from tests.net.conftest import PATIENCE_S, Process, Serve, serve
from tests.netcat import Netcat

pytestmark = pytest.mark.timeout(60)  # programs start, and a busy machine takes its time

__all__ = ["serve"]

PASTE = "\x1b[200~{}\x1b[201~"


@pytest.fixture
def server(serve: Serve) -> Process:
    return serve("--memory")


@pytest.fixture
def bob(server: Process) -> Iterator[Netcat]:
    netcat = Netcat(server.port, "bob")
    yield netcat
    netcat.close()


@pytest.fixture
def alice(server: Process, tmp_path: Path) -> Iterator[Terminal]:
    with terminal(tmp_path, "join", server.url, "--name", "alice") as joined:
        joined.until("alice>", "#lobby")
        yield joined


@pytest.mark.timeout(60)
def test_what_is_half_typed_survives_ten_thousand_lines(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("[limits]\nflood = false\n")
    server = serve("--memory", "--config", str(tmp_path / "server.toml"))
    with terminal(tmp_path, "join", server.url, "--name", "alice") as alice:
        alice.until("alice>", "#lobby (1)")
        _flood(server, alice)


def _flood(server: Process, alice: Terminal) -> None:
    alice.type("half typed 日本語 👋")
    alice.until("half typed 日本語 👋")
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as flood:
        flood.sendall(b"NICK tom\r\nUSER t 0 * t\r\nJOIN #lobby\r\n")
        flood.sendall(b"".join(b"PRIVMSG #lobby :line %d\r\n" % number for number in range(10_000)))
        flood.sendall(b"PRIVMSG #lobby :the end\r\n")
        alice.wait(lambda: any("the end" in line for line in alice.lines), "the end")
    said = [line for line in alice.all if "<tom>" in line]
    assert [line.rpartition(" ")[2] for line in said[-101:-1]] == [str(number) for number in range(9_900, 10_000)]
    assert len(said) == 10_001
    alice.until("alice> half typed 日本語 👋")
    alice.enter(" and done")
    alice.until("<alice> half typed 日本語 👋 and done")


def test_a_line_is_grey_until_it_is_stored(tmp_path: Path) -> None:
    with Hostile(answers=False) as silent, terminal(tmp_path, "join", silent.url, "-n", "alice") as alice:
        alice.until("alice>")
        alice.enter("hello all")
        alice.until("<alice> hello all")
        assert alice.color_of("hello all") == {"brightblack"}
        silent.say("@label={label};msgid=7 :alice!a@h PRIVMSG #lobby :hello all")
        alice.until("<alice> hello all")
        alice.wait(lambda: alice.color_of("hello all") == {"default"}, "the colour of what is stored")


def test_a_short_paste_is_one_message_and_a_long_one_is_asked_about(alice: Terminal, bob: Netcat) -> None:
    alice.type(PASTE.format("one\ntwo\nthree\n"))
    alice.until("three")
    alice.enter("")
    assert [bob.until("<alice>").strip() for _ in range(3)] == ["<alice> one", "<alice> two", "<alice> three"]
    alice.type(PASTE.format("\n".join(f"row {number}" for number in range(12))))
    alice.enter("")
    alice.until("send 12 lines?")
    alice.type("\x03")
    alice.until_gone("send 12 lines?")
    alice.enter("")
    alice.until("send 12 lines?")
    alice.type("n")
    alice.until_gone("send 12 lines?")
    alice.enter("")
    alice.until("send 12 lines?")
    alice.type("y")
    assert bob.until("<alice>").strip() == "<alice> row 0"
    assert bob.until("row 11").strip() == "<alice> row 11"
    assert not any("row 11n" in line for line in alice.lines)


def test_a_resize_keeps_what_is_typed(alice: Terminal, bob: Netcat) -> None:
    alice.type("half typed")
    alice.resize(10, 40)
    bob.say("narrow")
    alice.until("<bob> narrow", "alice> half typed")
    alice.resize(30, 120)
    bob.say("wide")
    alice.until("<bob> wide", "alice> half typed")


def test_names_rooms_and_commands_are_completed(alice: Terminal, bob: Netcat) -> None:
    bob.say("hello")
    alice.until("<bob> hello")
    alice.type("b\t")
    alice.until("alice> bob:")
    alice.type("\x15see #lo\t")
    alice.until("alice> see #lobby")
    alice.type("\x15/his\t")
    alice.until("alice> /history")


def test_what_was_typed_comes_back_with_the_arrows(alice: Terminal) -> None:
    for text in ("first", "second"):
        alice.enter(text)
        alice.until(f"<alice> {text}")
    alice.type("\x1b[A\x1b[A")
    alice.until("alice> first")


def test_unread_lines_are_counted_and_shown_when_one_looks(alice: Terminal, bob: Netcat) -> None:
    alice.enter("/join #ops")
    alice.until("joined #ops", "*2:#ops (1)")
    for text in ("one", "two"):
        bob.say(text)
    alice.until("1:#lobby 2")
    assert not any("<bob> one" in line for line in alice.lines)
    alice.type("\x1b1")
    alice.until("now in #lobby, 2 unread", "<bob> one", "<bob> two", "*1:#lobby (2)")
    alice.enter("/switch #ops")
    alice.until("*2:#ops (1)")
    bob.say("alice: look")
    alice.until("[#lobby] <bob> alice: look")
    assert b"\a" in alice.raw


def test_a_person_alone_is_talked_to_and_answered(alice: Terminal, bob: Netcat) -> None:
    bob.say("/msg alice psst")
    alice.until("[dm bob] <bob> psst")
    alice.enter("/reply what?")
    assert "what?" in bob.until("[dm alice]")


def test_who_types_is_told(alice: Terminal, server: Process, tmp_path: Path) -> None:
    with terminal(tmp_path, "join", server.url, "--name", "carol") as carol:
        carol.until("carol>", "#lobby (2)")
        carol.type("well")
        alice.until("carol is typing")
        carol.enter("")
        alice.until("<carol> well")
        assert not any("is typing" in line for line in alice.lines)


def test_the_past_is_paged_through(server: Process, bob: Netcat, tmp_path: Path) -> None:
    for number in range(50):
        bob.say(f"line {number}")
    bob.say("/history 1")
    bob.until("*** end")
    with terminal(tmp_path, "join", server.url, "--name", "alice", "--history", "5") as alice:
        alice.until("line 45", "line 49")
        assert not any("line 44" in line for line in alice.lines)
        alice.type("\x1b[5~")
        alice.until("earlier in #lobby:", "line 44")
        assert any("line 25" in line for line in alice.all)
        assert not any("line 24" in line for line in alice.all)
        alice.enter("/history 100")
        alice.wait(lambda: sum("line 0" in line for line in alice.all) == 1, "the beginning")
        alice.enter("/history")
        alice.until("begins here")


def test_two_servers_at_once(alice: Terminal, serve: Serve) -> None:
    other = serve("--memory")
    tim = Netcat(other.port, "tim")
    alice.enter(f"/connect {other.url}")
    tim.until("alice joined")
    tim.say("hello from here")
    alice.until("<tim> hello from here")
    alice.enter("hello there")
    tim.until("<alice> hello there")
    alice.until("/#lobby] alice>")
    alice.enter("/disconnect")
    tim.until("alice left")
    alice.until("*1:#lobby (1)")
    alice.until_gone("#lobby] alice>")
    tim.close()


def test_of_two_servers_the_one_that_is_up_is_sat_at_and_the_other_comes(
    server: Process, serve: Serve, tmp_path: Path
) -> None:
    down = serve("--data", str(tmp_path / "down"))
    down.kill()
    with terminal(tmp_path, "join", down.url, server.url, "-n", "alice") as alice:
        alice.until("Connection refused", "joined #lobby", "*1:#lobby", f"{down.url}: connecting")
        serve("--data", str(tmp_path / "down"), port=str(down.port))
        alice.until("*1:asynchat/#lobby (1)", "2:asynchat/#lobby")
        alice.enter("/quit")
        assert alice.ended() == 0


def test_if_none_of_two_servers_is_up_it_ends(tmp_path: Path) -> None:
    with terminal(tmp_path, "join", "127.0.0.1:1", "127.0.0.1:2", "-n", "alice") as alice:
        assert alice.ended() == 69


def test_what_is_typed_for_a_server_that_has_ended_goes_to_no_other(
    server: Process, bob: Netcat, tmp_path: Path
) -> None:
    with (
        Hostile() as strange,
        terminal(tmp_path, "join", server.url, strange.url, "-n", "alice", "--no-reconnect") as alice,
    ):
        alice.until("*1:", "2:")
        alice.enter("/switch 2")
        alice.until("*2:")
        strange.say("ERROR :Go away")
        strange.drop()
        alice.until_gone("2:")
        alice.enter("not for bob")
        alice.until("NOT_IN_ROOM")
        alice.enter("/switch 1")
        alice.until("*1:#lobby")
        alice.enter("for bob")
        assert "<alice> for bob" in bob.until("<alice>")


def test_who_logs_in_is_shown_once_what_was_said_to_them_alone(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    nat = Netcat(server.port, "alice")
    nat.say("/register correct horse")
    nat.until("registered")
    nat.close()
    Netcat(
        server.port, "alice\ncorrect horse", hello="alice"
    ).close()  # who has logged in once stays a member while away
    bob = Netcat(server.port, "bob")
    for text in ("psst", "are you there?"):
        bob.say(f"/msg alice {text}")
        bob.until("*** to alice")
    tom = Netcat(server.port, "tom")
    tom.say("/msg alice I have to go")
    tom.until("*** to alice")
    tom.close()
    (tmp_path / "password").write_text("correct horse\n")
    login = ("--name", "alice", "--account", "alice", "--password-file", str(tmp_path / "password"))
    with terminal(tmp_path, "join", server.url, *login) as alice:
        alice.until("[dm bob] <bob> psst", "[dm bob] <bob> are you there?", "[dm tom] <tom> I have to go")
        bob.say("/msg alice at last")
        alice.until("[dm bob] <bob> at last")
        alice.enter("/reply yes")
        bob.until("[dm alice]")
    with terminal(tmp_path, "join", server.url, *login) as alice:
        bob.say("/msg alice again")
        alice.until("<bob> again")
        assert not any("psst" in line or "at last" in line for line in alice.all)
    bob.close()


def test_another_server_asks_for_a_password_where_one_sits(alice: Terminal, serve: Serve) -> None:
    other = serve("--memory")
    nat = Netcat(other.port, "alice")
    nat.say("/register correct horse")
    nat.until("registered")
    alice.enter(f"/connect {other.url}")
    alice.until(f"{other.url}: alice is registered. password:")
    alice.type("wro\x03")
    alice.until("!!!", "alice is registered", "alice>")
    alice.enter(f"/connect {other.url}")
    alice.until("password:")
    alice.enter("correct horse")
    alice.until("*2:")
    assert b"horse" not in alice.raw
    alice.enter("/connect gopher://nowhere")
    alice.until("is no URL of a server")
    alice.enter("/connect 127.0.0.1:1")
    alice.until("Connection refused")
    nat.close()


def test_a_lost_connection_is_told_and_what_is_typed_meanwhile_is_sent_once(serve: Serve, tmp_path: Path) -> None:
    first = serve("--data", str(tmp_path / "data"))
    port = str(first.port)
    with terminal(tmp_path, "join", first.url, "--name", "alice") as alice:
        alice.enter("hello")
        alice.until("<alice> hello")
        first.kill()
        alice.until("connection lost, retrying")
        alice.enter("typed without a server")
        alice.until("<alice> typed without a server")
        again = serve("--data", str(tmp_path / "data"), port=port)
        alice.until("*** back")
        bob = Netcat(again.port, "bob")
        bob.say("hello")
        alice.until("<bob> hello")
        assert sum("typed without a server" in line for line in alice.all) == 1
        bob.say("/history")
        assert "typed without a server" in bob.until("typed without")
        bob.close()


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        pytest.param("/quit\r", 0, id="/quit"),
        pytest.param("quit\r", 0, id="quit"),
        pytest.param("\x04", 0, id="Ctrl-D"),
        pytest.param("\x03", 130, id="Ctrl-C"),
        pytest.param("half typed\x03\x03", 130, id="Ctrl-C twice"),
    ],
)
def test_the_terminal_is_as_before_when_one_leaves(alice: Terminal, bob: Netcat, keys: str, code: int) -> None:
    alice.type(keys)
    bob.until("alice left")
    assert alice.ended() == code
    assert alice.is_as_before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_as_before_after_a_signal(alice: Terminal, bob: Netcat, number: signal.Signals) -> None:
    alice.type("half typed")
    alice.until("half typed")
    alice.kill(number)
    bob.until("alice left")
    assert alice.ended() == 128 + number
    assert alice.is_as_before


def test_who_was_stopped_goes_on_with_the_line(alice: Terminal, bob: Netcat) -> None:
    alice.type("half ")
    alice.until("alice> half")
    alice.stopped_and_continued()
    alice.wait(lambda: not alice.shows_what_is_typed, "the modes of the editor")
    alice.enter("typed")
    assert "half typed" in bob.until("<alice>")
    alice.type("\x04")
    assert alice.ended() == 0
    assert alice.is_as_before


def test_a_terminal_that_somebody_else_has_taken_is_left_at_ctrl_d(alice: Terminal, bob: Netcat) -> None:
    alice.take_back()
    alice.type("\x04")
    bob.until("alice left")
    assert alice.ended() == 0
    assert not any("Traceback" in line for line in alice.all)


def test_the_terminal_is_as_before_when_the_server_does_not_want_one(tmp_path: Path) -> None:
    with Hostile() as server, terminal(tmp_path, "join", server.url, "-n", "alice", "--no-reconnect") as alice:
        alice.until("alice>")
        server.say("ERROR :Go away")
        server.drop()
        assert alice.ended() == 75
        assert alice.is_as_before
        assert any("Go away" in line for line in alice.all)


@pytest.mark.parametrize(
    ("env", "arguments", "colored"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"CLICOLOR": "0"}, (), False),
        ({}, ("--color", "never"), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
    ],
)
def test_colours_are_as_one_wants_them(
    server: Process, bob: Netcat, tmp_path: Path, env: dict[str, str], *, arguments: tuple[str, ...], colored: bool
) -> None:
    bob.say("hello")
    with terminal(tmp_path, *arguments, "join", server.url, "--name", "alice", env=env) as alice:
        alice.until("alice>", "<bob> hello")
        assert (alice.color_of("bob>") != {"default"}) is colored
        assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9]", alice.raw)) is colored


@pytest.mark.parametrize("how", [{"TERM": "dumb"}, {"TERM": ""}])
def test_a_dumb_terminal_is_sent_nothing_but_text(
    server: Process, bob: Netcat, tmp_path: Path, how: dict[str, str]
) -> None:
    with terminal(tmp_path, "join", server.url, "--name", "alice", env=how) as alice:
        alice.until("type and press Enter")
        bob.say("alice, hello")
        alice.until("<bob> alice, hello")
        alice.enter("hi bob")
        bob.until("<alice> hi bob")
        alice.enter("/join #ops")
        alice.until("joined #ops")
        bob.say("still here")
        alice.until("[#lobby] <bob> still here")
        alice.enter("/quit")
        assert alice.ended() == 0
        assert b"\x1b" not in alice.raw


def test_a_registered_name_is_asked_for_its_password_which_nobody_sees(serve: Serve, tmp_path: Path) -> None:
    server = serve("--memory")
    nat = Netcat(server.port, "alice")
    nat.say("/register correct horse")
    nat.until("registered")
    nat.close()
    with terminal(tmp_path, "join", server.url, "--name", "alice") as alice:
        alice.until("alice is registered. password:")
        alice.enter("wrong")
        alice.until("wrong name or password. password of alice:")
        alice.enter("correct horse")
        alice.until("alice>")
        assert b"horse" not in alice.raw
        command_line = Path(f"/proc/{alice.child.pid}/cmdline")
        if command_line.exists():
            assert b"horse" not in command_line.read_bytes()


QUESTIONS = {
    "join": ("join", "{url}", "-n", "alice"),
    "join --plain": ("join", "{url}", "-n", "bob", "--plain"),
    "send": ("send", "-u", "{url}", "--account", "alice", "--ask-password", "hi"),
    "admin": ("admin", "account", "add", "carol", "--data", "{data}"),
}


@pytest.fixture
def asked(serve: Serve, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at which a password is asked for."""
    server = serve("--data", str(tmp_path / "data"))
    nat = Netcat(server.port, "alice")
    nat.say("/register correct horse")
    nat.until("registered")
    nat.close()
    arguments = [each.format(url=server.url, data=tmp_path / "data") for each in QUESTIONS[request.param]]
    with terminal(tmp_path, *arguments) as asked:
        if "--plain" in arguments:
            asked.until("joined #lobby")
            asked.enter("/register")
        asked.until("password")
        asked.wait(lambda: not asked.shows_what_is_typed, "a password to be asked for")
        yield asked


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("asked", list(QUESTIONS), indirect=True)
def test_a_signal_at_a_question_leaves_the_terminal_as_it_was(asked: Terminal, number: signal.Signals) -> None:
    asked.kill(number)
    asked.gone()
    assert asked.shows_what_is_typed


@pytest.mark.parametrize("asked", ["join", "send", "admin"], indirect=True)
def test_ctrl_c_at_a_question_is_enough(asked: Terminal) -> None:
    asked.type("\x03")
    assert asked.ended() == 130
    assert asked.is_as_before


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/register hunter2", "choose another password"),
        ("/quote PASS hunter2", "may not reregister"),
        ("/msg NickServ identify hunter2", "No such nick"),
    ],
)
def test_the_arrows_bring_no_password_back(line: str, answer: str, alice: Terminal) -> None:
    alice.enter("before")
    alice.until("<alice> before")
    alice.enter(line)
    alice.until(answer)
    if line.startswith("/register"):
        alice.until("a password for alice:")
        alice.type("\x03")
        alice.until("nothing was done")
    alice.until_gone("hunter2")
    alice.type("\x1b[A!")
    alice.until("alice> before!")


def test_a_name_is_made_ones_own(alice: Terminal, server: Process, tmp_path: Path) -> None:
    alice.enter("/register")
    alice.until("a password for alice:")
    alice.enter("secret words")
    alice.until("once more:")
    alice.enter("secret words")
    alice.until("registered; alice is yours")
    assert b"secret words" not in alice.raw
    alice.type("\x1b[A")
    alice.until("alice> /register")


def test_somebody_is_run_for_who_is_mentioned(server: Process, bob: Netcat, tmp_path: Path) -> None:
    script = tmp_path / "notify"
    script.write_text(
        '#!/bin/sh\nprintf "%s %s %s" "$ASYNCHAT_FROM" "$ASYNCHAT_PLACE" "$ASYNCHAT_TEXT" > "$HOME/told.part"\n'
        'mv "$HOME/told.part" "$HOME/told"\n'
    )
    script.chmod(0o700)
    with terminal(tmp_path, "join", server.url, "--name", "alice", "--exec", str(script)) as alice:
        alice.until("alice>", "#lobby (2)")
        bob.say("nobody special")
        bob.say("hey alice; $(touch /nonexistent)")
        alice.until("hey alice")
        alice.wait((tmp_path / "told").exists, "the program")
        assert (tmp_path / "told").read_text() == "bob #lobby hey alice; $(touch /nonexistent)"


def test_keys_and_commands_are_answered_while_one_is_connecting(alice: Terminal, bob: Netcat, tmp_path: Path) -> None:
    (tmp_path / ".config" / "asynchat").mkdir(parents=True)
    wait = f"sh -c 'while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; echo sesame'"
    (tmp_path / ".config" / "asynchat" / "client.toml").write_text(
        f'[profile.far]\nurl = "127.0.0.1:1"\npassword_command = "{wait}"\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"asynchat://127.0.0.1:{silent.getsockname()[1]}"
        alice.enter("/connect far")
        alice.enter(f"/connect {url}")
        alice.until("far: connecting", f"{url}: connecting")
        alice.enter("still here")
        bob.until("<alice> still here")
        alice.enter("/help nick")
        alice.until("take another name")
        alice.enter("/disconnect")
        alice.until(f"gave up {url}")
        alice.until_gone(f"{url}: connecting")
        (tmp_path / "go").touch()
        alice.until("far: asynchat://127.0.0.1:1: Connection refused")
        alice.enter(f"/connect {url}")
        alice.until(f"{url}: connecting")
        alice.type("\x03")
        assert alice.ended() == 130
        assert alice.is_as_before
    bob.until("alice left")


@pytest.mark.parametrize("url", ["http://here", "asynchat://x:99999", "asynchat://a..b", "asynchat://u:pw@x"])
def test_a_url_that_is_none_ends_nothing(alice: Terminal, bob: Netcat, url: str) -> None:
    alice.enter(f"/connect {url}")
    alice.until("!!!")
    alice.enter("still here")
    bob.until("<alice> still here")


def test_many_mentions_run_few_programs_at_a_time(tmp_path: Path) -> None:
    script = tmp_path / "notify"
    script.write_text('#!/bin/sh\necho >> "$HOME/begun"; while [ ! -e "$HOME/done" ]; do sleep 0.1; done\n')
    script.chmod(0o700)
    with Hostile() as server, terminal(tmp_path, "join", server.url, "-n", "alice", "--exec", str(script)) as alice:
        alice.until("alice>")
        for number in range(100):
            server.say(f":bob!u@h PRIVMSG #lobby :alice, {number}")
        server.say(":bob!u@h PRIVMSG #lobby :the end")
        alice.until("<bob> the end")
        alice.wait(lambda: (tmp_path / "begun").exists() and len((tmp_path / "begun").read_text()) >= 8, "the programs")
        (tmp_path / "done").touch()
        alice.enter("/quit")
        assert alice.ended() == 0
        assert len((tmp_path / "begun").read_text()) == 8


@pytest.mark.parametrize(("keys", "code"), [("\x03", 130), ("/quit\r", 0)])
def test_what_was_not_sent_is_told_when_one_leaves(serve: Serve, tmp_path: Path, keys: str, code: int) -> None:
    server = serve("--memory")
    with terminal(tmp_path, "join", server.url, "--name", "alice") as alice:
        alice.until("alice>", "#lobby (1)")
        server.kill()
        alice.until("connection lost, retrying")
        alice.enter("one\x1b\rtwo")
        alice.enter("three")
        alice.until("<alice> two", "<alice> three")
        alice.type(keys)
        assert alice.ended() == code
        told = [line for line in alice.all if "not sent" in line]
        assert told == ["!!! not sent: one", "!!! not sent: two", "!!! not sent: three"]
        assert alice.is_as_before


def test_who_is_put_out_of_a_room_does_not_talk_elsewhere(alice: Terminal, bob: Netcat) -> None:
    bob.say("/join #ops")
    bob.until("#ops")
    alice.enter("/join #ops")
    alice.until("joined #ops", "*2:#ops (2)")
    alice.type("for ops only")
    bob.say("/kick alice")
    alice.until("alice was kicked by bob", "1:#lobby")
    alice.enter("")
    alice.until("!!! NOT_IN_ROOM you look at no room")
    alice.enter("/switch #lobby")
    alice.until("*1:#lobby")
    assert not any("<alice> for ops only" in line for line in alice.all)


def test_who_is_put_out_of_a_room_is_told_wherever_they_look(alice: Terminal, bob: Netcat) -> None:
    bob.say("/join #ops")
    bob.until("#ops")
    alice.enter("/join #ops")
    alice.until("joined #ops", "*2:#ops (2)")
    alice.enter("/switch #lobby")
    alice.until("now in #lobby")
    bob.say("/kick alice")
    alice.until("alice was kicked by bob")
    alice.until_gone("2:#ops")


def test_who_leaves_a_room_looks_at_another(alice: Terminal) -> None:
    for command in ("/part", "/close", "/part #ops bye", "/close 2"):
        alice.enter("/join #ops")
        alice.until("*2:#ops")
        alice.enter(command)
        alice.until("*1:#lobby")
        alice.until_gone("2:#ops")


def test_somebody_is_looked_at_and_talked_to_at_once(alice: Terminal, bob: Netcat) -> None:
    alice.enter("/query bob hello there")
    assert "hello there" in bob.until("[dm alice]")
    alice.until("*2:bob")


def test_a_room_that_is_renamed_stays_where_one_looks(serve: Serve, tmp_path: Path) -> None:
    server = serve("--data", str(tmp_path / "data"))
    with terminal(tmp_path, "join", server.url, "--name", "alice") as alice:
        alice.until("alice>", "#lobby (1)")
        alice.enter("/join #ops")
        alice.until("*2:#ops")
        alice.enter("/quote RENAME #ops #dev")
        alice.until("#ops is now called #dev", "*2:#dev (1)")
        server.kill()
        alice.until("connection lost, retrying")
        alice.enter("meanwhile")
        serve("--data", str(tmp_path / "data"), port=str(server.port))
        alice.until("*** back", "<alice> meanwhile", "*2:#dev (1)")


def test_of_several_rooms_at_once_those_that_one_leaves_are_left(serve: Serve, tmp_path: Path) -> None:
    server = serve("--data", str(tmp_path / "data"))
    with terminal(tmp_path, "join", server.url, "--name", "alice") as alice:
        alice.until("alice>", "#lobby (1)")
        alice.enter("/join #ops,#dev")
        alice.until("*3:#dev")
        alice.enter("/part #dev")
        alice.until_gone(":#dev")
        server.kill()
        alice.until("connection lost, retrying")
        serve("--data", str(tmp_path / "data"), port=str(server.port))
        alice.until("*** back", "2:#ops")
        alice.enter("still here")
        alice.until("<alice> still here")
        assert not any("3:#dev" in line for line in alice.lines)
