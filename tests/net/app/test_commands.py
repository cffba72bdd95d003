"""Commands of an application: the same on all wires."""

from __future__ import annotations

import asyncio

import pytest

import asynchat
from tests.net.conftest import NEWS, NO, Client, FrameClient, IrcClient, LineClient, Walk, settings

KINDS: list[type[Client]] = [LineClient, FrameClient, IrcClient]


def served(**more: object) -> asynchat.Server:
    server = asynchat.Server(settings(history={"replay": 0}), **more)  # type: ignore[arg-type]

    @server.command("deploy", role="op", help="deploy ENV")
    async def deploy(ctx: asynchat.Context, env: str) -> None:
        """Bring it out."""
        if env == "moon":
            raise asynchat.Refused("NO_SUCH_ENV", f"there is no {env}")
        await ctx.reply(f"deploying {env} for {ctx.by} of {ctx.room} on {ctx.wire}\nthat was all")

    @server.command("echo", help="echo WORD...")
    def echo(ctx: asynchat.Context, word: str, *rest: str) -> str:
        seen.append((ctx.by, ctx.account, ctx.room, word, rest))
        return "is not looked at"

    seen: list[object] = []
    server.seen = seen  # type: ignore[attr-defined]
    return server


async def ask(client: Client, line: str) -> None:
    if isinstance(client, IrcClient):
        await client.command(line)
    else:
        await client.say(f"/{line}")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_command_answers_its_asker_alone(kind: type[Client], walk_in: Walk) -> None:
    async with served() as server:
        alice = await walk_in(kind, server.port, "alice")
        bob = await walk_in(LineClient, server.port, "bob")
        await ask(alice, "deploy prod")
        wire = {LineClient: "line", FrameClient: "frame", IrcClient: "irc"}[kind]
        heard = await alice.until(NEWS, f"deploying prod for alice of #lobby on {wire}")
        if kind is IrcClient:
            assert heard[-1][1].startswith(":asynchat NOTICE alice :deploying")
        await alice.until(NEWS, "that was all")
        await alice.say("done")
        await bob.until("alice", "done")
        assert [line for line in bob.news if "deploy" in line] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_long_answer_comes_whole(kind: type[Client], walk_in: Walk) -> None:
    server, text = served(), "öl " * 500 + "the end"
    server.command("tell")(lambda ctx: ctx.reply(text))
    async with server:
        alice = await walk_in(kind, server.port, "alice")
        await ask(alice, "tell")
        heard = await alice.until(NEWS, "the end")
        assert "".join(line.partition("NOTICE alice :")[2] or line for _, line in heard) == text


@pytest.mark.parametrize("kind", KINDS)
async def test_too_few_and_too_many_words_are_answered_with_how_it_is_used(kind: type[Client], walk_in: Walk) -> None:
    async with served() as server:
        alice = await walk_in(kind, server.port, "alice")
        for line in ("deploy", "deploy prod now", "deploy #lobby"):
            await ask(alice, line)
            await alice.until(NEWS, "usage: deploy ENV")
        await ask(alice, "echo a b c")
        await ask(alice, "echo #lobby a")
        await ask(alice, "deploy prod")
        await alice.until(NEWS, "deploying prod")
        assert server.seen == [  # type: ignore[attr-defined]
            ("alice", None, "#lobby", "a", ("b", "c")),
            ("alice", None, "#lobby", "a", ()),
        ]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_command_refuses_is_told_in_the_words_of_the_wire(kind: type[Client], walk_in: Walk) -> None:
    async with served() as server:
        alice = await walk_in(kind, server.port, "alice")
        await ask(alice, "deploy moon")
        heard = await alice.until(NEWS if kind is IrcClient else NO, "NO_SUCH_ENV")
        assert "there is no moon" in heard[-1][1]
        if kind is IrcClient:
            assert heard[-1][1] == ":asynchat FAIL DEPLOY NO_SUCH_ENV :there is no moon"


@pytest.mark.parametrize("kind", KINDS)
async def test_who_does_not_run_the_room_may_not_do_what_operators_may(kind: type[Client], walk_in: Walk) -> None:
    async with served() as server:
        await walk_in(LineClient, server.port, "bob")
        alice = await walk_in(kind, server.port, "alice")
        await ask(alice, "deploy prod")
        await alice.until(NEWS if kind is IrcClient else NO, "482" if kind is IrcClient else "NOT_ALLOWED")
        await ask(alice, "deploy #elsewhere prod")
        await alice.until(NEWS if kind is IrcClient else NO, "403" if kind is IrcClient else "NO_SUCH_ROOM")
        await server.room("#elsewhere").send("hello", by="ci")
        for line in ("deploy #elsewhere prod", "echo #elsewhere a"):
            await ask(alice, line)
            await alice.until(NEWS if kind is IrcClient else NO, "442" if kind is IrcClient else "NOT_IN_ROOM")
        assert server.seen == []  # type: ignore[attr-defined]


async def test_in_several_rooms_irc_has_to_name_one(walk_in: Walk) -> None:
    async with served() as server:
        alice = await walk_in(IrcClient, server.port, "alice")
        await alice.command("JOIN #ops", "DEPLOY prod")
        await alice.until(NEWS, "FAIL DEPLOY NEED_ROOM :name a room that you run: deploy ENV")
        await alice.command("DEPLOY #ops prod")
        await alice.until(NEWS, "deploying prod for alice of #ops on irc")


async def test_help_shows_it_and_the_server_has_it_without_being_asked_who_runs_what(walk_in: Walk) -> None:
    from asynchat.net.console import Console

    async with served() as server:
        alice = await walk_in(LineClient, server.port, "alice")
        await alice.say("/help")
        heard = await alice.until(NEWS, "/echo")
        assert any(line.split() == ["/deploy", "ENV", "bring", "it", "out"] for _, line in heard)
        shown: list[str] = []

        async def show(line: str) -> None:
            shown.append(line)

        console = await Console.of(server, show)
        async with asyncio.TaskGroup() as group:
            group.create_task(console.run())
            await console.feed("/deploy prod")
            console.finish()
        assert any("deploying prod for server of #lobby on console" in line for line in shown)


async def test_a_label_is_answered_once(walk_in: Walk) -> None:
    async with served() as server:
        alice = await IrcClient.connect(server.port)
        await alice.command("CAP REQ :labeled-response batch", "NICK a", "USER a 0 * :a", "CAP END", "JOIN #lobby")
        await alice.until(NEWS, " 366 ")
        await alice.command("@label=x DEPLOY prod", "PING end")
        heard = [line for _, line in await alice.until(NEWS, "end")]
        assert sum("label=x" in line for line in heard) == 1
        assert sum("deploying prod" in line for line in heard) == 1
        await alice.close()


async def test_while_it_takes_its_time_others_are_heard_and_it_answers_bit_by_bit(walk_in: Walk) -> None:
    server = asynchat.Server(port=0)
    gate = asyncio.Event()

    @server.command("wait")
    async def wait(ctx: asynchat.Context) -> None:
        await ctx.reply("begun")
        await gate.wait()
        await ctx.reply("ended")

    async with server:
        for kind in KINDS:
            gate.clear()
            alice = await walk_in(kind, server.port, f"a{kind.__name__}")
            await ask(alice, "wait")
            await alice.until(NEWS, "begun")
            await server.room("#lobby").send("meanwhile", by="ci")
            await alice.until("ci", "meanwhile")
            gate.set()
            await alice.until(NEWS, "ended")


async def test_a_reply_after_the_asker_has_gone_is_lost(walk_in: Walk) -> None:
    server = asynchat.Server(port=0)
    asked: list[asynchat.Context] = []
    server.command("later")(asked.append)
    async with server:
        for kind in KINDS:
            alice = await walk_in(kind, server.port, "alice")
            await ask(alice, "later")
            await alice.say("done")
            await ask(alice, "quit")
            await alice.rest()
            await asked.pop().reply("too late")


async def test_a_command_that_fails_or_takes_too_long_is_answered_and_counted(walk_in: Walk) -> None:
    server = asynchat.Server(port=0, hook_timeout=0.05)

    @server.command("broken")
    async def broken(ctx: asynchat.Context) -> None:
        raise ZeroDivisionError

    @server.command("endless")
    async def endless(ctx: asynchat.Context) -> None:
        await asyncio.Event().wait()

    async with server:
        for kind in KINDS:
            alice = await walk_in(kind, server.port, kind.__name__)
            for name, code in (("broken", "HOOK_FAILED"), ("endless", "HOOK_TIMEOUT")):
                await ask(alice, name)
                await alice.until(NEWS if kind is IrcClient else NO, code)
    assert [count for _, count in sorted(server.hook_errors.items())] == [3, 3]


@pytest.mark.parametrize("name", ["help", "privmsg", "who", "stats", "Deploy", "de-ploy", "de ploy", "", "twice"])
def test_a_name_that_cannot_be_one_is_told(name: str) -> None:
    server = asynchat.Server(port=0)
    server.command("twice")(print)
    with pytest.raises(ValueError, match="cannot be a command"):
        server.command(name)(print)
    with pytest.raises(ValueError, match="no role"):
        server.command("fine", role="king")(print)  # type: ignore[arg-type]


async def test_an_unknown_command_is_one_still(walk_in: Walk) -> None:
    async with served() as server:
        alice = await walk_in(LineClient, server.port, "alice")
        await alice.say("/undo")
        await alice.until(NO, "UNKNOWN")
        irene = await walk_in(IrcClient, server.port, "irene")
        await irene.command("UNDO")
        await irene.until(NEWS, " 421 irene UNDO ")
        guest = await IrcClient.connect(server.port)
        await guest.command("NICK guest", "DEPLOY prod")
        await guest.until(NEWS, " 451 ")
        await guest.close()
