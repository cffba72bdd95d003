"""What the tests of others are made with."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import asynchat
from asynchat.testing import Heard, Person, thread_server


def test_people_say_and_hear_in_a_test_that_is_no_coroutine() -> None:
    with thread_server() as server, Person(server.url, "alice") as alice, Person(server.url, "bob") as bob:
        alice.say("hello bob")
        assert bob.hear("hello") == Heard("alice", "hello bob")
        bob.say("/msg alice psst")
        assert alice.hear("psst") == Heard("bob", "psst")
        bob.say("/nonsense")
        assert bob.hear("UNKNOWN").who == "!!!"


def parts(heard: Heard) -> tuple[str, str, str | None, str]:
    return (heard.who, heard.text, heard.room, heard.kind)


def test_what_is_heard_is_told_apart_in_one_room_and_in_several() -> None:
    with thread_server() as server, Person(server.url, "alice") as alice, Person(server.url, "bob") as bob:
        alice.say("/me waves")
        assert parts(bob.hear("waves")) == ("alice", "waves", None, "action")
        alice.say("/msg bob psst")
        assert parts(bob.hear("psst")) == ("alice", "psst", None, "direct")
        bob.say("/join #tea")
        bob.hear("joined #tea")
        alice.say("hello [#x] <y> z")
        assert parts(bob.hear("hello")) == ("alice", "hello [#x] <y> z", "#lobby", "message")
        alice.say("/me nods")
        assert parts(bob.hear("nods")) == ("alice", "nods", "#lobby", "action")
        server.run(server.server.room("#lobby").send("done", by="ci", kind="notice"))
        assert parts(bob.hear("done")) == ("ci", "done", "#lobby", "notice")
        alice.say("/topic tea time")
        assert parts(bob.hear("topic")) == ("***", 'alice set the topic: "tea time"', "#lobby", "news")
        bob.say("/nonsense")
        assert bob.hear("UNKNOWN").kind == "refusal"


def test_what_is_heard_is_told_apart_with_ids_and_times_and_when_it_is_past() -> None:
    with thread_server() as server, Person(server.url, "alice") as alice:
        alice.say("hello")
        with Person(server.url, "bob") as bob:
            assert parts(bob.next()) == ("alice", "hello", None, "message")  # with the time, as it was before
            for command in ("/ids on", "/time on", "/acks on", "/join #tea"):
                bob.say(command)
            bob.hear("joined #tea")
            alice.say("/me waves")
            assert parts(bob.hear("waves")) == ("alice", "waves", "#lobby", "action")
            bob.say("mine")
            receipt = bob.next()
            assert (receipt.who, receipt.kind, receipt.text.isdigit()) == ("+OK", "receipt", True)
            bob.say("/history")
            assert parts(bob.hear("mine")) == ("bob", "mine", "#tea", "message")


def test_what_is_heard_is_a_pair_that_shows_all_that_is_known() -> None:
    who, text = heard = Heard("alice", "waves", room="#tea", kind="action")
    assert (who, text) == heard
    assert heard == Heard("alice", "waves")
    assert repr(heard) == "Heard('alice', 'waves', room='#tea', kind='action')"


def test_who_may_not_come_in_is_told_why_at_once() -> None:
    with thread_server() as server, Person(server.url, "alice"):
        with pytest.raises(AssertionError, match="alice is refused: NAME_TAKEN alice is in use"):
            Person(server.url, "alice")
        with pytest.raises(AssertionError, match="bob is refused: BAD_ROOM_NAME"):
            Person(server.url, "bob", room="#no,room")


def test_who_is_registered_comes_in_with_a_password() -> None:
    with thread_server() as server:
        with Person(server.url, "alice") as alice:
            alice.say("/register wonderland")
            alice.hear("registered")
        with Person(server.url, "alice", password="wonderland", room="#tea") as alice:
            alice.say("/who")
            alice.hear("alice")
        with pytest.raises(AssertionError, match="alice is refused: BAD_PASSWORD"):
            Person(server.url, "alice", password="looking-glass")
        with pytest.raises(AssertionError, match="no password to say, and hears: alice is registered"):
            Person(server.url, "alice")


def test_nothing_is_left_when_it_is_over() -> None:
    before = threading.active_count()
    with thread_server() as server:
        port = server.port
    assert threading.active_count() == before
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


def test_options_are_those_of_the_server_and_its_errors_are_told(tmp_path: Path) -> None:
    with thread_server(room="#tea", store=tmp_path / "chat.db") as server, Person(server.url, "alice") as alice:
        assert "you are in #tea" in alice.heard[-1].text
    with pytest.raises(asynchat.StoreError), thread_server(store=tmp_path):
        pass
    with pytest.raises(TypeError), thread_server(nonsense=1):
        pass


def test_a_server_is_tested_with_its_hooks_commands_and_authenticator() -> None:
    server = asynchat.Server(port=0)

    @server.on("message")
    def guard(message: asynchat.Message) -> str:
        return message.text.upper()

    @server.command("deploy")
    async def deploy(ctx: asynchat.Context, env: str) -> None:
        """Bring it out."""
        await ctx.reply(f"deploying {env}")

    @server.authenticator
    def judge(name: str, password: str) -> str | None:
        return "alice" if (name, password) == ("al", "wonderland") else None

    with thread_server(server) as running, Person(running.url, "al", password="wonderland") as alice:
        assert running.server is server
        alice.say("/deploy staging")
        alice.hear("deploying staging")
        alice.say("hello")
        alice.say("/history")
        assert alice.hear("HELLO").who == "alice"


def test_a_server_that_is_made_has_its_options_already() -> None:
    with pytest.raises(TypeError, match="room can change nothing"), thread_server(asynchat.Server(port=0), room="#a"):
        pass


def test_what_fails_when_the_server_ends_fails_the_test() -> None:
    class Clumsy(asynchat.Server):
        async def close(self, reason: str = "", *, grace: float = 0.0) -> None:
            await super().close(reason, grace=grace)
            raise OSError("clumsy")

    with pytest.raises(OSError, match="clumsy"), thread_server(Clumsy(port=0)):
        pass
    with pytest.raises(ValueError, match="of the test"), thread_server(Clumsy(port=0)):
        raise ValueError("of the test")


def test_a_test_has_neither_the_port_nor_the_store_that_settings_name(tmp_path: Path) -> None:
    store = tmp_path / "chat.db"
    settings = asynchat.Settings.of({"server": {"password": "sesame"}, "store": {"path": str(store)}})
    with thread_server(settings=settings) as one, thread_server(settings=settings) as other:
        assert one.port != other.port
        Person(one.url, "alice", password="sesame").close()
    assert not store.exists()


def test_coroutines_run_where_the_server_is() -> None:
    async def port(server: asynchat.Server) -> int:
        return server.port

    with thread_server() as server:
        assert server.run(port(server.server)) == server.port


def test_nothing_runs_where_the_server_was() -> None:
    with thread_server() as server:
        pass
    with pytest.raises(RuntimeError, match="the server has ended"):
        server.run(server.server.close())


def test_who_waits_in_vain_is_told_what_was_heard() -> None:
    with thread_server() as server, Person(server.url, "alice") as alice:
        server.run(server.server.close())
        with pytest.raises(AssertionError, match="disconnected"):
            alice.hear("never")


def test_neither_pytest_nor_a_server_is_imported_before_it_is_used() -> None:
    code = "import sys, asynchat.testing; print(*({'pytest', 'asynchat.net.server'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_the_page_about_testing_works_in_a_project_of_somebody_else(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "testing.md").read_text()
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout
