"""A program that is a client: what it hears, says and keeps, at our server and at others."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import asynchat
from asynchat.client import handlers
from asynchat.client.cursor import Cursor
from tests.client.scripted import Scripted, batch, welcome
from tests.client.test_client import line
from tests.net.conftest import IrcClient, LineClient, Walk, on_both_loops, settings


@pytest.fixture
async def server() -> AsyncIterator[asynchat.Server]:
    async with asynchat.Server(settings(limits={"flood": False}, history={"max_request": 20, "replay": 0})) as running:
        yield running


def bot_of(server: asynchat.Server, **options: object) -> asynchat.Client:
    return asynchat.Client(f"asynchat://127.0.0.1:{server.port}", **{"name": "helper", **options})  # type: ignore[arg-type]


@on_both_loops
async def test_a_handler_answers_who_mentions_it_and_who_talks_to_it(server: asynchat.Server, walk_in: Walk) -> None:
    bot = bot_of(server)
    heard: list[asynchat.Incoming] = []

    @bot.on_message
    def keep(message: asynchat.Incoming) -> None:
        heard.append(message)

    @bot.on_mention
    async def hi(message: asynchat.Incoming) -> None:
        sent = await message.reply(f"yes, {message.by}?")
        assert sent.id
        assert sent.to == "#lobby"

    @bot.on_direct
    async def psst(message: asynchat.Incoming) -> None:
        await message.reply(message.text.upper())

    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("hello all")
        await bob.say("Helper: are you there?")
        await bob.until("helper", "yes, bob?")
        await bob.command("PRIVMSG helper :psst")
        await bob.until("***", "PRIVMSG bob :PSST")
    first, second = heard
    assert (first.text, first.room, first.by, first.kind) == ("hello all", "#lobby", "bob", "message")
    assert (first.direct, first.mention, first.own, first.account, first.place) == (False, False, False, None, "#lobby")
    assert first.id.isdecimal()
    assert first.at.tzinfo is UTC
    assert (second.text, second.mention) == ("Helper: are you there?", True)


async def test_a_loop_takes_messages_of_rooms_and_people(server: asynchat.Server, walk_in: Walk) -> None:
    async with bot_of(server, rooms=()) as bot:
        room = await bot.join("#dev")
        bob = await walk_in(LineClient, server.port, "bob")
        await bob.say("/join #dev")
        await bob.say("one")
        await bob.say("/msg helper two")
        found = []
        async for message in bot.messages():
            found.append((message.room, message.by, message.text))
            if len(found) == 2:
                break
        assert found == [("#dev", "bob", "one"), (None, "bob", "two")]
        await room.set_topic("tests")
        assert sorted(await room.people()) == ["bob", "helper"]
        await room.leave()
        assert bot.rooms == []


async def test_a_key_says_something_once(server: asynchat.Server) -> None:
    async with bot_of(server) as bot:
        first = await bot.send("#lobby", "disk full", key="disk-1")
        again = await bot.send("#lobby", "disk full, again", key="disk-1")
        other = await bot.send("#lobby", "disk full", key="disk-2")
        assert first == again
        assert other.id != first.id
        assert [message.text async for message in bot.history("#lobby")] == ["disk full", "disk full"]
        with pytest.raises(asynchat.Refused, match="NO_TEXT"):
            await bot.send("#lobby", " ")
        with pytest.raises(asynchat.Refused):
            await bot.send("#nowhere", "hello")
        with pytest.raises(ValueError, match="message, action, notice"):
            await bot.send("#lobby", "hello", kind="shout")


async def test_history_is_told_in_order_from_either_end(server: asynchat.Server) -> None:
    async with bot_of(server) as bot:
        sent = [await bot.send("#lobby", f"line {number}") for number in range(50)]
        room = await bot.join("#lobby")

        async def told(**options: object) -> list[str]:
            return [message.text.removeprefix("line ") async for message in room.history(**options)]

        everything = [str(number) for number in range(50)]
        assert await told() == everything
        assert await told(limit=None) == everything
        assert await told(limit=3) == ["47", "48", "49"]
        assert await told(limit=0) == []
        assert await told(before=sent[30].id, limit=25) == everything[5:30]
        assert await told(after=sent[10].id, limit=25) == everything[11:36]
        assert await told(after=sent[10].id, before=sent[14].id) == ["11", "12", "13"]
        assert await told(before=datetime(2020, 1, 1, tzinfo=UTC)) == []
        assert await told(after=datetime(2020, 1, 1, tzinfo=UTC), limit=2) == ["0", "1"]
        (message,) = [each async for each in room.history(limit=1)]
        assert message.own
        assert await told(before=message, limit=1) == ["48"]
        for no_id in ("nope", "", "²"):
            with pytest.raises(ValueError, match="no id"):
                await told(before=no_id)


async def test_what_happens_besides_messages(server: asynchat.Server, walk_in: Walk) -> None:
    bot, other = bot_of(server), bot_of(server, name="other")
    happened: asyncio.Queue[asynchat.Happening] = asyncio.Queue()
    for kind in ("join", "leave", "topic", "rename", "reaction", "typing", "invite"):
        bot.on(kind)(happened.put_nowait)
    async with bot:
        sent = await bot.send("#lobby", "who likes this?")
        async with other:
            room = await other.join("#lobby")
            (message,) = [each async for each in room.history(limit=1)]
            await message.react("👍")
            await message.react("👍")
            room.typing()
            await other.ask("NICK", "another")
            await other.leave("#lobby", "bye")
        bob = await walk_in(IrcClient, server.port, "bob")
        await bot.ask("MODE", "#lobby", "-t")
        (topic,) = await bot.ask("TOPIC", "#lobby")
        assert topic[:3] == ("331", "helper", "#lobby")
        await bob.command("TOPIC #lobby :tests")
        found = [await happened.get() for _ in range(7)]
    kinds = ["join", "reaction", "typing", "rename", "leave", "join", "topic"]
    assert [each.kind for each in found] == kinds
    joined, reaction, typing, renamed, left, _, topic = found
    assert (joined.by, joined.room) == ("other", "#lobby")
    assert (reaction.by, reaction.room, reaction.text, reaction.about) == ("other", "#lobby", "👍", sent.id)
    assert (typing.by, typing.text) == ("other", "active")
    assert (renamed.by, renamed.text) == ("other", "another")
    assert (topic.by, topic.room, topic.text) == ("bob", "#lobby", "tests")
    assert (left.by, left.room, left.text) == ("another", "#lobby", "bye")
    with pytest.raises(ValueError, match="does not happen"):
        bot.on("earthquake")


async def test_a_handler_that_fails_is_told_of_and_the_next_message_is_handled(
    server: asynchat.Server, walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    bot = bot_of(server)

    @bot.on_message
    async def fragile(message: asynchat.Incoming) -> None:
        if message.text == "break":
            raise KeyError("no such thing")
        await message.reply("still here")

    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("break")
        await bob.say("and now?")
        await bob.until("helper", "still here")
        assert bot.failed == 1
    (record,) = [each for each in caplog.records if each.name == "asynchat.bot"]
    assert "fragile failed with message" in record.getMessage()
    assert "in #lobby by bob" in record.getMessage()
    assert "break" not in record.getMessage()
    assert record.exc_info is not None


async def test_a_handler_that_waits_for_something_cancelled_has_failed_and_the_next_message_is_handled(
    server: asynchat.Server, walk_in: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    bot = bot_of(server)

    @bot.on_message
    async def wait(message: asynchat.Incoming) -> None:
        if message.text == "wait":
            waited = asyncio.get_running_loop().create_future()
            waited.cancel()
            await waited
        await message.reply("still here")

    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("wait")
        await bob.say("and now?")
        await bob.until("helper", "still here")
        assert bot.failed == 1
    assert "wait failed with message" in caplog.text


async def test_a_handler_that_is_cancelled_itself_does_not_make_its_room_deaf(
    server: asynchat.Server, walk_in: Walk
) -> None:
    bot = bot_of(server)
    jobs: asyncio.Queue[asyncio.Task[None] | None] = asyncio.Queue()

    @bot.on_message
    async def work(message: asynchat.Incoming) -> None:
        if message.text == "work":
            jobs.put_nowait(asyncio.current_task())
            await asyncio.Event().wait()
        await message.reply("still here")

    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.say("work")
        job = await jobs.get()
        assert job is not None
        job.cancel()
        await asyncio.wait([job])
        await bob.say("and now?")
        await bob.until("helper", "still here")


class Verdict(BaseException):
    """As what `pytest.fail` raises."""


async def test_what_is_no_exception_ends_the_program_with_it(server: asynchat.Server, walk_in: Walk) -> None:
    bot = bot_of(server)
    bob = await walk_in(IrcClient, server.port, "bob")

    @bot.on_message
    def judge(_: asynchat.Incoming) -> None:
        raise Verdict

    async def stay() -> BaseException | None:
        try:
            await bot.stay()
        except Verdict as verdict:
            return verdict
        return None

    async with asyncio.TaskGroup() as group:
        staying = group.create_task(stay())
        await bob.until("***", ":helper!")
        await bob.say("hello")
        assert isinstance(await staying, Verdict)
    assert not bot.connected
    assert bot.failed == 0


async def test_a_slow_handler_is_named(
    server: asynchat.Server, walk_in: Walk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "SLOW_S", 0.0)
    bot, told = bot_of(server), asyncio.Event()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "has been busy with message" in record.getMessage():
                told.set()

    @bot.on_message
    async def sleepy(message: asynchat.Incoming) -> None:
        await told.wait()
        await message.reply("awake")

    ear = Ear()
    logging.getLogger("asynchat.bot").addHandler(ear)
    try:
        async with bot:
            bob = await walk_in(IrcClient, server.port, "bob")
            await bob.say("hello")
            await bob.until("helper", "awake")
    finally:
        logging.getLogger("asynchat.bot").removeHandler(ear)
    assert "sleepy has been busy" in caplog.text


async def test_each_place_goes_on_in_order_while_another_is_held_up(server: asynchat.Server, walk_in: Walk) -> None:
    bot, hold, order = bot_of(server, rooms=("#lobby", "#ops")), asyncio.Event(), []

    @bot.on_message
    async def handle(message: asynchat.Incoming) -> None:
        if message.room == "#lobby":
            await hold.wait()
        order.append(message.text)
        await message.reply(f"done {message.text}")

    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.command("JOIN #ops", "PRIVMSG #lobby :1", "PRIVMSG #lobby :2", "PRIVMSG #ops :3", "PRIVMSG #ops :4")
        await bob.until("helper", "done 4")
        hold.set()
        await bob.until("helper", "done 2")
    assert order == ["3", "4", "1", "2"]


async def test_a_restart_is_handed_what_was_said_meanwhile_in_rooms_and_by_people(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path
) -> None:
    options = {"cursor": tmp_path / "helper.cur", "rooms": ("#lobby", "#ops")}
    async with bot_of(server, rooms=()) as bot:
        await bot.ask("REGISTER", "*", "*", "secret password")
    bob = await walk_in(IrcClient, server.port, "bob")
    eve = await walk_in(IrcClient, server.port, "eve")
    await bob.command("JOIN #ops")

    async def run(number: int) -> list[tuple[str | None, str]]:
        found = []
        async with bot_of(server, password="secret password", **options) as bot:
            assert bot.nick == "helper"  # though its user is there, away
            if not found_before:
                await bob.say("live")
            async for message in bot.messages():
                found.append((message.room, message.text))
                if len(found) == number:
                    break
        return found

    found_before: list[tuple[str | None, str]] = []
    found_before += await run(1)
    for number in range(30):
        await bob.command(*(f"PRIVMSG {to} :{to} missed {number}" for to in ("#lobby", "#ops", "helper")))
    await eve.command("PRIVMSG helper :I missed you")
    await bob.ping()
    await eve.ping()
    found: list[tuple[str | None, str]] = []
    for number in (20, 1, 30, 40):
        found += await run(number)
    await bob.say("live again")
    assert await run(1) == [("#lobby", "live again")]
    assert found_before == [("#lobby", "live")]
    texts = [text for _, text in found]
    for to in ("#lobby", "#ops", "helper"):
        assert [text for text in texts if text.startswith(to)] == [f"{to} missed {number}" for number in range(30)]
    assert found.count((None, "I missed you")) == 1
    assert len(found) == 91


async def test_what_was_not_done_with_comes_again_and_is_answered_once(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path
) -> None:
    bob = await walk_in(IrcClient, server.port, "bob")
    for run in range(2):
        bot, answered = bot_of(server, cursor=tmp_path / "cursor", timeout_s=0.1), asyncio.Event()

        @bot.on_message
        async def handle(message: asynchat.Incoming, run: int = run, answered: asyncio.Event = answered) -> None:
            await message.reply(f"run {run}: {message.text}")
            await message.reply("and again")
            answered.set()
            if run == 0:
                await asyncio.Event().wait()  # it is killed here

        async with bot:
            if run == 0:
                await bob.say("hello")
            await answered.wait()
    await bob.ping()
    assert bob.said_by("helper") == ["run 0: hello", "and again"]


async def test_a_loop_that_raises_is_not_done_with_its_message(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path
) -> None:
    bob = await walk_in(IrcClient, server.port, "bob")

    async def fail() -> None:
        async with bot_of(server, cursor=tmp_path / "cursor") as bot:
            await bob.say("one")
            async for _ in bot.messages():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    for last in ("one", "two"):
        async with bot_of(server, cursor=tmp_path / "cursor") as bot:
            await bob.say("two")
            async for message in bot.messages():
                assert message.text == last
                break


async def test_a_plain_irc_server_will_do(tmp_path: Path) -> None:
    plain = welcome(caps="", software="ircd-2.11") | {
        "JOIN ": ":{nick}!u@h JOIN {first}\n:bob!u@h PRIVMSG #lobby :hello helper",
        "PRIVMSG": ":bob!u@h PRIVMSG helper :psst",
        "TAGMSG": ":srv 421 {nick} TAGMSG :Unknown command",
    }
    async with Scripted(plain) as scripted:
        bot = asynchat.Client(f"irc://127.0.0.1:{scripted.port}", name="helper", cursor=tmp_path / "cursor")
        async with bot:
            texts = []
            async for message in bot.messages():
                texts.append((message.room, message.text, message.id))
                if message.direct:
                    break
                bot.typing("#lobby")
                with pytest.raises(asynchat.Refused, match="NO_REACTIONS"):
                    await message.react("👍")
                assert (await message.reply("yes?")).id == ""
            with pytest.raises(asynchat.Refused, match="NO_HISTORY"):
                await anext(bot.history("#lobby"))
    assert texts == [("#lobby", "hello helper", ""), (None, "psst", "")]
    assert scripted.said("TAGMSG") == []


async def test_notices_are_for_who_asks_for_them(server: asynchat.Server, walk_in: Walk) -> None:
    bot, found, last = bot_of(server), [], asyncio.Event()
    bot.on_message(lambda message: found.append(("message", message.text)))
    bot.on_message(lambda message: last.set() if message.text == "end" else None)
    bot.on("notice")(lambda message: found.append(("notice", message.text)))

    async with bot:
        bob = await walk_in(IrcClient, server.port, "bob")
        await bob.command(
            "NOTICE #lobby :careful", "PRIVMSG #lobby :\x01VERSION\x01", "PRIVMSG #lobby :\x01ACTION waves\x01"
        )
        await bob.say("end")
        await last.wait()
    assert found[:2] == [("notice", "careful"), ("message", "waves")]
    with pytest.raises(RuntimeError, match="handlers"):
        bot.messages()
    with pytest.raises(RuntimeError, match="at no server"):
        await bot.send("#lobby", "hello")


async def test_handlers_are_added_before_it_is_entered_which_it_is_once_at_a_time(server: asynchat.Server) -> None:
    bot = bot_of(server)
    for _ in range(2):
        async with bot:
            for add in (bot.on_message, bot.on_mention, bot.on_direct, bot.on("join")):
                with pytest.raises(RuntimeError, match="before the client is entered"):
                    add(print)
            with pytest.raises(RuntimeError, match="is entered already"):
                await bot.__aenter__()
            assert bot.connected
        bot.on("join")(print)
    full = bot_of(server, rooms=("nohash",))
    for _ in range(2):
        with pytest.raises(asynchat.Refused):
            await full.__aenter__()


async def test_the_end_of_the_connection_is_told_and_not_mended_if_that_is_not_wanted() -> None:
    over = welcome() | {"PRIVMSG": "ERROR :go away\nCUT"}
    async with Scripted(over) as scripted:
        bot = asynchat.Client(f"asynchat://127.0.0.1:{scripted.port}", name="helper", reconnect=False)
        async with bot:
            with pytest.raises(asynchat.NotAcknowledged):
                await bot.send("#lobby", "hello")
            assert [each async for each in bot.messages()] == []
            with pytest.raises(asynchat.Lost, match="go away"):
                await bot.stopped()


async def test_who_is_refused_a_room_does_not_come_in(server: asynchat.Server, walk_in: Walk) -> None:
    bob = await walk_in(IrcClient, server.port, "bob")
    await bob.command("MODE #lobby +k sesame")
    await bob.ping()
    with pytest.raises(asynchat.Refused):
        await bot_of(server).__aenter__()
    async with bot_of(server, rooms=()) as bot:
        assert (await bot.join("#lobby", "sesame")).name == "#lobby"


def test_what_cannot_be_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="no URL"):
        asynchat.Client("http://localhost")
    with pytest.raises(ValueError, match="SHA-256"):
        asynchat.Client("ircs://localhost", pin="abc")
    for name in ("", " ", "two words"):
        with pytest.raises(ValueError, match="cannot be a name"):
            asynchat.Client("asynchat://localhost", name=name)
    assert asynchat.Client("asynchat://localhost", rooms="#lobby").rooms_to_enter == ("#lobby",)
    bot = asynchat.Client("asynchat://localhost#dev", password="x")
    assert bot.rooms_to_enter == ("#dev",)
    assert (bot.identity.account, repr(bot)) == ("bot", "Client('asynchat://localhost:12345', name='bot')")


async def test_a_room_that_the_server_puts_one_into_is_read_from_where_one_was(tmp_path: Path) -> None:
    """As ours does with who has an account: they never left. What is said there at once is not the first thing."""
    inside = ":{nick}!u@h JOIN #lobby\n" + line(13, "three")
    answers = welcome() | {
        "CAP END": f"{welcome()['CAP END']}\n{inside}",
        "CHATHISTORY AFTER #lobby msgid=10 2": batch("{label}", line(11, "one"), line(12, "two")),
        "CHATHISTORY AFTER #lobby msgid=12 2": batch("{label}", line(13, "three")),
        "JOIN ": "@label={label} :srv ACK",
    }
    async with Scripted(answers) as scripted:
        url = f"asynchat://127.0.0.1:{scripted.port}"
        (tmp_path / "cursor").write_text(json.dumps({"server": url, "places": {"#lobby": "msgid=10"}}))
        async with asynchat.Client(url, name="helper", cursor=tmp_path / "cursor") as bot:
            texts = [(await anext(bot.messages())).text for _ in range(3)]
    assert texts == ["one", "two", "three"]


async def test_a_program_that_only_waits_for_what_happens_is_done_with_messages(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path
) -> None:
    bot = bot_of(server, cursor=tmp_path / "cursor")

    @bot.on("join")
    async def greet(happening: asynchat.Happening) -> None:
        await bot.send("#lobby", f"welcome {happening.by}")

    async with asyncio.TaskGroup() as group:
        bob = await walk_in(IrcClient, server.port, "bob")
        staying = group.create_task(bot.stay())
        await bob.until("***", ":helper!")
        await bob.say("hello")
        eve = await walk_in(IrcClient, server.port, "eve")
        await bob.until("helper", "welcome eve")
        bot.stop()
        await staying
        await eve.close()
    async with bot_of(server, cursor=tmp_path / "cursor") as other:
        await bob.say("again")
        assert (await anext(other.messages())).text == "again"


async def test_a_cursor_that_cannot_be_written_ends_the_program(
    server: asynchat.Server, walk_in: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = bot_of(server, cursor=tmp_path / "cursor")
    bob = await walk_in(IrcClient, server.port, "bob")

    @bot.on_message
    def full(_: asynchat.Incoming) -> None:
        def fail(*_: object) -> None:
            raise asynchat.StoreError("no space left")

        monkeypatch.setattr(Cursor, "move", fail)

    async with asyncio.TaskGroup() as group:
        staying = group.create_task(caught(bot.stay()))
        await bob.until("***", ":helper!")
        await bob.say("hello")
        assert str(await staying) == "no space left"


async def caught(coming: Awaitable[object]) -> asynchat.AsynchatError | None:
    try:
        await coming
    except asynchat.AsynchatError as error:
        return error
    return None


def test_a_program_imports_nothing_of_the_command_line() -> None:
    code = "import sys, asynchat; asynchat.Client; print(*({'click', 'uvloop', 'prompt_toolkit'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
