"""Hooks: what an application is asked before, and told after, and what happens when it fails at that."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

import asynchat
from asynchat.net.app import calls as calling
from asynchat.net.app.after import After, Following
from asynchat.net.app.calls import Calls
from tests.conversation import Town
from tests.net.conftest import NEWS, NO, Client, FrameClient, IrcClient, LineClient, Walk, settings

Kind = type[Client]
KINDS: list[Kind] = [LineClient, FrameClient, IrcClient]


def served(**more: Any) -> asynchat.Server:
    return asynchat.Server(settings(limits={"flood": False}, history={"replay": 0}), **more)


async def refusal(client: Client, code: str) -> str:
    """The no that a client is told, in the words of its wire."""
    heard = await client.until(NEWS if isinstance(client, IrcClient) else NO, code)
    return heard[-1][1]


# Before.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
async def test_what_a_hook_refuses_nobody_hears_and_the_sender_is_told_why(
    kind: Kind, is_async: bool, walk_in: Walk
) -> None:
    server = served()
    asked: list[asynchat.Message] = []

    def judge(message: asynchat.Message) -> None:
        asked.append(message)
        if "PRIVATE KEY" in message.text:
            raise asynchat.Refused("NO_SECRETS", "not in here")

    async def judge_later(message: asynchat.Message) -> None:
        await asyncio.sleep(0)
        judge(message)

    server.on("message")(judge_later if is_async else judge)
    async with server:
        alice = await walk_in(kind, server.port, "alice")
        bob = await walk_in(LineClient, server.port, "bob")
        await alice.say("one")
        await alice.say("a PRIVATE KEY")
        assert "not in here" in await refusal(alice, "NO_SECRETS")
        await alice.say("two")
        await bob.until("alice", "two")
        assert bob.said_by("alice") == ["one", "two"]
        assert [(m.id, m.by, m.room, m.text) for m in asked[:2]] == [
            ("", "alice", "#lobby", "one"),
            ("", "alice", "#lobby", "a PRIVATE KEY"),
        ]
    assert not server.hook_errors


async def test_a_hook_says_something_else_instead_and_the_next_is_asked_about_that(walk_in: Walk) -> None:
    server = served()
    server.on("message")(lambda message: message.text.replace("darn", "d***"))
    server.on("message")(lambda message: f"{message.text}!")
    async with server:
        alice = await walk_in(LineClient, server.port, "alice")
        bob = await walk_in(IrcClient, server.port, "bob")
        await alice.say("darn it")
        await bob.until("alice", "d*** it!")
        [message] = await server.room("#lobby").history()
        assert message.text == "d*** it!"


async def test_a_hook_for_one_room_is_asked_about_nothing_else(walk_in: Walk) -> None:
    server = served()
    asked: list[str] = []
    server.on("message", room="#Ops")(lambda message: asked.append(message.text))
    async with server:
        await walk_in(LineClient, server.port, "bob")
        await server.room("#lobby").send("elsewhere", by="ci")
        await server.user("bob").send("alone", by="ci")
        await server.room("#ops").send("here", by="ci")
        await server.room("#ops").send("from the server", by="server")
    assert asked == ["here"]


async def test_what_code_says_may_be_refused_too_and_its_own_order_is_kept() -> None:
    server = served()

    @server.on("message")
    async def judge(message: asynchat.Message) -> None:
        for _ in range(9 - int(message.text)):  # the later, the faster
            await asyncio.sleep(0)
        if message.text == "3":
            raise asynchat.Refused("NO_THREES", "no")

    async with server:
        room = server.room("#ops")
        sent = await asyncio.gather(*(room.send(str(n), by="ci") for n in range(9)), return_exceptions=True)
        assert [each.code for each in sent if isinstance(each, asynchat.Refused)] == ["NO_THREES"]
        assert [message.text for message in await room.history()] == [*"012", *"45678"]


async def test_a_hook_that_waits_holds_up_its_sender_alone(walk_in: Walk) -> None:
    server, gate = served(), asyncio.Event()

    @server.on("message")
    async def judge(message: asynchat.Message) -> None:
        if message.by == "alice":
            await gate.wait()

    async with server:
        alice = await walk_in(IrcClient, server.port, "alice")
        bob = await walk_in(IrcClient, server.port, "bob")
        await alice.say("first")
        await alice.say("second")
        await bob.say("meanwhile")
        await alice.until("bob", "meanwhile")
        assert bob.said_by("alice") == []
        gate.set()
        await bob.until("alice", "second")
        assert bob.said_by("alice") == ["first", "second"]


async def test_a_hook_that_takes_too_long_or_fails_costs_its_message_and_is_logged_and_counted(
    walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    server = served(hook_timeout=0.05)

    @server.on("message")
    async def judge(message: asynchat.Message) -> Any:
        match message.text:
            case "slow":
                await asyncio.Event().wait()
            case "broken":
                raise ZeroDivisionError
            case "late":
                raise TimeoutError
            case "odd":
                return 7
        return None

    async with server:
        alice = await walk_in(LineClient, server.port, "alice")
        for text, code in (
            ("slow", "HOOK_TIMEOUT"),
            ("broken", "HOOK_FAILED"),
            ("late", "HOOK_FAILED"),
            ("odd", "HOOK_FAILED"),
        ):
            await alice.say(text)
            await refusal(alice, code)
        await server.room("#lobby").send("fine", by="ci")
        await alice.until("ci", "fine")
        assert [message.text for message in await server.room("#lobby").history()] == ["fine"]
    [(name, count)] = server.hook_errors.items()
    assert name.endswith("judge")
    assert count == 4
    logged = [record for record in caplog.records if record.name == "asynchat.hooks" and record.levelname == "ERROR"]
    assert len(logged) == 4
    assert all(name in record.getMessage() for record in logged)


async def test_whatever_a_hook_writes_into_its_refusal_is_one_line_on_every_wire(walk_in: Walk) -> None:
    server = served()

    @server.on("message")
    def judge(message: asynchat.Message) -> None:
        raise asynchat.Refused("no such\r\ncode", "two\r\nlines\0")

    async with server:
        for kind in KINDS:
            client = await walk_in(kind, server.port, kind.__name__)
            await client.say("hello")
            assert "two lines" in await refusal(client, "REFUSED")


async def test_tags_without_words_are_not_asked_about() -> None:
    """Nobody is asked about typing; notices and actions are words."""
    asked: list[str] = []
    server = served()
    server.on("message")(lambda message: asked.append(message.kind))
    async with server:
        client = await IrcClient.connect(server.port)
        await client.command("CAP REQ message-tags", "NICK a", "USER a 0 * :a", "CAP END", "JOIN #lobby")
        await client.command("@+typing=active TAGMSG #lobby", "NOTICE #lobby :a", "PRIVMSG #lobby :\x01ACTION b\x01")
        await client.say("c")
        await client.ping()
        await client.close()
    assert asked == ["notice", "action", "message"]


async def test_sessions_are_the_plain_ones_without_a_hook_and_with_one_they_have_no_short_way(walk_in: Walk) -> None:
    for hooked in (False, True):
        server = served()
        if hooked:
            server.on("message")(lambda message: None)
        async with server:
            await walk_in(IrcClient, server.port, "alice")
            [session] = server._running().hub.user("alice").sessions
            assert (type(session).__module__ == "asynchat.wire.irc.session") is not hooked
            assert session.quick(b"PRIVMSG #lobby :hello") is not hooked  # type: ignore[attr-defined]


async def test_a_traced_server_asks_too(walk_in: Walk) -> None:
    told: list[str] = []
    server = served(trace=told.append)

    @server.on("message")
    def judge(message: asynchat.Message) -> str:
        return message.text.upper()

    async with server:
        alice = await walk_in(IrcClient, server.port, "alice")
        bob = await walk_in(LineClient, server.port, "bob")
        await alice.say("hello")
        await bob.until("alice", "HELLO")
    assert any("PRIVMSG #lobby :hello" in line for line in told)


def test_a_hook_that_there_is_not_is_told() -> None:
    server = served()
    with pytest.raises(ValueError, match="join"):
        server.on("join")(print)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="message, join"):
        server.after("party")(print)  # type: ignore[arg-type]


def test_what_could_never_be_called_is_refused_when_it_is_registered() -> None:
    server: Any = served()
    for decorator in (server.on, server.after, server.command):
        with pytest.raises(TypeError, match="parentheses"):
            decorator(print)
    for register in (server.on("message"), server.after("join"), server.command("deploy"), server.authenticator):
        with pytest.raises(TypeError, match="5 is no function"):
            register(5)
    for decorator in (server.on, server.after):
        with pytest.raises(ValueError, match="begins with #"):
            decorator("message", room="ops")(print)
    with pytest.raises(ValueError, match="no room"):
        server.after("rename", room="#ops")(print)
    with pytest.raises(TypeError, match="Context first"):
        server.command("deploy")(lambda: None)
    with pytest.raises(TypeError, match="take env as a word"):
        server.command("deploy")(lambda ctx, *, env: None)
    server.command("deploy")(lambda *words, dry=False: None)


async def test_an_authenticator_that_would_never_be_asked_is_refused() -> None:
    server = served(accounts="off")
    server.authenticator(lambda name, password: name)
    with pytest.raises(asynchat.BadConfig, match="never be asked"):
        await server.__aenter__()


async def test_hooks_are_registered_before_the_server_is_entered(server: asynchat.Server) -> None:
    for register in (server.on("message"), server.after("join"), server.command("deploy"), server.authenticator):
        with pytest.raises(RuntimeError, match="before"):
            register(lambda *_: None)


# After.


async def test_after_hooks_are_told_of_each_event_once_and_in_order(walk_in: Walk) -> None:
    server = served()
    told: dict[str, list[Any]] = {what: [] for what in ("message", "join", "leave", "kick", "topic", "rename")}
    for what, events in told.items():
        server.after(what)(events.append)  # type: ignore[arg-type]
    async with server:
        alice = await walk_in(IrcClient, server.port, "alice")
        await alice.command("TOPIC #lobby :news", "JOIN #b", "PART #b :enough", "NICK alicia")
        await alice.ping()
        await server.room("#b").send("hello", by="server")
        await server.room("#lobby").kick("alicia", "out", by="server")
        await alice.command("JOIN #b", "QUIT :bye")
        await alice.rest()
    assert {
        what: [(e.what, e.by, e.rooms, e.text, e.target) for e in told[what]] for what in told if what != "message"
    } == {
        "join": [
            ("join", "alice", ("#lobby",), "", None),
            ("join", "alice", ("#b",), "", None),
            ("join", "server", ("#b",), "", None),
            ("join", "alicia", ("#b",), "", None),
        ],
        "leave": [
            ("leave", "alice", ("#b",), "enough", None),
            ("leave", "alicia", ("#b",), "Quit: bye", None),
            ("leave", "server", ("#b",), "the server is stopping", None),
        ],
        "kick": [("kick", "server", ("#lobby",), "out", "alicia")],
        "topic": [("topic", "alice", ("#lobby",), "news", None)],
        "rename": [("rename", "alice", (), "alicia", None)],
    }
    assert [(message.by, message.text) for message in told["message"]] == [("server", "hello")]
    assert [int(event.id) for event in told["join"]] == sorted({int(event.id) for event in told["join"]})


async def test_an_after_hook_is_told_of_what_is_stored_once_and_not_of_repeats_nor_of_what_was_refused() -> None:
    server, told = served(), []

    @server.on("message")
    def judge(message: asynchat.Message) -> None:
        if message.text == "no":
            raise asynchat.Refused("NO", "no")

    server.after("message", room="#ops")(told.append)
    async with server:
        room = server.room("#ops")
        first = await room.send("yes", by="ci", key="1")
        await room.send("yes", by="ci", key="1")
        with pytest.raises(asynchat.Refused):
            await room.send("no", by="ci")
        await server.room("#lobby").send("elsewhere", by="ci")
    [message] = told
    assert (message.id, message.text, message.at) == (first.id, "yes", first.at)


@pytest.mark.parametrize("store", ["memory", "chat.db"])
async def test_a_slow_after_hook_reads_on_from_the_log_and_misses_nothing_and_nobody_waits_for_it(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asynchat.net.app.after.MOST", 5)
    server = served(store=store if store == "memory" else tmp_path / store)
    told: list[str] = []
    gate, level = asyncio.Event(), asyncio.Event()

    @server.after("message", room="#ops")
    async def note(message: asynchat.Message) -> None:
        await gate.wait()
        told.append(message.text)
        if len(told) == 100:
            level.set()

    async with server:
        for number in range(100):
            await server.room("#ops").send(str(number), by="ci")
            await server.room("#lobby").send("elsewhere", by="ci")
        assert told == []
        gate.set()
        await level.wait()
        await server.room("#ops").send("live", by="ci")
    assert told == [*map(str, range(100)), "live"]


async def test_a_hook_is_behind_once_more_than_so_many_wait_and_level_again_later() -> None:
    async with Town() as town:
        await town.person("alice")
        log, told = town.hub.journal, []
        assert log is not None
        events: list[Any] = []

        async def find(event_id: str) -> Any:
            return next((event for event in events if event.id == event_id), None)

        following = Following(After(lambda message: told.append(message.text), "message", None), Calls(5), find, most=2)
        user = town.hub.user("alice")
        for number in range(5):
            entry = town.hub.say(user, "#lobby", str(number))
            await entry
            events.append(entry.event)
            following.note(entry.event)
        assert (len(following._waiting), following._behind) == (2, True)
        following.end()
        await following.run()
        assert told == [*"01234"]


async def test_what_goes_wrong_in_an_after_hook_costs_that_event_alone(caplog: pytest.LogCaptureFixture) -> None:
    server, told = served(hook_timeout=0.05), []

    @server.after("message")
    async def note(message: asynchat.Message) -> None:
        if message.text == "broken":
            raise ZeroDivisionError
        if message.text == "slow":
            await asyncio.Event().wait()
        if message.text == "refused":
            raise asynchat.Refused("TOO_LATE", "it has happened")
        told.append(message.text)

    async with server:
        for text in ("broken", "slow", "refused", "fine"):
            receipt = await server.room("#ops").send(text, by="ci")
    assert told == ["fine"]
    assert list(server.hook_errors.values()) == [2]
    ids = [int(receipt.id) - back for back in (3, 2)]
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [f"#{number}" in error for number, error in zip(ids, errors, strict=True)] == [True, True]


async def test_an_after_hook_that_does_not_end_is_cancelled_once_the_grace_is_over() -> None:
    server, began = served(hook_timeout=3600), asyncio.Event()

    @server.after("message")
    async def note(message: asynchat.Message) -> None:
        began.set()
        await asyncio.Event().wait()

    async with server:
        await server.room("#ops").send("hello", by="ci")
        await began.wait()
        await server.close(grace=0.01)


async def test_a_close_does_not_wait_for_a_hook_longer_than_its_grace(walk_in: Walk) -> None:
    server, began = served(hook_timeout=3600), asyncio.Event()

    @server.on("message")
    async def judge(message: asynchat.Message) -> None:
        began.set()
        await asyncio.Event().wait()

    async with server:
        alice = await walk_in(LineClient, server.port, "alice")
        await alice.say("hello")
        await began.wait()
        await server.close(grace=0.01)
    await alice.rest()


@pytest.mark.parametrize(("took_s", "named"), [(0.05, 0), (0.2, 1)])
async def test_a_slow_hook_is_named_but_not_each_time(
    took_s: float, named: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls, now = Calls(5), 1000.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)

    def slow() -> None:
        nonlocal now
        now += took_s

    for _ in range(10):
        await calls.call(slow, "#1")
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == named
    assert all("slow" in warning and "200 ms on #1" in warning for warning in warnings)
    now += calling.COMPLAIN_S
    await calls.call(slow, "#2")
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 2 * named
