"""Passwords that the application judges."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import asynchat
from tests.net.conftest import NEWS, NO, Client, IrcClient, LineClient, Walk, settings

PEOPLE = {"alice": "wonder", "Bob": "builder"}


def served(**more: Any) -> asynchat.Server:
    server = asynchat.Server(settings(limits={"flood": False}), **more)

    @server.authenticator
    async def judge(name: str, password: str) -> str | None:
        if name == "alice@example.com":
            name = "alice"
        if name == "broken":
            raise ZeroDivisionError
        if name == "odd":
            return "no name"
        return name if PEOPLE.get(name) == password else None

    return server


async def knock(server: asynchat.Server, name: str, password: str) -> LineClient:
    client = await LineClient.connect(server.port)
    await client.say(name)
    await client.until(NEWS, "password:")
    await client.say(password)
    return client


async def sasl(server: asynchat.Server, nick: str, name: str, password: str) -> IrcClient:
    client = await IrcClient.connect(server.port)
    plain = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
    await client.command("CAP LS 302", "CAP REQ sasl", f"NICK {nick}", f"USER {nick} 0 * :{nick}")
    await client.command("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain}", "CAP END", "JOIN #lobby")
    return client


async def test_who_has_an_account_comes_in_on_every_wire_and_is_one_person() -> None:
    async with served() as server:
        clients: list[Client] = [await knock(server, "alice", "wonder")]
        await clients[0].until(NEWS, "hello alice")
        clients.append(await sasl(server, "alice", "alice", "wonder"))
        await clients[1].until(NEWS, " 366 alice ")
        clients.append(await sasl(server, "alice", "alice@example.com", "wonder"))
        await clients[2].until(NEWS, " 366 alice ")
        clients.append(await knock(server, "Bob", "builder"))
        await clients[3].until(NEWS, "hello Bob")
        assert [(each.name, each.account) for each in server.users()] == [("alice", "alice"), ("Bob", "Bob")]
        for client in clients:
            await client.close()


async def test_who_is_asked_for_a_password_is_asked_where_words_are_looked_at_too() -> None:
    server = served()
    server.on("message")(lambda message: message.text.upper())
    async with server:
        client = await knock(server, "alice", "wonder")
        await client.until(NEWS, "hello alice")
        await client.say("hi")
        await client.say("/quit")
        await client.rest()
        await client.close()
        assert [message.text for message in await server.room("#lobby").history()] == ["HI"]


async def test_who_logs_in_by_another_name_bears_that_of_the_account() -> None:
    server = asynchat.Server(port=0)
    server.authenticator(lambda name, password: "alice" if (name, password) == ("al", "wonder") else None)
    async with server:
        client = await knock(server, "al", "wonder")
        await client.until(NEWS, "hello alice")
        assert [(each.name, each.account) for each in server.users()] == [("alice", "alice")]
        await client.close()


async def test_everybody_else_stays_outside(walk_in: Walk) -> None:
    async with served() as server:
        for name, password in (("alice", "guess"), ("nobody", "wonder"), ("broken", "x"), ("odd", "x")):
            client = await knock(server, name, password)
            await client.until(NO, "HOOK_FAILED" if name in ("broken", "odd") else "BAD_PASSWORD")
            await client.close()
        irene = await sasl(server, "irene", "alice", "guess")
        await irene.until(NEWS, " 904 ")
        await irene.until(NEWS, "You must log in first")
        await irene.close()
        assert server.users() == []
    assert sum(server.hook_errors.values()) == 2


async def test_neither_scram_nor_registering_is_offered() -> None:
    async with served(accounts="optional") as server:
        client = await IrcClient.connect(server.port)
        await client.command("CAP LS 302", "NICK nat", "USER nat 0 * :nat", "CAP END")
        offered = " ".join(line for _, line in await client.until(NEWS, " 001 "))
        assert " sasl=PLAIN" in offered
        assert "account-registration" not in offered
        await client.command("REGISTER * * secret", "AUTHENTICATE SCRAM-SHA-256")
        await client.until(NEWS, "FAIL REGISTER DISALLOWED")
        await client.until(NEWS, " 904 ")
        await client.close()


async def test_where_accounts_are_optional_there_are_guests_and_a_name_is_kept_from_its_first_login(
    walk_in: Walk,
) -> None:
    async with served(accounts="optional") as server:
        guest = await walk_in(LineClient, server.port, "alice")
        await guest.say("/register mine")
        await guest.until(NO, "NO_ACCOUNTS")
        await guest.say("/login guess")
        await guest.until(NO, "BAD_PASSWORD")
        await guest.say("/login wonder")
        await guest.until(NEWS, "logged in as alice")
        await guest.say("/logout")
        await guest.say("/quit")
        await guest.rest()
        await guest.close()
        again = await knock(server, "ALICE", "guess")
        await again.until(NO, "BAD_PASSWORD")
        await again.close()
        await walk_in(LineClient, server.port, "carol")


async def test_who_guesses_wrong_waits_ever_longer() -> None:
    server = asynchat.Server(port=0)
    server.authenticator(lambda name, password: None)
    async with server:
        client = await knock(server, "alice", "1")
        await client.say("2")
        await client.say("3")
        await client.rest()
        await client.close()
        client = await knock(server, "alice", "4")
        await client.until(NO, "RATE_LIMITED")
        await client.close()


async def test_an_authenticator_that_gives_no_text_has_failed() -> None:
    server = asynchat.Server(port=0)

    @server.authenticator
    def judge(name: str, password: str) -> Any:
        return True

    async with server:
        client = await knock(server, "alice", "1")
        await client.until(NO, "HOOK_FAILED")
        await client.close()


@pytest.mark.parametrize("mode", ["optional", "required"])
async def test_who_code_speaks_as_goes_altogether_when_told(mode: str) -> None:
    async with served(accounts=mode) as server:
        await server.room("#ops").send("hello", by="ci")
        await server.leave("ci")
        assert server.users() == []
